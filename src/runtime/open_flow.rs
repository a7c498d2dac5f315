//! What the dispatcher keeps of one flow, as long as a face shows it or it runs.

use std::sync::Arc;

use crate::ledger::Orphan;
use crate::model::Flow;

use super::order::Order;
use super::view::View;
use super::workspace::Workspace;

/// A flow some face has open, or that runs.
#[derive(Default)]
pub struct OpenFlow {
    pub view: View,
    pub workspace: Option<Arc<Workspace>>,
    /// Orders that wait until the ledger has answered.
    pub waiting: Vec<Order>,
    /// A run is being prepared: a second start is refused.
    pub preparing: bool,
    /// That run was asked to stop before it began.
    pub forgone: bool,
    /// As a face read it from its file last.
    pub frozen: Arc<Flow>,
    /// Processes of it that nobody waits for.
    pub orphans: Vec<Orphan>,
    /// Those of them that the kill switch could not end: a run may begin all the same.
    pub unended: Vec<Orphan>,
    /// Why there is no workspace; empty when there is one.
    pub trouble: String,
    /// Its run is to be ours, and is not yet.
    pub coming: bool,
    /// Another process asked for its run before we knew that we carry it.
    pub gives_way: bool,
    /// The number of the notice that says which resources its last start lacked.
    pub lacks: Option<u64>,
    /// A face shows it.
    pub shown: bool,
    /// Its file stands on its own: nobody shares its folder, so nobody has control of it.
    pub stands_alone: bool,
}

impl OpenFlow {
    /// True when no face shows it and nothing is under way for it: a run, one that comes, its
    /// preparation, or an order that waits for the ledger.
    pub fn is_idle(&self) -> bool {
        let at_work = self.view.live.is_some() || self.preparing || !self.waiting.is_empty();
        !self.shown && !self.coming && !at_work
    }

    /// True when a run was ordered and has not begun.
    pub fn is_starting(&self) -> bool {
        let waits = self.view.board.loaded && !self.waiting.is_empty();
        self.view.live.is_none() && (self.preparing || waits)
    }

    /// What a dead Handmill left of it is listed, together with what could not be ended before. Gives
    /// those that were not listed yet.
    pub fn show_orphans(&mut self, left: Vec<Orphan>) -> Vec<Orphan> {
        let known = std::mem::take(&mut self.orphans);
        let news = left.iter().filter(|left| !known.contains(left));
        let news = news.cloned().collect();
        self.orphans = left;
        self.show_orphans_again();
        news
    }

    /// Puts on the board what is listed now.
    pub fn show_orphans_again(&mut self) {
        let more = self.unended.iter();
        let more = more.filter(|unended| !self.orphans.contains(unended));
        let more: Vec<Orphan> = more.cloned().collect();
        self.orphans.extend(more);
        let shown = self.orphans.iter();
        let shown = shown.map(|orphan| (orphan.node.clone(), orphan.pid));
        self.view.board.orphans = Arc::new(shown.collect());
    }
}

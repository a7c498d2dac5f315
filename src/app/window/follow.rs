//! What the runtime is asked to keep reading, by what is shown: logs, past runs, what a run would do.

use crate::app::desk;
use crate::app::dialog::Give;
use crate::app::view::{Dialog, SidePane, Tab};
use crate::runtime::{LogTarget, Order};

use super::App;

impl App {
    /// Has the collection looked through again where its changes are not told by themselves: a
    /// title, a group or a file may be another, and another process may have run a flow.
    pub(in crate::app) fn look_again(&self) {
        if self.board.catalog.root.is_some() {
            self.engine.send(Order::LookAgain);
        }
    }

    pub(super) fn follow_logs(&mut self) {
        let mut wanted = Vec::new();
        if self.view.layout.panes.bottom {
            wanted.extend(self.log_target());
        }
        // One log per desk that is put away, so that it is there in the first frame on return. It is
        // read when it grows, which costs nothing once its run is over.
        let away = self.view.away.values();
        wanted.extend(away.filter_map(|desk| desk.log_target(&self.board)));
        if wanted != self.followed {
            self.followed.clone_from(&wanted);
            self.engine.send(Order::FollowLogs(wanted));
        }
    }

    /// Asks what the run that is pointed at would do, so that it can be shown.
    pub(super) fn follow_wish(&mut self) {
        // While one lives no other is asked for: a node that runs again is pointed at itself.
        let live = self
            .view
            .flow_board(&self.board)
            .is_some_and(|f| f.live.is_some());
        let wish = self.view.wish(&self.board).filter(|_| !live);
        let about = wish
            .as_ref()
            .map(|wish| (wish.flow.clone(), wish.revision, wish.choice.clone()));
        if about != self.wished {
            self.wished = about;
            self.engine.send(Order::Preview(wish.map(Box::new)));
        }
    }

    /// A run of the flow shown was refused for want of resources: they are asked for, once.
    pub(super) fn ask_for_resources(&mut self) {
        let Some(wanting) = self.board.wanting.clone() else {
            return;
        };
        if std::mem::replace(&mut self.wanting_seen, wanting.n) == wanting.n {
            return;
        }
        if self.view.flow_ref() == Some(&wanting.flow) && !self.view.is_covered() {
            let give = Give::new(wanting);
            self.view.dialog = Some(Dialog::Give(Box::new(give)));
        }
    }

    pub(super) fn follow_history(&mut self) {
        let shown = self.view.layout.panes.bottom && self.view.side_pane == SidePane::Runs;
        let (mut history, mut comparison) = (None, None);
        let tab = self
            .view
            .tabs
            .iter()
            .find(|tab| Some(tab.id) == self.view.shown);
        if let Some(doc) = tab.and_then(Tab::doc).filter(|_| shown)
            && self
                .board
                .flow(&doc.flow_ref)
                .is_some_and(|flow| flow.loaded)
        {
            let (now, zone) = (self.engine.now(), &self.view.zone);
            history = Some(self.view.history.ask(doc, now, zone));
            comparison = self.view.history.compare_ask();
        }
        if history != self.asked_history {
            self.asked_history.clone_from(&history);
            self.engine.send(Order::ShowHistory(history));
        }
        if comparison != self.asked_comparison {
            self.asked_comparison.clone_from(&comparison);
            self.engine.send(Order::Compare(comparison));
        }
    }

    /// The log that the log pane shows now.
    pub(in crate::app) fn log_target(&self) -> Option<LogTarget> {
        desk::log_target(self.view.tab()?, &self.view.log, &self.board)
    }

    /// The log pane keeps showing the last node that was selected while it still exists.
    pub(super) fn follow_selection(&mut self) {
        let Some(tab) = self.view.tab() else {
            self.view.log.node = None;
            return;
        };
        let selected = tab.selection.nodes().last().cloned();
        let kept = self
            .view
            .log
            .node
            .clone()
            .filter(|id| tab.doc().is_some_and(|doc| doc.flow().graph.contains(id)));
        self.view.log.node = selected.or(kept);
    }
}

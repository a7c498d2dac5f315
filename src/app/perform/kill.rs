//! The kill switch: asking first, asking the runtime, telling what came of it.

use crate::app::action::Verb;
use crate::app::kill::{Kill, Scope};
use crate::app::view::Dialog;
use crate::app::window::App;
use crate::model::Notice;

impl App {
    pub(super) fn kill_verb(&mut self, verb: Verb) {
        let Some(scope) = self.kill_scope(verb) else {
            return;
        };
        self.ask_kill(scope);
    }

    fn kill_scope(&self, verb: Verb) -> Option<Scope> {
        if verb == Verb::KillAll {
            return Some(Scope::Everything);
        }
        let flow = self.view.flow_ref()?.clone();
        let nodes = self.view.tab()?.selection.nodes().to_vec();
        Some(match verb {
            Verb::KillNodes => Scope::Nodes(flow, nodes),
            _ => Scope::Run(flow),
        })
    }

    /// Asks before anything is ended. What runs may have ended since the wish.
    pub(super) fn ask_kill(&mut self, scope: Scope) {
        match Kill::of(scope, &self.board, &self.view) {
            Some(kill) => self.view.dialog = Some(Dialog::Kill(Box::new(kill))),
            None => self
                .view
                .tell(Notice::info("Nothing of it is running any more.")),
        }
    }

    /// The question was answered with yes.
    pub(super) fn kill(&mut self, kill: Kill) {
        for order in kill.orders() {
            self.engine.send(order);
        }
        self.view.killing.push(kill);
        self.view.dialog = Some(Dialog::Killing);
    }

    /// Tells of what has been killed by now.
    pub(in crate::app) fn watch_kills(&mut self) {
        if self.view.killing.is_empty() {
            return;
        }
        let killing = std::mem::take(&mut self.view.killing);
        let (over, left) = killing
            .into_iter()
            .partition::<Vec<_>, _>(|kill| kill.is_over(&self.board));
        self.view.killing = left;
        for kill in over {
            let news = kill.news(&self.board);
            self.view.tell(news);
        }
        if self.view.killing.is_empty() && matches!(self.view.dialog, Some(Dialog::Killing)) {
            self.view.dialog = None;
        }
    }
}

//! The kill switch: asking first, asking the runtime, closing the progress when it is over.

use crate::app::action::Verb;
use crate::app::kill::Kill;
use crate::app::view::Dialog;
use crate::app::window::App;
use crate::model::Notice;
use crate::runtime::KillScope;

impl App {
    pub(super) fn kill_verb(&mut self, verb: Verb) {
        let Some(scope) = self.kill_scope(verb) else {
            return;
        };
        self.ask_kill(scope);
    }

    fn kill_scope(&self, verb: Verb) -> Option<KillScope> {
        if verb == Verb::KillAll {
            return Some(KillScope::Everything);
        }
        let flow = self.view.flow_ref()?.clone();
        let nodes = self.view.tab()?.selection.nodes().to_vec();
        Some(match verb {
            Verb::KillNodes => KillScope::Nodes(flow, nodes),
            _ => KillScope::Run(flow),
        })
    }

    /// Asks before anything is ended. What runs may have ended since the wish.
    pub(super) fn ask_kill(&mut self, scope: KillScope) {
        match Kill::of(scope, &self.board, &self.view) {
            Some(kill) => self.view.dialog = Some(Dialog::Kill(Box::new(kill))),
            None => self
                .view
                .tell(Notice::info("Nothing of it is running any more.")),
        }
    }

    /// The question was answered with yes.
    pub(super) fn kill(&mut self, kill: Kill) {
        self.engine.send(kill.order());
        self.view.killing.push(kill);
        self.view.dialog = Some(Dialog::Killing);
    }

    /// Forgets what has been killed by now; the runtime tells what that was.
    pub(in crate::app) fn watch_kills(&mut self) {
        if self.view.killing.is_empty() {
            return;
        }
        let board = &self.board;
        self.view.killing.retain(|kill| !kill.is_over(board));
        if self.view.killing.is_empty() && matches!(self.view.dialog, Some(Dialog::Killing)) {
            self.view.dialog = None;
        }
    }
}

//! The facts by which a verb is possible or not.

use crate::app::action::Verb;
use crate::app::control::{Blocked, Facts};

use super::{Group, entry};

/// The plain facts by which a verb is possible or not.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// A flow is open in the shown tab.
    pub open: bool,
    /// What the ledger knows of it has arrived.
    pub loaded: bool,
    /// Nodes in it.
    pub n_nodes: usize,
    /// Nodes selected.
    pub n_sel_nodes: usize,
    /// Edges selected.
    pub n_sel_edges: usize,
    /// Frames selected.
    pub n_sel_frames: usize,
    /// Nodes selected that run now.
    pub n_sel_running: usize,
    /// Nodes selected that ended badly in the live run, and may run again in it.
    pub n_sel_retry: usize,
    /// Flows that run in this process.
    pub n_live_flows: usize,
    /// There are edges between selected nodes, or edges are selected themselves.
    pub has_sel_links: bool,
    /// A run of it lives.
    pub live: bool,
    /// A run of it was ordered and has not begun.
    pub starting: bool,
    /// That run was asked to stop.
    pub stopping: bool,
    /// Nodes that a resume would start.
    pub resumable: u32,
    /// Some node has a status.
    pub has_status: bool,
    /// Who else runs it, as words.
    pub runner: Option<String>,
    /// Processes of it that a dead Handmill left running.
    pub n_orphans: usize,
    /// Why nothing of this flow may be started: another workstation has control, or control is in doubt.
    pub blocked: Blocked,
    /// Control of the workspace shown.
    pub control: Option<Facts>,
    /// There is a step to undo.
    pub can_undo: bool,
    /// There is a step to redo.
    pub can_redo: bool,
    /// The file does not hold what is shown.
    pub dirty: bool,
    /// Tabs open.
    pub n_tabs: usize,
    /// A layout is being worked out.
    pub laying_out: bool,
}

impl Context {
    /// Why a verb cannot be done now, as one sentence; `None` when it can.
    pub fn disabled_because(&self, verb: Verb) -> Option<String> {
        use Verb::*;
        let no = |why: &str| Some(why.to_owned());
        let free = matches!(
            verb,
            Open | NewFlow
                | ChooseCollection
                | SetUpWorkspace
                | CommandPalette
                | ShowKeys
                | ShowSettings
                | CycleTheme
                | Quit
                | FindFlow
                | ToggleSidebar
                | ToggleInspector
                | ToggleBottom
                | ToggleMinimap
                | Escape
        );
        if free {
            return None;
        }
        if verb == KillAll {
            return if self.n_live_flows == 0 {
                no("Nothing is running")
            } else {
                None
            };
        }
        if verbs_of_control(verb) {
            return self.control_disabled_because(verb);
        }
        if matches!(verb, NextTab | PreviousTab) {
            return if self.n_tabs < 2 {
                no("There is no other tab")
            } else {
                None
            };
        }
        if matches!(verb, CloseTab) && self.n_tabs > 0 {
            return None;
        }
        if !self.open {
            return no("No flow is open");
        }
        let starts = matches!(verb, Run | Resume | RunAll | RunFromHere | RunUpToHere);
        if starts || matches!(verb, ClearStatus | ClearAllStatus) {
            if !self.loaded {
                return no("The last run of this flow is still being read");
            }
            if let Some(runner) = &self.runner {
                return Some(format!("{runner} runs this flow"));
            }
        }
        let again = verb == Run && self.n_sel_retry > 0 && self.n_sel_retry == self.n_sel_nodes;
        let blocked = match verb {
            Retry => &self.blocked.nodes,
            Run if self.live && again => &self.blocked.nodes,
            _ if starts => &self.blocked.runs,
            _ => &None,
        };
        if let Some(why) = blocked {
            return Some(why.clone());
        }
        if starts && self.starting {
            return no("This flow is starting");
        }
        if starts && self.n_nodes == 0 {
            return no("This flow has no nodes yet");
        }
        if starts && self.n_orphans > 0 {
            return no("Processes of an interrupted run still live; stop them first");
        }
        if starts && self.live && !again {
            return no("This flow is running; stop it first");
        }
        match verb {
            Retry if !self.live => no("No run of this flow is going on"),
            Retry if self.stopping => no("This run is being stopped"),
            Retry if self.n_sel_retry == 0 => no("Select a node that failed in this run first"),
            KillNodes if self.n_sel_running == 0 => no("No selected node is running"),
            KillRun if !self.live => no("Nothing is running"),
            Resume if self.resumable == 0 => no("Nothing failed, was stopped or interrupted"),
            RunFromHere | RunUpToHere if self.n_sel_nodes == 0 => no("Select a node first"),
            // Who else runs it can be asked to stop, and what a dead Handmill left can be ended.
            Stop if !self.live
                && !self.starting
                && self.runner.is_none()
                && self.n_orphans == 0 =>
            {
                no("Nothing is running")
            }
            ClearStatus | ClearAllStatus if self.live || self.starting => {
                no("This flow is running; its statuses are being made")
            }
            ClearStatus if self.n_sel_nodes == 0 => no("Select a node first"),
            ClearAllStatus if !self.has_status => no("No node has a status"),
            EditCommand if self.n_sel_nodes != 1 => no("Select one node first"),
            Connect if self.n_sel_nodes < 2 => no("Select two or more nodes first"),
            Disconnect | ToggleEdgeKind if !self.has_sel_links => {
                no("Select edges, or nodes that are joined, first")
            }
            Delete if self.nothing_selected() => no("Select something first"),
            Copy | Cut | Duplicate | ToggleMute | GroupIntoFrame | Nudge(_)
                if self.n_sel_nodes == 0 =>
            {
                no("Select a node first")
            }
            SelectAll | FindNode | Walk(_) if self.n_nodes == 0 => no("This flow has no nodes yet"),
            AutoLayout if self.n_nodes < 2 => no("There are fewer than two nodes"),
            AutoLayout if self.laying_out => no("A layout is being worked out"),
            Undo if !self.can_undo => no("Nothing to undo"),
            Redo if !self.can_redo => no("Nothing to redo"),
            Save if !self.dirty => no("Everything is saved"),
            _ => None,
        }
    }

    fn control_disabled_because(&self, verb: Verb) -> Option<String> {
        let Some(control) = &self.control else {
            return Some("There is no workspace here whose control is shared".to_owned());
        };
        let can = &control.can;
        let can = match verb {
            Verb::TakeControl => &can.claim,
            Verb::RequestControl => &can.request,
            Verb::CancelRequest => &can.cancel,
            Verb::TakeOver => &can.take_over,
            Verb::GiveUpControl => &can.release,
            Verb::KeepControl => &can.keep,
            Verb::HandOver | Verb::RefuseRequest if !control.is_asked => {
                return Some("Nobody asks for control".to_owned());
            }
            _ => return None,
        };
        can.as_ref().err().cloned()
    }

    fn nothing_selected(&self) -> bool {
        self.n_sel_nodes + self.n_sel_edges + self.n_sel_frames == 0
    }
}

fn verbs_of_control(verb: Verb) -> bool {
    entry(verb).group == Group::Control
}

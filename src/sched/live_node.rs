//! One node of a live run: between which two triggers it stands, and what it owes. Unaware of the
//! graph and of the other nodes; [`super::run_state::RunState`] keeps one for each.

use crate::model::{Exit, Finish, NodeStatus};

/// A node of a live run.
#[derive(Clone, Debug, Default)]
pub struct LiveNode {
    /// Where it is between two triggers.
    pub phase: Phase,
    /// Passes begun, with those of the runs that this one resumes.
    pub pass: u32,
    /// Tries of the pass; 0 between two passes.
    pub attempt: u32,
    /// Triggers not yet used by a pass.
    pub queued: u32,
    /// How its newest pass ended in this run.
    pub last: Option<NodeStatus>,
    /// A pass failed and no retry by hand has mended it.
    pub failed: bool,
    /// It succeeded in the run that is resumed, and was not triggered since.
    pub kept: bool,
    /// Why its process is being ended, when it is.
    pub ending: Option<Ending>,
    /// Passes of an adopted run that had begun and whose triggers were not on record.
    pub owed: u32,
}

/// Where a node is between two triggers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Neither triggered nor running.
    #[default]
    Rest,
    /// In the ready queue.
    Ready,
    /// Failed, and waiting for the time of its next attempt.
    Delayed,
    /// Launched, its exit not yet reported.
    Running,
}

/// Why the process of a node is being ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A person stopped it.
    Stop,
    /// It ran past its timeout.
    Timeout,
    /// The right to run in its workspace was lost.
    Control,
}

impl Ending {
    /// What a process that ended so was being ended for.
    pub fn of(finish: &Finish) -> Option<Self> {
        match (finish.status, &finish.exit) {
            (NodeStatus::Stopped, _) => Some(Self::Stop),
            (_, Exit::TimedOut) => Some(Self::Timeout),
            // Nobody saw the end of one with an unknown exit; of any other the right to run had ended.
            (NodeStatus::Interrupted, exit) if *exit != Exit::Unknown => Some(Self::Control),
            _ => None,
        }
    }
}

impl LiveNode {
    /// True when it ended badly in this run, so that a retry by hand means something.
    pub fn wants_resume(&self) -> bool {
        self.last.is_some_and(NodeStatus::wants_resume)
    }

    /// Takes the end of its process as what it was ended for says: the status, and the exit told.
    pub fn judge(&mut self, exit: Exit) -> (NodeStatus, Exit) {
        match self.ending.take() {
            // Stopped even when it then exited with 0: what it was to do was cut short.
            Some(Ending::Stop) => (NodeStatus::Stopped, exit),
            Some(Ending::Control) => (NodeStatus::Interrupted, exit),
            Some(Ending::Timeout) => (NodeStatus::Failed, Exit::TimedOut),
            None if exit.is_success() => (NodeStatus::Ran, exit),
            // Nobody saw how it ended: it may have done its work or half of it.
            None if exit == Exit::Unknown => (NodeStatus::Interrupted, exit),
            None => (NodeStatus::Failed, exit),
        }
    }
}

//! Control of each workspace that this process has to do with: who keeps it, and what is known of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::lease::limits::Limits;
use crate::lease::{Moment, Policy, Stand, Status, Wish};
use crate::model::WorkspaceId;
use crate::share::table::TableReader;
use crate::store::ControlLock;
use crate::watch::SleepNotices;

use super::super::board::Runner;
use super::super::clock;
use super::clerk::Clerk;
use super::keeper::Keeper;
use super::opening::Shown;
use super::sleep::SleepWatch;

/// How a runtime has to do with control.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How long things last, or why nothing can be controlled: a sentence.
    pub limits: Result<Limits, String>,
    /// Reads what other machines wrote.
    pub reader: TableReader,
}

impl Default for Setup {
    /// As this process was told by its environment; this very program reads what others wrote.
    fn default() -> Self {
        Self {
            limits: crate::share::control_limits(),
            reader: TableReader::default(),
        }
    }
}

/// Control of every workspace that this process has to do with.
pub struct Controls {
    pub setup: Setup,
    /// Started with the first workspace.
    pub clerk: Option<Clerk>,
    pub by_workspace: BTreeMap<WorkspaceId, Control>,
    /// Counts openings, so that late news are known for what they are.
    pub n_openings: u64,
    /// This machine, once it was asked for.
    pub me: Option<crate::lease::MachineId>,
    /// Tells before the machine sleeps, once there is a keeper.
    pub notices: Option<SleepNotices>,
    /// Notices that the machine has slept.
    pub sleep: SleepWatch,
    /// Since when the process is ending.
    pub ending_since: Option<Instant>,
}

impl Controls {
    pub fn new(setup: Setup) -> Self {
        Self {
            setup,
            clerk: None,
            by_workspace: BTreeMap::new(),
            n_openings: 0,
            me: None,
            notices: None,
            sleep: SleepWatch::new(clock::boot(), clock::instant()),
            ending_since: None,
        }
    }

    /// How long children have to end when control is lost.
    pub fn grace(&self) -> Duration {
        let limits = self.setup.limits.as_ref();
        limits.map_or(Limits::REAL.grace, |limits| limits.grace)
    }

    /// Control of a workspace, when it is the opening that `n` counts.
    pub fn of(&mut self, workspace: &WorkspaceId, n: u64) -> Option<&mut Control> {
        let control = self.by_workspace.get_mut(workspace);
        control.filter(|control| control.n == n)
    }
}

/// Control of one workspace, seen from this process.
pub struct Control {
    pub n: u64,
    /// The workspace's folder.
    pub root: Arc<Path>,
    /// A face shows it.
    pub is_shown: bool,
    pub standing: Standing,
    pub policy: Policy,
    /// How it stood when that was looked at last.
    pub last: Option<(Status, Moment)>,
    /// What waits until it is known who keeps control.
    pub wishes: Vec<Wish>,
    /// Control was wished for the sake of an order that waits.
    pub is_wished: bool,
    /// Since when orders wait, and whether that was told.
    pub waits: Option<(Instant, bool)>,
    /// No node starts in the workspace.
    pub is_held: bool,
    /// Runs here that other processes of this machine carry, and their attempts that live.
    pub others: (u32, u32),
    /// The lease knows that nothing of earlier processes is left.
    pub is_alone: bool,
    /// The ledger got rows since the lease was told.
    pub is_changed: bool,
    /// It is being given up because nobody needs it here.
    pub closing: Option<Closing>,
    /// Somebody needed it again when it was being released already: it is claimed anew when that is over.
    pub reopens: bool,
}

/// How far giving up is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Whether other processes of this machine follow it is being asked.
    Asked,
    /// One of them takes over: nothing is released.
    HandedOn,
    /// It is being released to other machines.
    Releasing,
}

/// Who keeps control of a workspace on this machine.
pub enum Standing {
    /// That is being found out.
    Opening,
    /// Nobody shares the workspace: there is nothing to control.
    Uncontrolled,
    /// Nobody can. A sentence.
    Failed(String),
    /// This process.
    Keeper(Box<Keeper>, ControlLock),
    /// Another process.
    Guest {
        /// Which.
        held: Runner,
        /// What it shows.
        shown: Option<Box<Shown>>,
    },
}

impl Control {
    pub fn new(n: u64, root: Arc<Path>) -> Self {
        Self {
            n,
            root,
            is_shown: false,
            standing: Standing::Opening,
            policy: Policy::default(),
            last: None,
            wishes: Vec::new(),
            is_wished: false,
            waits: None,
            is_held: true,
            others: (0, 0),
            is_alone: false,
            is_changed: false,
            closing: None,
            reopens: false,
        }
    }

    /// What a person calls the workspace.
    pub fn name(&self) -> String {
        let name = self.root.file_name().unwrap_or(self.root.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// The keeper, when this process is it.
    pub fn keeper(&mut self) -> Option<&mut Keeper> {
        match &mut self.standing {
            Standing::Keeper(keeper, _) => Some(keeper),
            _ => None,
        }
    }

    /// Where this machine stands, as it was looked at last.
    pub fn stand(&self) -> Option<Stand> {
        self.last.as_ref().map(|(status, _)| status.stand)
    }

    /// The process that keeps control in our place.
    pub fn held_by(&self) -> Option<&Runner> {
        match &self.standing {
            Standing::Guest { held, .. } => Some(held),
            _ => None,
        }
    }
}

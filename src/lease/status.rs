//! What the operator sees of control.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::message::{Folder, When};
use super::name::{Epoch, MachineId};

/// Control of one workspace at one moment, as it is to be shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Where this machine stands.
    pub stand: Stand,
    /// The line of the control bar.
    pub text: String,
    /// Why a run cannot start here, as a sentence; `None` when it can.
    pub blocked: Option<String>,
    /// New runs may start.
    pub may_start_runs: bool,
    /// Runs that go on may start nodes.
    pub may_start_nodes: bool,
    /// The other machine that has control, or had it last.
    pub owner: Option<Owner>,
    /// Requests of other machines that this machine can answer, oldest first.
    pub requests: Vec<Request>,
    /// What this machine asked for.
    pub asked: Option<MyRequest>,
    /// What can be wished now; each with the reason when it cannot.
    pub can: Can,
    /// What must not be overlooked: degraded, conflict, damage, advisory.
    pub banners: Vec<Banner>,
    /// What the folder can be trusted with; `None` until it was tested.
    pub folder: Option<Folder>,
    /// Age of the last look at the folder; `None` before the first.
    pub seen: Option<Duration>,
}

/// Where this machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stand {
    /// The folder was not seen yet.
    Unknown,
    /// Nobody has control.
    Free,
    /// Another machine has control.
    Watching,
    /// This machine is claiming.
    Claiming,
    /// This machine has control.
    Owner {
        /// Under which epoch.
        epoch: Epoch,
    },
    /// This machine gives control up.
    Leaving {
        /// When.
        when: When,
    },
    /// This machine lost control and ends its children.
    Stopping,
    /// The children are frozen until control is certain.
    Frozen,
    /// The workspace folder is not there.
    Vanished,
    /// The tree is not ours to touch.
    Refused,
}

/// Another machine that has control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The machine, when it is known.
    pub machine: Option<MachineId>,
    /// Its host; `Another machine` when it is not known.
    pub host: String,
    /// How long this machine has seen no change.
    pub silent: Duration,
    /// Until a takeover is possible; `None` when it already is.
    pub takeover_in: Option<Duration>,
    /// It is a program of an earlier version.
    pub is_seed: bool,
}

/// A request of another machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who asks.
    pub machine: MachineId,
    /// Its host.
    pub host: String,
    /// How long it has been asking, by our clock.
    pub age: Duration,
    /// Until the policy answers; `None` when the person must.
    pub answered_in: Option<Duration>,
}

/// What this machine asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyRequest {
    /// It is in the folder; before, it is only wished.
    pub is_written: bool,
    /// Since when.
    pub age: Duration,
}

/// What can be wished now: `Ok`, or why not, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Can {
    /// [`super::Wish::Control`] would claim.
    pub claim: Result<(), String>,
    /// [`super::Wish::TakeOver`].
    pub take_over: Result<(), String>,
    /// [`super::Wish::Request`].
    pub request: Result<(), String>,
    /// [`super::Wish::Cancel`].
    pub cancel: Result<(), String>,
    /// [`super::Wish::Release`], [`super::Wish::HandOver`].
    pub release: Result<(), String>,
    /// [`super::Wish::Keep`].
    pub keep: Result<(), String>,
}

/// Something that must not be overlooked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banner {
    /// What it is about.
    pub kind: BannerKind,
    /// What is so, and what to do: a sentence or two.
    pub text: String,
}

/// What a [`Banner`] is about, for whoever offers what can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BannerKind {
    /// Control is a convention in this folder.
    Advisory,
    /// The folder answers late.
    Slow,
    /// The folder cannot be written, or its tree is not understood.
    Unfit,
    /// Two machines claimed at once. To be confirmed ([`super::Wish::Confirm`]).
    Conflict,
    /// Epochs are missing. To be confirmed ([`super::Wish::Confirm`]).
    Gap,
    /// The whole log of epochs is missing, though somebody had control.
    NoLog,
    /// Another program keeps its state here.
    Foreign,
    /// Another program left its state here, and nobody holds it. To be taken over ([`super::Wish::Import`]).
    Importable,
    /// The lease row cannot be read.
    Damaged,
    /// A program of an earlier version has control.
    Older,
    /// Another machine has the id of this one.
    Cloned,
    /// Checkpoints fail.
    Degraded,
    /// Nodes finish though control is gone.
    Unowned,
    /// Control is to be given up, and nodes run yet.
    Waits,
}

impl Banner {
    pub(super) fn new(kind: BannerKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }
}

//! What a lease is told, and what it wants done. Time comes beside every input.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::name::{Beat, Epoch, MachineId, Moment, Ticket, Token};
use super::op::{Op, Reply};

/// Everything a lease can be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// An operation has come back. Every [`Effect::Carry`] gets exactly one, however late.
    Replied {
        /// Which.
        ticket: Ticket,
        /// With what.
        reply: Reply,
    },
    /// The moment of [`super::Lease::next_deadline`] has come, or some time has passed.
    Tick,
    /// What the operator wants.
    Wish(Wish),
    /// What runs on this machine, whenever that changes.
    Work(Work),
    /// The ledger has rows that the shared snapshot does not.
    Changed,
    /// The system is about to suspend. The children are to be frozen before it does.
    Suspending,
    /// The system is awake again.
    Woke,
    /// What the self-test of the folder says.
    Folder(Folder),
    /// What the ledger remembered of this workspace under the same boot, before anything was seen.
    Remembered(Sighting),
    /// What the person set for this workspace.
    Configure(Policy),
    /// An earlier process of this machine, under this boot, had control and is gone; the lock on the local folder is
    /// ours. Its tenure goes on, as long as its time is not over.
    Resumed(Keepsake),
    /// No earlier process of this machine is left under this boot, nor any of its children: the lock on the local
    /// folder is ours and the orphans are gone. Its epoch can be followed at once, without the silence.
    Alone,
    /// The sitter is gone or back. Without one nothing runs under this lease.
    Sitter {
        /// It holds the deadline.
        is_there: bool,
    },
}

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Wish {
    /// Take control when it is free, now or later; ends a wish to stay away.
    Control,
    /// Take control of an epoch whose owner has been silent long enough.
    TakeOver,
    /// Ask the owner for control.
    Request {
        /// What asks: `ui` or `cli`.
        client: String,
    },
    /// Take back what was asked.
    Cancel,
    /// Answer a request with yes, or simply give control to this machine.
    HandOver {
        /// To whom.
        to: MachineId,
        /// When.
        when: When,
    },
    /// Go on after all, as long as the hand-over has not begun to stop anything.
    Keep,
    /// Answer a request with no.
    Deny {
        /// To whom.
        to: MachineId,
    },
    /// Give control up and do not take it again by itself.
    Release {
        /// When.
        when: When,
    },
    /// The person has seen the conflict or the damage and wants to go on all the same.
    Confirm,
    /// Look at the folder at once.
    Look,
    /// Take over what Data Engine 0.5 left and nobody holds. Whoever carries for the lease does it; the lease looks again.
    Import,
}

/// When control is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// The children are stopped.
    Now,
    /// No node is started any more; those that run may end.
    AfterNodes,
    /// No run is started any more; those that go on may end.
    AfterRuns,
}

/// What runs on this machine under this lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Node processes whose groups are not empty, frozen ones included.
    pub n_children: u32,
    /// Runs that have not ended.
    pub n_runs: u32,
}

/// What a folder can be trusted with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Folder {
    /// Renames exclude each other and removed folders refuse: control is exclusive.
    Exclusive {
        /// It is so slow, or caches for so long, that the person should know.
        is_slow: bool,
    },
    /// A sync program merges copies: control is a convention. A claim counts after settling.
    Advisory {
        /// How long; at least [`super::limits::SETTLE`].
        settle: Duration,
        /// What told: a sentence.
        why: String,
    },
    /// It cannot be written, or its tree is not understood: look only. A sentence.
    Unfit(String),
    /// The workspace folder is not there.
    Vanished,
}

/// What the next process of this machine needs to go on with a tenure when this one dies. It must be gone for good before
/// the last step of a release is carried out: after that the epoch is over, whatever was heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keepsake {
    /// Which epoch.
    pub epoch: Epoch,
    /// Of its claim.
    pub token: Token,
    /// Children may run until then; by that time the sitter ends them.
    pub deadline: Moment,
}

/// What was seen last, and since when it has not changed. Kept in the ledger, so that a new start under the same boot
/// does not start the silence anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The highest epoch.
    pub epoch: Option<Epoch>,
    /// It was released.
    pub is_released: bool,
    /// Of the lease row.
    pub beat: Option<Beat>,
    /// The first look that showed this.
    pub since: Moment,
    /// The last look that still showed it.
    pub until: Moment,
}

/// What a lease wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Do one file operation and tell what came of it. The next one is asked for after the reply.
    Carry {
        /// To be given back.
        ticket: Ticket,
        /// What to do.
        op: Op,
    },
    /// Tell the sitter until when children may run: at that moment it ends them itself, politely, and kills what is
    /// left when [`super::limits::Limits::grace`] more have passed on the clock, however late it comes to that: one who wakes
    /// after a sleep has no grace to give. Replaces what it was told before.
    Arm {
        /// Until when.
        until: Moment,
    },
    /// The sitter may forget the deadline: nothing runs under this lease.
    Disarm,
    /// What is to become of the children.
    Children(ChildOrder),
    /// Write a fact into the ledger and tell the person.
    Record(Fact),
    /// Keep this in the ledger for the next start.
    Remember(Sighting),
}

/// What is to become of the children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildOrder {
    /// End them politely, whole groups; kill what is left after [`super::limits::Limits::grace`].
    Stop,
    /// Kill them at once, frozen ones too.
    Kill,
    /// Stop their clocks: SIGSTOP, or the job's freeze.
    Freeze,
    /// Let them go on. Always after the [`Effect::Arm`] that allows it.
    Thaw,
}

/// What happened to control.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// This machine has control.
    Gained {
        /// Under which epoch.
        epoch: Epoch,
        /// Whose epoch was cut off for it, and how long that machine had been silent.
        over: Option<(String, Duration)>,
        /// Automation that was on goes on: the workspace's policy says so.
        resumes: bool,
    },
    /// This process goes on with the control that an earlier one of this machine had.
    WentOn {
        /// Under which epoch.
        epoch: Epoch,
    },
    /// This machine gave control up.
    GaveUp {
        /// Which epoch.
        epoch: Epoch,
        /// For whom.
        to: Option<String>,
    },
    /// This machine lost control; its runs are interrupted.
    Lost {
        /// Which epoch.
        epoch: Epoch,
        /// How.
        how: Loss,
    },
    /// A claim came to nothing.
    NotGained {
        /// A sentence.
        why: String,
    },
    /// Checkpoints fail.
    Degraded {
        /// So many in a row.
        n_failed: u32,
        /// The last reason: a fragment.
        why: String,
    },
    /// Checkpoints work again.
    Recovered,
    /// The owner said no to our request.
    Denied {
        /// Its host.
        by: String,
    },
    /// This machine said no to a request.
    Refused {
        /// Whose: a host.
        to: String,
    },
    /// Another machine has control: told once of each epoch.
    Elsewhere {
        /// Under which epoch.
        epoch: Epoch,
        /// Its host.
        host: String,
    },
    /// That machine gave it back.
    Freed {
        /// Which epoch.
        epoch: Epoch,
        /// Its host.
        host: String,
    },
    /// Somebody asks for control.
    AskedBy {
        /// The machine.
        machine: MachineId,
        /// Its host.
        host: String,
    },
    /// Children may have run here while another machine had control: the window is this long at most.
    Overlapped {
        /// The other machine's host.
        with: String,
        /// At most so long.
        at_most: Duration,
    },
}

/// How control was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Another machine took it: our pen is gone, or a higher epoch is there.
    Ousted,
    /// No checkpoint was confirmed in time.
    Expired,
    /// An older program writes in the same workspace.
    SeedMachine {
        /// What it calls itself.
        host: String,
    },
    /// Two machines claimed in a folder that is merged behind our back.
    Conflict {
        /// The names that tell.
        names: Vec<String>,
    },
    /// The workspace folder is not there any more.
    Vanished,
    /// Our epoch is not there any more, and no higher one is: somebody removed it, or the whole log.
    Removed,
    /// The sitter, which holds the deadline, is gone.
    NoSitter,
}

/// What a person set for a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Claim a free workspace without being asked.
    pub claims_when_free: bool,
    /// Take over a silent epoch without being asked.
    pub takes_over: bool,
    /// What becomes of a request that nobody answered within [`super::limits::Limits::answer`].
    pub answer: Answer,
    /// Automation that was on goes on when control is gained.
    pub resumes: bool,
    /// Let nodes that run end when the folder is away, though another machine may take over meanwhile: not exclusive.
    pub finishes_when_away: bool,
}

/// The answer to a request that the person leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Yes.
    HandOver(When),
    /// No.
    Deny,
    /// None: the person must say.
    Wait,
}

impl Default for Policy {
    /// Claims what is free, asks before a takeover, hands over after the runs.
    fn default() -> Self {
        Self {
            claims_when_free: true,
            takes_over: false,
            answer: Answer::HandOver(When::AfterRuns),
            resumes: true,
            finishes_when_away: false,
        }
    }
}

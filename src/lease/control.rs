//! When this machine does what: the timed half of the protocol.
//!
//! It holds one deadline that matters more than all others: until when children may run. Everything else (looks,
//! checkpoints, claims, small files) is an agenda, and one file operation is under way at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use super::desk::Desk;
use super::limits::Limits;
use super::look::Eyes;
use super::message::{Answer, Effect, Folder, Input, Keepsake, Loss, Policy, When, Work};
use super::name::{Beat, Epoch, Me, Moment, Now, Ticket, Token};
use super::note::{Generation, Hint, LeaseRow};
use super::op::Markers;
use super::steps::Steps;

/// Makes tokens that nobody else makes: a number drawn by the caller, and a count.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    pub(super) seed: u128,
    pub(super) n_made: u128,
}

impl Tokens {
    pub(super) fn next(&mut self) -> Token {
        self.n_made += 1;
        // The count is multiplied by an odd constant: no two are equal, and they do not look alike.
        let spread = self
            .n_made
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        Token(self.seed.wrapping_add(spread))
    }
}

/// Who waits for the operation under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    Journey,
    Look,
    Desk,
    Mirrors,
    /// Whoever waited has given up.
    Nobody,
}

/// A claim, as far as the steps do not know it.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) epoch: Epoch,
    pub(super) token: Token,
    /// Before its first operation: validity counts from here.
    pub(super) k0: Moment,
    /// What the decision was founded on.
    pub(super) beat: Option<Beat>,
    pub(super) markers: Markers,
    /// Who is cut off, and its silence.
    pub(super) over: Option<(String, Duration)>,
    /// The row of an older program over which we claim.
    pub(super) seed_beat: Option<Beat>,
    pub(super) settled_at: Option<Moment>,
}

/// What the next pages carry.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    pub(super) token: Token,
    pub(super) generation: Generation,
    pub(super) k0: Moment,
    pub(super) has_tables: bool,
    /// The row as it was written into the pen.
    pub(super) row: Option<LeaseRow>,
}

/// Control, while this machine has it.
#[derive(Clone, Debug)]
pub(super) struct Tenure {
    pub(super) epoch: Epoch,
    /// Children may run until then.
    pub(super) deadline: Moment,
    pub(super) confirmed_at: Moment,
    pub(super) checkpoint_at: Moment,
    /// The snapshot that the row names.
    pub(super) generation: Generation,
    /// The ledger has rows that the snapshot has not.
    pub(super) has_changes: bool,
    /// A try was not confirmed: its pages may lie in the pen, or still be on their way.
    pub(super) has_leftovers: bool,
    pub(super) snapshot_at: Moment,
    pub(super) n_failed: u32,
    pub(super) fault: String,
    pub(super) seed_beat: Option<Beat>,
    pub(super) is_mirrored: bool,
    /// A checkpoint of this process, or its claim, was confirmed. Before, nothing new is started.
    pub(super) is_certain: bool,
    /// A checkpoint was confirmed since old epochs were last looked for.
    pub(super) may_prune: bool,
}

/// Control is to be given up.
#[derive(Clone, Debug)]
pub(super) struct Leaving {
    pub(super) to: Option<Hint>,
    pub(super) when: When,
    pub(super) try_at: Moment,
    /// The release has set out. Its last step may come true at any time from now on, even if no reply says so, and so
    /// nothing runs here any more.
    pub(super) is_begun: bool,
}

/// The children are being ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) kill_at: Moment,
}

/// What keeps this machine from claiming until the person has spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Names that tell of a conflict.
    Conflict(Vec<String>),
    /// Numbers are missing between these.
    Gap(u64, u64),
}

/// Control of one workspace, seen from one machine. See the module.
#[derive(Clone, Debug)]
pub struct Lease {
    pub(super) me: Me,
    pub(super) workspace: String,
    pub(super) policy: Policy,
    pub(super) limits: Limits,
    pub(super) folder: Option<Folder>,
    pub(super) tokens: Tokens,
    pub(super) steps: Steps,
    pub(super) eyes: Eyes,
    pub(super) desk: Desk,
    pub(super) attempt: Attempt,
    pub(super) paper: Paper,
    pub(super) tenure: Option<Tenure>,
    /// The epoch of the role, and our token in it.
    pub(super) held: Option<(Epoch, Token)>,
    pub(super) work: Work,
    pub(super) leaving: Option<Leaving>,
    pub(super) ending: Option<Ending>,
    pub(super) is_frozen: bool,
    pub(super) is_suspended: bool,
    pub(super) is_vanished: bool,
    pub(super) has_sitter: bool,
    /// Nodes that ran when the folder went away may end: control is not exclusive any more.
    pub(super) is_away: Option<Moment>,
    /// The operator wants control when it is free.
    pub(super) wants_control: bool,
    pub(super) wants_takeover: bool,
    /// The operator gave control up: nothing is claimed without being asked.
    pub(super) stays_away: bool,
    /// No process of an earlier start of this machine is left.
    pub(super) is_alone: bool,
    pub(super) confirmed: BTreeSet<String>,
    /// The newest epoch of the last listing, of a look or of a journey.
    pub(super) newest_listed: Option<Epoch>,
    pub(super) flight: Option<(Ticket, Errand)>,
    pub(super) n_tickets: u64,
    pub(super) look_at: Moment,
    pub(super) claim_at: Moment,
    /// When the last claim ended.
    pub(super) claimed_at: Moment,
    pub(super) quit_at: Moment,
    /// The epoch of another machine that was told last, and whether its end was.
    pub(super) told_of: Option<(Epoch, bool)>,
    /// When somebody acted here last: see [`Limits::acting`].
    pub(super) acted_at: Moment,
}

impl Lease {
    /// A lease that has seen nothing. `seed` is a random number of this process: its tokens grow from it.
    pub fn new(me: Me, workspace: &str, seed: u128, policy: Policy) -> Self {
        let nothing = Token(0);
        Self {
            me,
            workspace: workspace.to_owned(),
            policy,
            limits: Limits::REAL,
            folder: None,
            tokens: Tokens { seed, n_made: 0 },
            steps: Steps::new(),
            eyes: Eyes::default(),
            desk: Desk::default(),
            attempt: Attempt {
                epoch: Epoch(0),
                token: nothing,
                k0: Moment(0),
                beat: None,
                markers: Markers::default(),
                over: None,
                seed_beat: None,
                settled_at: None,
            },
            paper: Paper {
                token: nothing,
                generation: Generation::parse(""),
                k0: Moment(0),
                has_tables: false,
                row: None,
            },
            tenure: None,
            held: None,
            work: Work::default(),
            leaving: None,
            ending: None,
            is_frozen: false,
            is_suspended: false,
            is_vanished: false,
            has_sitter: true,
            is_away: None,
            wants_control: false,
            wants_takeover: false,
            stays_away: false,
            is_alone: false,
            confirmed: BTreeSet::new(),
            newest_listed: None,
            flight: None,
            n_tickets: 0,
            look_at: Moment(0),
            claim_at: Moment(0),
            claimed_at: Moment(0),
            quit_at: Moment(0),
            told_of: None,
            acted_at: Moment(0),
        }
    }

    /// The same with other limits, before its first input. All machines of a folder must have the same: see [`Limits`].
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.eyes.limits = limits;
        self.desk.limits = limits;
        self
    }

    /// Takes one input and says what is to be done about it.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        // Before anything is believed: a reply that comes after the deadline renews nothing.
        self.keep_deadlines(now, out);
        match input {
            Input::Replied { ticket, reply } => self.replied(now, ticket, reply, out),
            Input::Tick => {}
            Input::Wish(wish) => self.wish(now, wish, out),
            Input::Work(work) => self.works(now, work, out),
            Input::Changed => {
                if let Some(tenure) = &mut self.tenure {
                    tenure.has_changes = true;
                }
            }
            Input::Suspending => self.suspend(out),
            Input::Woke => self.wake(now, out),
            Input::Folder(folder) => {
                if folder == Folder::Vanished {
                    self.vanish(now, out);
                } else {
                    self.is_vanished = false;
                }
                self.folder = Some(folder);
            }
            Input::Remembered(sight) => self.eyes.remember(sight),
            Input::Configure(policy) => {
                self.acted_at = now.boot;
                self.policy = policy;
            }
            Input::Sitter { is_there } => {
                self.has_sitter = is_there;
                if !is_there && self.tenure.is_some() {
                    self.lose(now, Loss::NoSitter, out);
                }
            }
            Input::Alone => self.is_alone = true,
            Input::Resumed(kept) => self.resume(now, kept, out),
        }
        self.answer_by_policy(now, out);
        self.set_out(now, out);
    }

    /// When [`Input::Tick`] is wanted. `None`: only when something happens.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.next_but_looks()
            .into_iter()
            .chain(self.look_due().filter(|_| self.is_at_rest()))
            .min()
    }

    /// What the next process of this machine needs to go on when this one dies; `None` when there is nothing to go on
    /// with, and from the moment on at which a release has set out.
    pub fn keepsake(&self) -> Option<Keepsake> {
        let tenure = self.tenure.as_ref()?;
        let (epoch, token) = self.held.filter(|(epoch, _)| *epoch == tenure.epoch)?;
        let is_leaving = self.leaving.as_ref().is_some_and(|l| l.is_begun);
        (!is_leaving && self.is_away.is_none()).then_some(Keepsake {
            epoch,
            token,
            deadline: tenure.deadline,
        })
    }

    /// This machine and process.
    pub fn me(&self) -> &Me {
        &self.me
    }

    /// This machine has control, as far as it knows.
    pub fn has_tenure(&self) -> bool {
        self.tenure.is_some()
    }

    /// It claims as soon as it may: what is in the folder is taken over by the claim then.
    pub fn wants_to_claim(&self) -> bool {
        let by_itself = self.policy.claims_when_free && !self.stays_away;
        by_itself || self.wants_control || self.wants_takeover || self.desk.is_asking()
    }

    /// A release has set out: nothing runs here any more, and nothing may begin to.
    pub fn is_releasing(&self) -> bool {
        self.leaving.as_ref().is_some_and(|l| l.is_begun)
    }

    /// What the folder can be trusted with, as it was told last.
    pub fn folder(&self) -> Option<&Folder> {
        self.folder.as_ref()
    }

    /// New nodes may start now, in runs that go on already.
    pub fn may_start_nodes(&self, now: Now) -> bool {
        self.may_run(now)
            && matches!(
                self.leaving.as_ref().map(|l| l.when),
                None | Some(When::AfterRuns)
            )
    }

    /// Children may run now.
    pub(super) fn may_run(&self, now: Now) -> bool {
        self.tenure
            .as_ref()
            .is_some_and(|tenure| now.boot < tenure.deadline && tenure.is_certain)
            && self.ending.is_none()
            && !self
                .leaving
                .as_ref()
                .is_some_and(|leaving| leaving.is_begun)
            && !self.is_frozen
            && self.has_sitter
            && !self.is_vanished
    }

    /// The next deadline that is not that of a look.
    pub(super) fn next_but_looks(&self) -> Option<Moment> {
        let kill = self
            .ending
            .filter(|_| self.work.n_children > 0)
            .map(|ending| ending.kill_at);
        let expiry = self.tenure.as_ref().map(|tenure| tenure.deadline);
        let answer = self.tenure.as_ref().and_then(|_| {
            let answers = self.leaving.is_none() && self.policy.answer != Answer::Wait;
            self.desk.answer_at(answers, self.idle_from())
        });
        let agenda = if self.is_at_rest() {
            [
                self.checkpoint_due(),
                self.release_due(),
                self.quit_due(),
                self.settled_due(),
                self.claim_due(),
                self.mirrors_due(),
                self.desk_due(),
            ]
        } else {
            [None; 7]
        };
        agenda
            .into_iter()
            .chain([kill, expiry, answer])
            .flatten()
            .min()
    }
}

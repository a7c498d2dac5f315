//! The keeper of one workspace: the pure lease, and the thread that carries its file operations out.
//!
//! It turns what the lease wants into deeds of the dispatcher, and does by itself only what concerns the shared folder:
//! operations one at a time, the test of the folder once somebody wants to write there, and taking over what another
//! owner publishes. It knows no processes and no runs.

use crate::lease::{
    ChildOrder, Effect, Fact, Fault, Folder, Input, Keepsake, Lease, Me, Moment, Now, Op, Reply,
    Sighting, Stand, Status, Ticket, Wish, Work,
};
use crate::share::{Errand, Imported, News};

/// What the dispatcher is to do for a keeper.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Nodes may run until then.
    Arm(Moment),
    /// Nothing runs any more, or what does stands still.
    Disarm,
    /// What is to become of the nodes.
    Children(ChildOrder),
    /// Record it, and tell it.
    Record(Fact),
    /// Keep this for the next process of this machine.
    Keep(Keepsake),
    /// Have it forgotten, and answer with [`Keeper::forgotten`].
    Forget,
    /// Nothing starts in the workspace any more, whoever of this machine wants it, until the next [`Deed::Arm`].
    Close,
    /// Keep what was seen for the next process of this machine.
    Remember(Sighting),
    /// Tell what came of an import; why not, as a sentence.
    Imported(Result<Imported, String>),
}

/// Whether the folder was tested. That writes into it, so nobody tests who only looks at a workspace nobody shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    NotYet,
    UnderWay,
    Done,
}

/// What another process of this machine keeps of ours, should we die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    /// Nothing.
    Nothing,
    /// This.
    This(Keepsake),
    /// It is being forgotten.
    Forgetting,
}

/// One workspace's control, in the process that keeps it. See the module.
pub struct Keeper {
    lease: Lease,
    errands: Box<dyn FnMut(Errand) + Send>,
    test: Test,
    work: Work,
    kept: Kept,
    /// The last step of a release, until the keepsake is gone.
    held_back: Option<Errand>,
    /// The release that is under way has closed the workspace.
    is_closed: bool,
    /// An [`Errand::Watch`] is under way, and whether another one is wanted.
    watching: (bool, bool),
    /// Something was handled since the last [`Keeper::status_if_touched`].
    touched: bool,
    effects: Vec<Effect>,
}

impl Keeper {
    /// A keeper that has seen nothing. `errands` takes what the thread of the shared folder is to do; it never waits.
    pub fn new(lease: Lease, errands: Box<dyn FnMut(Errand) + Send>) -> Self {
        Self {
            lease,
            errands,
            test: Test::NotYet,
            work: Work::default(),
            kept: Kept::Nothing,
            held_back: None,
            is_closed: false,
            watching: (false, false),
            touched: true,
            effects: Vec::new(),
        }
    }

    /// Begins to look. `has_state`: somebody made a state folder, so that it may be tested.
    pub fn begin(&mut self, now: Now, has_state: bool, deeds: &mut Vec<Deed>) {
        if has_state {
            self.test();
        }
        self.handle(now, Input::Tick, deeds);
    }

    /// Takes one input of the lease.
    pub fn handle(&mut self, now: Now, input: Input, deeds: &mut Vec<Deed>) {
        match &input {
            Input::Wish(wish) if wants_to_write(wish) && self.test == Test::NotYet => self.test(),
            Input::Wish(Wish::Import) => (self.errands)(Errand::Import),
            // What an earlier process kept is kept still.
            Input::Resumed(keepsake) => self.kept = Kept::This(*keepsake),
            _ => {}
        }
        self.touched = true;
        let mut effects = std::mem::take(&mut self.effects);
        self.lease.handle(now, input, &mut effects);
        let mut looks_new = false;
        for effect in effects.drain(..) {
            match effect {
                Effect::Carry { ticket, op } => self.carry(ticket, op, deeds),
                Effect::Arm { until } => deeds.push(Deed::Arm(until)),
                Effect::Disarm => deeds.push(Deed::Disarm),
                Effect::Children(order) => deeds.push(Deed::Children(order)),
                Effect::Record(fact) => deeds.push(Deed::Record(fact)),
                Effect::Remember(sight) => {
                    looks_new = true;
                    // Somebody shares this workspace: whether it can be trusted is asked before it is claimed.
                    if sight.epoch.is_some() || sight.beat.is_some() {
                        self.test_if_new();
                    }
                    if !self.is_owner() {
                        deeds.push(Deed::Remember(sight));
                    }
                }
            }
        }
        self.effects = effects;
        if looks_new && self.is_worth_watching(now) {
            self.watch();
        }
        // What another process of this machine starts now would run beside the next owner's.
        let is_releasing = self.lease.is_releasing();
        if is_releasing && !std::mem::replace(&mut self.is_closed, is_releasing) {
            deeds.push(Deed::Close);
        }
        self.is_closed = is_releasing;
        self.keep(deeds);
    }

    /// What runs on this machine in the workspace; tells the lease when that has changed.
    pub fn work(&mut self, now: Now, work: Work, deeds: &mut Vec<Deed>) {
        if work != self.work {
            self.work = work;
            self.handle(now, Input::Work(work), deeds);
        }
    }

    /// What the thread of the shared folder brought.
    pub fn news(&mut self, now: Now, news: News, deeds: &mut Vec<Deed>) {
        match news {
            News::Replied { ticket, reply } => {
                let is_there = !matches!(reply, Reply::Failed(_));
                self.handle(now, Input::Replied { ticket, reply }, deeds);
                // A folder that was away may be another one now.
                if is_there && self.folder() == Some(&Folder::Vanished) {
                    self.test_if_new();
                }
            }
            News::Tested { folder, .. } => {
                // One that cannot be used is tried again when somebody wants it.
                self.test = match folder {
                    Folder::Unfit(_) | Folder::Vanished => Test::NotYet,
                    _ => Test::Done,
                };
                self.handle(now, Input::Folder(folder), deeds);
            }
            News::Watched(_) => {
                let (_, again) = std::mem::take(&mut self.watching);
                if again && self.is_worth_watching(now) {
                    self.watch();
                }
            }
            News::Imported(done) => {
                deeds.push(Deed::Imported(done));
                self.handle(now, Input::Wish(Wish::Look), deeds);
            }
        }
    }

    /// Nobody can go on with the tenure any more: the last step of a release may be done.
    pub fn forgotten(&mut self) {
        self.kept = Kept::Nothing;
        if let Some(errand) = self.held_back.take() {
            (self.errands)(errand);
        }
    }

    /// When the lease wants to be told the time.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.lease.next_deadline()
    }

    /// This machine and process.
    pub fn me(&self) -> &Me {
        self.lease.me()
    }

    /// How control stands.
    pub fn status(&self, now: Now) -> Status {
        let mut status = self.lease.status(now);
        // Nobody shares it yet, and so it was not tested: that is done when somebody wants it.
        if status.stand == Stand::Free && status.folder.is_none() && self.test == Test::NotYet {
            status.can.claim = Ok(());
        }
        status
    }

    /// How control stands, when something was handled since the last call.
    pub fn status_if_touched(&mut self, now: Now) -> Option<Status> {
        std::mem::take(&mut self.touched).then(|| self.status(now))
    }

    /// This machine has control, by what it knows.
    pub fn is_owner(&self) -> bool {
        self.lease.has_tenure()
    }

    /// Nothing is under way that would leave the workspace claimed if this process ended now.
    pub fn is_settled(&self, now: Now) -> bool {
        let stand = self.lease.status(now).stand;
        !self.is_owner() && !matches!(stand, Stand::Claiming | Stand::Leaving { .. })
    }

    fn folder(&self) -> Option<&Folder> {
        self.lease.folder()
    }

    fn carry(&mut self, ticket: Ticket, op: Op, deeds: &mut Vec<Deed>) {
        let is_last = matches!(op, Op::ReleasePen { .. });
        let op = Box::new(op);
        let errand = Errand::Carry { ticket, op };
        if !is_last || self.kept == Kept::Nothing {
            return (self.errands)(errand);
        }
        self.held_back = Some(errand);
        if self.kept != Kept::Forgetting {
            self.kept = Kept::Forgetting;
            deeds.push(Deed::Forget);
        }
    }

    /// Keeps what the next process needs, or has it forgotten.
    fn keep(&mut self, deeds: &mut Vec<Deed>) {
        match (self.lease.keepsake(), self.kept) {
            (Some(new), Kept::This(old)) if new == old => {}
            (Some(new), Kept::Nothing | Kept::This(_)) => {
                self.kept = Kept::This(new);
                deeds.push(Deed::Keep(new));
            }
            (None, Kept::This(_)) => {
                self.kept = Kept::Forgetting;
                deeds.push(Deed::Forget);
            }
            // Told again when it is gone.
            (Some(_), Kept::Forgetting) | (None, Kept::Nothing | Kept::Forgetting) => {}
        }
    }

    /// What another machine published is taken over now: not by an owner, and not by one who is about to claim, which
    /// takes it over anyway.
    fn is_worth_watching(&self, now: Now) -> bool {
        match self.lease.status(now).stand {
            Stand::Watching => true,
            Stand::Free => !self.lease.wants_to_claim(),
            _ => false,
        }
    }

    fn watch(&mut self) {
        match self.watching.0 {
            true => self.watching.1 = true,
            false => {
                self.watching.0 = true;
                (self.errands)(Errand::Watch);
            }
        }
    }

    fn test_if_new(&mut self) {
        if self.test == Test::NotYet {
            self.test();
        }
    }

    fn test(&mut self) {
        self.test = Test::UnderWay;
        (self.errands)(Errand::Test);
    }
}

/// Whether a wish leads to something being written into the workspace.
fn wants_to_write(wish: &Wish) -> bool {
    match wish {
        Wish::Control | Wish::TakeOver | Wish::Request { .. } | Wish::Confirm => true,
        Wish::Cancel
        | Wish::HandOver { .. }
        | Wish::Keep
        | Wish::Deny { .. }
        | Wish::Release { .. }
        | Wish::Look
        | Wish::Import => false,
    }
}

/// What an operation came to that nobody could carry out.
pub fn not_carried(ticket: Ticket) -> News {
    let why = "the thread of the shared folder is gone".to_owned();
    News::Replied {
        ticket,
        reply: Reply::Failed(Fault::Unknown(why)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;
    use crate::lease::{Hydrated, MachineId, Policy, When};
    use crate::model::Timestamp;
    use crate::share::table::TableReader;
    use crate::share::{Adoption, LedgerSide, Rows, SharedFolder, Wanted};

    /// A ledger without rows.
    struct Empty;

    impl LedgerSide for Empty {
        fn rows(&mut self, _: Wanted) -> Result<Rows, String> {
            Ok(Rows::default())
        }

        fn adopt(&mut self, _: Rows, _: Option<&str>, _: Adoption) -> Result<(), String> {
            Ok(())
        }
    }

    /// A keeper whose errands are done when the test says so, in a folder of its own.
    struct Script {
        keeper: Keeper,
        errands: Receiver<Errand>,
        shared: SharedFolder,
        now: Now,
        deeds: Vec<Deed>,
        dir: tempfile::TempDir,
    }

    impl Script {
        fn new() -> Self {
            let dir = tempfile::tempdir().expect("a folder");
            let reader = TableReader::in_place();
            let machine = MachineId("me".to_owned());
            let shared = SharedFolder::open(dir.path(), machine, reader).expect("opens");
            let (keeper, errands) = Self::keeper(&shared, 7);
            let now = Now {
                boot: Moment(1_000_000),
                wall: Timestamp(0),
            };
            Self {
                keeper,
                errands,
                shared,
                now,
                deeds: Vec::new(),
                dir,
            }
        }

        /// The process dies, and the next one of this machine keeps control.
        fn die(&mut self) {
            (self.keeper, self.errands) = Self::keeper(&self.shared, 8);
            self.deeds.clear();
        }

        fn keeper(shared: &SharedFolder, pid: u32) -> (Keeper, Receiver<Errand>) {
            let me = Me {
                machine: MachineId("me".to_owned()),
                host: "here".to_owned(),
                boot: "boot".to_owned(),
                pid,
                daemon: String::new(),
                app_version: String::new(),
                started_at: Timestamp(0),
            };
            let (sender, errands) = channel();
            let lease = Lease::new(me, shared.name(), pid.into(), Policy::default());
            let keeper = Keeper::new(
                lease,
                Box::new(move |errand| {
                    sender.send(errand).ok();
                }),
            );
            (keeper, errands)
        }

        fn give(&mut self, input: Input) {
            self.keeper.handle(self.now, input, &mut self.deeds);
        }

        fn begin(&mut self, has_state: bool) {
            self.keeper.begin(self.now, has_state, &mut self.deeds);
        }

        /// Does what is asked for, until nothing is asked for any more or `stop` says so. Gives what was asked for.
        fn serve(&mut self, stop: impl Fn(&Op) -> bool) -> Vec<String> {
            let mut asked = Vec::new();
            while let Ok(errand) = self.errands.try_recv() {
                let news = match errand {
                    Errand::Carry { ticket, op } => {
                        let name = format!("{op:?}");
                        let name = name.split([' ', '{', '(']).next().unwrap_or_default();
                        asked.push(name.to_owned());
                        if stop(&op) {
                            break;
                        }
                        let reply = self.shared.carry(&op, &mut Empty);
                        News::Replied { ticket, reply }
                    }
                    Errand::Test => {
                        asked.push("Test".to_owned());
                        let folder = Folder::Exclusive { is_slow: false };
                        let measured = None;
                        News::Tested { folder, measured }
                    }
                    Errand::Watch => News::Watched(Ok(Hydrated::Nothing)),
                    Errand::Import => {
                        asked.push("Import".to_owned());
                        News::Imported(self.shared.import(&mut Empty, self.now.wall))
                    }
                };
                self.keeper.news(self.now, news, &mut self.deeds);
            }
            asked
        }

        fn own(&mut self) {
            self.give(Input::Wish(Wish::Control));
            self.serve(|_| false);
            assert!(self.keeper.is_owner(), "{:?}", self.keeper.status(self.now));
        }
    }

    #[test]
    fn a_workspace_that_nobody_shares_is_only_looked_at_until_somebody_wants_it() {
        let mut script = Script::new();
        let now = script.now;
        script.begin(false);
        let asked = script.serve(|_| false);
        let looks = ["ListEpochs", "ReadRow", "ReadMarkers", "ReadRequests"];
        assert_eq!(asked, looks, "nothing that writes");
        assert_eq!(script.keeper.status(now).can.claim, Ok(()));
        script.own();
        assert!(
            matches!(script.deeds[..], [.., Deed::Keep(_)]),
            "{:?}",
            script.deeds
        );
        assert!(script.deeds.iter().any(|deed| matches!(deed, Deed::Arm(_))));
    }

    #[test]
    fn what_data_engine_left_is_imported_when_a_person_wants_it_and_then_it_is_claimed() {
        let mut script = Script::new();
        let now = script.now;
        let state = script.dir.path().join(".workspace_state");
        // As Data Engine 0.5 leaves a workspace in which nothing ever ran.
        std::fs::create_dir_all(&state).expect("made");
        std::fs::write(state.join(".lease-topology.lock"), "").expect("written");
        script.begin(true);
        script.serve(|_| false);
        let status = script.keeper.status(now);
        assert_eq!(status.stand, Stand::Refused);
        assert_eq!(status.banners[0].kind, crate::lease::BannerKind::Importable);
        script.give(Input::Wish(Wish::Import));
        let asked = script.serve(|_| false);
        assert!(asked.contains(&"Import".to_owned()), "{asked:?}");
        let done = Deed::Imported(Ok(Imported { runs: 0, steps: 0 }));
        assert!(script.deeds.contains(&done), "{:?}", script.deeds);
        assert!(
            script.keeper.is_owner(),
            "as the policy says of what is free"
        );
        // There is nothing left to be done again.
        script.give(Input::Wish(Wish::Import));
        script.serve(|_| false);
        assert!(
            matches!(&script.deeds.last(), Some(Deed::Imported(Err(why))) if why.contains("There is no state")),
            "{:?}",
            script.deeds
        );
    }

    #[test]
    fn the_keepsake_is_forgotten_before_the_last_step_of_a_release_is_asked_for() {
        let mut script = Script::new();
        let now = script.now;
        script.begin(true);
        script.own();
        script.deeds.clear();
        script.give(Input::Wish(Wish::Release { when: When::Now }));
        let asked = script.serve(|_| false);
        assert!(!asked.iter().any(|op| op == "ReleasePen"), "{asked:?}");
        let forgets = script.deeds.iter().filter(|deed| **deed == Deed::Forget);
        assert_eq!(forgets.count(), 1, "{:?}", script.deeds);
        script.keeper.forgotten();
        let asked = script.serve(|_| false);
        assert_eq!(asked.first().map(String::as_str), Some("ReleasePen"));
        assert!(!script.keeper.is_owner() && script.keeper.is_settled(now));
    }

    #[test]
    fn a_release_closes_the_workspace_at_the_sitter_when_it_sets_out() {
        let mut script = Script::new();
        script.begin(true);
        script.own();
        let n_closed = |deeds: &[Deed]| deeds.iter().filter(|deed| **deed == Deed::Close).count();
        // While something runs it does not set out: what goes on may still start its nodes.
        let (now, work) = (
            script.now,
            Work {
                n_runs: 1,
                n_children: 1,
            },
        );
        script.keeper.work(now, work, &mut script.deeds);
        script.give(Input::Wish(Wish::Release {
            when: When::AfterRuns,
        }));
        script.serve(|_| false);
        assert_eq!(n_closed(&script.deeds), 0, "{:?}", script.deeds);
        script.keeper.work(now, Work::default(), &mut script.deeds);
        // Before its first page is written, and once.
        assert_eq!(n_closed(&script.deeds), 1, "{:?}", script.deeds);
        script.serve(|_| false);
        assert_eq!(n_closed(&script.deeds), 1, "{:?}", script.deeds);
    }

    #[test]
    fn a_tenure_of_a_dead_process_goes_on_and_starts_nothing_before_it_is_certain() {
        let mut script = Script::new();
        let now = script.now;
        script.begin(true);
        script.own();
        let kept = script.deeds.iter().find_map(|deed| match deed {
            Deed::Keep(keepsake) => Some(*keepsake),
            _ => None,
        });
        let keepsake = kept.expect("kept");
        script.die();
        script.give(Input::Resumed(keepsake));
        assert!(script.deeds.contains(&Deed::Arm(keepsake.deadline)));
        let status = script.keeper.status(now);
        assert!(script.keeper.is_owner() && !status.may_start_nodes && !status.may_start_runs);
        // Its first pages come after what the dead one left in the pen was cleared.
        let asked = script.serve(|op| matches!(op, Op::WritePage { .. }));
        let at = |name: &str| asked.iter().position(|op| op == name);
        assert!(
            at("EmptyPen") < at("WritePage") && at("EmptyPen").is_some(),
            "{asked:?}"
        );
    }

    #[test]
    fn a_tenure_whose_time_is_over_is_not_gone_on_with() {
        let mut script = Script::new();
        script.begin(true);
        script.own();
        let kept = script.deeds.iter().find_map(|deed| match deed {
            Deed::Keep(keepsake) => Some(*keepsake),
            _ => None,
        });
        let keepsake = kept.expect("kept");
        script.die();
        script.now.boot = keepsake.deadline;
        script.give(Input::Resumed(keepsake));
        assert!(!script.keeper.is_owner());
        assert_eq!(script.deeds, [Deed::Forget]);
    }
}

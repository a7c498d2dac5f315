//! What is done about control in every turn of the dispatcher, and what leases want done. Part of the [`Dispatcher`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::exec::sitter::Tame;
use crate::lease::{ChildOrder, Epoch, Fact, Input, Moment, Stand, Status, When, Wish, Work};
use crate::model::{FlowRef, Level, NodeRunId, Notice, RunId, WorkspaceId};
use crate::sched;
use crate::store::ControlText;

use super::super::clock;
use super::super::dispatcher::Dispatcher;
use super::board::ControlBoard;
use super::clerk::Task;
use super::controls::{Closing, Standing};
use super::desk::control_now;
use super::keeper::Deed;
use super::notice::{notice_of, notice_of_import};
use super::opening::{self, Shown, text};
use super::record::kept_of;

/// An end of the process waits so long for the release of control. A folder that answers later than this is left as it
/// is: the others wait for the silence then.
const RELEASE_WITHIN: Duration = Duration::from_secs(3);

/// After so long a person is told what an order waits for.
const TELL_AFTER: Duration = Duration::from_secs(4);

/// A turn goes on with what its own deeds have changed, so often at most.
const ROUNDS_MAX: u32 = 8;

impl Dispatcher {
    /// Tells every lease what has changed here, and the time; shows how control stands.
    pub(in super::super) fn tend_controls(&mut self) {
        if self.controls.by_workspace.is_empty() {
            return;
        }
        let ids: Vec<WorkspaceId> = self.controls.by_workspace.keys().cloned().collect();
        let slept = self.controls.sleep.slept(clock::boot(), clock::instant());
        for id in ids {
            if slept.is_some() {
                self.with_keeper(&id, |keeper, now, deeds| {
                    keeper.handle(now, Input::Woke, deeds);
                });
            }
            for _ in 0..ROUNDS_MAX {
                self.close_if_idle(&id);
                if !self.feed(&id) {
                    break;
                }
            }
            self.show_if_changed(&id);
            self.tell_waits(&id);
        }
    }

    /// Tells the lease of a workspace what there is to tell; true when it wanted something done.
    fn feed(&mut self, workspace: &WorkspaceId) -> bool {
        self.end_runs_left_behind(workspace);
        let work = self.work_in(workspace);
        let is_sound = self.executor.is_sound();
        let Some(control) = self.controls.by_workspace.get_mut(workspace) else {
            return false;
        };
        let nobody_else = control.others == (0, 0);
        let is_alone = !control.is_alone && nobody_else;
        let is_changed = std::mem::take(&mut control.is_changed);
        let Standing::Keeper(keeper, _) = &mut control.standing else {
            return false;
        };
        control.is_alone |= is_alone;
        let (now, mut deeds) = (control_now(), Vec::new());
        keeper.work(now, work, &mut deeds);
        if is_alone {
            keeper.handle(now, Input::Alone, &mut deeds);
        }
        if is_changed && keeper.is_owner() {
            keeper.handle(now, Input::Changed, &mut deeds);
        }
        if !is_sound {
            keeper.handle(now, Input::Sitter { is_there: false }, &mut deeds);
        }
        if keeper.next_deadline().is_some_and(|at| at <= now.boot) {
            keeper.handle(now, Input::Tick, &mut deeds);
        }
        let did = !deeds.is_empty();
        self.do_deeds(workspace, deeds);
        did
    }

    /// Control is being given up without waiting for the end of runs, and their last nodes have ended: they are over,
    /// and that goes into the last snapshot.
    fn end_runs_left_behind(&mut self, workspace: &WorkspaceId) {
        let stand = match self.controls.by_workspace.get(workspace) {
            Some(control) => match (&control.standing, &control.last) {
                (Standing::Keeper(..), Some((status, _))) => status.stand,
                _ => return,
            },
            None => return,
        };
        let is_leaving = matches!(
            stand,
            Stand::Leaving {
                when: When::Now | When::AfterNodes
            }
        );
        if is_leaving && self.work_in(workspace).n_children == 0 {
            for run in self.runs_in(workspace) {
                self.decide(sched::Input::Interrupt { run });
            }
        }
    }

    /// Tells the lease what runs here, before it may decide anything.
    pub(super) fn feed_work(&mut self, workspace: &WorkspaceId) {
        let work = self.work_in(workspace);
        self.with_keeper(workspace, |keeper, now, deeds| {
            keeper.work(now, work, deeds)
        });
    }

    /// What runs on this machine in a workspace, whoever carries it.
    fn work_in(&self, workspace: &WorkspaceId) -> Work {
        let others = self.controls.by_workspace.get(workspace);
        let (mut n_runs, mut n_children) = others.map_or((0, 0), |control| control.others);
        let mine = self.runs.iter();
        let mine = mine.filter(|(_, live)| live.flow.workspace == *workspace);
        let mine = mine.map(|(run, _)| self.scheduler.n_running(run));
        let (runs, children) = mine.fold((0, 0), |(runs, all), n| (runs + 1, all + n));
        n_runs += runs;
        n_children += children;
        let preparing = |(flow, open): &(&FlowRef, &super::super::open_flow::OpenFlow)| {
            flow.workspace == *workspace && open.preparing
        };
        n_runs += u32::try_from(self.flows.iter().filter(preparing).count()).unwrap_or(u32::MAX);
        Work { n_children, n_runs }
    }

    /// What others of this machine run in a workspace has changed.
    pub(in super::super) fn others_run(&mut self, workspace: &WorkspaceId, others: (u32, u32)) {
        if let Some(control) = self.controls.by_workspace.get_mut(workspace) {
            control.others = others;
        }
    }

    /// Another process carries this run on from now on. The sitter says so too, but a moment later, and control given up
    /// in between would end it.
    pub(in super::super) fn leave_run(&mut self, flow: &FlowRef, run: &RunId) {
        self.executor.leave(run);
        if let Some(control) = self.controls.by_workspace.get_mut(&flow.workspace) {
            control.others.0 = control.others.0.max(1);
        }
    }

    /// When something about control is due.
    pub(in super::super) fn control_due(&self) -> Option<Instant> {
        let now = clock::boot();
        let keepers = self.controls.by_workspace.values();
        let leases = keepers.filter_map(|control| match &control.standing {
            Standing::Keeper(keeper, _) => keeper.next_deadline(),
            _ => None,
        });
        let lease = leases.min().map(|at| clock::instant() + at.since(now));
        let told = self.controls.by_workspace.values().filter_map(|control| {
            let (since, told) = control.waits?;
            (!told).then_some(since + TELL_AFTER)
        });
        let end = self
            .controls
            .ending_since
            .map(|since| since + RELEASE_WITHIN);
        [lease, told.min(), end].into_iter().flatten().min()
    }

    /// The epoch under which this machine has control of a workspace.
    pub(in super::super) fn epoch_of(&self, workspace: &WorkspaceId) -> Option<Epoch> {
        match &self.controls.by_workspace.get(workspace)?.last {
            Some((status, _)) => match status.stand {
                Stand::Owner { epoch } => Some(epoch),
                _ => None,
            },
            None => None,
        }
    }

    /// The ledger of a workspace has rows that other machines do not know.
    pub(in super::super) fn ledger_grew(&mut self, workspace: &WorkspaceId) {
        if let Some(control) = self.controls.by_workspace.get_mut(workspace) {
            control.is_changed = true;
        }
    }

    pub(super) fn do_deeds(&mut self, workspace: &WorkspaceId, deeds: Vec<Deed>) {
        for deed in deeds {
            self.do_deed(workspace, deed);
        }
    }

    fn do_deed(&mut self, workspace: &WorkspaceId, deed: Deed) {
        match deed {
            Deed::Arm(until) => {
                let grace = self.controls.grace();
                self.executor
                    .set_deadline(workspace, Some(Duration::from_micros(until.0)), grace);
            }
            Deed::Disarm if self.work_in(workspace).n_children == 0 => {
                self.executor.close(workspace);
            }
            Deed::Disarm => {
                let grace = self.controls.grace();
                self.executor.set_deadline(workspace, None, grace);
            }
            Deed::Children(order) => self.order_children(workspace, order),
            Deed::Record(fact) => self.control_fact(workspace, &fact),
            Deed::Imported(done) => {
                if let Some(control) = self.controls.by_workspace.get(workspace) {
                    self.tell(notice_of_import(&control.name(), &done));
                }
            }
            Deed::Keep(keepsake) => {
                if let Some(me) = self.me_of(workspace) {
                    let kept = opening::of_boot(&me, keepsake);
                    self.clerk(workspace, Task::Write(ControlText::Tenure, kept));
                }
            }
            Deed::Close => self.executor.close(workspace),
            Deed::Forget => self.clerk(workspace, Task::ForgetTenure),
            Deed::Remember(sighting) => {
                if let Some(me) = self.me_of(workspace) {
                    let seen = opening::of_boot(&me, sighting);
                    self.clerk(workspace, Task::Write(ControlText::Sighting, seen));
                }
            }
        }
    }

    fn me_of(&self, workspace: &WorkspaceId) -> Option<crate::lease::Me> {
        match &self.controls.by_workspace.get(workspace)?.standing {
            Standing::Keeper(keeper, _) => Some(keeper.me().clone()),
            _ => None,
        }
    }

    fn runs_in(&self, workspace: &WorkspaceId) -> Vec<RunId> {
        let here = self.runs.iter();
        let here = here.filter(|(_, live)| live.flow.workspace == *workspace);
        here.map(|(run, _)| run.clone()).collect()
    }

    fn order_children(&mut self, workspace: &WorkspaceId, order: ChildOrder) {
        let runs = self.runs_in(workspace);
        if matches!(order, ChildOrder::Stop | ChildOrder::Kill) {
            for run in &runs {
                self.decide(sched::Input::Interrupt { run: run.clone() });
            }
        }
        let ours: Vec<NodeRunId> = runs
            .iter()
            .flat_map(|run| self.scheduler.running(run))
            .collect();
        match order {
            // Whoever holds the children of other processes of this machine ends them and tells those processes.
            ChildOrder::Stop => {
                let now = Duration::from_micros(clock::boot().0);
                let grace = self.controls.grace();
                self.executor.set_deadline(workspace, Some(now), grace);
            }
            ChildOrder::Kill => self.executor.tame(workspace, &ours, Tame::Kill),
            ChildOrder::Freeze => self.executor.tame(workspace, &ours, Tame::Freeze),
            ChildOrder::Thaw => self.executor.tame(workspace, &ours, Tame::Thaw),
        }
    }

    /// The runs of this process in a workspace are interrupted, because whoever holds their nodes ends them.
    pub(in super::super) fn control_lost(&mut self, workspace: &WorkspaceId) {
        let runs = self.runs_in(workspace);
        if runs.is_empty() {
            return;
        }
        for run in runs {
            self.decide(sched::Input::Interrupt { run });
        }
        let control = self.controls.by_workspace.get(workspace);
        // The keeper tells it itself, with its reason.
        if !control.is_some_and(|control| matches!(control.standing, Standing::Keeper(..))) {
            let name = control.map_or_else(|| workspace.to_string(), |control| control.name());
            self.tell(Notice::new(
                Level::Warning,
                format!("Control of workspace {name} is lost: what runs in it is being stopped."),
                "Take control again, then resume.",
            ));
        }
    }

    fn control_fact(&mut self, workspace: &WorkspaceId, fact: &Fact) {
        let Some(control) = self.controls.by_workspace.get(workspace) else {
            return;
        };
        match (notice_of(&control.name(), fact), fact) {
            // The control bar asks the person; a notice beside it would say the same twice.
            (Some(notice), Fact::AskedBy { .. }) => self.tell_listeners(notice),
            (Some(notice), _) => self.tell(notice),
            (None, _) => {}
        }
        // One that was never opened has nobody who could write it.
        if let Some(open) = self.workspaces.get(workspace) {
            open.ledger.record_control(kept_of(fact, clock::now()));
        }
        // What came between the last node and the release.
        if let Fact::GaveUp { .. } = fact {
            for run in self.runs_in(workspace) {
                self.decide(sched::Input::Interrupt { run });
            }
        }
    }

    /// Rows of another machine are in the ledger: what is shown of it is read again.
    pub(super) fn rows_came(&mut self, workspace: &WorkspaceId) {
        let flows: Vec<FlowRef> = self
            .flows
            .iter()
            .filter(|(flow, open)| {
                flow.workspace == *workspace && open.view.live.is_none() && !open.preparing
            })
            .map(|(flow, _)| flow.clone())
            .collect();
        for flow in flows {
            self.reload(&flow);
            self.past_runs_changed(&flow);
        }
        self.look_up_last_runs();
    }

    /// Nothing starts in a workspace for now, or again.
    pub(super) fn hold_starts(&mut self, workspace: &WorkspaceId, is_held: bool) {
        if let Some(control) = self.controls.by_workspace.get_mut(workspace) {
            control.is_held = is_held;
        }
        let workspace = workspace.clone();
        self.decide(sched::Input::Hold { workspace, is_held });
    }

    fn show_if_changed(&mut self, workspace: &WorkspaceId) {
        let control = self.controls.by_workspace.get_mut(workspace);
        let status = match control.map(|control| &mut control.standing) {
            Some(Standing::Keeper(keeper, _)) => keeper.status_if_touched(control_now()),
            _ => None,
        };
        if let Some(status) = status {
            self.show_status(workspace, status);
        }
    }

    /// How control stands now: for the board, for the other processes of this machine, for what waits, and for the
    /// scheduler.
    pub(super) fn show_status(&mut self, workspace: &WorkspaceId, status: Status) {
        let now = clock::boot();
        let Some(control) = self.controls.by_workspace.get_mut(workspace) else {
            return;
        };
        let before = control.last.replace((status.clone(), now));
        let is_same = before.as_ref().is_some_and(|(before, at)| {
            let aged = before.after(now.since(*at));
            status.differs_by_time_alone(&aged)
        });
        let board = self.picture.work.control.get(workspace);
        let held_by = control.held_by().cloned();
        let is_shown = board.is_some_and(|board| {
            is_same && board.policy == control.policy && board.held_by == held_by
        });
        let is_held = !status.may_start_nodes;
        let must_hold = control.is_held != is_held;
        if is_shown {
            // What is published stays true; only its ages have grown, which whoever shows it counts.
            if must_hold {
                self.hold_starts(workspace, is_held);
                self.settle_waiting(workspace);
            }
            return;
        }
        let board = ControlBoard {
            status: status.clone(),
            at: now,
            policy: control.policy.clone(),
            held_by,
        };
        let is_keeper = matches!(control.standing, Standing::Keeper(..));
        let policy = control.policy.clone();
        let is_leaving = matches!(status.stand, Stand::Leaving { .. });
        let reopens = control.reopens && !is_leaving;
        control.reopens &= is_leaving;
        Arc::make_mut(&mut self.picture.work.control).insert(workspace.clone(), Arc::new(board));
        self.picture.touch();
        if is_keeper {
            self.show_guests(workspace, status, now, policy);
        }
        if must_hold {
            self.hold_starts(workspace, is_held);
        }
        if reopens {
            self.wish_control(workspace, Wish::Control);
        }
        self.settle_waiting(workspace);
    }

    fn show_guests(
        &mut self,
        workspace: &WorkspaceId,
        status: Status,
        at: Moment,
        policy: crate::lease::Policy,
    ) {
        let Some(me) = self.me_of(workspace) else {
            return;
        };
        let shown = Shown {
            boot: me.boot,
            machine: me.machine,
            at,
            status,
            policy,
        };
        self.clerk(workspace, Task::Write(ControlText::Board, text(&shown)));
    }

    fn tell_waits(&mut self, workspace: &WorkspaceId) {
        let still = self
            .flows
            .iter()
            .any(|(flow, open)| flow.workspace == *workspace && !open.waiting.is_empty());
        let Some(control) = self.controls.by_workspace.get_mut(workspace) else {
            return;
        };
        match &mut control.waits {
            Some(_) if !still => control.waits = None,
            Some((since, told)) if !*told && clock::instant() >= *since + TELL_AFTER => {
                *told = true;
                let stands = match &control.last {
                    Some((status, _)) => status.text.clone(),
                    None => "the workspace folder does not answer".to_owned(),
                };
                let what = format!("Waiting for control of {}: {stands}", control.name());
                self.tell(Notice::new(
                    Level::Warning,
                    what,
                    "Stop the flow to wait no longer.",
                ));
            }
            _ => {}
        }
    }

    /// Gives control of a workspace up when nobody needs it here any more.
    fn close_if_idle(&mut self, workspace: &WorkspaceId) {
        // A run may be on its way to this process while it is in nobody's count.
        let needs = self.n_looks > 0
            || self.flows.iter().any(|(flow, open)| {
                let may_adopt = open.coming || open.shown && !open.view.board.loaded;
                let starts = open.preparing || !open.waiting.is_empty();
                flow.workspace == *workspace && (starts || may_adopt)
            })
            || !self.runs_in(workspace).is_empty();
        let is_ending = self.controls.ending_since.is_some();
        let Some(control) = self.controls.by_workspace.get_mut(workspace) else {
            return;
        };
        let is_idle = !control.is_shown && !needs && control.others.0 == 0;
        if !(is_idle || is_ending) {
            control.closing = None;
            return;
        }
        match &control.standing {
            Standing::Keeper(..) => {}
            Standing::Opening => return,
            Standing::Uncontrolled | Standing::Failed(_) => {
                // Asked again when somebody needs to know.
                return self.drop_control(workspace);
            }
            Standing::Guest { .. } => return self.drop_control(workspace),
        }
        // Runs that others carry on need it still.
        let mut left = self.left.iter();
        let is_needed = control.others.0 > 0 || left.any(|left| left.flow.workspace == *workspace);
        match control.closing {
            None | Some(Closing::Asked) if is_needed => {
                control.closing = Some(Closing::HandedOn);
            }
            None => {
                control.closing = Some(Closing::Asked);
                self.clerk(workspace, Task::AskGuests);
            }
            Some(Closing::Asked) => {}
            Some(Closing::HandedOn) => self.drop_control(workspace),
            Some(Closing::Releasing) => {
                let now = control_now();
                let Some(keeper) = control.keeper() else {
                    return;
                };
                if keeper.is_settled(now) {
                    return self.drop_control(workspace);
                }
                let is_leaving = matches!(keeper.status(now).stand, Stand::Leaving { .. });
                if keeper.is_owner() && !is_leaving {
                    let when = When::Now;
                    self.wish_control(workspace, Wish::Release { when });
                }
            }
        }
    }

    /// Whether other processes of this machine follow a workspace that is being given up here.
    pub(super) fn guests_known(&mut self, workspace: &WorkspaceId, has_guests: bool) {
        if let Some(control) = self.controls.by_workspace.get_mut(workspace)
            && control.closing == Some(Closing::Asked)
        {
            control.closing = Some(match has_guests {
                true => Closing::HandedOn,
                false => Closing::Releasing,
            });
        }
    }

    /// This process has nothing to do with control of a workspace any more.
    fn drop_control(&mut self, workspace: &WorkspaceId) {
        let Some(control) = self.controls.by_workspace.remove(workspace) else {
            return;
        };
        if Arc::make_mut(&mut self.picture.work.control)
            .remove(workspace)
            .is_some()
        {
            self.picture.touch();
        }
        let (control_dir, wishes) = (
            self.home.control_dir(workspace),
            crate::store::wishes_dir(&self.home, workspace),
        );
        if let Some(watcher) = &mut self.watcher {
            watcher.unwatch(&control_dir);
            watcher.unwatch(&wishes);
        }
        if let Some(clerk) = &self.controls.clerk {
            match control.standing {
                Standing::Keeper(_, lock) => {
                    self.executor.forget(workspace);
                    // In this order: whoever has the lock next must not read what we showed.
                    clerk.give(workspace, control.n, Task::Forget(ControlText::Board));
                    clerk.give(workspace, control.n, Task::LetGo(lock));
                }
                Standing::Guest { .. } => clerk.give(workspace, control.n, Task::Follow(false)),
                Standing::Opening | Standing::Uncontrolled | Standing::Failed(_) => {}
            }
        }
        self.close_idle_workspaces();
    }

    /// True when control is given up everywhere, or when that has taken too long. Begins it at the first call.
    pub(in super::super) fn controls_are_closed(&mut self) -> bool {
        let first = self.controls.ending_since.is_none();
        let since = *self
            .controls
            .ending_since
            .get_or_insert_with(clock::instant);
        if first {
            self.tend_controls();
        }
        let is_open = |control: &super::controls::Control| match &control.standing {
            Standing::Keeper(..) => true,
            Standing::Opening
            | Standing::Uncontrolled
            | Standing::Failed(_)
            | Standing::Guest { .. } => false,
        };
        !self.controls.by_workspace.values().any(is_open)
            || clock::instant() >= since + RELEASE_WITHIN
    }

    /// Everything about control is written. May wait for this machine's disk.
    pub(in super::super) fn close_controls(&mut self) {
        let ids: Vec<WorkspaceId> = self.controls.by_workspace.keys().cloned().collect();
        for id in ids {
            self.drop_control(&id);
        }
        if let Some(clerk) = &mut self.controls.clerk {
            clerk.finish();
        }
    }
}

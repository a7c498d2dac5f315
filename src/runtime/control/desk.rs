//! What faces, other processes and the shared folder say about control, and what that sets going. Part of the
//! [`Dispatcher`].

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lease::{Fault, Input, Lease, Now, Policy, Status, Wish};
use crate::model::{Notice, WorkspaceId};
use crate::share::{self, Carrier, Errand, News, Tools};
use crate::store::{self, ControlText};
use crate::watch::{Sleep, SleepNotices};

use super::super::board::Runner;
use super::super::clock;
use super::super::dispatcher::Dispatcher;
use super::super::incoming::Incoming;
use super::super::order::Order;
use super::super::sharing::SharedLedger;
use super::clerk::{Clerk, Done, Task};
use super::controls::{Closing, Control, Standing};
use super::keeper::{Deed, Keeper};
use super::opening::{self, Opening, Ours, Shown, parsed, text};

/// What comes in about control of a workspace.
pub enum ControlNews {
    /// Who keeps it was found out.
    Opened(Opening),
    /// The thread of the shared folder brings something.
    Share(News),
    /// Rows of another machine are in the ledger.
    Hydrated,
    /// Something that processes of this machine leave each other.
    Local(Done),
    /// The process that kept it does no longer.
    Freed,
}

/// What a guest leaves for the keeper.
#[derive(Serialize, Deserialize)]
enum Left {
    Wish(Wish),
    Policy(Policy),
}

/// The time, as control is told it.
pub fn control_now() -> Now {
    Now {
        boot: clock::boot(),
        wall: clock::now(),
    }
}

impl Dispatcher {
    pub(in super::super) fn control_order(&mut self, order: Order) {
        match order {
            Order::KeepControl { workspace, root } => {
                self.ensure_control(&workspace, &root);
                let Some(control) = self.controls.by_workspace.get_mut(&workspace) else {
                    return;
                };
                control.is_shown = true;
                if control.closing.take() == Some(Closing::Releasing) {
                    control.reopens = control.policy.claims_when_free;
                    self.wish_control(&workspace, Wish::Keep);
                }
            }
            Order::DropControl(workspace) => {
                if let Some(control) = self.controls.by_workspace.get_mut(&workspace) {
                    control.is_shown = false;
                }
            }
            Order::Control { workspace, wish } => self.wish_control(&workspace, wish),
            Order::SetPolicy { workspace, policy } => self.set_policy(&workspace, policy),
            _ => {}
        }
    }

    /// Finds out who keeps control of a workspace, when that is not known.
    pub(in super::super) fn ensure_control(&mut self, workspace: &WorkspaceId, root: &Arc<Path>) {
        if self.controls.by_workspace.contains_key(workspace) {
            return;
        }
        let control = Control::new(0, root.clone());
        self.controls
            .by_workspace
            .insert(workspace.clone(), control);
        self.hold_starts(workspace, true);
        self.open_control(workspace);
    }

    /// Has it found out who keeps control; until then nothing starts.
    pub(super) fn open_control(&mut self, workspace: &WorkspaceId) {
        self.controls.n_openings += 1;
        let n = self.controls.n_openings;
        let Some(control) = self.controls.by_workspace.get_mut(workspace) else {
            return;
        };
        control.n = n;
        control.standing = Standing::Opening;
        let (home, face, inbox) = (self.home.clone(), self.face, self.inbox.clone());
        let ledger = self.workspaces.get(workspace).cloned();
        let (workspace, root) = (workspace.clone(), control.root.clone());
        self.pool.spawn_blocking(move || {
            let notices = inbox.clone();
            let tell = move |notice| notices.send(Incoming::Tell(notice));
            let opening = opening::open(&home, &workspace, &root, face, ledger, tell);
            let news = ControlNews::Opened(opening);
            inbox.send(Incoming::Control { workspace, n, news });
        });
    }

    pub(in super::super) fn control_news(
        &mut self,
        workspace: &WorkspaceId,
        n: u64,
        news: ControlNews,
    ) {
        if self.controls.of(workspace, n).is_none() {
            return;
        }
        match news {
            ControlNews::Opened(opening) => self.control_opened(workspace, opening),
            ControlNews::Share(news) => {
                self.with_keeper(workspace, |keeper, now, deeds| {
                    keeper.news(now, news, deeds)
                });
            }
            ControlNews::Hydrated => self.rows_came(workspace),
            ControlNews::Local(done) => self.clerk_did(workspace, done),
            ControlNews::Freed => {
                self.hold_starts(workspace, true);
                self.open_control(workspace);
            }
        }
    }

    /// Has the clerk there, and the watch on what it reads.
    fn need_clerk(&mut self) {
        if self.controls.clerk.is_none() {
            let inbox = self.inbox.clone();
            let clerk = Clerk::start(self.home.clone(), move |workspace, n, done| {
                let news = ControlNews::Local(done);
                inbox.send(Incoming::Control { workspace, n, news });
            });
            // Without the thread nothing can be kept for others; what is decided here does not need it.
            self.controls.clerk = clerk.ok();
        }
        self.watch_locks();
    }

    fn control_opened(&mut self, workspace: &WorkspaceId, opening: Opening) {
        if matches!(opening, Opening::Theirs { .. } | Opening::Ours(_)) {
            self.need_clerk();
        }
        match opening {
            Opening::Uncontrolled => {
                self.stand(workspace, Standing::Uncontrolled);
                self.hold_starts(workspace, false);
                self.settle_waiting(workspace);
            }
            Opening::Failed(why) => {
                self.stand(workspace, Standing::Failed(why.clone()));
                self.show_status(workspace, Status::refused(why));
            }
            Opening::Theirs { held, shown } => self.become_guest(workspace, held, shown),
            Opening::Ours(ours) => self.become_keeper(workspace, *ours),
        }
    }

    fn stand(&mut self, workspace: &WorkspaceId, standing: Standing) {
        if let Some(control) = self.controls.by_workspace.get_mut(workspace) {
            control.standing = standing;
        }
    }

    fn become_keeper(&mut self, workspace: &WorkspaceId, ours: Ours) {
        let limits = match &self.controls.setup.limits {
            Ok(limits) => *limits,
            Err(why) => {
                let why = why.clone();
                return self.control_opened(workspace, Opening::Failed(why));
            }
        };
        let ledger = self.keep_workspace(workspace.clone(), ours.workspace.clone());
        let Some(control) = self.controls.by_workspace.get_mut(workspace) else {
            return;
        };
        let Ours {
            workspace: _,
            lock,
            me,
            policy,
            keepsake,
            sighting,
            has_state,
            others,
        } = ours;
        self.controls.me = Some(me.machine.clone());
        let inbox = self.inbox.clone();
        let (told, n) = (workspace.clone(), control.n);
        let tell_news = move |news| {
            let workspace = told.clone();
            inbox.send(Incoming::Control { workspace, n, news });
        };
        let hydrated = tell_news.clone();
        let tell = move |news| tell_news(ControlNews::Share(news));
        let rule = self.manner.retention;
        let ledger = SharedLedger::new(ledger, me.host.clone(), rule, move || {
            hydrated(ControlNews::Hydrated);
        });
        let carrier = Carrier::start(Tools {
            workspace: control.root.to_path_buf(),
            machine: me.machine.clone(),
            reader: self.controls.setup.reader.clone(),
            ledger: Box::new(ledger),
            now: Box::new(control_now),
            tell: Box::new(tell.clone()),
        });
        let carrier = match carrier {
            Ok(carrier) => carrier,
            Err(why) => {
                let why = format!("No thread can be started for the workspace folder: {why}.");
                return self.control_opened(workspace, Opening::Failed(why));
            }
        };
        let errands = move |errand: Errand| {
            let ticket = match &errand {
                Errand::Carry { ticket, .. } => Some(*ticket),
                _ => None,
            };
            if !carrier.send(errand) {
                tell(match ticket {
                    Some(ticket) => super::keeper::not_carried(ticket),
                    None => News::Watched(Err(Fault::Unknown("its thread is gone".to_owned()))),
                });
            }
        };
        let seed = u128::from_str_radix(&me.daemon, 16).unwrap_or_default();
        let name = share::shared_name(&control.root);
        let lease = Lease::new(me, &name, seed, policy.clone()).with_limits(limits);
        let mut keeper = Keeper::new(lease, Box::new(errands));
        let (now, mut deeds) = (control_now(), Vec::new());
        if let Some(sighting) = sighting {
            keeper.handle(now, Input::Remembered(sighting), &mut deeds);
        }
        if !self.executor.is_sound() {
            keeper.handle(now, Input::Sitter { is_there: false }, &mut deeds);
        }
        if let Some(keepsake) = keepsake {
            keeper.handle(now, Input::Resumed(keepsake), &mut deeds);
        }
        control.policy = policy;
        control.others = others;
        control.is_alone = false;
        control.standing = Standing::Keeper(Box::new(keeper), lock);
        let wishes = std::mem::take(&mut control.wishes);
        self.executor.watch(workspace);
        if self.controls.notices.is_none() {
            let inbox = self.inbox.clone();
            let told = SleepNotices::start(move |sleep| inbox.send(Incoming::Sleep(sleep)));
            // Without it a sleep shows when it is over.
            self.controls.notices = told.ok();
        }
        let dir = store::wishes_dir(&self.home, workspace);
        if let Some(watcher) = &mut self.watcher {
            // Without it a guest's wish is not heard; the guest sees that nothing follows.
            watcher.watch_dir(&dir, false).ok();
        }
        self.feed_work(workspace);
        self.with_keeper(workspace, |keeper, now, deeds| {
            keeper.begin(now, has_state, deeds);
        });
        self.do_deeds(workspace, deeds);
        for wish in wishes {
            self.wish_control(workspace, wish);
        }
    }

    fn become_guest(&mut self, workspace: &WorkspaceId, held: Runner, shown: Option<Box<Shown>>) {
        let Some(control) = self.controls.by_workspace.get_mut(workspace) else {
            return;
        };
        control.standing = Standing::Guest {
            held,
            shown: shown.clone(),
        };
        let (n, wishes) = (control.n, std::mem::take(&mut control.wishes));
        // What this process wished before, nobody has heard.
        control.is_wished = false;
        let dir = self.home.control_dir(workspace);
        if let Some(watcher) = &mut self.watcher {
            watcher.watch_dir(&dir, false).ok();
        }
        self.clerk(workspace, Task::Follow(true));
        // What was shown between the reading and the watch.
        self.clerk(workspace, Task::ReadBoard);
        let (home, inbox, waited) = (self.home.clone(), self.inbox.clone(), workspace.clone());
        // Not on the pool: it may take days.
        let thread = std::thread::Builder::new().name("keeper".to_owned());
        let started = thread.spawn(move || {
            store::wait_control_released(&home, &waited).ok();
            let (workspace, news) = (waited, ControlNews::Freed);
            inbox.send(Incoming::Control { workspace, n, news });
        });
        if let Err(why) = started {
            let why = format!("No thread can be started to follow control: {why}.");
            return self.control_opened(workspace, Opening::Failed(why));
        }
        if let Some(shown) = shown {
            self.guest_sees(workspace, *shown);
        }
        for wish in wishes {
            self.wish_control(workspace, wish);
        }
    }

    fn guest_sees(&mut self, workspace: &WorkspaceId, now_shown: Shown) {
        let Some(control) = self.controls.by_workspace.get_mut(workspace) else {
            return;
        };
        let Standing::Guest { shown, .. } = &mut control.standing else {
            return;
        };
        control.policy = now_shown.policy.clone();
        self.controls.me = Some(now_shown.machine.clone());
        let status = now_shown.status.after(clock::boot().since(now_shown.at));
        *shown = Some(Box::new(now_shown));
        self.show_status(workspace, status);
    }

    fn clerk_did(&mut self, workspace: &WorkspaceId, done: Done) {
        match done {
            Done::Forgotten => {
                self.with_keeper(workspace, |keeper, _, _| keeper.forgotten());
            }
            Done::Board(text) => {
                if let Some(shown) = text.and_then(|text| parsed(&text)) {
                    self.guest_sees(workspace, shown);
                }
            }
            Done::Wishes(wishes) => {
                for left in wishes.iter().filter_map(|text| parsed(text)) {
                    match left {
                        Left::Wish(wish) => self.wish_control(workspace, wish),
                        Left::Policy(policy) => self.set_policy(workspace, policy),
                    }
                }
            }
            Done::HasGuests(has) => self.guests_known(workspace, has),
            Done::Failed(why) => self.tell(Notice::error(
                format!("What processes of this machine tell each other of control was not kept: failed to {why}."),
                "Until it can be, open a workspace in one window only.",
            )),
        }
    }

    /// Takes a wish to whoever keeps control.
    pub(super) fn wish_control(&mut self, workspace: &WorkspaceId, wish: Wish) {
        let Some(control) = self.controls.by_workspace.get_mut(workspace) else {
            return;
        };
        match &control.standing {
            Standing::Opening => control.wishes.push(wish),
            Standing::Uncontrolled => {}
            Standing::Failed(_) => {
                control.wishes.push(wish);
                self.open_control(workspace);
            }
            Standing::Keeper(..) => {
                self.with_keeper(workspace, |keeper, now, deeds| {
                    keeper.handle(now, Input::Wish(wish), deeds);
                });
            }
            Standing::Guest { .. } => {
                self.clerk(workspace, Task::Wish(text(&Left::Wish(wish))));
            }
        }
    }

    fn set_policy(&mut self, workspace: &WorkspaceId, policy: Policy) {
        let Some(control) = self.controls.by_workspace.get_mut(workspace) else {
            return;
        };
        control.policy = policy.clone();
        // Shown again, with the policy.
        let last = control.last.take();
        if matches!(control.standing, Standing::Guest { .. }) {
            return self.clerk(workspace, Task::Wish(text(&Left::Policy(policy))));
        }
        let written = text(&policy);
        self.clerk(workspace, Task::Write(ControlText::Policy, written));
        if let Some((status, at)) = last {
            self.show_status(workspace, status.after(clock::boot().since(at)));
        }
        self.with_keeper(workspace, |keeper, now, deeds| {
            keeper.handle(now, Input::Configure(policy), deeds);
        });
    }

    /// Something changed in a folder that is watched for the sake of control; true when it was one.
    pub(in super::super) fn control_path_changed(&mut self, folder: &Path, path: &Path) -> bool {
        let of_control = |dir: &Path, id: &WorkspaceId, home: &store::Home| {
            *dir == home.control_dir(id) || *dir == store::wishes_dir(home, id)
        };
        let found = self
            .controls
            .by_workspace
            .iter()
            .find(|(id, _)| of_control(folder, id, &self.home));
        let Some((workspace, control)) = found else {
            return false;
        };
        let workspace = workspace.clone();
        let board = ControlText::Board.file_name();
        match &control.standing {
            Standing::Keeper(..) => self.clerk(&workspace, Task::TakeWishes),
            Standing::Guest { .. } if path == folder || path.ends_with(board) => {
                self.clerk(&workspace, Task::ReadBoard);
            }
            _ => {}
        }
        true
    }

    /// Every lease has its nodes stand still before the machine sleeps, and looks at its folder when it has slept.
    pub(in super::super) fn machine_sleeps(&mut self, sleep: Sleep) {
        let ids: Vec<WorkspaceId> = self.controls.by_workspace.keys().cloned().collect();
        for id in ids {
            self.feed_work(&id);
            let input = match sleep {
                Sleep::Begins => Input::Suspending,
                Sleep::Over => Input::Woke,
            };
            self.with_keeper(&id, |keeper, now, deeds| keeper.handle(now, input, deeds));
        }
        if let (Sleep::Begins, Some(notices)) = (sleep, &self.controls.notices) {
            notices.ready();
        }
    }

    /// Hands a task to the clerk.
    pub(super) fn clerk(&mut self, workspace: &WorkspaceId, task: Task) {
        let n = self.controls.by_workspace.get(workspace).map(|c| c.n);
        if let (Some(n), Some(clerk)) = (n, &self.controls.clerk) {
            clerk.give(workspace, n, task);
        }
    }

    /// Has the keeper of a workspace do something, and carries out what it wants.
    pub(super) fn with_keeper(
        &mut self,
        workspace: &WorkspaceId,
        work: impl FnOnce(&mut Keeper, Now, &mut Vec<Deed>),
    ) {
        let control = self.controls.by_workspace.get_mut(workspace);
        let Some(keeper) = control.and_then(Control::keeper) else {
            return;
        };
        let mut deeds = Vec::new();
        work(keeper, control_now(), &mut deeds);
        self.do_deeds(workspace, deeds);
    }
}

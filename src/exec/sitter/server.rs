//! The sitter's own side: clients come and go, children stay.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use super::super::launcher::{KILL_GRACE, lock};
use super::super::unix;
use super::super::{End, Environment, Job, Launcher, Report, Why};
use super::message::{self, Ask, HeldRun, Scope, Tame, Tell, WireReport};
use super::outbox::Outbox;
use super::place::{self, Place};
use crate::model::{Exit, FlowRef, NodeRunId, RunId, Timestamp, WorkspaceId};

/// Tries to become the sitter while another one is just ending.
const LOCK_TRIES: u32 = 40;
const LOCK_AGAIN_AFTER: Duration = Duration::from_millis(10);
/// After a run was left for another client, this long is given to that one.
const HANDOVER: Duration = Duration::from_secs(3);

/// Is the sitter of a place until nobody needs one. Returns at once when there is one already.
///
/// `background` is what its program is called with to start a process that carries runs on, `warden` what this one is
/// called with to start a process that ends what must not outlive it; `clock` tells the time that ends are noted with.
pub fn serve(
    place: &Place,
    background: &'static [&'static str],
    warden: &'static [&'static str],
    clock: fn() -> Timestamp,
) -> io::Result<()> {
    place.make()?;
    let mut held = place.lock()?;
    for _ in 0..LOCK_TRIES {
        if held.is_some() {
            break;
        }
        thread::sleep(LOCK_AGAIN_AFTER);
        held = place.lock()?;
    }
    let Some(_held) = held else { return Ok(()) };
    unix::leave_session();
    super::super::raise_open_files();
    let listener = place.listen()?;
    // Whoever started us waits for this.
    unix::close_output();
    let (wake, woken) = UnixStream::pair()?;
    wake.set_nonblocking(true)?;
    woken.set_nonblocking(true)?;
    let server = Arc::new_cyclic(|own: &Weak<Server>| {
        let reports = own.clone();
        Server {
            launcher: Launcher::new(clock, move |report| {
                if let Some(server) = reports.upgrade() {
                    server.report(&report);
                }
            }),
            state: Mutex::default(),
            launching: Mutex::default(),
            wake,
            background,
        }
    });
    if let Ok(program) = std::env::current_exe() {
        server.launcher.call_warden(program, warden);
    }
    let accepting = Arc::clone(&server);
    thread::Builder::new()
        .name("accept".to_owned())
        .spawn(move || accepting.accept(&listener))?;
    server.tend(&woken);
    place.stop_listening();
    Ok(())
}

pub(super) struct Server {
    pub launcher: Launcher,
    pub state: Mutex<State>,
    /// Held while an attempt is launched, and while a run changes hands.
    launching: Mutex<()>,
    /// Wakes whoever tends.
    wake: UnixStream,
    pub background: &'static [&'static str],
}

#[derive(Default)]
pub(super) struct State {
    n_clients: u64,
    pub clients: BTreeMap<u64, Outbox>,
    pub runs: BTreeMap<RunId, Held>,
    /// Until when nodes may run in a workspace, in [`unix::uptime`], and how long they have to end then.
    pub deadlines: BTreeMap<WorkspaceId, (Duration, Duration)>,
    /// Workspaces whose processes stand still, and the client that wanted it: they are not left so to nobody.
    frozen: BTreeMap<WorkspaceId, u64>,
    /// Who wants to be told what others run in a workspace, and what was told last.
    watchers: BTreeMap<WorkspaceId, (u64, (u32, u32))>,
    /// Workspaces whose deadline has passed.
    pub lost: BTreeSet<WorkspaceId>,
    /// The program that clients are, for starting one that carries runs on.
    pub program: PathBuf,
    /// Those that were started: id and start time.
    pub backgrounds: Vec<(u32, u64)>,
    /// When to kill strays, how often still, and whether all of them.
    pub strays: Option<Strays>,
    /// Attempts have ended since strays were last looked for.
    pub ends_seen: bool,
    /// Nobody is let in any more.
    pub ending: bool,
}

/// Killing of what belongs to no attempt.
#[derive(Clone, Copy)]
pub(super) struct Strays {
    pub at: Duration,
    pub rounds_left: u32,
    /// Also what ended attempts left behind on purpose.
    pub marked_too: bool,
}

/// A run that somebody must carry to its end.
pub(super) struct Held {
    pub flow: FlowRef,
    env: Environment,
    dir: Option<PathBuf>,
    /// The client that carries it.
    pub owner: Option<u64>,
    /// Without one: when a process is started that does.
    pub due: Duration,
    /// How often one was started in vain.
    pub tries: u32,
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Server {
    fn accept(self: Arc<Self>, listener: &UnixListener) {
        for stream in listener.incoming() {
            // Out of files for the moment: whoever came tries again.
            let Ok(stream) = stream else {
                thread::sleep(LOCK_AGAIN_AFTER);
                continue;
            };
            if !place::is_ours(&stream) {
                continue;
            }
            let server = Arc::clone(&self);
            let thread = thread::Builder::new().name("client".to_owned());
            // Without a thread the client hears that the connection ended.
            thread.spawn(move || server.hear(stream)).ok();
        }
    }

    pub fn wake(&self) {
        use std::io::Write as _;
        // Full: it has been woken often enough.
        (&self.wake).write_all(&[1]).ok();
    }

    /// One client, from its hello to its end.
    fn hear(&self, stream: UnixStream) {
        let Ok(mut from) = stream.try_clone() else {
            return;
        };
        let Ok(Ask::Hello { program, .. }) = message::read(&mut from) else {
            return;
        };
        let outbox = Outbox::new(stream);
        let client = {
            let mut state = lock(&self.state);
            if state.ending {
                outbox.close();
                return;
            }
            state.n_clients += 1;
            let client = state.n_clients;
            state.clients.insert(client, outbox.clone());
            if !program.is_empty() {
                state.program = program.into();
            }
            client
        };
        let pid = std::process::id();
        outbox.send(&message::frame(&Tell::Welcome { pid }));
        while let Ok(ask) = message::read::<Ask>(&mut from) {
            self.answer(client, &outbox, ask);
        }
        outbox.close();
        self.lost(client);
    }

    /// A client is gone, with a goodbye or without.
    fn lost(&self, client: u64) {
        let mut state = lock(&self.state);
        state.clients.remove(&client);
        state.watchers.retain(|_, (watcher, _)| *watcher != client);
        for held in state.runs.values_mut() {
            if held.owner == Some(client) {
                held.owner = None;
                held.due = unix::uptime();
            }
        }
        let frozen: Vec<WorkspaceId> = state
            .frozen
            .extract_if(.., |_, by| *by == client)
            .map(|(id, _)| id)
            .collect();
        drop(state);
        for id in frozen {
            // Whether they may go on nobody can say any more.
            self.tame(&id, Tame::Kill);
        }
        self.tell_others();
        self.wake();
    }

    /// Kills, freezes or thaws everything that runs in a workspace.
    fn tame(&self, id: &WorkspaceId, how: Tame) {
        if how == Tame::Kill {
            // Before anything ends: whoever carries a run must not take it for a failure.
            let mut state = lock(&self.state);
            state.deadlines.remove(id);
            state.lost.insert(id.clone());
            let workspace = id.as_str().to_owned();
            let frame = message::frame(&Tell::ControlLost { workspace });
            for outbox in state.clients.values() {
                outbox.send(&frame);
            }
        }
        let live = self.launcher.live();
        let all: Vec<NodeRunId> = {
            let state = lock(&self.state);
            let of = |run: &RunId| state.runs.get(run).map(|held| &held.flow.workspace);
            let ids = live.into_iter().map(|live| live.id);
            ids.filter(|attempt| of(&attempt.run) == Some(id)).collect()
        };
        for attempt in all {
            match how {
                Tame::Kill => {
                    let end = End::force(Why::Control);
                    self.launcher.terminate(&attempt, end);
                }
                Tame::Freeze => self.launcher.freeze(&attempt, true),
                Tame::Thaw => self.launcher.freeze(&attempt, false),
            }
        }
    }

    /// Tells whoever watches a workspace what others run in it, when that has changed.
    fn tell_others(&self) {
        let mut state = lock(&self.state);
        if state.watchers.is_empty() {
            return;
        }
        let mut watchers = std::mem::take(&mut state.watchers);
        for (workspace, (client, told)) in &mut watchers {
            let of_others =
                |held: &Held| held.flow.workspace == *workspace && held.owner != Some(*client);
            let runs: BTreeSet<&RunId> = state
                .runs
                .iter()
                .filter(|(_, held)| of_others(held))
                .map(|(run, _)| run)
                .collect();
            let children = match runs.is_empty() {
                true => 0,
                false => {
                    let live = self.launcher.live();
                    live.iter()
                        .filter(|live| runs.contains(&live.id.run))
                        .count()
                }
            };
            let now = (count(runs.len()), count(children));
            if now != *told
                && let Some(outbox) = state.clients.get(client)
            {
                *told = now;
                outbox.send(&message::frame(&Tell::Others {
                    workspace: workspace.as_str().to_owned(),
                    runs: now.0,
                    children: now.1,
                }));
            }
        }
        state.watchers = watchers;
    }

    fn answer(&self, client: u64, outbox: &Outbox, ask: Ask) {
        let changes_runs = matches!(
            ask,
            Ask::Begin { .. }
                | Ask::Launch(_)
                | Ask::Over { .. }
                | Ask::Leave { .. }
                | Ask::Attach { .. }
                | Ask::Watch { .. }
        );
        self.carry_out(client, outbox, ask);
        if changes_runs {
            self.tell_others();
        }
    }

    fn carry_out(&self, client: u64, outbox: &Outbox, ask: Ask) {
        match ask {
            Ask::Hello { .. } => {}
            Ask::Begin { run, flow, env } => {
                let held = Held {
                    flow: flow.into(),
                    env: Environment::of_settings(env),
                    dir: None,
                    owner: Some(client),
                    due: Duration::ZERO,
                    tries: 0,
                };
                lock(&self.state).runs.insert(RunId::new(run), held);
            }
            Ask::Launch(job) => self.launch(client, (*job).into()),
            Ask::Terminate { id, end } => self.launcher.terminate(&id.into(), end.into()),
            Ask::Over { run } => {
                let held = lock(&self.state).runs.remove(&RunId::new(run));
                if let Some(dir) = held.and_then(|held| held.dir) {
                    self.launcher.close_run(&dir);
                }
                self.wake();
            }
            Ask::Leave { run } => {
                if let Some(held) = lock(&self.state).runs.get_mut(&RunId::new(run))
                    && held.owner == Some(client)
                {
                    held.owner = None;
                    held.due = unix::uptime() + HANDOVER;
                }
                self.wake();
            }
            Ask::Attach { ticket, run } => {
                let run = RunId::new(run);
                let _one = lock(&self.launching);
                let mut state = lock(&self.state);
                let held = state.runs.get_mut(&run).map(|held| {
                    held.owner = Some(client);
                    held.tries = 0;
                });
                drop(state);
                // After the owner was set: what ends from now on is reported to it, and what ended
                // before is in the exit record.
                let live = held.map(|()| {
                    let live = self.launcher.live();
                    let of_run = live.iter().filter(|live| live.id.run == run);
                    of_run.map(Into::into).collect()
                });
                outbox.send(&message::frame(&Tell::Attached { ticket, live }));
            }
            Ask::Runs { ticket } => {
                let live = self.launcher.live();
                let of = |run: &RunId| live.iter().filter(|live| live.id.run == *run).count();
                let state = lock(&self.state);
                let runs = state.runs.iter().map(|(run, held)| {
                    let run = HeldRun {
                        run: run.clone(),
                        flow: held.flow.clone(),
                        carried: held.owner.is_some(),
                        children: count(of(run)),
                    };
                    run.into()
                });
                let runs = runs.collect();
                drop(state);
                outbox.send(&message::frame(&Tell::Runs { ticket, runs }));
            }
            Ask::Deadline {
                workspace,
                until,
                grace,
            } => {
                let id = WorkspaceId::new(workspace);
                let mut state = lock(&self.state);
                state.lost.remove(&id);
                match until {
                    Some(until) => state.deadlines.insert(id, (until, grace)),
                    None => state.deadlines.remove(&id),
                };
                drop(state);
                self.wake();
            }
            Ask::Kill { ticket, scope } => {
                let n = self.kill(&scope.into());
                outbox.send(&message::frame(&Tell::Killing { ticket, n }));
            }
            Ask::Tame { workspace, how } => {
                let id = WorkspaceId::new(workspace);
                let mut state = lock(&self.state);
                match how {
                    Tame::Freeze => state.frozen.insert(id.clone(), client),
                    Tame::Kill | Tame::Thaw => state.frozen.remove(&id),
                };
                drop(state);
                self.tame(&id, how);
            }
            Ask::Watch { workspace } => {
                let nothing = (u32::MAX, u32::MAX);
                let mut state = lock(&self.state);
                state
                    .watchers
                    .insert(WorkspaceId::new(workspace), (client, nothing));
            }
        }
    }

    /// Only for whoever carries the run: what another said before it died may come late, and the
    /// one that came after it has launched that again.
    fn launch(&self, client: u64, mut job: Job) {
        let _one = lock(&self.launching);
        let mut state = lock(&self.state);
        let Some(held) = state.runs.get_mut(&job.id.run) else {
            return;
        };
        if held.owner != Some(client) {
            return;
        }
        job.base = held.env.clone();
        held.dir.get_or_insert_with(|| job.run_dir().to_owned());
        let workspace = held.flow.workspace.clone();
        let lost = state.lost.contains(&workspace);
        // Without the sitter nobody would end it in time, and another machine may run it then.
        job.is_bound = state.deadlines.contains_key(&workspace);
        drop(state);
        if lost {
            let why = "the right to run in this workspace is over";
            let exit = Exit::NotStarted(why.into());
            return self.report(&Report::Exited { id: job.id, exit });
        }
        if self.launcher.is_live(&job.id) {
            return;
        }
        // Still one at a time: whoever takes the run over either finds it alive, or it is not begun.
        self.launcher.launch(job);
    }

    /// To whoever carries the run; to nobody when nobody does, since the exit record has it.
    fn report(&self, report: &Report) {
        let Some(wire) = WireReport::of(report) else {
            return;
        };
        let id = match report {
            // Of the disk, which all have in common.
            Report::Told(_) => {
                let frame = message::frame(&Tell::Report(wire));
                let clients: Vec<Outbox> = lock(&self.state).clients.values().cloned().collect();
                return clients.iter().for_each(|client| client.send(&frame));
            }
            Report::Spawned { id, .. }
            | Report::Delayed { id, .. }
            | Report::Killed { id, .. }
            | Report::Exited { id, .. } => id,
            _ => return,
        };
        let mut state = lock(&self.state);
        let owner = state.runs.get(&id.run).and_then(|held| held.owner);
        let outbox = owner.and_then(|owner| state.clients.get(&owner).cloned());
        let ended = matches!(report, Report::Exited { .. });
        let must_wake = ended && (state.clients.is_empty() || !state.ends_seen);
        state.ends_seen |= ended;
        drop(state);
        if let Some(outbox) = outbox {
            outbox.send(&message::frame(&Tell::Report(wire)));
        }
        if ended {
            self.tell_others();
        }
        if must_wake {
            self.wake();
        }
    }

    fn kill(&self, scope: &Scope) -> u64 {
        let live = self.launcher.live();
        let doomed: Vec<&NodeRunId> = {
            let state = lock(&self.state);
            let of = |run: &RunId| state.runs.get(run).map(|held| &held.flow.workspace);
            let ids = live.iter().map(|live| &live.id);
            ids.filter(|id| match scope {
                Scope::Attempts(ids) => ids.contains(id),
                Scope::Run(run) => id.run == *run,
                Scope::Workspace(workspace) => of(&id.run) == Some(workspace),
                Scope::Everything => true,
            })
            .collect()
        };
        for id in &doomed {
            self.launcher
                .terminate(id, End::within(Why::Kill, KILL_GRACE));
        }
        // A process without parents and mark belongs to one of the attempts that live.
        if doomed.len() == live.len() {
            lock(&self.state).strays = Some(Strays {
                at: unix::uptime() + KILL_GRACE,
                rounds_left: 10,
                marked_too: *scope == Scope::Everything,
            });
            self.wake();
        }
        doomed.len() as u64
    }

    /// Starts a process that carries on what nobody carries.
    pub fn start_background(&self, program: &std::path::Path) -> io::Result<(u32, u64)> {
        use std::os::unix::process::CommandExt as _;
        use std::process::{Command, Stdio};
        let child = Command::new(program)
            .args(self.background)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        // Reaped with the strays.
        Ok((child.id(), unix::birth_of(child.id()).unwrap_or(0)))
    }
}

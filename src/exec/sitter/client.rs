//! The client's side: what the window's runtime sees of the sitter.
//!
//! Nothing here waits but what says so. A connection is made, and a sitter started, by a thread of
//! its own when the first node is to run; it is also the thread that hears the reports. When the
//! sitter dies, what it held is settled from what it left: ends from the exit records, processes that
//! live by waiting for them, and what had not begun by the next sitter.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::super::launcher::{KILL_GRACE, lock};
use super::super::{End, Environment, Job, Launcher, Live, Report, exits, sweep};
use super::message::{self, Ask, HeldRun, Scope, Tame, Tell};
use super::outbox::Outbox;
use super::place::Place;
use crate::model::{Exit, FlowRef, Level, NodeRunId, Notice, RunId, Timestamp, WorkspaceId};

/// Longest wait for an answer: a sitter that does not answer counts as one that cannot be asked.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Tries to reach a sitter, each of which may meet one that is just ending.
const TRIES: u32 = 20;
const AGAIN_AFTER: Duration = Duration::from_millis(20);

/// How a sitter is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The binary, absolute.
    pub file: PathBuf,
    /// What makes it a sitter.
    pub args: &'static [&'static str],
    /// Set on top of the inherited environment.
    pub env: Vec<(OsString, OsString)>,
}

/// The runtime's end of the sitter. Dropping it ends the connection: what runs goes on.
pub struct Sitter(Arc<Inner>);

struct Inner {
    place: Place,
    program: Program,
    clock: fn() -> Timestamp,
    reports: Arc<dyn Fn(Report) + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    link: Link,
    /// Said as soon as there is a connection.
    waiting: Vec<Ask>,
    /// Launched, and not reported as ended.
    live: HashMap<NodeRunId, Carried>,
    /// Runs that are ours to carry.
    runs: HashMap<RunId, Run>,
    /// Reports of runs that are just being taken over, until the runtime knows them.
    held_back: HashMap<RunId, Vec<Report>>,
    answers: HashMap<u64, Sender<Tell>>,
    n_tickets: u64,
    /// Until when nodes may run in a workspace, for the next sitter when this one dies.
    deadlines: BTreeMap<WorkspaceId, (Duration, Duration)>,
    /// Workspaces in which we want to know what others run.
    watched: BTreeSet<WorkspaceId>,
    /// What others run, heard while a run is being taken over: until the runtime knows that one, it would be in
    /// neither count.
    others: BTreeMap<WorkspaceId, (u32, u32)>,
    /// Holds children in this process when no sitter can be had.
    own: Option<Launcher>,
}

#[derive(Clone, Default)]
enum Link {
    #[default]
    Down,
    Connecting,
    Up(Outbox),
    /// No sitter can be had: this process holds its children itself.
    Without,
    /// The end.
    Closed,
}

struct Run {
    flow: FlowRef,
    env: Environment,
}

struct Carried {
    /// For launching it again when a sitter died before it began; `None` for what was taken over.
    job: Option<Job>,
    run_dir: PathBuf,
    process: Option<(u32, u64)>,
    /// Its sitter is dead, and its process lives on.
    lost: bool,
}

impl Sitter {
    /// A client that has not connected to anything. `reports` must not wait; it is called from many
    /// threads.
    pub fn new(
        place: Place,
        program: Program,
        clock: fn() -> Timestamp,
        reports: impl Fn(Report) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            place,
            program,
            clock,
            reports: Arc::new(reports),
            state: Mutex::default(),
        }))
    }

    /// No sitter could be had: what runs ends with this process.
    pub fn is_without(&self) -> bool {
        lock(&self.0.state).own.is_some()
    }

    /// A run begins, carried by us; its nodes have this environment in common.
    pub fn begin(&self, run: &RunId, flow: &FlowRef, env: &Environment) {
        let env = env.clone();
        let ask = begin(run, flow, &env);
        let flow = flow.clone();
        let mut state = lock(&self.0.state);
        state.runs.insert(run.clone(), Run { flow, env });
        self.0.say_now(&mut state, ask, true);
    }

    /// Starts a job of a run that began, or was taken over. [`Report::Exited`] follows.
    pub fn launch(&self, job: Job) {
        let carried = Carried {
            run_dir: job.run_dir().to_owned(),
            job: Some(job.clone()),
            process: None,
            lost: false,
        };
        let mut state = lock(&self.0.state);
        state.live.insert(job.id.clone(), carried);
        if let Some(own) = state
            .own
            .as_ref()
            .filter(|_| matches!(state.link, Link::Without))
        {
            return own.launch(job);
        }
        // Under the same lock: what is launched twice when a sitter dies in between runs twice.
        self.0
            .say_now(&mut state, Ask::Launch(Box::new((&job).into())), true);
    }

    /// Ends an attempt, as [`Launcher::terminate`] does.
    pub fn terminate(&self, id: &NodeRunId, end: End) {
        let state = lock(&self.0.state);
        if let Some(own) = &state.own {
            own.terminate(id, end);
        }
        let lost = state.live.get(id).filter(|carried| carried.lost);
        if let Some((pid, birth)) = lost.and_then(|carried| carried.process) {
            drop(state);
            return end_lost(id.clone(), pid, birth, end);
        }
        drop(state);
        let (id, end) = (id.into(), end.into());
        self.0.say(Ask::Terminate { id, end }, false);
    }

    /// The run is over.
    pub fn over(&self, run: &RunId) {
        let known = lock(&self.0.state).runs.remove(run);
        if known.is_some() {
            let run = run.as_str().to_owned();
            self.0.say(Ask::Over { run }, false);
        }
    }

    /// We carry the run no longer: another process is about to.
    pub fn leave(&self, run: &RunId) {
        let mut state = lock(&self.0.state);
        state.runs.remove(run);
        state.live.retain(|id, _| id.run != *run);
        drop(state);
        let run = run.as_str().to_owned();
        self.0.say(Ask::Leave { run }, false);
    }

    /// Takes a run over that a sitter holds: its attempts that live. What is reported of it from now
    /// on is held back until [`Sitter::taken_over`]. `None` when no sitter holds it. Waits for the
    /// answer.
    pub fn attach(&self, run: &RunId, flow: &FlowRef, run_dir: &Path) -> Option<Vec<Live>> {
        lock(&self.0.state)
            .held_back
            .insert(run.clone(), Vec::new());
        let answer = self.0.ask(|ticket| Ask::Attach {
            ticket,
            run: run.as_str().to_owned(),
        });
        let mut state = lock(&self.0.state);
        let Some(Tell::Attached {
            live: Some(live), ..
        }) = answer
        else {
            state.held_back.remove(run);
            return None;
        };
        let live: Vec<Live> = live.into_iter().map(Into::into).collect();
        let (flow, env) = (flow.clone(), Environment::of_process());
        state.runs.insert(run.clone(), Run { flow, env });
        for one in &live {
            let carried = Carried {
                job: None,
                run_dir: run_dir.to_owned(),
                process: one.process,
                lost: false,
            };
            state.live.insert(one.id.clone(), carried);
        }
        // What ended between the answer and now.
        let ended: Vec<NodeRunId> = state.held_back[run]
            .iter()
            .filter_map(|report| match report {
                Report::Exited { id, .. } => Some(id.clone()),
                _ => None,
            })
            .collect();
        for id in ended {
            state.live.remove(&id);
        }
        Some(live)
    }

    /// The runtime knows a run that it took over: what came meanwhile is reported now.
    pub fn taken_over(&self, run: &RunId, env: &Environment) {
        let mut state = lock(&self.0.state);
        if let Some(known) = state.runs.get_mut(run) {
            known.env = env.clone();
        }
        let reports = state.held_back.remove(run);
        let others = match state.held_back.is_empty() {
            true => std::mem::take(&mut state.others),
            false => BTreeMap::new(),
        };
        drop(state);
        for report in reports.into_iter().flatten() {
            (self.0.reports)(report);
        }
        for (workspace, (runs, children)) in others {
            (self.0.reports)(Report::Others {
                workspace,
                runs,
                children,
            });
        }
    }

    /// An attempt of a run that was taken over began under a sitter that died: its end is reported
    /// when its process has ended, as one that nobody saw.
    pub fn await_lost(&self, id: &NodeRunId, run_dir: &Path) {
        let carried = Carried {
            job: None,
            run_dir: run_dir.to_owned(),
            process: None,
            lost: true,
        };
        lock(&self.0.state).live.insert(id.clone(), carried);
        self.0.await_lost(id.clone(), None);
    }

    /// Until when, in [`uptime`], nodes may run in a workspace, and how long they have to end then; `None` is for ever.
    pub fn set_deadline(&self, workspace: &WorkspaceId, until: Option<Duration>, grace: Duration) {
        let mut state = lock(&self.0.state);
        match until {
            Some(until) => state.deadlines.insert(workspace.clone(), (until, grace)),
            None => state.deadlines.remove(workspace),
        };
        let ask = deadline(workspace, until, grace);
        self.0.say_now(&mut state, ask, until.is_some());
    }

    /// Nothing is started in a workspace any more, and what should run there is ended, until a deadline allows it.
    pub fn close(&self, workspace: &WorkspaceId) {
        let mut state = lock(&self.0.state);
        state.deadlines.remove(workspace);
        let ask = deadline(workspace, Some(Duration::ZERO), Duration::ZERO);
        self.0.say_now(&mut state, ask, false);
    }

    /// What is to become of everything that runs in a workspace, whoever carries it.
    pub fn tame(&self, workspace: &WorkspaceId, how: Tame) {
        let workspace = workspace.as_str().to_owned();
        self.0.say(Ask::Tame { workspace, how }, false);
    }

    /// From now on [`Report::Others`] tells what other processes run in a workspace; nothing is told while no sitter
    /// is there, for then they run nothing.
    pub fn watch(&self, workspace: &WorkspaceId) {
        let mut state = lock(&self.0.state);
        if !state.watched.insert(workspace.clone()) {
            return;
        }
        if matches!(state.link, Link::Down) && self.0.place.has_socket() {
            // The connection begins with what is watched.
            return self.0.connect_soon(&mut state, false);
        }
        if matches!(state.link, Link::Up(_)) {
            self.0.say_now(&mut state, watch(workspace), false);
        }
    }

    /// Another process sees to the workspace from now on: its deadline is not ours to give to the next sitter.
    pub fn forget(&self, workspace: &WorkspaceId) {
        let mut state = lock(&self.0.state);
        state.deadlines.remove(workspace);
        state.watched.remove(workspace);
        state.others.remove(workspace);
    }

    /// The kill switch. [`Report::Killed`] follows for each attempt that lives.
    pub fn kill(&self, scope: &Scope) {
        let mut state = lock(&self.0.state);
        state.n_tickets += 1;
        let ticket = state.n_tickets;
        let in_scope = |id: &NodeRunId, state: &State| match scope {
            Scope::Attempts(ids) => ids.contains(id),
            Scope::Run(run) => id.run == *run,
            Scope::Workspace(workspace) => {
                let run = state.runs.get(&id.run);
                run.is_some_and(|run| run.flow.workspace == *workspace)
            }
            Scope::Everything => true,
        };
        let end = End::within(super::super::Why::Kill, KILL_GRACE);
        let ids = state.live.iter();
        let mut elsewhere = Vec::new();
        for (id, carried) in ids.filter(|(id, _)| in_scope(id, &state)) {
            if let Some(own) = &state.own {
                own.terminate(id, end);
            }
            if let (true, Some((pid, birth))) = (carried.lost, carried.process) {
                elsewhere.push((id.clone(), pid, birth));
            }
        }
        drop(state);
        for (id, pid, birth) in elsewhere {
            end_lost(id, pid, birth, end);
        }
        let scope = scope.into();
        self.0.say(Ask::Kill { ticket, scope }, false);
    }

    /// Everything said so far has been handed over; nothing is said any more. Runs that are not over
    /// go on, carried by a process that the sitter starts. Waits a moment.
    pub fn goodbye(&self) {
        let mut state = lock(&self.0.state);
        let link = std::mem::replace(&mut state.link, Link::Closed);
        drop(state);
        if let Link::Up(outbox) = link {
            outbox.flush();
            outbox.close();
        }
    }
}

impl Drop for Sitter {
    fn drop(&mut self) {
        self.goodbye();
    }
}

/// The machine's uptime with the time it slept: what deadlines are given in.
pub fn uptime() -> Duration {
    super::super::unix::uptime()
}

/// The runs that the sitter of a place holds; empty when there is none. The error says that one
/// is there and does not answer: then nothing may be said of any run. Waits for the answer.
pub fn held(place: &Place) -> Result<Vec<HeldRun>, String> {
    match query(place, |ticket| Ask::Runs { ticket }) {
        Ok(Some(Tell::Runs { runs, .. })) => Ok(runs.into_iter().map(Into::into).collect()),
        Ok(_) => Ok(Vec::new()),
        Err(why) => Err(format!("ask the process that holds running nodes: {why}")),
    }
}

/// Has the sitter of a place use the kill switch, whatever its clients do; gives how many attempts
/// are being ended. Waits for the answer.
pub fn kill(place: &Place, scope: &Scope) -> Result<u64, String> {
    let scope = scope.into();
    match query(place, |ticket| Ask::Kill { ticket, scope }) {
        Ok(Some(Tell::Killing { n, .. })) => Ok(n),
        Ok(_) => Ok(0),
        Err(why) => Err(format!("reach the process that holds running nodes: {why}")),
    }
}

fn query(place: &Place, ask: impl FnOnce(u64) -> Ask) -> io::Result<Option<Tell>> {
    if !place.has_socket() {
        return Ok(None);
    }
    let stream = match place.connect() {
        Ok(stream) => stream,
        // What a dead one left.
        Err(err) if is_nobody(&err) => return Ok(None),
        Err(err) => return Err(err),
    };
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    let mut stream = stream;
    let said = [
        message::frame(&hello(Path::new(""))),
        message::frame(&ask(0)),
    ];
    let answered = (|| {
        io::Write::write_all(&mut stream, &said.concat())?;
        let _: Tell = message::read(&mut stream)?;
        message::read(&mut stream)
    })();
    match answered {
        Ok(tell) => Ok(Some(tell)),
        // It was just ending, so it holds nothing.
        Err(err) if is_nobody(&err) => Ok(None),
        Err(err) => Err(err),
    }
}

fn is_nobody(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}

fn hello(program: &Path) -> Ask {
    Ask::Hello {
        pid: std::process::id(),
        program: program.into(),
    }
}

fn begin(run: &RunId, flow: &FlowRef, env: &Environment) -> Ask {
    Ask::Begin {
        run: run.as_str().to_owned(),
        flow: flow.into(),
        env: env.settings(),
    }
}

fn deadline(workspace: &WorkspaceId, until: Option<Duration>, grace: Duration) -> Ask {
    Ask::Deadline {
        workspace: workspace.as_str().to_owned(),
        until,
        grace,
    }
}

fn watch(workspace: &WorkspaceId) -> Ask {
    Ask::Watch {
        workspace: workspace.as_str().to_owned(),
    }
}

impl Inner {
    /// Says something now, or when there is a connection; `start` says whether it is worth a sitter
    /// of its own.
    fn say(self: &Arc<Self>, ask: Ask, start: bool) {
        self.say_now(&mut lock(&self.state), ask, start);
    }

    fn say_now(self: &Arc<Self>, state: &mut State, ask: Ask, start: bool) {
        match &state.link {
            // Under the lock, so that what is said stays in order.
            Link::Up(outbox) => outbox.send(&message::frame(&ask)),
            Link::Connecting => state.waiting.push(ask),
            Link::Down if start => {
                state.waiting.push(ask);
                self.connect_soon(state, true);
            }
            // Nobody is there who could be concerned.
            Link::Down | Link::Without | Link::Closed => {}
        }
    }

    /// Asks a sitter, when there is one, and waits for its answer.
    fn ask(self: &Arc<Self>, ask: impl FnOnce(u64) -> Ask) -> Option<Tell> {
        let answer: Receiver<Tell> = {
            let mut state = lock(&self.state);
            if matches!(state.link, Link::Down) && !self.place.has_socket() {
                return None;
            }
            let (sender, answer) = channel();
            state.n_tickets += 1;
            let ticket = state.n_tickets;
            state.answers.insert(ticket, sender);
            let ask = ask(ticket);
            match &state.link {
                Link::Up(outbox) => outbox.send(&message::frame(&ask)),
                Link::Connecting => state.waiting.push(ask),
                Link::Down => {
                    state.waiting.push(ask);
                    self.connect_soon(&mut state, false);
                }
                Link::Without | Link::Closed => return None,
            }
            answer
        };
        answer.recv_timeout(ANSWER_WITHIN).ok()
    }

    fn connect_soon(self: &Arc<Self>, state: &mut State, start: bool) {
        state.link = Link::Connecting;
        let inner = Arc::clone(self);
        let thread = thread::Builder::new().name("sitter".to_owned());
        if let Err(err) = thread.spawn(move || inner.work(start)) {
            self.do_without(state, &err.to_string());
        }
    }

    /// The connection, from its making to its end.
    fn work(self: Arc<Self>, start: bool) {
        let connected = self.connect(start);
        let (mut stream, outbox) = match connected {
            Ok(connected) => connected,
            Err(err) => {
                let mut state = lock(&self.state);
                state.answers.clear();
                if start && !matches!(state.link, Link::Closed) {
                    self.do_without(&mut state, &err.to_string());
                } else if matches!(state.link, Link::Connecting) {
                    state.link = Link::Down;
                    // What came meanwhile and is worth a sitter.
                    let launches = |ask: &Ask| matches!(ask, Ask::Launch(_) | Ask::Begin { .. });
                    if state.waiting.iter().any(launches) {
                        self.connect_soon(&mut state, true);
                    } else {
                        state.waiting.clear();
                    }
                }
                return;
            }
        };
        {
            let mut state = lock(&self.state);
            if matches!(state.link, Link::Closed) {
                return outbox.close();
            }
            // Before anything runs: a sitter that comes after a dead one knows of no deadline.
            for (workspace, (until, grace)) in &state.deadlines {
                outbox.send(&message::frame(&deadline(workspace, Some(*until), *grace)));
            }
            for workspace in &state.watched {
                outbox.send(&message::frame(&watch(workspace)));
            }
            // A run may have begun under a sitter that is dead.
            #[expect(clippy::iter_over_hash_type, reason = "runs begin in any order")]
            for (run, known) in &state.runs {
                if !state.held_back.contains_key(run) {
                    outbox.send(&message::frame(&begin(run, &known.flow, &known.env)));
                }
            }
            for ask in std::mem::take(&mut state.waiting) {
                if !matches!(
                    &ask,
                    Ask::Begin { .. } | Ask::Deadline { until: Some(_), .. }
                ) {
                    outbox.send(&message::frame(&ask));
                }
            }
            state.link = Link::Up(outbox.clone());
        }
        while let Ok(tell) = message::read::<Tell>(&mut stream) {
            self.hear(tell);
        }
        outbox.close();
        self.settle();
    }

    fn connect(&self, start: bool) -> io::Result<(UnixStream, Outbox)> {
        let mut last: io::Error = io::ErrorKind::NotFound.into();
        for n in 0..TRIES {
            match self.greet() {
                Ok(connected) => return Ok(connected),
                Err(err) if !is_nobody(&err) => return Err(err),
                Err(err) => last = err,
            }
            if !start {
                return Err(last);
            }
            if n > 0 {
                thread::sleep(AGAIN_AFTER);
            }
            self.start()?;
        }
        Err(last)
    }

    fn greet(&self) -> io::Result<(UnixStream, Outbox)> {
        let mut stream = self.place.connect()?;
        let outbox = Outbox::new(stream.try_clone()?);
        outbox.send(&message::frame(&hello(&self.program.file)));
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        match message::read(&mut stream)? {
            Tell::Welcome { .. } => {}
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
        stream.set_read_timeout(None)?;
        Ok((stream, outbox))
    }

    /// Starts a sitter and waits until it listens, or has seen that there is one.
    fn start(&self) -> io::Result<()> {
        let mut child = Command::new(&self.program.file)
            .args(self.program.args)
            .envs(self.program.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut ready = child.stdout.take();
        // It closes its output when it listens, or ends.
        let mut said = [0];
        let listens = match ready.as_mut() {
            Some(ready) => ready.read(&mut said).is_ok(),
            None => false,
        };
        // So that it is no zombie of ours when it ends.
        thread::Builder::new()
            .name("sitter's end".to_owned())
            .stack_size(64 * 1024)
            .spawn(move || child.wait())?;
        match listens {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn hear(&self, tell: Tell) {
        match tell {
            Tell::Welcome { .. } => {}
            Tell::Report(report) => self.report(report.into()),
            Tell::Attached { ticket, .. }
            | Tell::Runs { ticket, .. }
            | Tell::Killing { ticket, .. } => {
                let waits = lock(&self.state).answers.remove(&ticket);
                if let Some(waits) = waits {
                    // Whoever asked may have given up.
                    waits.send(tell).ok();
                }
            }
            Tell::ControlLost { workspace } => {
                (self.reports)(Report::ControlLost(WorkspaceId::new(workspace)));
            }
            Tell::Others {
                workspace,
                runs,
                children,
            } => {
                let workspace = WorkspaceId::new(workspace);
                let mut state = lock(&self.state);
                if !state.held_back.is_empty() {
                    state.others.insert(workspace, (runs, children));
                    return;
                }
                drop(state);
                (self.reports)(Report::Others {
                    workspace,
                    runs,
                    children,
                });
            }
        }
    }

    fn report(&self, report: Report) {
        let mut state = lock(&self.state);
        let run = match &report {
            Report::Spawned { id, pid, birth } => {
                if let Some(carried) = state.live.get_mut(id) {
                    carried.process = Some((*pid, *birth));
                }
                Some(id.run.clone())
            }
            Report::Exited { id, .. } => {
                state.live.remove(id);
                Some(id.run.clone())
            }
            Report::Delayed { id, .. } | Report::Killed { id, .. } => Some(id.run.clone()),
            _ => None,
        };
        if let Some(held_back) = run.and_then(|run| state.held_back.get_mut(&run)) {
            held_back.push(report);
            return;
        }
        drop(state);
        (self.reports)(report);
    }

    /// No sitter can be had: what waits, and all that comes, are children of this process.
    fn do_without(self: &Arc<Self>, state: &mut State, why: &str) {
        state.link = Link::Without;
        state.waiting.clear();
        let inner = Arc::downgrade(self);
        let own = Launcher::new(self.clock, move |report| {
            if let Some(inner) = inner.upgrade() {
                inner.report(report);
            }
        });
        let runs: Vec<RunId> = state.runs.keys().cloned().collect();
        let of_ours = |id: &NodeRunId| runs.contains(&id.run);
        let jobs = state.live.iter();
        let jobs = jobs.filter(|(id, carried)| of_ours(id) && !carried.lost);
        let mut jobs: Vec<Job> = jobs.filter_map(|(_, one)| one.job.clone()).collect();
        jobs.sort_by(|a, b| a.id.cmp(&b.id));
        for job in jobs {
            own.launch(job);
        }
        state.own = Some(own);
        let reports = Arc::clone(&self.reports);
        reports(Report::Told(Notice::new(
            Level::Warning,
            format!(
                "Nodes run as children of this window, because no sitter could be started: {why}."
            ),
            "They end with it. Runs are not at risk while it stays open.",
        )));
    }

    /// The sitter is gone.
    fn settle(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        state.answers.clear();
        if matches!(state.link, Link::Closed) {
            return;
        }
        state.link = Link::Down;
        // The next sitter tells anew. What a dead one held for others is for those to say.
        let watched: Vec<WorkspaceId> = state.watched.iter().cloned().collect();
        let mut ended = Vec::new();
        let mut lost = Vec::new();
        let mut again = Vec::new();
        let mut records: HashMap<PathBuf, Vec<exits::Ended>> = HashMap::new();
        #[expect(clippy::iter_over_hash_type, reason = "sorted below")]
        for (id, carried) in &mut state.live {
            let dir = &carried.run_dir;
            let noted = records
                .entry(dir.clone())
                // One that cannot be read knows no end, and then those attempts are told as lost below.
                .or_insert_with(|| {
                    let record = exits::read_exits(dir, &id.run);
                    record.map(|record| record.ended).unwrap_or_default()
                });
            let seen = noted.iter().find(|ended| ended.id == *id);
            // When nobody can tell, it is not run twice.
            let began = || {
                super::super::log_files(dir, id)
                    .0
                    .try_exists()
                    .unwrap_or(true)
            };
            match (seen, &carried.job) {
                (Some(seen), _) => ended.push((seen.at, id.clone(), seen.exit.clone())),
                (None, Some(job)) if !began() => again.push(job.clone()),
                _ => {
                    carried.lost = true;
                    lost.push((id.clone(), carried.process));
                }
            }
        }
        again.sort_by(|a, b| a.id.cmp(&b.id));
        ended.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        if !again.is_empty() {
            let launches = again.iter().map(|job| Ask::Launch(Box::new(job.into())));
            state.waiting.extend(launches);
        }
        // Runs go on, and somebody must hold them for when we die too.
        if !state.runs.is_empty() || !state.deadlines.is_empty() {
            self.connect_soon(&mut state, true);
        }
        drop(state);
        if !lost.is_empty() {
            let what = match lost.len() {
                1 => "The sitter died, and with it who waited for 1 node".to_owned(),
                n => format!("The sitter died, and with it who waited for {n} nodes"),
            };
            (self.reports)(Report::Told(Notice::new(
                Level::Warning,
                format!("{what}: how such a node ends cannot be known."),
                "It counts as interrupted when its process has ended; resume runs it again.",
            )));
        }
        for (_, id, exit) in ended {
            self.report(Report::Exited { id, exit });
        }
        for workspace in watched {
            (self.reports)(Report::Others {
                workspace,
                runs: 0,
                children: 0,
            });
        }
        for (id, process) in lost {
            self.await_lost(id, process);
        }
    }

    /// Waits on a thread of its own until the process of an attempt whose sitter died has ended.
    fn await_lost(self: &Arc<Self>, id: NodeRunId, process: Option<(u32, u64)>) {
        let inner = Arc::clone(self);
        let told = id.clone();
        let wait = move || {
            let found = || {
                let of_run = sweep::survivors(std::slice::from_ref(&id.run));
                let own = of_run.into_iter().find(|survivor| survivor.id == id);
                own.map(|survivor| (survivor.pid, survivor.birth))
            };
            if let Some((pid, birth)) = process.or_else(found) {
                if let Some(carried) = lock(&inner.state).live.get_mut(&id) {
                    carried.process = Some((pid, birth));
                }
                sweep::await_orphan(pid, birth, &id);
            }
            let exit = Exit::Unknown;
            inner.report(Report::Exited { id, exit });
        };
        let thread = thread::Builder::new().name("orphan".to_owned());
        if thread.spawn(wait).is_err() {
            let exit = Exit::Unknown;
            self.report(Report::Exited { id: told, exit });
        }
    }
}

/// Ends a process that is not ours any more, on a thread of its own.
fn end_lost(id: NodeRunId, pid: u32, birth: u64, end: End) {
    let work = move || {
        if !end.force {
            sweep::ask_orphan(pid, birth, &id);
            let Some(grace) = end.grace else { return };
            thread::sleep(grace);
        }
        sweep::kill_orphan(pid, birth, &id);
    };
    // Without a thread it lives on, and is listed as what it is.
    thread::Builder::new()
        .name("orphan".to_owned())
        .spawn(work)
        .ok();
}

//! What a client knows of its nodes and of the sitter that holds them, and what follows from it.
//!
//! Pure: told what its process wants and what the sitter said, it answers with [`Effect`]s. Unaware of sockets,
//! threads, processes and files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::exec::environment::EPOCH;
use crate::exec::launcher::KILL_GRACE;
use crate::exec::sitter::message::{Ask, Scope, Tame};
use crate::exec::{End, Environment, Job, Live, Report, Why};
use crate::model::{FlowRef, NodeRunId, RunId, WorkspaceId};

mod fate;

pub use fate::Fate;

/// Number and start time of a process.
pub type Process = (u32, u64);

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Say this to the sitter, after what was said before.
    Say(Ask),
    /// Connect to the sitter. When none is there, `start` one: else that is all right.
    Connect { start: bool },
    /// Tell the runtime.
    Report(Report),
    /// Start a child of this process.
    LaunchOwn(Job),
    /// End a child of this process.
    TerminateOwn(NodeRunId, End),
    /// Wait for an attempt that no sitter waits for. Its process is looked for when it is not known.
    AwaitOrphan(NodeRunId, Option<Process>),
    /// End such an attempt.
    EndOrphan(NodeRunId, Process, End),
}

/// Told of everything; decides.
#[derive(Default)]
pub struct Book {
    link: Link,
    /// Said as soon as there is a connection.
    waiting: Vec<Ask>,
    /// Launched, and not reported as ended.
    live: BTreeMap<NodeRunId, Carried>,
    /// Runs that are ours to carry.
    runs: BTreeMap<RunId, Run>,
    /// Reports of runs that are just being taken over, until the runtime knows them.
    held_back: BTreeMap<RunId, Vec<Report>>,
    /// Until when nodes may run in a workspace and how long they have to end then, for the next sitter when this
    /// one dies.
    deadlines: BTreeMap<WorkspaceId, (Duration, Duration)>,
    /// Workspaces in which we want to know what others run.
    watched: BTreeSet<WorkspaceId>,
    /// What others run, heard while a run is being taken over: until the runtime knows that one, it would be in
    /// neither count.
    others: BTreeMap<WorkspaceId, (u32, u32)>,
    n_tickets: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Link {
    /// No sitter holds anything of ours.
    #[default]
    Down,
    /// A connection is being made, or what a dead sitter left is being looked through. `wanted`: something was said
    /// that is worth a sitter of its own.
    Coming { wanted: bool },
    /// What is said is heard.
    Up,
    /// No sitter can be had: this process holds its children itself.
    Without,
    /// The end.
    Closed,
}

struct Run {
    flow: FlowRef,
    env: Environment,
}

impl Run {
    /// It runs under control of its workspace: not without a process that ends it when that is lost.
    fn is_bound(&self) -> bool {
        self.env.has(EPOCH)
    }

    fn begin(&self, run: &RunId) -> Ask {
        Ask::Begin {
            run: run.clone(),
            flow: self.flow.clone(),
            env: self.env.settings(),
        }
    }
}

struct Carried {
    /// For launching it again when a sitter died before it began; `None` for what was taken over.
    job: Option<Job>,
    run_dir: PathBuf,
    process: Option<Process>,
    /// Its sitter is dead, and its process lives on.
    lost: bool,
}

impl Carried {
    /// The process of an attempt that only we can end.
    fn orphan(&self) -> Option<Process> {
        self.process.filter(|_| self.lost)
    }
}

/// What the runtime wants.
impl Book {
    /// No sitter can be had.
    pub fn is_without(&self) -> bool {
        self.link == Link::Without
    }

    /// A run begins, carried by us.
    pub fn begin(&mut self, run: &RunId, flow: &FlowRef, env: &Environment, out: &mut Vec<Effect>) {
        let (flow, env) = (flow.clone(), env.clone());
        let known = Run { flow, env };
        let begin = known.begin(run);
        self.runs.insert(run.clone(), known);
        self.say_standing(begin, out);
    }

    /// An attempt of such a run is to be started.
    pub fn launch(&mut self, job: Job, out: &mut Vec<Effect>) {
        let carried = Carried {
            run_dir: job.run_dir().to_owned(),
            job: Some(job.clone()),
            process: None,
            lost: false,
        };
        self.live.insert(job.id.clone(), carried);
        match self.link {
            Link::Without => self.launch_own(job, out),
            _ => self.say_worthy(Ask::Launch(Box::new(job)), out),
        }
    }

    /// An attempt is to end.
    pub fn terminate(&mut self, id: &NodeRunId, end: End, out: &mut Vec<Effect>) {
        let orphan = self.live.get(id).and_then(Carried::orphan);
        match orphan {
            Some(process) => out.push(Effect::EndOrphan(id.clone(), process, end)),
            None if self.is_without() => out.push(Effect::TerminateOwn(id.clone(), end)),
            None => self.say(
                Ask::Terminate {
                    id: id.clone(),
                    end,
                },
                out,
            ),
        }
    }

    /// A run is over.
    pub fn over(&mut self, run: &RunId, out: &mut Vec<Effect>) {
        if self.runs.remove(run).is_some() {
            self.say(Ask::Over { run: run.clone() }, out);
        }
    }

    /// Another process is about to carry a run.
    pub fn leave(&mut self, run: &RunId, out: &mut Vec<Effect>) {
        self.runs.remove(run);
        self.live.retain(|id, _| id.run != *run);
        self.say(Ask::Leave { run: run.clone() }, out);
    }

    /// A run is about to be taken over: what is reported of it waits until the runtime knows it.
    pub fn hold_back(&mut self, run: &RunId) {
        self.held_back.insert(run.clone(), Vec::new());
    }

    /// The sitter has answered with the attempts of the run that live, or holds no such run.
    pub fn attached(
        &mut self,
        run: &RunId,
        flow: &FlowRef,
        run_dir: &Path,
        live: Option<Vec<Live>>,
    ) -> Option<Vec<Live>> {
        let Some(live) = live else {
            self.held_back.remove(run);
            return None;
        };
        let (flow, env) = (flow.clone(), Environment::of_process());
        self.runs.insert(run.clone(), Run { flow, env });
        // What ended between the answer and now is told with what was held back.
        let held_back = self.held_back.get(run).into_iter().flatten();
        let ended: BTreeSet<&NodeRunId> = held_back
            .filter(|report| matches!(report, Report::Exited { .. }))
            .filter_map(Report::attempt)
            .collect();
        for one in live.iter().filter(|one| !ended.contains(&one.id)) {
            let carried = Carried {
                job: None,
                run_dir: run_dir.to_owned(),
                process: one.process,
                lost: false,
            };
            self.live.insert(one.id.clone(), carried);
        }
        Some(live)
    }

    /// The runtime knows the run that it took over: what came meanwhile is reported now.
    pub fn taken_over(&mut self, run: &RunId, env: &Environment, out: &mut Vec<Effect>) {
        if let Some(known) = self.runs.get_mut(run) {
            known.env = env.clone();
        }
        let reports = self.held_back.remove(run).into_iter().flatten();
        out.extend(reports.map(Effect::Report));
        if self.held_back.is_empty() {
            for (workspace, (runs, children)) in std::mem::take(&mut self.others) {
                out.push(others(workspace, runs, children));
            }
        }
    }

    /// An attempt of a run that was taken over began under a sitter that died.
    pub fn await_lost(&mut self, id: &NodeRunId, run_dir: &Path, out: &mut Vec<Effect>) {
        let carried = Carried {
            job: None,
            run_dir: run_dir.to_owned(),
            process: None,
            lost: true,
        };
        self.live.insert(id.clone(), carried);
        out.push(Effect::AwaitOrphan(id.clone(), None));
    }

    /// The process of such an attempt was found.
    pub fn found(&mut self, id: &NodeRunId, process: Process) {
        if let Some(carried) = self.live.get_mut(id) {
            carried.process = Some(process);
        }
    }

    /// Until when nodes may run in a workspace; `None` is for ever.
    pub fn set_deadline(
        &mut self,
        workspace: &WorkspaceId,
        until: Option<Duration>,
        grace: Duration,
        out: &mut Vec<Effect>,
    ) {
        self.drop_waiting_deadline(workspace);
        let ask = deadline(workspace, until, grace);
        match until {
            Some(until) => {
                self.deadlines.insert(workspace.clone(), (until, grace));
                self.say_standing(ask, out);
            }
            None => {
                self.deadlines.remove(workspace);
                self.say(ask, out);
            }
        }
    }

    /// Nothing runs in a workspace until a deadline allows it.
    pub fn close(&mut self, workspace: &WorkspaceId, out: &mut Vec<Effect>) {
        self.drop_waiting_deadline(workspace);
        self.deadlines.remove(workspace);
        let over = Some(Duration::ZERO);
        self.say(deadline(workspace, over, Duration::ZERO), out);
    }

    /// A newer word on a workspace counts.
    fn drop_waiting_deadline(&mut self, of: &WorkspaceId) {
        self.waiting
            .retain(|ask| !matches!(ask, Ask::Deadline { workspace, .. } if workspace == of));
    }

    /// What is to become of everything that runs in a workspace.
    pub fn tame(&mut self, workspace: &WorkspaceId, how: Tame, out: &mut Vec<Effect>) {
        let workspace = workspace.clone();
        self.say(Ask::Tame { workspace, how }, out);
    }

    /// From now on [`Report::Others`] tells what others run in a workspace. `is_there`: a sitter seems to be; without
    /// one, others run nothing.
    pub fn watch(&mut self, workspace: &WorkspaceId, is_there: bool, out: &mut Vec<Effect>) {
        if !self.watched.insert(workspace.clone()) {
            return;
        }
        match self.link {
            Link::Up => out.push(Effect::Say(watch(workspace))),
            // The connection begins with what is watched.
            Link::Down if is_there => self.connect(false, out),
            _ => {}
        }
    }

    /// Another process sees to the workspace: its deadline is not ours to give to the next sitter.
    pub fn forget(&mut self, workspace: &WorkspaceId) {
        self.deadlines.remove(workspace);
        self.watched.remove(workspace);
        self.others.remove(workspace);
    }

    /// The kill switch.
    pub fn kill(&mut self, scope: &Scope, out: &mut Vec<Effect>) {
        let end = End::within(Why::Kill, KILL_GRACE);
        let is_without = self.is_without();
        for (id, carried) in &self.live {
            let run = self.runs.get(&id.run);
            if !scope.holds(id, run.map(|run| &run.flow.workspace)) {
                continue;
            }
            match carried.orphan() {
                Some(process) => out.push(Effect::EndOrphan(id.clone(), process, end)),
                None if is_without => out.push(Effect::TerminateOwn(id.clone(), end)),
                None => {}
            }
        }
        let (ticket, scope) = (self.ticket(), scope.clone());
        self.say(Ask::Kill { ticket, scope }, out);
    }

    /// A question with its ticket; `None` when nobody could answer. `is_there` as in [`Book::watch`].
    pub fn ask(
        &mut self,
        ask: impl FnOnce(u64) -> Ask,
        is_there: bool,
        out: &mut Vec<Effect>,
    ) -> Option<u64> {
        match self.link {
            Link::Without | Link::Closed => return None,
            Link::Down if !is_there => return None,
            Link::Down => self.connect(false, out),
            Link::Coming { .. } | Link::Up => {}
        }
        let ticket = self.ticket();
        self.say(ask(ticket), out);
        Some(ticket)
    }

    /// Nothing is said any more.
    pub fn goodbye(&mut self) {
        self.link = Link::Closed;
    }

    fn ticket(&mut self) -> u64 {
        self.n_tickets += 1;
        self.n_tickets
    }

    /// Says something now, or when there is a connection. Without a sitter nobody is concerned.
    fn say(&mut self, ask: Ask, out: &mut Vec<Effect>) {
        match self.link {
            Link::Up => out.push(Effect::Say(ask)),
            Link::Coming { .. } => self.waiting.push(ask),
            Link::Down | Link::Without | Link::Closed => {}
        }
    }

    /// Says something that is worth a sitter of its own.
    fn say_worthy(&mut self, ask: Ask, out: &mut Vec<Effect>) {
        self.want(out);
        self.say(ask, out);
    }

    /// The same for what the book holds and each connection begins with.
    fn say_standing(&mut self, ask: Ask, out: &mut Vec<Effect>) {
        self.want(out);
        if self.link == Link::Up {
            out.push(Effect::Say(ask));
        }
    }

    fn want(&mut self, out: &mut Vec<Effect>) {
        match &mut self.link {
            Link::Down => self.connect(true, out),
            Link::Coming { wanted } => *wanted = true,
            Link::Up | Link::Without | Link::Closed => {}
        }
    }

    fn connect(&mut self, start: bool, out: &mut Vec<Effect>) {
        self.link = Link::Coming { wanted: start };
        out.push(Effect::Connect { start });
    }
}

fn deadline(workspace: &WorkspaceId, until: Option<Duration>, grace: Duration) -> Ask {
    Ask::Deadline {
        workspace: workspace.clone(),
        until,
        grace,
    }
}

fn watch(workspace: &WorkspaceId) -> Ask {
    Ask::Watch {
        workspace: workspace.clone(),
    }
}

fn others(workspace: WorkspaceId, runs: u32, children: u32) -> Effect {
    Effect::Report(Report::Others {
        workspace,
        runs,
        children,
    })
}

#[cfg(test)]
mod tests;

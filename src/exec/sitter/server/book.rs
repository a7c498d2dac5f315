//! Who carries which run, what lives of it, and until when it may: all that the sitter decides by.
//!
//! Pure: time is an argument, and what is to be done comes out as [`Effect`]s. Unaware of sockets, threads and
//! processes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::exec::environment::EPOCH;
use crate::exec::launcher::KILL_GRACE;
use crate::exec::sitter::message::{Ask, HeldRun, Scope, Tame, Tell};
use crate::exec::{End, Environment, Job, Live, Report, Why};
use crate::model::{Exit, FlowRef, NodeRunId, RunId, WorkspaceId};

mod due;

pub use due::{Next, Strays};

/// After a run was left for another client, this long is given to that one.
const HANDOVER: Duration = Duration::from_secs(3);
/// Rounds of killing what belongs to no attempt.
const STRAY_ROUNDS: u32 = 10;

/// A connection, in the order they came.
pub type Client = u64;

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Tell a client this, after what it was told before.
    Tell(Client, Tell),
    /// Start an attempt. [`Book::reported`] hears of its end.
    Launch(Job),
    /// End an attempt.
    Terminate(NodeRunId, End),
    /// Have an attempt stand still, or go on.
    Freeze(NodeRunId, bool),
    /// The exit record in this folder is written no more.
    CloseRun(PathBuf),
    /// Start this program, which carries on what nobody carries.
    StartBackground(PathBuf),
    /// Something may be due sooner: [`Book::look`] again.
    Wake,
}

/// Told of everything; decides.
#[derive(Default)]
pub struct Book {
    n_clients: u64,
    clients: BTreeSet<Client>,
    runs: BTreeMap<RunId, Held>,
    /// Launched, and not reported as ended; also of runs that are held no longer.
    live: BTreeMap<NodeRunId, Live>,
    /// Until when nodes may run in a workspace, and how long they have to end then.
    deadlines: BTreeMap<WorkspaceId, (Duration, Duration)>,
    /// Workspaces whose deadline has passed.
    lost: BTreeSet<WorkspaceId>,
    /// Workspaces whose processes stand still, and the client that wanted it: they are not left so to nobody.
    frozen: BTreeMap<WorkspaceId, Client>,
    /// Who wants to be told what others run in a workspace, and what was told last.
    watchers: BTreeMap<WorkspaceId, (Client, Option<(u32, u32)>)>,
    /// The program that clients are, for starting one that carries runs on.
    program: PathBuf,
    strays: Option<Strays>,
    /// Attempts have ended since strays were last looked for.
    ends_seen: bool,
    idle_since: Option<Duration>,
    /// Nobody is let in any more.
    is_ending: bool,
}

/// A run that somebody must carry to its end.
struct Held {
    flow: FlowRef,
    /// It runs under control of its workspace: only while a deadline is known, and not without this process.
    is_bound: bool,
    env: Environment,
    dir: Option<PathBuf>,
    /// The client that carries it.
    owner: Option<Client>,
    /// Without one: when a process is started that does.
    due: Duration,
    /// How often one was started in vain.
    tries: u32,
    /// How its attempts ended: a client that lost its connection and not its sitter launches again what it believes
    /// unbegun, and may not have heard of the end. Some 50 bytes each, while the run lives.
    ended: BTreeMap<NodeRunId, Exit>,
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// What clients do.
impl Book {
    /// A client comes; `program` is what it was started from, empty when it carries nothing on. `None`: too late.
    pub fn enter(&mut self, program: PathBuf, out: &mut Vec<Effect>) -> Option<Client> {
        if self.is_ending {
            return None;
        }
        self.n_clients += 1;
        self.clients.insert(self.n_clients);
        if !program.as_os_str().is_empty() {
            self.program = program;
        }
        let pid = std::process::id();
        out.push(Effect::Tell(self.n_clients, Tell::Welcome { pid }));
        Some(self.n_clients)
    }

    /// A client is gone, with a goodbye or without.
    pub fn gone(&mut self, client: Client, now: Duration, out: &mut Vec<Effect>) {
        self.clients.remove(&client);
        self.watchers.retain(|_, (watcher, _)| *watcher != client);
        for held in self.runs.values_mut() {
            if held.owner == Some(client) {
                held.owner = None;
                held.due = now;
            }
        }
        let frozen = self.frozen.extract_if(.., |_, by| *by == client);
        for (workspace, _) in frozen.collect::<Vec<_>>() {
            // Whether they may go on nobody can say any more.
            self.tame(&workspace, Tame::Kill, out);
        }
        self.tell_others(out);
        out.push(Effect::Wake);
    }

    /// A client says something.
    pub fn asked(&mut self, client: Client, ask: Ask, now: Duration, out: &mut Vec<Effect>) {
        match ask {
            Ask::Hello { .. } => {}
            Ask::Begin { run, flow, env } => {
                let known = self.runs.remove(&run);
                let (dir, ended) = known.map(|held| (held.dir, held.ended)).unwrap_or_default();
                let env = Environment::of_settings(env);
                let held = Held {
                    flow,
                    is_bound: env.has(EPOCH),
                    env,
                    dir,
                    owner: Some(client),
                    due: Duration::ZERO,
                    tries: 0,
                    ended,
                };
                self.runs.insert(run, held);
            }
            Ask::Launch(job) => self.launch(client, *job, now, out),
            Ask::Terminate { id, end } => self.terminate(&id, end, out),
            Ask::Over { run } => {
                let dir = self.runs.remove(&run).and_then(|held| held.dir);
                out.extend(dir.map(Effect::CloseRun));
                out.push(Effect::Wake);
            }
            Ask::Leave { run } => {
                if let Some(held) = self.runs.get_mut(&run)
                    && held.owner == Some(client)
                {
                    held.owner = None;
                    held.due = now + HANDOVER;
                }
                out.push(Effect::Wake);
            }
            Ask::Attach { ticket, run } => {
                let live = self.attach(client, &run);
                out.push(Effect::Tell(client, Tell::Attached { ticket, live }));
            }
            Ask::Runs { ticket } => {
                let runs = self.held_runs();
                out.push(Effect::Tell(client, Tell::Runs { ticket, runs }));
            }
            Ask::Deadline {
                workspace,
                until,
                grace,
            } => {
                self.lost.remove(&workspace);
                match until {
                    Some(until) => self.deadlines.insert(workspace, (until, grace)),
                    None => self.deadlines.remove(&workspace),
                };
                out.push(Effect::Wake);
            }
            Ask::Kill { ticket, scope } => {
                let n = self.kill(&scope, now, out);
                out.push(Effect::Tell(client, Tell::Killing { ticket, n }));
            }
            Ask::Tame { workspace, how } => {
                match how {
                    Tame::Freeze => self.frozen.insert(workspace.clone(), client),
                    Tame::Kill | Tame::Thaw => self.frozen.remove(&workspace),
                };
                self.tame(&workspace, how, out);
            }
            Ask::Watch { workspace } => {
                self.watchers.insert(workspace, (client, None));
            }
        }
        self.tell_others(out);
    }

    /// Only for whoever carries the run: what another said before it died may come late, and the
    /// one that came after it has launched that again.
    fn launch(&mut self, client: Client, mut job: Job, now: Duration, out: &mut Vec<Effect>) {
        let Some(held) = self.runs.get_mut(&job.id.run) else {
            return;
        };
        if held.owner != Some(client) {
            return;
        }
        if let Some(exit) = held.ended.get(&job.id).cloned() {
            let exited = Report::Exited { id: job.id, exit };
            return out.push(Effect::Tell(client, Tell::Report(exited)));
        }
        job.base = held.env.clone();
        job.is_bound = held.is_bound;
        held.dir.get_or_insert_with(|| job.run_dir().to_owned());
        let workspace = &held.flow.workspace;
        let mut is_lost = self.lost.contains(workspace);
        // A sitter that took the place of one that was killed knows no deadline before the keeper has told it.
        let until = self.deadlines.get(workspace).map(|(until, _)| *until);
        if !is_lost && job.is_bound && until.is_none_or(|until| until <= now) {
            is_lost = true;
            let lost = Report::ControlLost(workspace.clone());
            out.push(Effect::Tell(client, Tell::Report(lost)));
        }
        if is_lost {
            let why = "the right to run in this workspace is over";
            let exit = Exit::NotStarted(why.into());
            return self.reported(Report::Exited { id: job.id, exit }, out);
        }
        let live = Live {
            id: job.id.clone(),
            process: None,
            asked: None,
        };
        // Whoever takes the run over finds it alive from here on, so it is not begun twice.
        if self.live.contains_key(&job.id) {
            return;
        }
        self.live.insert(job.id.clone(), live);
        out.push(Effect::Launch(job));
    }

    fn terminate(&mut self, id: &NodeRunId, end: End, out: &mut Vec<Effect>) {
        if let Some(live) = self.live.get_mut(id) {
            live.asked = live.asked.max(Some(end.why));
            out.push(Effect::Terminate(id.clone(), end));
        }
    }

    /// The attempts that live of a run which another began. What ends from now on is reported to its new carrier, and
    /// what ended before is in the exit record.
    fn attach(&mut self, client: Client, run: &RunId) -> Option<Vec<Live>> {
        let held = self.runs.get_mut(run)?;
        held.owner = Some(client);
        held.tries = 0;
        let live = self.live.values().filter(|live| live.id.run == *run);
        Some(live.cloned().collect())
    }

    fn held_runs(&self) -> Vec<HeldRun> {
        let children = |run: &RunId| self.live.keys().filter(|id| id.run == *run).count();
        let runs = self.runs.iter().map(|(run, held)| HeldRun {
            run: run.clone(),
            flow: held.flow.clone(),
            carried: held.owner.is_some(),
            children: count(children(run)),
        });
        runs.collect()
    }

    fn kill(&mut self, scope: &Scope, now: Duration, out: &mut Vec<Effect>) -> u64 {
        let doomed = self.living(|id, of| scope.holds(id, of));
        for id in &doomed {
            self.terminate(id, End::within(Why::Kill, KILL_GRACE), out);
        }
        // A process without parents and mark belongs to one of the attempts that live.
        if doomed.len() == self.live.len() {
            self.strays = Some(Strays {
                at: now + KILL_GRACE,
                rounds_left: STRAY_ROUNDS,
                marked_too: *scope == Scope::Everything,
            });
            out.push(Effect::Wake);
        }
        doomed.len() as u64
    }

    /// Kills, freezes or thaws everything that runs in a workspace.
    fn tame(&mut self, workspace: &WorkspaceId, how: Tame, out: &mut Vec<Effect>) {
        if how == Tame::Kill {
            // Before anything ends: whoever carries a run must not take it for a failure.
            self.lose(workspace, out);
        }
        for id in self.living(|_, of| of == Some(workspace)) {
            match how {
                Tame::Kill => self.terminate(&id, End::force(Why::Control), out),
                Tame::Freeze => out.push(Effect::Freeze(id, true)),
                Tame::Thaw => out.push(Effect::Freeze(id, false)),
            }
        }
    }

    /// Attempts that live and are wanted, by themselves or by the workspace of their run.
    fn living(&self, wanted: impl Fn(&NodeRunId, Option<&WorkspaceId>) -> bool) -> Vec<NodeRunId> {
        let of = |run: &RunId| self.runs.get(run).map(|held| &held.flow.workspace);
        let ids = self.live.keys().filter(|id| wanted(id, of(&id.run)));
        ids.cloned().collect()
    }

    /// The right to run in a workspace is over.
    fn lose(&mut self, workspace: &WorkspaceId, out: &mut Vec<Effect>) {
        self.deadlines.remove(workspace);
        self.lost.insert(workspace.clone());
        for client in &self.clients {
            let lost = Report::ControlLost(workspace.clone());
            out.push(Effect::Tell(*client, Tell::Report(lost)));
        }
    }

    /// Tells whoever watches a workspace what others run in it, when that has changed.
    fn tell_others(&mut self, out: &mut Vec<Effect>) {
        for (workspace, (client, told)) in &mut self.watchers {
            let of_others =
                |held: &Held| held.flow.workspace == *workspace && held.owner != Some(*client);
            let runs = self.runs.values().filter(|held| of_others(held)).count();
            let is_other = |id: &NodeRunId| self.runs.get(&id.run).is_some_and(of_others);
            let children = match runs {
                0 => 0,
                _ => self.live.keys().filter(|id| is_other(id)).count(),
            };
            let now = (count(runs), count(children));
            if told.replace(now) != Some(now) {
                let others = Report::Others {
                    workspace: workspace.clone(),
                    runs: now.0,
                    children: now.1,
                };
                out.push(Effect::Tell(*client, Tell::Report(others)));
            }
        }
    }
}

/// What becomes of attempts.
impl Book {
    /// To whoever carries the run; to nobody when nobody does, since the exit record has it.
    pub fn reported(&mut self, report: Report, out: &mut Vec<Effect>) {
        if matches!(report, Report::Told(_)) {
            // Of the disk, which all have in common.
            let tell = |client: &Client| Effect::Tell(*client, Tell::Report(report.clone()));
            return out.extend(self.clients.iter().map(tell));
        }
        let Some(id) = report.attempt().cloned() else {
            return;
        };
        let has_ended = matches!(report, Report::Exited { .. });
        match &report {
            Report::Spawned { pid, birth, .. } => {
                if let Some(live) = self.live.get_mut(&id) {
                    live.process = Some((*pid, *birth));
                }
            }
            Report::Exited { exit, .. } => {
                self.live.remove(&id);
                if let Some(held) = self.runs.get_mut(&id.run) {
                    held.ended.insert(id.clone(), exit.clone());
                }
            }
            _ => {}
        }
        let owner = self.runs.get(&id.run).and_then(|held| held.owner);
        out.extend(owner.map(|owner| Effect::Tell(owner, Tell::Report(report))));
        if has_ended {
            self.tell_others(out);
            // What it left is looked for, and the sitter may be idle now.
            if !std::mem::replace(&mut self.ends_seen, true) || self.clients.is_empty() {
                out.push(Effect::Wake);
            }
        }
    }
}

#[cfg(test)]
mod tests;

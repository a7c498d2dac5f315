//! The runtime's end of the sitter: tells the book and does what it wants.
//!
//! Nothing here waits but what says so.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use super::book::{Book, Effect};
use super::link::{self, ANSWER_WITHIN, Program};
use super::orphan;
use crate::exec::launcher::lock;
use crate::exec::sitter::message::{self, Ask, Scope, Tame, Tell};
use crate::exec::sitter::outbox::Outbox;
use crate::exec::sitter::place::Place;
use crate::exec::{End, Environment, Job, Launcher, Live, Report, unix};
use crate::model::{FlowRef, NodeRunId, RunId, Timestamp, WorkspaceId};

/// The runtime's end of the sitter. Dropping it ends the connection: what runs goes on.
pub struct Sitter(Arc<Inner>);

pub(super) struct Inner {
    pub place: Place,
    pub program: Program,
    clock: fn() -> Timestamp,
    reports: Arc<dyn Fn(Report) + Send + Sync>,
    state: Mutex<State>,
    /// Holds children in this process when no sitter can be had.
    own: OnceLock<Launcher>,
}

#[derive(Default)]
pub(super) struct State {
    pub book: Book,
    /// To the sitter, while there is one.
    pub outbox: Option<Outbox>,
    /// Who waits for an answer, by its ticket.
    pub answers: HashMap<u64, Sender<Tell>>,
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
            own: OnceLock::new(),
        }))
    }

    fn tell<T>(&self, tell: impl FnOnce(&mut Book, &mut Vec<Effect>) -> T) -> T {
        self.0.act(|state, out| tell(&mut state.book, out))
    }

    /// No sitter could be had: what runs ends with this process.
    pub fn is_without(&self) -> bool {
        lock(&self.0.state).book.is_without()
    }

    /// A run begins, carried by us; its nodes have this environment in common.
    pub fn begin(&self, run: &RunId, flow: &FlowRef, env: &Environment) {
        self.tell(|book, out| book.begin(run, flow, env, out));
    }

    /// Starts a job of a run that began, or was taken over. [`Report::Exited`] follows.
    pub fn launch(&self, job: Job) {
        self.tell(|book, out| book.launch(job, out));
    }

    /// Ends an attempt, as [`Launcher::terminate`] does.
    pub fn terminate(&self, id: &NodeRunId, end: End) {
        self.tell(|book, out| book.terminate(id, end, out));
    }

    /// The run is over.
    pub fn over(&self, run: &RunId) {
        self.tell(|book, out| book.over(run, out));
    }

    /// We carry the run no longer: another process is about to.
    pub fn leave(&self, run: &RunId) {
        self.tell(|book, out| book.leave(run, out));
    }

    /// Takes a run over that a sitter holds: its attempts that live. What is reported of it from now
    /// on is held back until [`Sitter::taken_over`]. `None` when no sitter holds it. Waits for the
    /// answer.
    pub fn attach(&self, run: &RunId, flow: &FlowRef, run_dir: &Path) -> Option<Vec<Live>> {
        self.tell(|book, _| book.hold_back(run));
        let run_asked = run.clone();
        let answer = self.ask(|ticket| Ask::Attach {
            ticket,
            run: run_asked,
        });
        let live = match answer {
            Some(Tell::Attached { live, .. }) => live,
            _ => None,
        };
        self.tell(|book, _| book.attached(run, flow, run_dir, live))
    }

    /// The runtime knows a run that it took over: what came meanwhile is reported now.
    pub fn taken_over(&self, run: &RunId, env: &Environment) {
        self.tell(|book, out| book.taken_over(run, env, out));
    }

    /// An attempt of a run that was taken over began under a sitter that died: its end is reported
    /// when its process has ended, as one that nobody saw.
    pub fn await_lost(&self, id: &NodeRunId, run_dir: &Path) {
        self.tell(|book, out| book.await_lost(id, run_dir, out));
    }

    /// Until when, in [`uptime`], nodes may run in a workspace, and how long they have to end then; `None` is for ever.
    pub fn set_deadline(&self, workspace: &WorkspaceId, until: Option<Duration>, grace: Duration) {
        self.tell(|book, out| book.set_deadline(workspace, until, grace, out));
    }

    /// Nothing is started in a workspace any more, and what should run there is ended, until a deadline allows it.
    pub fn close(&self, workspace: &WorkspaceId) {
        self.tell(|book, out| book.close(workspace, out));
    }

    /// What is to become of everything that runs in a workspace, whoever carries it.
    pub fn tame(&self, workspace: &WorkspaceId, how: Tame) {
        self.tell(|book, out| book.tame(workspace, how, out));
    }

    /// From now on [`Report::Others`] tells what other processes run in a workspace; nothing is told while no sitter
    /// is there, for then they run nothing.
    pub fn watch(&self, workspace: &WorkspaceId) {
        let is_there = self.0.place.has_socket();
        self.tell(|book, out| book.watch(workspace, is_there, out));
    }

    /// Another process sees to the workspace from now on: its deadline is not ours to give to the next sitter.
    pub fn forget(&self, workspace: &WorkspaceId) {
        self.tell(|book, _| book.forget(workspace));
    }

    /// The kill switch. [`Report::Killed`] follows for each attempt that lives.
    pub fn kill(&self, scope: &Scope) {
        self.tell(|book, out| book.kill(scope, out));
    }

    /// Everything said so far has been handed over; nothing is said any more. Runs that are not over
    /// go on, carried by a process that the sitter starts. Waits a moment.
    pub fn goodbye(&self) {
        let outbox = self.0.act(|state, _| {
            state.book.goodbye();
            state.outbox.take()
        });
        if let Some(outbox) = outbox {
            outbox.flush();
            outbox.close();
        }
    }

    /// Asks a sitter, when there is one, and waits for its answer.
    fn ask(&self, ask: impl FnOnce(u64) -> Ask) -> Option<Tell> {
        let is_there = self.0.place.has_socket();
        let (sender, answer) = channel();
        self.0.act(|state, out| {
            let ticket = state.book.ask(ask, is_there, out)?;
            state.answers.insert(ticket, sender)
        });
        // Nobody has the sender when nobody could be asked.
        answer.recv_timeout(ANSWER_WITHIN).ok()
    }
}

impl Drop for Sitter {
    fn drop(&mut self) {
        self.goodbye();
    }
}

impl Inner {
    /// Tells the book something and does what it wants.
    pub fn act<T>(self: &Arc<Self>, tell: impl FnOnce(&mut State, &mut Vec<Effect>) -> T) -> T {
        let mut effects = Vec::new();
        let mut state = lock(&self.state);
        let told = tell(&mut state, &mut effects);
        // Under the lock, so that what is said stays in order; nothing waits there. The rest may come back here.
        effects.retain(|effect| match effect {
            Effect::Say(ask) => {
                if let Some(outbox) = &state.outbox {
                    outbox.send(&message::frame(ask));
                }
                false
            }
            _ => true,
        });
        drop(state);
        for effect in effects {
            self.carry_out(effect);
        }
        told
    }

    fn carry_out(self: &Arc<Self>, effect: Effect) {
        match effect {
            Effect::Say(_) => {}
            Effect::Connect { start } => link::connect_soon(self, start),
            Effect::Report(report) => (self.reports)(report),
            Effect::LaunchOwn(job) => self.own().launch(job),
            Effect::TerminateOwn(id, end) => self.own().terminate(&id, end),
            Effect::AwaitOrphan(id, process) => orphan::wait(self, id, process),
            Effect::EndOrphan(id, process, end) => orphan::end(id, process, end),
        }
    }

    /// An attempt, or a workspace, has something to tell.
    pub fn report(self: &Arc<Self>, report: Report) {
        self.act(|state, out| state.book.reported(report, out));
    }

    fn own(self: &Arc<Self>) -> &Launcher {
        self.own.get_or_init(|| {
            let inner = Arc::downgrade(self);
            Launcher::new(self.clock, move |report| {
                if let Some(inner) = inner.upgrade() {
                    inner.report(report);
                }
            })
        })
    }
}

/// The machine's uptime with the time it slept: what deadlines are given in.
pub fn uptime() -> Duration {
    unix::uptime()
}

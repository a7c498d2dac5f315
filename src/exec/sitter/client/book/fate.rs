//! What becomes of the sitter, and of the attempts that it held.

use std::path::PathBuf;

use super::{Book, Effect, Link, Run, deadline, others, watch};
use crate::exec::sitter::message::Ask;
use crate::exec::{Job, Report};
use crate::model::{Exit, Level, NodeRunId, Notice, Timestamp};

/// What is known of an attempt whose sitter died.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It ended, and the sitter noted how.
    Ended(Timestamp, Exit),
    /// Nobody knows more than that it began.
    Begun,
    /// It did not begin.
    NotBegun,
}

impl Book {
    /// There is a connection. False when it is wanted no longer.
    pub fn connected(&mut self, out: &mut Vec<Effect>) -> bool {
        if self.link == Link::Closed {
            return false;
        }
        self.link = Link::Up;
        // Before anything runs: a sitter that comes after a dead one knows of no deadline.
        for (workspace, (until, grace)) in &self.deadlines {
            out.push(Effect::Say(deadline(workspace, Some(*until), *grace)));
        }
        out.extend(self.watched.iter().map(|id| Effect::Say(watch(id))));
        // A run may have begun under a sitter that is dead.
        for (run, known) in &self.runs {
            if !self.held_back.contains_key(run) {
                out.push(Effect::Say(known.begin(run)));
            }
        }
        out.extend(self.waiting.drain(..).map(Effect::Say));
        true
    }

    /// There is none, for this reason, though one was `started` if need be.
    pub fn not_connected(&mut self, started: bool, why: &str, out: &mut Vec<Effect>) {
        let Link::Coming { wanted } = self.link else {
            return;
        };
        if started {
            self.do_without(why, out);
        } else if wanted {
            self.connect(true, out);
        } else {
            self.link = Link::Down;
            self.waiting.clear();
        }
    }

    /// What waits, and all that comes, are children of this process, but for what needs somebody who ends it in time.
    fn do_without(&mut self, why: &str, out: &mut Vec<Effect>) {
        self.link = Link::Without;
        self.waiting.clear();
        let is_useless = !self.runs.is_empty() && self.runs.values().all(Run::is_bound);
        let notice = match is_useless {
            true => Notice::warning(
                format!(
                    "No node starts, because no sitter could be started, which ends nodes when control is lost: {why}."
                ),
                "Run again. If that does not help, end what else uses this home.",
            ),
            false => Notice::warning(
                format!(
                    "Nodes run as children of this window, because no sitter could be started: {why}."
                ),
                "They end with it. Runs are not at risk while it stays open.",
            ),
        };
        // First: runs may end by what follows.
        out.push(Effect::Report(Report::Told(notice)));
        let ours = self.live.iter();
        let ours = ours.filter(|(id, one)| self.runs.contains_key(&id.run) && !one.lost);
        let jobs: Vec<Job> = ours.filter_map(|(_, one)| one.job.clone()).collect();
        for job in jobs {
            self.launch_own(job, out);
        }
    }

    /// Starts a job in this process, which ends nothing by itself at a deadline and may hang: so nothing that runs under
    /// control of its workspace.
    pub(super) fn launch_own(&mut self, job: Job, out: &mut Vec<Effect>) {
        let run = self.runs.get(&job.id.run);
        let Some(run) = run.filter(|run| run.is_bound()) else {
            return out.push(Effect::LaunchOwn(job));
        };
        let lost = Report::ControlLost(run.flow.workspace.clone());
        // Before the end: a run that is told so takes that for no failure.
        out.push(Effect::Report(lost));
        let why = "no sitter could be started, which ends nodes when control is lost";
        let exit = Exit::NotStarted(why.into());
        self.reported(Report::Exited { id: job.id, exit }, out);
    }

    /// The sitter died or hung up. Gives the attempts it held, with the folders that tell their [`Fate`]:
    /// [`Book::settle`] must follow.
    pub fn disconnected(&mut self) -> Vec<(NodeRunId, PathBuf)> {
        if self.link == Link::Closed {
            return Vec::new();
        }
        self.link = Link::Coming { wanted: false };
        let held = self.live.iter().filter(|(_, one)| !one.lost);
        held.map(|(id, one)| (id.clone(), one.run_dir.clone()))
            .collect()
    }

    /// What became of the attempts of a dead sitter: ends are told, what had not begun is for the next sitter, and
    /// the rest is waited for.
    pub fn settle(&mut self, fates: Vec<(NodeRunId, Fate)>, out: &mut Vec<Effect>) {
        let Link::Coming { wanted } = self.link else {
            return;
        };
        let (mut ended, mut again, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for (id, fate) in fates {
            // One that we carry no longer is for others to tell of.
            let Some(carried) = self.live.get_mut(&id) else {
                continue;
            };
            match (fate, &carried.job) {
                (Fate::Ended(at, exit), _) => ended.push((at, Report::Exited { id, exit })),
                (Fate::NotBegun, Some(job)) => again.push(Ask::Launch(Box::new(job.clone()))),
                (Fate::Begun | Fate::NotBegun, _) => {
                    carried.lost = true;
                    lost.push(Effect::AwaitOrphan(id, carried.process));
                }
            }
        }
        // Before what was said of them meanwhile.
        self.waiting.splice(0..0, again);
        // Runs go on, and somebody must hold them for when we die too.
        if wanted || !self.runs.is_empty() || !self.deadlines.is_empty() {
            self.connect(true, out);
        } else {
            self.link = Link::Down;
            self.waiting.clear();
        }
        if !lost.is_empty() {
            let what = match lost.len() {
                1 => "The sitter died, and with it who waited for 1 node".to_owned(),
                n => format!("The sitter died, and with it who waited for {n} nodes"),
            };
            out.push(Effect::Report(Report::Told(Notice::new(
                Level::Warning,
                format!("{what}: how such a node ends cannot be known."),
                "It counts as interrupted when its process has ended; resume runs it again.",
            ))));
        }
        ended.sort_by_key(|(at, _)| *at);
        for (_, exited) in ended {
            self.reported(exited, out);
        }
        // The next sitter tells anew. What a dead one held for others is for those to say.
        let watched = self.watched.iter().cloned();
        out.extend(watched.map(|workspace| others(workspace, 0, 0)));
        out.extend(lost);
    }

    /// The sitter, or who stands in for it, has something to tell.
    pub fn reported(&mut self, report: Report, out: &mut Vec<Effect>) {
        match &report {
            Report::Spawned { id, pid, birth } => self.found(id, (*pid, *birth)),
            Report::Exited { id, .. } => drop(self.live.remove(id)),
            Report::Others {
                workspace,
                runs,
                children,
            } if !self.held_back.is_empty() => {
                self.others.insert(workspace.clone(), (*runs, *children));
                return;
            }
            _ => {}
        }
        let run = report.attempt().map(|id| &id.run);
        match run.and_then(|run| self.held_back.get_mut(run)) {
            Some(held_back) => held_back.push(report),
            None => out.push(Effect::Report(report)),
        }
    }
}

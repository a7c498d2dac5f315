//! The kill switch: what it ends, and what is told afterwards. Part of the [`Dispatcher`].

use std::collections::{BTreeMap, HashSet};

use crate::exec::sitter::Scope;
use crate::model::{FlowRef, Level, NodeRunId, Notice, RunId};
use crate::sched::Input;

use super::dispatcher::Dispatcher;
use super::order::KillScope;
use super::runners;

/// Names told before the rest are counted.
const NAMES_MAX: usize = 5;

/// Processes of one node told before the rest are counted.
const PIDS_MAX: usize = 4;
/// A name is cut to so many characters: a node without a title is named by its command.
const NAME_CHARS_MAX: usize = 30;

/// One use of the kill switch that is under way.
#[derive(Default)]
pub struct Killing {
    waiting: HashSet<NodeRunId>,
    /// Processes of each node, by its name.
    ended: BTreeMap<String, Vec<u32>>,
    /// Processes that cannot be ended.
    left: BTreeMap<String, Vec<u32>>,
}

impl Killing {
    fn notice(&self) -> Notice {
        let n_processes: usize = self.ended.values().map(Vec::len).sum();
        let nodes = match self.ended.len() {
            1 => "1 node".to_owned(),
            n => format!("{n} nodes"),
        };
        let processes = match n_processes {
            1 => "1 process".to_owned(),
            n => format!("{n} processes"),
        };
        let what = format!("Ended {nodes} ({processes}): {}.", named(&self.ended));
        if self.left.is_empty() {
            return Notice::info(what);
        }
        Notice::new(
            Level::Warning,
            format!("{what} Not to be ended: {}.", named(&self.left)),
            "They hang in the system, which alone can let them go; nothing waits for them any more.",
        )
    }
}

/// `build (12, 13), test (14) and 3 more`.
fn named(nodes: &BTreeMap<String, Vec<u32>>) -> String {
    let one = |(name, pids): (&String, &Vec<u32>)| {
        let told = pids.iter().take(PIDS_MAX).map(u32::to_string);
        let mut told: Vec<String> = told.collect();
        match pids.len().saturating_sub(PIDS_MAX) {
            0 => {}
            more => told.push(format!("{more} more")),
        }
        match told.is_empty() {
            true => name.clone(),
            false => format!("{name} ({})", told.join(", ")),
        }
    };
    let named: Vec<String> = nodes.iter().take(NAMES_MAX).map(one).collect();
    match nodes.len().saturating_sub(NAMES_MAX) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// The beginning of a name, on one line.
fn short(name: &str) -> String {
    let line = name.lines().next().unwrap_or_default();
    match line.chars().count() > NAME_CHARS_MAX {
        true => line.chars().take(NAME_CHARS_MAX - 1).chain(['…']).collect(),
        false => line.to_owned(),
    }
}

impl Dispatcher {
    /// Whatever the scope means of our own runs, of those of other processes, and of what dead
    /// ones left.
    pub(super) fn kill(&mut self, scope: KillScope) {
        let concerns = |flow: &FlowRef| match &scope {
            KillScope::Nodes(of, _) | KillScope::Run(of) => of == flow,
            KillScope::Workspace(id) => flow.workspace == *id,
            KillScope::Everything => true,
        };
        let flows: Vec<FlowRef> = self
            .flows
            .keys()
            .filter(|flow| concerns(flow))
            .cloned()
            .collect();
        for flow in &flows {
            let Some(open) = self.flows.get(flow) else {
                continue;
            };
            if open.view.live.is_some() {
                continue;
            }
            if open.view.board.runner.is_some() {
                runners::ask_stop(&self.pool, &self.inbox, &self.home, flow.clone(), true);
            } else {
                self.stop_orphans(flow);
            }
        }
        let runs: Vec<RunId> = self
            .runs
            .iter()
            .filter(|(_, live)| concerns(&live.flow))
            .map(|(run, _)| run.clone())
            .collect();
        let only = match &scope {
            KillScope::Nodes(_, nodes) => Some(nodes),
            _ => None,
        };
        let mut doomed = Vec::new();
        for run in &runs {
            let Some(view) = self
                .runs
                .get(run)
                .and_then(|live| self.flows.get(&live.flow))
            else {
                continue;
            };
            let ids = view.view.live.as_ref();
            let wanted = |id: &NodeRunId| {
                only.is_none_or(|only| {
                    let node = ids.and_then(|live| live.id(id.node));
                    node.is_some_and(|node| only.contains(node))
                })
            };
            let running = self.scheduler.running(run).into_iter();
            doomed.extend(running.filter(|id| wanted(id)));
        }
        let killing = self.killing.get_or_insert_default();
        killing.waiting.extend(doomed.iter().cloned());
        for run in runs {
            self.decide(Input::Stop {
                run,
                nodes: only.cloned(),
                at_once: false,
            });
        }
        self.executor.kill(&match scope {
            KillScope::Everything => Scope::Everything,
            _ => Scope::Attempts(doomed),
        });
        self.tell_killed();
    }

    /// The kill switch has ended an attempt.
    pub(super) fn killed(&mut self, id: &NodeRunId, pids: Vec<u32>, left: Vec<u32>) {
        let live = self.runs.get(&id.run).and_then(|live| {
            let open = self.flows.get(&live.flow)?;
            let node = open.view.live.as_ref()?.id(id.node)?;
            let name = live.jobs.name_of(node);
            Some((
                node.clone(),
                short(&name.unwrap_or_else(|| node.to_string())),
            ))
        });
        let name = match live {
            Some((node, name)) => {
                // Whoever held it may have been faster than the order: its end is no failure.
                self.decide(Input::Stop {
                    run: id.run.clone(),
                    nodes: Some(vec![node]),
                    at_once: false,
                });
                name
            }
            None => format!("a node of run {}", id.run),
        };
        let killing = self.killing.get_or_insert_default();
        killing.ended.entry(name.clone()).or_default().extend(pids);
        if !left.is_empty() {
            killing.left.entry(name).or_default().extend(left);
        }
    }

    /// An attempt came to its end: perhaps the last that the kill switch waits for.
    pub(super) fn kill_ended(&mut self, id: &NodeRunId) {
        if let Some(killing) = &mut self.killing
            && killing.waiting.remove(id)
        {
            self.tell_killed();
        }
    }

    fn tell_killed(&mut self) {
        if self
            .killing
            .as_ref()
            .is_some_and(|killing| killing.waiting.is_empty())
            && let Some(killing) = self.killing.take()
            && !killing.ended.is_empty()
        {
            self.tell(killing.notice());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_names_nodes_and_processes_and_what_is_left() {
        let mut killing = Killing::default();
        killing.ended.insert("build".into(), vec![12, 13]);
        assert_eq!(
            &*killing.notice().what,
            "Ended 1 node (2 processes): build (12, 13)."
        );
        for n in 0..6 {
            killing.ended.insert(format!("t{n}"), vec![20 + n]);
        }
        killing.left.insert("t1".into(), vec![21]);
        assert_eq!(
            &*killing.notice().what,
            "Ended 7 nodes (8 processes): build (12, 13), t0 (20), t1 (21), t2 (22), t3 (23) and \
             2 more. Not to be ended: t1 (21)."
        );
    }
}

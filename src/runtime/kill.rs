//! The kill switch: what it ends, and what is told afterwards. Part of the [`Dispatcher`].

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use crate::exec::sitter::Scope;
use crate::model::{FlowRef, Level, NodeRunId, Notice, RunId};
use crate::sched::Input;

use super::clock;
use super::dispatcher::Dispatcher;
use super::order::KillScope;
use super::runners;

/// The kill switch is done within this time, also with processes that ignore signals: half a second
/// to end by themselves, then at most five rounds of a fifth of a second each, and as much again for
/// a busy machine. The notice tells how long it took, and warns when it was longer.
pub const KILL_WITHIN: Duration = Duration::from_secs(3);

/// Names told before the rest are counted.
const NAMES_MAX: usize = 5;

/// Processes of one node told before the rest are counted.
const PIDS_MAX: usize = 4;
/// A name is cut to so many characters: a node without a title is named by its command.
const NAME_CHARS_MAX: usize = 30;

/// One use of the kill switch that is under way.
#[derive(Default)]
pub struct Killing {
    /// When it was asked for; `None` while only its outcome was heard of.
    asked: Option<Instant>,
    /// Runs that were to end, by what their flows are called.
    runs: Vec<String>,
    /// Another process was asked to end its run.
    elsewhere: bool,
    waiting: HashSet<NodeRunId>,
    /// Processes of each node.
    ended: Pids,
    /// Processes that cannot be ended.
    left: Pids,
}

/// Processes by what their flow and their node are called.
type Pids = BTreeMap<(String, String), Vec<u32>>;

impl Killing {
    /// What was ended; `None` when that is others' to tell.
    fn notice(&self, took: Duration) -> Option<Notice> {
        let time = crate::model::human_duration(took);
        if self.ended.is_empty() {
            let what = match self.runs.as_slice() {
                [] if self.elsewhere => return None,
                [] => "Nothing of it was running any more.".to_owned(),
                [one] => {
                    format!("Ended the run of ‘{one}’ in {time}; none of its nodes was running.")
                }
                all => format!("Ended {} runs in {time}; no node was running.", all.len()),
            };
            return Some(Notice::info(what));
        }
        let n_processes: usize = self.ended.values().map(Vec::len).sum();
        let nodes = match self.ended.len() {
            1 => "1 node".to_owned(),
            n => format!("{n} nodes"),
        };
        let processes = match n_processes {
            1 => "1 process".to_owned(),
            n => format!("{n} processes"),
        };
        let mut flows: Vec<&String> = self.ended.keys().map(|(flow, _)| flow).collect();
        flows.dedup();
        let named = |pids| named(pids, flows.len() > 1);
        let ended = named(&self.ended);
        let what = format!("Ended {nodes} ({processes}) in {time}: {ended}.");
        Some(if !self.left.is_empty() {
            Notice::new(
                Level::Warning,
                format!("{what} Not to be ended: {}.", named(&self.left)),
                "They hang in the system, which alone can let them go; nothing waits for them any more.",
            )
        } else if took > KILL_WITHIN {
            Notice::new(
                Level::Warning,
                what,
                "It took longer than it should; this machine is very busy.",
            )
        } else {
            Notice::info(what)
        })
    }
}

/// `build (12, 13), test (14) and 3 more`; of several flows with theirs: `Bread · bake (15)`.
fn named(nodes: &Pids, with_flow: bool) -> String {
    let one = |((flow, node), pids): (&(String, String), &Vec<u32>)| {
        let name = match with_flow {
            true => format!("{flow} · {node}"),
            false => node.clone(),
        };
        let told = pids.iter().take(PIDS_MAX).map(u32::to_string);
        let mut told: Vec<String> = told.collect();
        match pids.len().saturating_sub(PIDS_MAX) {
            0 => {}
            more => told.push(format!("{more} more")),
        }
        match told.is_empty() {
            true => name,
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
    pub(super) fn kill(&mut self, scope: KillScope, asked: Instant) {
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
        let mut others = Vec::new();
        for flow in &flows {
            let Some(open) = self.flows.get(flow) else {
                continue;
            };
            if open.view.live.is_some() {
                continue;
            }
            if let Some(runner) = &open.view.board.runner {
                others.push((runner.pid, self.title_of(flow)));
                runners::ask_stop(&self.pool, &self.inbox, &self.home, flow.clone(), true);
            } else {
                self.stop_orphans(flow);
            }
        }
        let elsewhere = !others.is_empty();
        for (pid, flow) in others {
            let what =
                format!("Asked another Handmill (process {pid}) to end its run of ‘{flow}’.");
            self.tell(Notice::info(what));
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
        let mut whole = Vec::new();
        if only.is_none() {
            let flows = runs.iter().filter_map(|run| self.runs.get(run));
            whole.extend(flows.map(|live| self.title_of(&live.flow)));
        }
        let killing = self.killing.get_or_insert_default();
        killing.asked.get_or_insert(asked);
        killing.runs.extend(whole);
        killing.elsewhere |= elsewhere;
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

    /// What a person calls a flow.
    fn title_of(&self, flow: &FlowRef) -> String {
        let open = self.flows.get(flow);
        let title = open
            .map(|open| open.frozen.title.trim())
            .unwrap_or_default();
        match title.is_empty() {
            true => flow.stem().to_owned(),
            false => title.to_owned(),
        }
    }

    /// The kill switch has ended an attempt.
    pub(super) fn killed(&mut self, id: &NodeRunId, pids: Vec<u32>, left: Vec<u32>) {
        let live = self.runs.get(&id.run).and_then(|live| {
            let open = self.flows.get(&live.flow)?;
            let node = open.view.live.as_ref()?.id(id.node)?;
            let name = live.jobs.name_of(node);
            let name = short(&name.unwrap_or_else(|| node.to_string()));
            Some((node.clone(), (short(&self.title_of(&live.flow)), name)))
        });
        let name = match live {
            Some((node, name)) => {
                if let Some(live) = self.runs.get(&id.run).filter(|_| !left.is_empty()) {
                    self.list_unended(live.flow.clone(), node.clone(), id.clone(), left.clone());
                }
                // Whoever held it may have been faster than the order: its end is no failure.
                self.decide(Input::Stop {
                    run: id.run.clone(),
                    nodes: Some(vec![node]),
                    at_once: false,
                });
                name
            }
            None => (String::new(), format!("a node of run {}", id.run)),
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
        let is_over = |killing: &Killing| killing.waiting.is_empty() && killing.asked.is_some();
        if !self.killing.as_ref().is_some_and(is_over) {
            return;
        }
        let Some(killing) = self.killing.take() else {
            return;
        };
        let took = killing
            .asked
            .map(|asked| clock::instant().saturating_duration_since(asked));
        if let Some(notice) = killing.notice(took.unwrap_or_default()) {
            self.tell(notice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_names_nodes_and_processes_and_what_is_left() {
        let told = |killing: &Killing, ms| killing.notice(Duration::from_millis(ms));
        let what = |killing: &Killing, ms| told(killing, ms).map(|told| told.what.to_string());
        let mut killing = Killing::default();
        let nothing = "Nothing of it was running any more.";
        assert_eq!(what(&killing, 0).as_deref(), Some(nothing));
        killing.runs.push("orders".into());
        let none = "Ended the run of ‘orders’ in 10ms; none of its nodes was running.";
        assert_eq!(what(&killing, 10).as_deref(), Some(none));
        let node = |name: &str| ("Orders".to_owned(), name.to_owned());
        killing.ended.insert(node("build"), vec![12, 13]);
        let one = "Ended 1 node (2 processes) in 700ms: build (12, 13).";
        assert_eq!(what(&killing, 700).as_deref(), Some(one));
        for n in 0..6 {
            killing.ended.insert(node(&format!("t{n}")), vec![20 + n]);
        }
        let level = |killing: &Killing, ms| told(killing, ms).map(|told| told.level);
        assert_eq!(level(&killing, 3_000), Some(Level::Info));
        assert_eq!(
            level(&killing, 3_001),
            Some(Level::Warning),
            "it is told that it was slow"
        );
        killing.left.insert(node("t1"), vec![21]);
        let all = "Ended 7 nodes (8 processes) in 1.2s: build (12, 13), t0 (20), t1 (21), t2 (22), \
                   t3 (23) and 2 more. Not to be ended: t1 (21).";
        assert_eq!(what(&killing, 1_200).as_deref(), Some(all));
        let mut two = Killing::default();
        for flow in ["Bread", "Cakes"] {
            two.ended.insert((flow.into(), "bake".into()), vec![7]);
        }
        let both = "Ended 2 nodes (2 processes) in 1ms: Bread · bake (7), Cakes · bake (7).";
        assert_eq!(what(&two, 1).as_deref(), Some(both), "one name, two nodes");
    }
}

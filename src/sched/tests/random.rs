//! Random graphs, random ends, stops and crashes, by seed, against the naive statement.

use std::collections::BTreeSet;

use super::naive::Naive;
use super::*;
use crate::model::seeds;

/// Steps of one run; random loops may go on for ever, so a stop follows.
const STEPS_MAX: usize = 60;

pub(super) struct Trial {
    pub(super) rig: Rig,
    pub(super) naive: Naive,
    pub(super) random: fastrand::Rng,
    /// Starts and ends the naive statement was told of: a cut may have them told again.
    pub(super) followed: std::collections::HashSet<(NodeRunId, bool)>,
    /// One in so many steps another process takes the run over; 0 is never.
    pub(super) cuts: u8,
}

fn random_flow(random: &mut fastrand::Rng) -> Flow {
    let n = random.usize(1..9);
    let mut drawn: Vec<String> = (0..n).map(|i| format!("n{i}")).collect();
    let wild = random.u8(0..4) == 0;
    for _ in 0..random.usize(0..n * 2) {
        let (mut a, mut b) = (random.usize(0..n), random.usize(0..n));
        let arrow = if random.u8(0..3) == 0 { "~>" } else { "->" };
        if arrow == "->" && !wild && a >= b {
            (a, b) = (b, a);
            if a == b {
                continue;
            }
        }
        drawn.push(format!("n{a} {arrow} n{b}"));
    }
    let mut flow = flow(&drawn.join(";"));
    if random.u8(0..4) == 0 {
        let ids: Vec<NodeId> = flow.graph.nodes().map(|node| node.id.clone()).collect();
        for id in ids {
            let node = flow.graph.node_mut(&id).expect("there");
            match random.u8(0..4) {
                0 => node.retries = random.u32(0..3),
                1 => node.retry_delay = Duration::from_secs(random.u64(0..3)),
                _ => {}
            }
        }
    }
    flow
}

impl Trial {
    /// Moves the naive statement along with what the scheduler told, and compares.
    pub(super) fn follow(&mut self, events: &[Event]) {
        for event in events {
            let told = match event {
                Event::NodeStarted { id, .. } => Some((id.clone(), true)),
                Event::NodeFinished(finish) => Some((finish.id.clone(), false)),
                _ => None,
            };
            // An attempt ends twice when a stop takes its next try away.
            let again = |told: &(NodeRunId, bool)| {
                matches!(event, Event::NodeFinished(f) if f.status == NodeStatus::Stopped)
                    || self.followed.insert(told.clone())
            };
            if !told.as_ref().is_none_or(again) {
                continue;
            }
            match event {
                Event::NodeStarted { id, .. } if id.attempt == 1 => {
                    let node = self.rig.id(id.node);
                    self.naive.begin(node.as_str());
                }
                Event::NodeFinished(finish) if finish.retry_at.is_none() => {
                    let node = self.rig.id(finish.id.node);
                    self.naive.end(node.as_str(), finish.status);
                    if self.naive.stopping {
                        continue;
                    }
                }
                Event::RunStopping { .. } => self.naive.stopping = true,
                Event::RunFinished { outcome, .. } => {
                    assert!(
                        self.naive.can_begin().is_empty(),
                        "ended with {:?} due",
                        self.naive.due
                    );
                    let failed = self.naive.status.values().any(|s| *s == NodeStatus::Failed);
                    match outcome {
                        Outcome::Stopped => assert!(self.naive.stopping),
                        Outcome::Failed => {}
                        Outcome::Succeeded => assert!(!failed),
                        Outcome::Interrupted => panic!("a live run is not interrupted"),
                    }
                }
                _ => {}
            }
        }
        let (used, total) = self.rig.scheduler.slots();
        if used < total && self.rig.scheduler.is_busy() {
            assert_eq!(
                self.naive.can_begin(),
                BTreeSet::new(),
                "a slot is free and a node waits"
            );
        }
    }

    fn play(&mut self) {
        for _ in 0..STEPS_MAX {
            if !self.rig.scheduler.is_busy() {
                return;
            }
            if self.cuts > 0 && self.random.u8(0..self.cuts) == 0 {
                self.cut();
                continue;
            }
            let n = self.rig.live.len();
            let events = match self.random.u8(0..40) {
                0 => {
                    let at_once = self.random.bool();
                    self.rig.stop(None, at_once)
                }
                1 => return,
                _ if n == 0 => self.rig.wait(Duration::from_secs(3)),
                _ => {
                    let node = self.rig.live[self.random.usize(0..n)].1.id.to_string();
                    let exit = if self.random.u8(0..5) == 0 {
                        Exit::Code(1)
                    } else {
                        Exit::Code(0)
                    };
                    self.rig.end(&node, exit)
                }
            };
            self.follow(&events);
        }
        let events = self.rig.stop(None, true);
        self.follow(&events);
        while let Some((_, node)) = self.rig.live.first() {
            let node = node.id.to_string();
            let events = self.rig.end(&node, Exit::Signal(9));
            self.follow(&events);
        }
        assert!(
            !self.rig.scheduler.is_busy(),
            "a stopped run whose processes ended is over"
        );
    }
}

pub(super) fn trial(random: &mut fastrand::Rng, cuts: u8) -> usize {
    let flow = random_flow(random);
    let all: BTreeSet<String> = flow.graph.nodes().map(|node| node.id.to_string()).collect();
    let explicit = random.bool();
    let subset: BTreeSet<String> = if explicit {
        all.iter()
            .filter(|_| random.u8(0..3) > 0)
            .cloned()
            .collect()
    } else {
        all
    };
    let choice = if explicit {
        Choice::Selection(subset.iter().map(|id| id.as_str().into()).collect())
    } else {
        Choice::Full
    };
    let n_slots = random.u32(1..5);
    let naive = Naive::start(&flow, subset.clone(), explicit);
    let mut rig = Rig::new(flow, n_slots);
    let events = rig.start(choice);
    let refused = matches!(events[..], [Event::RunRefused { .. }]);
    assert_eq!(
        refused,
        subset.is_empty() || naive.is_none(),
        "refusal differs"
    );
    let Some(naive) = naive.filter(|_| !refused) else {
        return 0;
    };
    let followed = std::collections::HashSet::new();
    let mut trial = Trial {
        rig,
        naive,
        random: random.clone(),
        followed,
        cuts,
    };
    trial.follow(&events);
    for runs in 1..5 {
        trial.play();
        if trial.rig.scheduler.is_busy() {
            trial.rig.crash();
        }
        let could = trial.naive.resume();
        let before = trial.rig.past.last.clone();
        let events = trial.rig.start(Choice::Resume);
        let resumed = !matches!(events[..], [Event::RunRefused { .. }]);
        assert_eq!(resumed, could, "resume differs after {before:?}");
        if !resumed {
            return runs;
        }
        trial.follow(&events);
    }
    4
}

#[test]
fn the_scheduler_does_what_the_naive_statement_says_on_random_runs() {
    let mut n_runs = 0;
    seeds::each(seeds::fixed(6_000), |rng| n_runs += trial(rng, 0));
    assert!(
        seeds::are_told() || n_runs > 6_000,
        "too few runs got going: {n_runs}"
    );
}

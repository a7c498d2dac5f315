//! A run that is cut at any event and carried on by another process ends like one that was not cut.

use std::collections::HashSet;

use super::random::{Trial, trial};
use super::*;
use crate::model::{Finish, seeds};

impl Rig {
    /// What the start of the newest run told, as another process finds it.
    fn record(&self) -> Adopt {
        let start = self.told.iter().rev().find_map(|event| match event {
            Event::RunStarted(start) => Some((**start).clone()),
            _ => None,
        });
        Adopt {
            start: start.expect("a run began"),
            jobs_max: None,
            recorded: Vec::new(),
            ended: Vec::new(),
            live: Vec::new(),
            begun: HashSet::new(),
            stopping: false,
        }
    }
}

/// The key of a fact: the same fact may be told twice when an adoption makes up for what was lost.
pub(super) fn key(fact: &Recorded) -> (NodeRunId, u8) {
    match fact {
        Recorded::Began { id, .. } => (id.clone(), 0),
        Recorded::Ended(finish) if finish.retry_at.is_some() => (finish.id.clone(), 1),
        Recorded::Ended(finish) => (finish.id.clone(), 2),
    }
}

impl Trial {
    /// Another process takes the run over. The record may lack its last facts, processes may have
    /// ended meanwhile, and a launch may have reached nobody.
    pub(super) fn cut(&mut self) {
        let mut adopt = self.rig.record();
        let run = adopt.start.run.clone();
        let mut recorded = self.rig.ledger.clone();
        recorded.retain(|fact| key(fact).0.run == run);
        let lost = self.random.usize(0..4).min(recorded.len());
        recorded.truncate(recorded.len() - lost);
        self.rig.ledger.clone_from(&recorded);
        adopt.recorded = recorded;
        adopt.stopping = self.naive.stopping;
        let mut exits = self.rig.exits.clone();
        exits.retain(|(finish, _)| finish.id.run == run);
        let mut live = Vec::new();
        for (id, node) in std::mem::take(&mut self.rig.live) {
            match self.random.u8(0..8) {
                0 => {
                    let exit = Exit::Code(i32::from(self.random.bool()));
                    let status = match exit.is_success() {
                        _ if self.naive.stopping => NodeStatus::Stopped,
                        true => NodeStatus::Ran,
                        false => NodeStatus::Failed,
                    };
                    let finish = Finish {
                        id,
                        exit,
                        status,
                        retry_at: None,
                        at: self.rig.now,
                    };
                    self.rig.exits.push((finish.clone(), self.rig.now));
                    exits.push((finish, self.rig.now));
                }
                // Nobody got it: it is launched again, or its start is not on record either and
                // it becomes ready again.
                1 => {}
                _ => live.push((id, node)),
            }
        }
        let ending = self.naive.stopping.then_some(Ending::Stop);
        adopt.live = live
            .iter()
            .map(|(id, _)| Alive {
                id: id.clone(),
                process: Some((7, 7)),
                ending,
            })
            .collect();
        adopt.ended = exits;
        let (_, slots) = self.rig.scheduler.slots();
        self.rig.scheduler = Scheduler::new(slots, crate::sched::GRACE);
        self.rig.live = live;
        self.rig.recalled.clear();
        let events = self.rig.give(Input::Adopt(Box::new(adopt)));
        assert_eq!(self.rig.awaited, [], "nothing was lost");
        self.follow(&events);
    }
}

#[test]
fn a_run_that_is_cut_anywhere_and_adopted_ends_like_the_uncut_run() {
    let mut n_runs = 0;
    seeds::each(seeds::fixed(6_000), |rng| n_runs += trial(rng, 6));
    assert!(
        seeds::are_told() || n_runs > 6_000,
        "too few runs got going: {n_runs}"
    );
}

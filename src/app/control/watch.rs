//! What the window remembers of control from one frame to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::WorkspaceId;
use crate::runtime::Board;
use crate::runtime::control::{MachineId, Moment, Request, Stand};

/// What the window remembers of control between two frames.
#[derive(Debug, Default)]
pub struct Watch {
    /// The time of this frame on the clock of control.
    pub now: Moment,
    pub(super) seen: BTreeMap<WorkspaceId, Seen>,
    /// Workspaces whose control the runtime was asked to keep in sight.
    pub kept: BTreeMap<WorkspaceId, Arc<std::path::Path>>,
}

/// What was seen of control of one workspace.
#[derive(Debug)]
pub(super) struct Seen {
    stand: std::mem::Discriminant<Stand>,
    pub(super) since: Moment,
    pub(super) is_shared: bool,
    /// Machines that ask for control.
    asking: BTreeSet<MachineId>,
}

impl Watch {
    /// Takes the newest board in, and gives back who has begun to ask: of which workspace, and the host.
    pub fn look(&mut self, now: Moment, board: &Board) -> Vec<(WorkspaceId, String)> {
        self.now = now;
        self.seen.retain(|id, _| board.control.contains_key(id));
        let mut asks = Vec::new();
        for (id, control) in &*board.control {
            let status = &control.status;
            let stand = std::mem::discriminant(&status.stand);
            let seen = self.seen.entry(id.clone()).or_insert(Seen {
                stand,
                since: now,
                is_shared: false,
                asking: BTreeSet::new(),
            });
            let new = |request: &&Request| !seen.asking.contains(&request.machine);
            let new = status.requests.iter().filter(new);
            asks.extend(new.map(|request| (id.clone(), request.host.clone())));
            let asking = status
                .requests
                .iter()
                .map(|request| request.machine.clone());
            seen.asking = asking.collect();
            if seen.stand != stand {
                (seen.stand, seen.since) = (stand, now);
            }
            seen.is_shared |= status.owner.is_some() || !status.requests.is_empty();
        }
        asks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::control::situation::seat;
    use crate::runtime::control::ControlBoard;

    #[test]
    fn who_was_seen_to_share_is_remembered_and_since_when_it_stands_like_this() {
        let mut watch = Watch::default();
        let mut look = |seconds: u64, situation: &str| {
            let seat = seat(situation);
            let control = ControlBoard {
                status: seat.status,
                at: Moment(seconds * 1_000_000),
                policy: seat.policy,
                held_by: None,
            };
            let board = Board {
                control: Arc::new([("mill".into(), Arc::new(control))].into()),
                ..Board::default()
            };
            let asks = watch.look(Moment(seconds * 1_000_000), &board);
            let seen = &watch.seen[&WorkspaceId::new("mill")];
            let asks = asks.into_iter().map(|(_, host)| host);
            let asks = asks.collect::<Vec<_>>().join(" ");
            (seen.is_shared, seen.since.0 / 1_000_000, asks)
        };
        let none = String::new;
        assert_eq!(look(1, "owner"), (false, 1, none()));
        assert_eq!(look(5, "owner asks=wsB:0"), (true, 1, "wsB".to_owned()));
        assert_eq!(look(6, "owner asks=wsB:1"), (true, 1, none()));
        assert_eq!(
            look(6, "owner asks=wsB:1 asks=wsC:0"),
            (true, 1, "wsC".to_owned())
        );
        assert_eq!(look(7, "owner"), (true, 1, none()));
        assert_eq!(look(9, "free"), (true, 9, none()));
        assert_eq!(look(9, "owner asks=wsB:0").2, "wsB", "it asks anew");
    }
}

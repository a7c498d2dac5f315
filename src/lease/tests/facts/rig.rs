//! One lease, and a folder played by the test.

use std::time::Duration;

use crate::lease::defect::plant;
use crate::lease::*;
use crate::model::Timestamp;

/// One lease and the folder as it is to look.
pub(super) struct Rig {
    pub(super) lease: Lease,
    pub(super) now: Now,
    pub(super) listing: Listing,
    pub(super) epoch: Option<EpochSeen>,
    pub(super) row: RowSeen,
    pub(super) markers: Markers,
    pub(super) asked: Asked,
    /// What every write gets, if not done.
    pub(super) fault: Option<Fault>,
    pub(super) is_vanished: bool,
    pub(super) ops: Vec<Op>,
    pub(super) facts: Vec<Fact>,
    pub(super) orders: Vec<ChildOrder>,
    pub(super) armed: Option<Moment>,
    pub(super) n_beats: u64,
}

pub(super) fn me(host: &str) -> Me {
    Me {
        machine: MachineId(format!("id-of-{host}")),
        host: host.to_owned(),
        boot: "boot".to_owned(),
        pid: 7,
        daemon: "0".repeat(32),
        app_version: "0.1.0".to_owned(),
        started_at: Timestamp(0),
    }
}

pub(super) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

impl Rig {
    /// A lease of `wsB` on an empty, tested folder, with a policy that does nothing by itself.
    pub(super) fn new() -> Self {
        plant(None);
        let policy = Policy {
            claims_when_free: false,
            takes_over: false,
            answer: Answer::Wait,
            resumes: true,
            finishes_when_away: false,
        };
        let mut rig = Self {
            lease: Lease::new(me("wsB"), "claims", 1, policy),
            now: Now {
                boot: Moment(1_000_000_000),
                wall: Timestamp(1_763_683_155_000_000),
            },
            listing: Listing::default(),
            epoch: None,
            row: RowSeen::Absent,
            markers: Markers::default(),
            asked: Asked::default(),
            fault: None,
            is_vanished: false,
            ops: Vec::new(),
            facts: Vec::new(),
            orders: Vec::new(),
            armed: None,
            n_beats: 100,
        };
        rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
        rig
    }

    /// The same, where `wsA` has control under epoch 1.
    pub(super) fn held_by_ws_a() -> Self {
        let mut rig = Self::bare();
        rig.held(1, "wsA");
        rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
        rig
    }

    /// Nothing was looked at yet.
    pub(super) fn bare() -> Self {
        let mut rig = Self::new();
        rig.lease = Lease::new(me("wsB"), "claims", 1, rig.lease_policy());
        rig
    }

    pub(super) fn lease_policy(&self) -> Policy {
        Policy {
            claims_when_free: false,
            takes_over: false,
            answer: Answer::Wait,
            resumes: true,
            finishes_when_away: false,
        }
    }

    /// An owner.
    pub(super) fn owner() -> Self {
        let mut rig = Self::new();
        rig.wish(Wish::Control);
        assert_eq!(rig.status().text, "This Workstation has control");
        rig
    }

    pub(super) fn banners(&self) -> Vec<String> {
        let banners = self.status().banners.into_iter();
        banners.map(|banner| banner.text).collect()
    }

    pub(super) fn held(&mut self, number: u64, host: &str) {
        let claim = ClaimNote::new(
            &me(host),
            Epoch(number),
            Token(u128::from(number) << 64),
            Timestamp(0),
            1,
        );
        self.listing.newest = Some(Epoch(number));
        self.listing.before = (number > 1).then(|| Epoch(number - 1));
        self.epoch = Some(EpochSeen {
            claim: Some(claim),
            pen: PenSeen::Alive,
            is_doubled: false,
        });
        self.beat(host, Some(Epoch(number)));
        self.markers = Markers {
            is_leased: true,
            ..Markers::default()
        };
    }

    /// A checkpoint of another machine; of an older program without an epoch.
    pub(super) fn beat(&mut self, host: &str, epoch: Option<Epoch>) {
        self.n_beats += 1;
        self.row = RowSeen::Is {
            beat: Beat(self.n_beats),
            row: LeaseRow {
                machine: MachineId(host.to_owned()),
                host: host.to_owned(),
                daemon: "d".to_owned(),
                pid: 28_173,
                status: RowStatus::Idle,
                started_at: Timestamp(0),
                checkpoint_at: self.now.wall,
                generation: Generation {
                    epoch,
                    id: "339e4738979c4896a38bd7448d381f95".to_owned(),
                },
                app_version: "0.3.9".to_owned(),
            },
        };
    }

    pub(super) fn tell(&mut self, input: Input) {
        let mut inputs = std::collections::VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut out = Vec::new();
            self.lease.handle(self.now, input, &mut out);
            for effect in out {
                match effect {
                    Effect::Carry { ticket, op } => {
                        let reply = self.serve(&op);
                        self.ops.push(op);
                        inputs.push_back(Input::Replied { ticket, reply });
                    }
                    Effect::Arm { until } => self.armed = Some(until),
                    Effect::Disarm => self.armed = None,
                    Effect::Children(order) => self.orders.push(order),
                    Effect::Record(fact) => self.facts.push(fact),
                    Effect::Remember(_) => {}
                }
            }
        }
    }

    pub(super) fn serve(&mut self, op: &Op) -> Reply {
        if self.is_vanished {
            return Reply::Failed(Fault::Vanished);
        }
        match op {
            Op::ListEpochs => return Reply::Epochs(self.listing.clone()),
            Op::ReadEpoch { .. } => {
                let seen = self.epoch.clone();
                return seen.map_or(Reply::Failed(Fault::Gone), Reply::Epoch);
            }
            Op::ReadRow => return Reply::Row(self.row.clone()),
            Op::ReadMarkers => return Reply::Markers(self.markers.clone()),
            Op::ReadRequests => return Reply::Requests(self.asked.clone()),
            _ => {}
        }
        if let Some(fault) = &self.fault {
            return Reply::Failed(fault.clone());
        }
        match op {
            Op::Hydrate => return Reply::Hydrated(Hydrated::Nothing),
            Op::MakeNew { note } => {
                self.epoch = Some(EpochSeen {
                    claim: Some(note.clone()),
                    pen: PenSeen::Alive,
                    is_doubled: false,
                });
            }
            Op::RenameNew { epoch, .. } => {
                self.listing.before = self.listing.newest;
                self.listing.newest = Some(*epoch);
            }
            Op::MovePage {
                page: Page::Row(row),
                ..
            } => {
                self.n_beats += 1;
                self.row = RowSeen::Is {
                    beat: Beat(self.n_beats),
                    row: row.clone(),
                };
            }
            Op::WriteHint { hint, .. } => {
                if let Some(epoch) = &mut self.epoch {
                    epoch.pen = PenSeen::Released {
                        next: Some(hint.clone()),
                    };
                }
            }
            Op::ReleasePen { .. } => {
                if let Some(epoch) = &mut self.epoch
                    && epoch.pen == PenSeen::Alive
                {
                    epoch.pen = PenSeen::Released { next: None };
                }
            }
            Op::SetMirrors { owner } => {
                self.markers = Markers {
                    is_available: owner.is_none(),
                    is_leased: owner.is_some(),
                    token: owner.as_ref().map(|note| note.token),
                    foreign: None,
                    is_importable: false,
                };
            }
            Op::RemoveEpoch { epoch } => self.listing.oldest = epoch.next(),
            Op::WriteRequest { note } => {
                self.asked
                    .requests
                    .retain(|other| other.machine != note.machine);
                self.asked.requests.push(note.clone());
            }
            Op::RemoveRequest { machine } => {
                self.asked.requests.retain(|note| note.machine != *machine);
                self.asked.denial = None;
            }
            Op::RemoveRequestRow { machine } => {
                self.asked.seed.take_if(|note| note.machine == *machine);
            }
            _ => {}
        }
        Reply::Done
    }

    pub(super) fn wish(&mut self, wish: Wish) {
        self.tell(Input::Wish(wish));
    }

    /// Time passes, and the lease is told at each of its deadlines.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now.boot.plus(time);
        while let Some(next) = self.lease.next_deadline().filter(|next| *next <= end) {
            self.set(
                next.max(self.now.boot.plus(Duration::from_micros(1)))
                    .min(end),
            );
            self.tell(Input::Tick);
            if self.now.boot == end {
                return;
            }
        }
        self.set(end);
    }

    pub(super) fn set(&mut self, boot: Moment) {
        let wall = self.now.wall.plus(boot.since(self.now.boot));
        self.now = Now { boot, wall };
    }

    pub(super) fn work(&mut self, n_children: u32) {
        self.tell(Input::Work(Work {
            n_children,
            n_runs: n_children.min(1),
        }));
    }

    pub(super) fn status(&self) -> Status {
        self.lease.status(self.now)
    }

    /// A request of another machine is in the folder, and was refreshed.
    pub(super) fn request_of(&mut self, host: &str, seq: u64) {
        self.asked.requests.retain(|note| note.host != host);
        self.asked.requests.push(RequestNote {
            machine: me(host).machine,
            host: host.to_owned(),
            pid: 1,
            client: "ui".to_owned(),
            token: Token(99),
            seq,
            at: Timestamp(0),
        });
    }

    pub(super) fn wrote(&self, is: impl Fn(&Op) -> bool) -> bool {
        self.ops.iter().any(is)
    }
}

//! Single situations, as a person would tell them: one lease, a folder played by the test, and what is seen. Items are
//! those of the conformance list for shared workspaces.

use std::time::Duration;

use crate::lease::defect::plant;
use crate::lease::*;
use crate::model::Timestamp;

/// One lease and the folder as it is to look.
struct Rig {
    lease: Lease,
    now: Now,
    listing: Listing,
    epoch: Option<EpochSeen>,
    row: RowSeen,
    markers: Markers,
    asked: Asked,
    /// What every write gets, if not done.
    fault: Option<Fault>,
    is_vanished: bool,
    ops: Vec<Op>,
    facts: Vec<Fact>,
    orders: Vec<ChildOrder>,
    armed: Option<Moment>,
    n_beats: u64,
}

fn me(host: &str) -> Me {
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

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

impl Rig {
    /// A lease of `wsB` on an empty, tested folder, with a policy that does nothing by itself.
    fn new() -> Self {
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
    fn held_by_ws_a() -> Self {
        let mut rig = Self::bare();
        rig.held(1, "wsA");
        rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
        rig
    }

    /// Nothing was looked at yet.
    fn bare() -> Self {
        let mut rig = Self::new();
        rig.lease = Lease::new(me("wsB"), "claims", 1, rig.lease_policy());
        rig
    }

    fn lease_policy(&self) -> Policy {
        Policy {
            claims_when_free: false,
            takes_over: false,
            answer: Answer::Wait,
            resumes: true,
            finishes_when_away: false,
        }
    }

    /// An owner.
    fn owner() -> Self {
        let mut rig = Self::new();
        rig.wish(Wish::Control);
        assert_eq!(rig.status().text, "This Workstation has control");
        rig
    }

    fn banners(&self) -> Vec<String> {
        let banners = self.status().banners.into_iter();
        banners.map(|banner| banner.text).collect()
    }

    fn held(&mut self, number: u64, host: &str) {
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
    fn beat(&mut self, host: &str, epoch: Option<Epoch>) {
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

    fn tell(&mut self, input: Input) {
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

    fn serve(&mut self, op: &Op) -> Reply {
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

    fn wish(&mut self, wish: Wish) {
        self.tell(Input::Wish(wish));
    }

    /// Time passes, and the lease is told at each of its deadlines.
    fn pass(&mut self, time: Duration) {
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

    fn set(&mut self, boot: Moment) {
        let wall = self.now.wall.plus(boot.since(self.now.boot));
        self.now = Now { boot, wall };
    }

    fn work(&mut self, n_children: u32) {
        self.tell(Input::Work(Work {
            n_children,
            n_runs: n_children.min(1),
        }));
    }

    fn status(&self) -> Status {
        self.lease.status(self.now)
    }

    /// A request of another machine is in the folder, and was refreshed.
    fn request_of(&mut self, host: &str, seq: u64) {
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

    fn wrote(&self, is: impl Fn(&Op) -> bool) -> bool {
        self.ops.iter().any(is)
    }
}

#[test]
fn item_1_an_empty_folder_has_no_owner() {
    let rig = Rig::new();
    let status = rig.status();
    assert_eq!(status.stand, Stand::Free);
    assert_eq!(status.text, "Nobody has control");
    assert_eq!(status.can.claim, Ok(()));
    assert!(status.requests.is_empty() && status.asked.is_none());
}

#[test]
fn item_2_the_text_counts_down_to_the_takeover() {
    let mut rig = Rig::held_by_ws_a();
    rig.pass(seconds(10));
    assert_eq!(
        rig.status().text,
        "wsA has control · takeover available in 80s"
    );
    rig.pass(Duration::from_millis(79_500));
    // Not before it is true.
    assert_eq!(
        rig.status().text,
        "wsA has control · takeover available in 1s"
    );
}

#[test]
fn item_3_after_ninety_seconds_of_silence_a_takeover_is_available() {
    let mut rig = Rig::held_by_ws_a();
    rig.pass(seconds(90));
    let status = rig.status();
    assert_eq!(status.text, "Takeover available");
    assert_eq!(status.can.take_over, Ok(()));
    assert_eq!(
        status.can.claim,
        Err("wsA currently has control of this workspace.".to_owned())
    );
}

#[test]
fn item_4_what_was_requested_is_said_and_cannot_be_requested_twice() {
    let mut rig = Rig::held_by_ws_a();
    rig.wish(Wish::Request {
        client: "ui".to_owned(),
    });
    rig.pass(seconds(3));
    let status = rig.status();
    assert_eq!(status.text, "Control requested from wsA");
    assert_eq!(status.can.request, Err("Requesting...".to_owned()));
    assert!(status.asked.is_some_and(|asked| asked.is_written));
    assert!(rig.wrote(|op| matches!(op, Op::WriteRequestRow { note } if note.host == "wsB")));
}

#[test]
fn item_5_an_own_lease_without_an_engine_says_so() {
    let mut rig = Rig::owner();
    assert_eq!(rig.status().blocked, None);
    // Of an earlier process, as a new one finds it.
    rig = Rig::bare();
    rig.held(1, "wsB");
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    assert_eq!(rig.status().text, "Trying to restore local control...");
    rig.pass(seconds(30));
    assert_eq!(rig.status().text, "Local engine is not responding");
    rig.pass(seconds(60));
    assert_eq!(rig.status().text, "Takeover available");
}

#[test]
fn without_a_sitter_nothing_runs() {
    let mut rig = Rig::owner();
    rig.work(1);
    rig.tell(Input::Sitter { is_there: false });
    assert_eq!(rig.orders, [ChildOrder::Stop]);
    assert_eq!(
        rig.status().blocked.as_deref(),
        Some("Local engine is not responding.")
    );
    rig.work(0);
    rig.wish(Wish::Control);
    rig.pass(seconds(100));
    assert!(!matches!(rig.status().stand, Stand::Owner { .. }));
}

#[test]
fn item_6_nothing_starts_while_another_has_control() {
    let rig = Rig::held_by_ws_a();
    let status = rig.status();
    assert_eq!(
        status.blocked.as_deref(),
        Some("wsA currently has control of this workspace.")
    );
    assert!(!status.may_start_runs && !status.may_start_nodes);
}

#[test]
fn item_13_a_claim_has_its_row_before_it_counts() {
    let rig = Rig::owner();
    let at = |is: &dyn Fn(&Op) -> bool| rig.ops.iter().position(is).expect("it was done");
    let renamed = at(&|op| matches!(op, Op::RenameNew { .. }));
    let row = at(&|op| {
        matches!(
            op,
            Op::MovePage {
                page: Page::Row(_),
                ..
            }
        )
    });
    let tables = rig.ops.iter().filter(|op| {
        matches!(
            op,
            Op::MovePage {
                page: Page::Table { .. },
                ..
            }
        )
    });
    assert!(renamed < row);
    assert_eq!(tables.count(), 4);
    assert!(matches!(
        rig.facts[..],
        [Fact::Gained {
            epoch: Epoch(1),
            over: None,
            resumes: true
        }]
    ));
}

#[test]
fn item_14_a_tree_of_a_later_program_is_refused() {
    let mut rig = Rig::bare();
    let why = "This workspace is kept by a later program (0.5). Release it there first.";
    rig.markers.foreign = Some(why.to_owned());
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.wish(Wish::Control);
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(1_000));
    let status = rig.status();
    assert_eq!(status.stand, Stand::Refused);
    assert_eq!(status.blocked.as_deref(), Some(why));
    assert!(!rig.wrote(|op| matches!(op, Op::MakeNew { .. } | Op::Touch { .. })));
}

#[test]
fn item_15_a_row_that_cannot_be_read_is_not_free() {
    let mut rig = Rig::bare();
    rig.row = RowSeen::Damaged {
        beat: Beat(1),
        why: "10 bytes are no parquet file".to_owned(),
    };
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.wish(Wish::Control);
    rig.pass(seconds(200));
    let status = rig.status();
    assert_eq!(status.stand, Stand::Watching);
    assert!(
        status.banners[0]
            .text
            .contains("10 bytes are no parquet file"),
        "{:?}",
        status.banners
    );
    // A person may decide that the silent unknown is gone; no policy may.
    rig.tell(Input::Configure(Policy {
        takes_over: true,
        ..Policy::default()
    }));
    rig.pass(seconds(10));
    assert_eq!(rig.status().stand, Stand::Watching);
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(3));
    assert!(matches!(rig.status().stand, Stand::Owner { .. }));
}

#[test]
fn item_17_an_owner_that_was_taken_over_writes_nothing_and_kills() {
    let mut rig = Rig::owner();
    rig.work(1);
    // Ninety-five seconds without a word to the program.
    rig.held(2, "wsA");
    rig.ops.clear();
    let later = rig.now.boot.plus(seconds(95));
    rig.set(later);
    rig.tell(Input::Tick);
    assert_eq!(
        rig.orders,
        [ChildOrder::Kill],
        "there is no grace left to give"
    );
    rig.work(0);
    rig.pass(seconds(20));
    let is_write = |op: &Op| {
        !matches!(
            op,
            Op::ListEpochs
                | Op::ReadEpoch { .. }
                | Op::ReadRow
                | Op::ReadMarkers
                | Op::ReadRequests
        )
    };
    assert!(!rig.wrote(is_write), "{:?}", rig.ops);
    assert!(rig.status().text.starts_with("wsA has control"));
}

#[test]
fn item_19_a_marker_without_a_row_is_a_claim_on_its_way() {
    let mut rig = Rig::bare();
    rig.markers.is_leased = true;
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.wish(Wish::Control);
    rig.pass(seconds(60));
    assert_eq!(rig.status().stand, Stand::Watching);
    assert_eq!(
        rig.status().text,
        "Another machine has control · takeover available in 30s"
    );
}

#[test]
fn item_21_an_owner_whose_clock_is_wrong_is_not_silent() {
    for skew_s in [-120_i64, 3_600] {
        let mut rig = Rig::held_by_ws_a();
        for _ in 0..20 {
            rig.pass(seconds(30));
            rig.beat("wsA", Some(Epoch(1)));
            if let RowSeen::Is { row, .. } = &mut rig.row {
                row.checkpoint_at = Timestamp(row.checkpoint_at.0 + skew_s * 1_000_000);
            }
        }
        assert!(rig.status().can.take_over.is_err());
    }
}

#[test]
fn item_22_an_observer_takes_over_within_two_seconds_of_the_word() {
    let mut rig = Rig::held_by_ws_a();
    rig.pass(seconds(30));
    rig.wish(Wish::TakeOver);
    assert!(
        matches!(&rig.facts[..], [Fact::NotGained { why }] if why == "wsA has control; a takeover is possible in 60s."),
        "{:?}",
        rig.facts
    );
    rig.facts.clear();
    rig.pass(seconds(60));
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(2));
    assert!(
        matches!(&rig.facts[..], [Fact::Gained { epoch: Epoch(2), over: Some((host, silence)), .. }]
            if host == "wsA" && *silence >= seconds(90)),
        "{:?}",
        rig.facts
    );
    // What was left is kept aside, and the cut is noted where it happened.
    assert!(rig.wrote(|op| matches!(op, Op::Quarantine { name } if name.starts_with("claims__2025") && name.ends_with("__wsB"))));
    assert!(rig.wrote(
        |op| matches!(op, Op::WriteEnded { epoch: Epoch(1), note } if note.next == Epoch(2))
    ));
    assert!(rig.wrote(|op| matches!(op, Op::RemovePen { epoch: Epoch(1) })));
}

#[test]
fn item_23_a_request_ends_with_its_sender_its_word_or_a_no() {
    // Its sender is gone.
    let mut rig = Rig::owner();
    rig.request_of("wsC", 0);
    rig.pass(seconds(3));
    assert_eq!(rig.status().requests.len(), 1);
    assert!(matches!(rig.facts.last(), Some(Fact::AskedBy { host, .. }) if host == "wsC"));
    rig.pass(seconds(35));
    assert!(rig.status().requests.is_empty());
    assert!(rig.asked.requests.is_empty(), "and its file is removed");

    // Refreshed, it stays.
    for seq in 1..6 {
        rig.request_of("wsC", seq);
        rig.pass(seconds(10));
    }
    assert_eq!(rig.status().requests.len(), 1);
    // A no is an answer that the sender can read.
    rig.wish(Wish::Deny {
        to: me("wsC").machine,
    });
    rig.pass(seconds(3));
    assert!(rig.wrote(|op| matches!(op, Op::WriteDenial { denial } if denial.token == Token(99))));
    assert!(rig.status().requests.is_empty());

    // The sender reads it, says so, and takes its request back.
    let mut rig = Rig::held_by_ws_a();
    rig.wish(Wish::Request {
        client: "ui".to_owned(),
    });
    rig.pass(seconds(3));
    let token = rig.asked.requests[0].token;
    rig.asked.denial = Some(Denial {
        to: me("wsB").machine,
        token,
        by: "wsA".to_owned(),
        at: Timestamp(0),
    });
    rig.pass(seconds(3));
    assert!(matches!(rig.facts.last(), Some(Fact::Denied { by }) if by == "wsA"));
    assert!(rig.asked.requests.is_empty());
    // Or takes it back unasked.
    rig.wish(Wish::Request {
        client: "ui".to_owned(),
    });
    rig.pass(seconds(3));
    assert_eq!(rig.asked.requests.len(), 1);
    rig.wish(Wish::Cancel);
    rig.pass(seconds(12));
    assert!(rig.asked.requests.is_empty());
}

#[test]
fn item_24_control_that_is_gained_takes_its_request_away() {
    let mut rig = Rig::held_by_ws_a();
    rig.wish(Wish::Request {
        client: "cli".to_owned(),
    });
    rig.pass(seconds(3));
    rig.epoch.as_mut().expect("held").pen = PenSeen::Released {
        next: Some(Hint {
            machine: me("wsB").machine,
            host: "wsB".to_owned(),
        }),
    };
    rig.pass(seconds(3));
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(2) }
    ));
    rig.pass(seconds(3));
    assert!(rig.asked.requests.is_empty());
    // An earlier process of this machine left one behind: gone too.
    let mut rig = Rig::held_by_ws_a();
    rig.request_of("wsB", 5);
    rig.pass(seconds(5));
    assert!(rig.asked.requests.is_empty());
}

#[test]
fn item_25_a_hand_over_while_idle_takes_less_than_two_seconds() {
    let mut rig = Rig::owner();
    rig.request_of("wsC", 0);
    rig.pass(seconds(2));
    rig.wish(Wish::HandOver {
        to: me("wsC").machine,
        when: When::AfterRuns,
    });
    rig.pass(seconds(2));
    assert!(
        rig.facts.iter().any(
            |fact| matches!(fact, Fact::GaveUp { epoch: Epoch(1), to: Some(to) } if to == "wsC")
        ),
        "{:?}",
        rig.facts
    );
    assert_eq!(rig.status().stand, Stand::Free);
    assert!(rig.asked.requests.is_empty());
    assert_eq!(rig.armed, None);
    // For ten seconds it is the other's turn, and later too: this operator has given control away.
    rig.pass(seconds(60));
    assert_eq!(rig.status().stand, Stand::Free);
}

#[test]
fn a_hint_keeps_the_others_waiting_for_ten_seconds() {
    let mut rig = Rig::held_by_ws_a();
    rig.wish(Wish::Control);
    rig.epoch.as_mut().expect("held").pen = PenSeen::Released {
        next: Some(Hint {
            machine: me("wsC").machine,
            host: "wsC".to_owned(),
        }),
    };
    rig.pass(seconds(9));
    assert_eq!(rig.status().stand, Stand::Free);
    rig.pass(seconds(5));
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(2) }
    ));
}

#[test]
fn item_26_control_waits_for_the_node_that_runs() {
    for (when, n_orders) in [(When::AfterNodes, 0), (When::AfterRuns, 0), (When::Now, 1)] {
        let mut rig = Rig::owner();
        rig.work(1);
        rig.wish(Wish::HandOver {
            to: me("wsC").machine,
            when,
        });
        rig.pass(seconds(600));
        assert!(
            !rig.wrote(|op| matches!(op, Op::ReleasePen { .. })),
            "{when:?}"
        );
        assert_eq!(
            rig.orders
                .iter()
                .filter(|o| **o == ChildOrder::Stop)
                .count(),
            n_orders
        );
        let status = rig.status();
        assert!(!status.may_start_runs);
        assert_eq!(status.may_start_nodes, when == When::AfterRuns);
        rig.work(0);
        rig.pass(seconds(1));
        assert!(
            rig.wrote(|op| matches!(op, Op::ReleasePen { epoch: Epoch(1) })),
            "{when:?}"
        );
    }
}

#[test]
fn item_27_when_a_node_never_ends_the_owner_can_wait_stop_it_or_refuse() {
    let mut rig = Rig::owner();
    rig.request_of("wsC", 0);
    rig.pass(seconds(2));
    rig.work(1);
    let to = me("wsC").machine;
    rig.wish(Wish::HandOver {
        to: to.clone(),
        when: When::AfterNodes,
    });
    assert_eq!(
        rig.banners(),
        ["wsC waits for 1 running node. Wait, stop them, or refuse."]
    );
    rig.wish(Wish::Deny { to: to.clone() });
    assert!(
        matches!(rig.status().stand, Stand::Owner { .. }),
        "refused: control stays"
    );
    rig.wish(Wish::HandOver {
        to: to.clone(),
        when: When::AfterNodes,
    });
    rig.wish(Wish::HandOver {
        to,
        when: When::Now,
    });
    assert_eq!(rig.orders, [ChildOrder::Stop]);
    rig.pass(seconds(11));
    assert_eq!(rig.orders[1], ChildOrder::Kill);
}

#[test]
fn item_28_what_becomes_of_automation_is_said_with_the_gain() {
    let mut rig = Rig::new();
    rig.tell(Input::Configure(Policy {
        resumes: false,
        ..Policy::default()
    }));
    rig.pass(seconds(3));
    assert!(matches!(
        rig.facts[..],
        [Fact::Gained { resumes: false, .. }]
    ));
}

#[test]
fn item_29_two_failed_writes_degrade_and_the_deadline_stops() {
    let mut rig = Rig::owner();
    rig.pass(seconds(29));
    rig.ops.clear();
    rig.pass(seconds(2));
    assert!(
        rig.wrote(|op| matches!(
            op,
            Op::MovePage {
                page: Page::Row(_),
                ..
            }
        )),
        "a beat within thirty seconds"
    );
    rig.work(1);
    rig.fault = Some(Fault::Unknown("input/output error".to_owned()));
    rig.pass(seconds(30));
    rig.pass(seconds(6));
    assert!(
        matches!(&rig.facts[1..], [Fact::Degraded { n_failed: 2, why }] if why == "input/output error"),
        "{:?}",
        rig.facts
    );
    assert!(rig.banners()[0].starts_with("Degraded: 2 checkpoints failed (input/output error)."));
    assert!(rig.status().may_start_nodes, "a short outage stops nobody");
    rig.pass(seconds(26));
    assert_eq!(rig.orders, [ChildOrder::Stop]);
    assert!(matches!(
        rig.facts.last(),
        Some(Fact::Lost {
            how: Loss::Expired,
            ..
        })
    ));
    rig.pass(seconds(10));
    assert_eq!(rig.orders[1], ChildOrder::Kill);
    // When the last child is gone and the folder is back, the epoch is released: nobody need wait for its silence.
    rig.fault = None;
    rig.work(0);
    rig.pass(seconds(10));
    assert!(rig.wrote(|op| matches!(op, Op::ReleasePen { epoch: Epoch(1) })));
}

#[test]
fn a_degraded_owner_recovers_with_the_next_checkpoint() {
    let mut rig = Rig::owner();
    rig.fault = Some(Fault::Refused("no space left".to_owned()));
    rig.pass(seconds(37));
    rig.fault = None;
    rig.pass(seconds(10));
    assert!(
        matches!(rig.facts.last(), Some(Fact::Recovered)),
        "{:?}",
        rig.facts
    );
    assert!(rig.banners().is_empty());
}

#[test]
fn item_31_a_hung_folder_holds_up_no_deadline() {
    let mut rig = Rig::owner();
    rig.work(1);
    // From here on nothing comes back.
    let mut out = Vec::new();
    let deadline = rig.armed.expect("armed");
    while rig.now.boot < deadline {
        let next = rig
            .lease
            .next_deadline()
            .expect("the deadline is always there");
        rig.set(next);
        rig.lease.handle(rig.now, Input::Tick, &mut out);
    }
    assert!(out.contains(&Effect::Children(ChildOrder::Stop)));
    assert!(
        out.iter()
            .filter(|effect| matches!(effect, Effect::Carry { .. }))
            .count()
            <= 1
    );
    let age = rig.status().seen.expect("it was looked at once");
    assert!(age >= seconds(50), "the age of what is shown is shown");
}

#[test]
fn item_32_a_vanished_folder_stops_everything_and_nothing_is_made() {
    let mut rig = Rig::owner();
    rig.work(1);
    rig.ops.clear();
    rig.is_vanished = true;
    rig.pass(seconds(3));
    assert_eq!(rig.orders, [ChildOrder::Stop]);
    assert!(matches!(
        rig.facts.last(),
        Some(Fact::Lost {
            how: Loss::Vanished,
            ..
        })
    ));
    assert_eq!(rig.status().stand, Stand::Vanished);
    assert_eq!(
        rig.status().blocked.as_deref(),
        Some("The workspace folder is not there.")
    );
    rig.work(0);
    rig.pass(seconds(100));
    assert!(
        rig.ops.iter().all(|op| matches!(op, Op::ListEpochs)),
        "{:?}",
        rig.ops
    );
    // Back again, it is looked at and the old epoch is released.
    rig.is_vanished = false;
    rig.pass(seconds(5));
    assert!(rig.wrote(|op| matches!(op, Op::ReleasePen { epoch: Epoch(1) })));
}

#[test]
fn sleep_freezes_and_waking_thaws_only_after_a_checkpoint() {
    let mut rig = Rig::owner();
    rig.work(2);
    rig.tell(Input::Suspending);
    assert_eq!(rig.orders, [ChildOrder::Freeze]);
    assert_eq!(rig.armed, None);
    // A short sleep: the epoch is still valid, but the folder does not answer at once.
    let awake = rig.now.boot.plus(seconds(40));
    rig.set(awake);
    rig.fault = Some(Fault::Unknown("timed out".to_owned()));
    rig.tell(Input::Woke);
    assert_eq!(
        rig.orders.len(),
        1,
        "nothing is thawed before the folder has said yes"
    );
    rig.fault = None;
    rig.pass(seconds(6));
    assert_eq!(rig.orders, [ChildOrder::Freeze, ChildOrder::Thaw]);
    assert!(rig.armed.is_some_and(|until| until > rig.now.boot));
}

#[test]
fn a_long_sleep_needs_a_new_epoch_and_a_lost_one_kills_the_frozen() {
    let mut rig = Rig::owner();
    rig.work(2);
    rig.tell(Input::Suspending);
    let awake = rig.now.boot.plus(seconds(3_600));
    rig.set(awake);
    rig.tell(Input::Woke);
    rig.pass(seconds(10));
    assert_eq!(rig.orders, [ChildOrder::Freeze, ChildOrder::Thaw]);
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(2) }
    ));

    rig.orders.clear();
    rig.tell(Input::Suspending);
    rig.held(3, "wsA");
    let awake = rig.now.boot.plus(seconds(3_600));
    rig.set(awake);
    rig.tell(Input::Woke);
    rig.pass(seconds(3));
    assert_eq!(rig.orders, [ChildOrder::Freeze, ChildOrder::Kill]);
    assert!(
        matches!(
            rig.facts.last(),
            Some(Fact::Lost {
                how: Loss::Ousted,
                ..
            })
        ),
        "{:?}",
        rig.facts
    );
}

#[test]
fn an_older_program_in_the_same_workspace_makes_us_step_down() {
    let mut rig = Rig::owner();
    rig.work(1);
    rig.beat("old", None);
    rig.pass(seconds(3));
    assert!(
        matches!(rig.facts.last(), Some(Fact::Lost { how: Loss::SeedMachine { host }, .. }) if host == "old")
    );
    assert_eq!(rig.orders, [ChildOrder::Stop]);
    rig.work(0);
    rig.pass(seconds(3));
    assert_eq!(rig.banners(), ["Controlled by an older program on old."]);
    assert!(
        rig.status().text.starts_with("old has control"),
        "{}",
        rig.status().text
    );
}

#[test]
fn a_silent_lease_of_an_older_program_can_be_taken_over() {
    let mut rig = Rig::bare();
    rig.markers.is_leased = true;
    rig.beat("wsA", None);
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    assert_eq!(
        rig.status().text,
        "wsA has control · takeover available in 90s"
    );
    rig.pass(seconds(91));
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(3));
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(1) }
    ));
    assert!(rig.wrote(|op| matches!(op, Op::Quarantine { .. })));
}

#[test]
fn a_conflict_makes_the_owner_step_down_until_a_person_confirms() {
    let mut rig = Rig::owner();
    rig.work(1);
    rig.listing.conflicts = vec!["000000000001 (conflicted copy)".to_owned()];
    rig.pass(seconds(3));
    assert!(
        matches!(rig.facts.last(), Some(Fact::Lost { how: Loss::Conflict { names }, .. }) if names.len() == 1)
    );
    rig.work(0);
    rig.wish(Wish::Control);
    rig.pass(seconds(200));
    assert!(!matches!(rig.status().stand, Stand::Owner { .. }));
    assert!(rig.banners()[0].contains("conflicted copy"));
    rig.wish(Wish::Confirm);
    rig.pass(seconds(10));
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(2) }
    ));
}

#[test]
fn in_an_advisory_folder_a_claim_settles_before_it_counts() {
    let mut rig = Rig::bare();
    rig.tell(Input::Folder(Folder::Advisory {
        settle: limits::SETTLE,
        why: "It is kept by Syncthing.".to_owned(),
    }));
    rig.wish(Wish::Control);
    rig.pass(seconds(100));
    assert_eq!(rig.status().stand, Stand::Claiming);
    rig.pass(seconds(30));
    assert!(matches!(rig.status().stand, Stand::Owner { .. }));
    assert_eq!(
        rig.banners(),
        ["Control is advisory in this folder. It is kept by Syncthing."]
    );

    // Another copy of the folder brings the same number with another claim: nobody has it.
    let mut rig = Rig::bare();
    rig.tell(Input::Folder(Folder::Advisory {
        settle: limits::SETTLE,
        why: String::new(),
    }));
    rig.wish(Wish::Control);
    rig.pass(seconds(60));
    rig.held(1, "wsA");
    rig.pass(seconds(100));
    assert!(!matches!(rig.status().stand, Stand::Owner { .. }));
}

#[test]
fn a_jump_in_the_numbers_needs_a_word() {
    let mut rig = Rig::bare();
    rig.held(42, "wsA");
    rig.listing.newest = Some(Epoch(5_000));
    rig.listing.before = Some(Epoch(42));
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.pass(seconds(100));
    assert_eq!(
        rig.status().can.take_over,
        Err("The epoch log is damaged: it jumps from 42 to 5000. Confirm to go on.".to_owned())
    );
    rig.wish(Wish::Confirm);
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(3));
    let fenced: Vec<_> = rig
        .ops
        .iter()
        .filter_map(|op| match op {
            Op::RemovePen { epoch } => Some(epoch.0),
            _ => None,
        })
        .take(2)
        .collect();
    assert_eq!(fenced, [5_000, 42]);
    // The last number of all has no successor.
    let mut rig = Rig::bare();
    rig.held(limits::EPOCH_MAX, "wsA");
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.pass(seconds(100));
    rig.wish(Wish::Confirm);
    rig.wish(Wish::TakeOver);
    assert!(
        rig.status()
            .can
            .take_over
            .is_err_and(|why| why.contains("used up"))
    );
}

#[test]
fn a_cloned_machine_is_noticed() {
    let mut rig = Rig::bare();
    rig.held(1, "wsB");
    if let Some(EpochSeen {
        claim: Some(claim), ..
    }) = &mut rig.epoch
    {
        claim.boot = "another boot".to_owned();
    }
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.pass(seconds(30));
    rig.beat("wsB", Some(Epoch(1)));
    rig.pass(seconds(3));
    assert!(rig.banners()[0].contains("cloned"), "{:?}", rig.banners());
}

#[test]
fn a_new_start_after_a_crash_need_not_wait_for_itself() {
    let mut rig = Rig::bare();
    rig.held(1, "wsB");
    // The dead process had another number.
    if let Some(EpochSeen {
        claim: Some(claim), ..
    }) = &mut rig.epoch
    {
        claim.pid = 3;
    }
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.wish(Wish::Control);
    rig.pass(seconds(10));
    assert_eq!(rig.status().stand, Stand::Watching, "its children may live");
    rig.tell(Input::Alone);
    rig.pass(seconds(3));
    assert!(matches!(
        rig.status().stand,
        Stand::Owner { epoch: Epoch(2) }
    ));
}

#[test]
fn a_restart_does_not_start_the_silence_anew() {
    let mut rig = Rig::bare();
    rig.held(1, "wsA");
    rig.tell(Input::Remembered(Sighting {
        epoch: Some(Epoch(1)),
        is_released: false,
        beat: rig.row.beat(),
        since: Moment(rig.now.boot.0 - 80_000_000),
        until: rig.now.boot,
    }));
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    assert_eq!(
        rig.status().text,
        "wsA has control · takeover available in 10s"
    );
}

#[test]
fn nodes_may_finish_without_control_when_the_workspace_says_so() {
    let mut rig = Rig::owner();
    rig.tell(Input::Configure(Policy {
        finishes_when_away: true,
        ..Policy::default()
    }));
    rig.work(1);
    rig.is_vanished = true;
    rig.pass(seconds(120));
    assert!(rig.orders.is_empty());
    assert!(!rig.status().may_start_nodes);
    assert!(
        rig.banners()
            .iter()
            .any(|line| line.contains("finish without control"))
    );
    // Another machine took over meanwhile.
    rig.is_vanished = false;
    rig.held(2, "wsA");
    rig.pass(seconds(5));
    assert_eq!(rig.orders, [ChildOrder::Kill]);
    assert!(
        rig.facts
            .iter()
            .any(|fact| matches!(fact, Fact::Overlapped { with, .. } if with == "wsA"))
    );
}

#[test]
fn a_heartbeat_writes_one_page_and_news_write_all() {
    let mut rig = Rig::owner();
    rig.pass(seconds(10));
    rig.ops.clear();
    rig.pass(seconds(25));
    let pages = |rig: &Rig| {
        rig.ops
            .iter()
            .filter(|op| matches!(op, Op::MovePage { .. }))
            .count()
    };
    assert_eq!(pages(&rig), 1);
    rig.ops.clear();
    for _ in 0..50 {
        rig.tell(Input::Changed);
    }
    rig.pass(seconds(4));
    assert_eq!(pages(&rig), 5, "fifty changes are one snapshot");
}

#[test]
fn names_of_epochs_tokens_and_generations_are_read_as_they_are_written() {
    assert_eq!(Epoch(42).to_string(), "000000000042");
    assert_eq!(Epoch::parse("000000000042"), Some(Epoch(42)));
    for odd in [
        "42",
        "00000000004x",
        "+00000000042",
        "0000000000042",
        "000000000000",
    ] {
        assert_eq!(Epoch::parse(odd), None, "{odd}");
    }
    let ours = Generation::new(Epoch(42), Token(7));
    assert_eq!(Generation::parse(&ours.to_string()), ours);
    let seed = Generation::parse("339e4738979c4896a38bd7448d381f95");
    assert_eq!((seed.epoch, seed.to_string().len()), (None, 32));
    let name = note::stale_name("claims", Timestamp(1_795_219_273_709_261), "ws A/..");
    assert_eq!(name, "claims__20261121T000113709261Z__ws_A_..");
    let leap = note::stale_name("w", Timestamp(951_782_400_000_000), "h");
    assert_eq!(leap, "w__20000229T000000000000Z__h");
}

#[test]
fn children_that_are_ending_do_not_outlive_a_sleep() {
    let mut rig = Rig::owner();
    rig.work(1);
    rig.wish(Wish::Release { when: When::Now });
    rig.tell(Input::Suspending);
    assert_eq!(
        rig.orders,
        [ChildOrder::Stop, ChildOrder::Freeze, ChildOrder::Kill]
    );
}

#[test]
fn a_try_that_was_not_confirmed_is_cleared_away_before_the_next() {
    // A page that is still on its way must not land between the pages of the next snapshot.
    let mut rig = Rig::owner();
    rig.pass(seconds(10));
    rig.fault = Some(Fault::Unknown("timed out".to_owned()));
    rig.tell(Input::Changed);
    rig.fault = None;
    rig.ops.clear();
    rig.pass(seconds(6));
    let writes: Vec<_> = rig
        .ops
        .iter()
        .filter(|op| matches!(op, Op::EmptyPen { .. } | Op::WritePage { .. }))
        .collect();
    assert!(matches!(writes[0], Op::EmptyPen { epoch: Epoch(1) }));
    assert_eq!(
        writes.len(),
        6,
        "and all tables are written again: {writes:?}"
    );
}

#[test]
fn nothing_runs_here_once_a_release_has_set_out() {
    // Found by simulation: the rename of the pen came true after its reply was lost, and meanwhile a node was started.
    let mut rig = Rig::owner();
    rig.fault = Some(Fault::Unknown("timed out".to_owned()));
    rig.wish(Wish::HandOver {
        to: me("wsC").machine,
        when: When::AfterRuns,
    });
    let status = rig.status();
    assert!(matches!(status.stand, Stand::Leaving { .. }));
    assert!(!status.may_start_nodes);
    rig.wish(Wish::Keep);
    assert!(!rig.status().may_start_nodes, "there is no way back");
    rig.fault = None;
    rig.pass(seconds(6));
    assert_eq!(rig.status().stand, Stand::Free);
}

#[test]
fn machines_with_other_limits_neither_claim_nor_take_over() {
    let mut rig = Rig::held_by_ws_a();
    let limits = limits::Limits::divided_by(30).expect("a scale");
    rig.lease = rig.lease.clone().with_limits(limits);
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.pass(seconds(500));
    let status = rig.status();
    assert_eq!(status.stand, Stand::Refused);
    let why = "wsA has control with HANDMILL_CONTROL_SCALE=1, and here it is 30; it must be the same on both.";
    assert_eq!(status.can.take_over, Err(why.to_owned()));
    rig.wish(Wish::TakeOver);
    rig.pass(seconds(500));
    assert!(
        !rig.ops.iter().any(|op| matches!(op, Op::MakeNew { .. })),
        "{:?}",
        rig.ops
    );
}

#[test]
fn limits_divided_by_thirty_allow_a_takeover_after_three_seconds() {
    let mut rig = Rig::bare();
    let limits = limits::Limits::divided_by(30).expect("a scale");
    rig.lease = rig.lease.clone().with_limits(limits);
    rig.held(1, "wsA");
    if let Some(EpochSeen {
        claim: Some(claim), ..
    }) = &mut rig.epoch
    {
        claim.scale = 30;
    }
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    assert_eq!(
        rig.status().text,
        "wsA has control · takeover available in 3s"
    );
    rig.pass(seconds(3));
    assert_eq!(rig.status().text, "Takeover available");
    assert_eq!(limits::Limits::divided_by(0), None);
    assert_eq!(limits::Limits::divided_by(limits::SCALE_MAX + 1), None);
}

#[test]
fn an_owner_removes_old_epochs_a_few_after_each_checkpoint() {
    let mut rig = Rig::bare();
    rig.held(40, "wsA");
    rig.listing.oldest = Some(Epoch(20));
    rig.epoch.as_mut().expect("held").pen = PenSeen::Released { next: None };
    rig.tell(Input::Folder(Folder::Exclusive { is_slow: false }));
    rig.wish(Wish::Confirm);
    rig.wish(Wish::Control);
    rig.pass(seconds(5));
    assert_eq!(rig.status().text, "This Workstation has control");
    let removed = |rig: &Rig| -> Vec<u64> {
        let numbers = rig.ops.iter().filter_map(|op| match op {
            Op::RemoveEpoch { epoch } => Some(epoch.0),
            _ => None,
        });
        numbers.collect()
    };
    assert!(removed(&rig).is_empty());
    rig.pass(seconds(31));
    assert_eq!(removed(&rig), [20, 21, 22, 23]);
    // Sixteen are kept, the newest among them.
    rig.pass(seconds(90));
    assert_eq!(removed(&rig), [20, 21, 22, 23, 24, 25]);
}

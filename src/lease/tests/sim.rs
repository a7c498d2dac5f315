//! Days of simulated time with every fault, by seed: whole leases, their sitters and children, clocks that differ, and
//! one file server with caches in front of it. A seed replays bit for bit.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use crate::lease::defect::{Defect, is_planted};
use crate::lease::limits::Limits;
use crate::lease::op::Table;
use crate::lease::{
    Answer, Asked, Beat, ChildOrder, ClaimNote, Denial, Effect, Epoch, EpochSeen, Fact, Fault,
    Folder, Hint, Hydrated, Input, Keepsake, Lease, Listing, MachineId, Markers, Me, Moment, Now,
    Op, Page, PenSeen, Policy, Reply, RequestNote, RowSeen, Sighting, Ticket, Token, When, Wish,
    Work,
};
use crate::model::Timestamp;

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const N: usize = 3;

/// What may go wrong, and how bad the caches are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) hours: u64,
    pub(super) cache: u64,
    pub(super) pauses: bool,
    pub(super) crashes: bool,
    pub(super) hangs: bool,
    pub(super) losses: bool,
    pub(super) wall_skew: u64,
    pub(super) drift_ppm: u64,
    /// Users ask, hand over, release and take over.
    pub(super) users: bool,
}

/// Seconds of simulated time as microseconds.
const fn s(seconds: u64) -> u64 {
    seconds * SECOND
}

pub(super) const CALM: Scene = Scene {
    name: "calm",
    hours: 24,
    cache: 0,
    pauses: false,
    crashes: false,
    hangs: false,
    losses: false,
    wall_skew: 0,
    drift_ppm: 10_000,
    users: true,
};

/// Crashes of machines only, so that how long a takeover takes can be measured.
pub(super) const CRASHES: Scene = Scene {
    name: "crashes",
    cache: s(5),
    crashes: true,
    users: false,
    ..CALM
};

pub(super) const ALL: Scene = Scene {
    name: "all faults",
    cache: s(120),
    pauses: true,
    crashes: true,
    hangs: true,
    losses: true,
    wall_skew: s(600),
    ..CALM
};

/// A generator whose numbers depend on the seed and nothing else, in any version of anything.
#[derive(Clone, Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[derive(Clone, Debug)]
enum PenState {
    Alive(Vec<(&'static str, Token)>),
    Removed,
    Released,
}

#[derive(Clone, Debug)]
struct Folded {
    claim: Option<ClaimNote>,
    pen: PenState,
    hint: Option<Hint>,
}

/// What one client sees of the folder.
#[derive(Clone, Debug)]
struct Snap {
    at: u64,
    listing: Listing,
    newest: Option<EpochSeen>,
    row: RowSeen,
    markers: Markers,
    asked: Asked,
}

/// The file server.
#[derive(Debug, Default)]
struct Server {
    epochs: BTreeMap<u64, Folded>,
    /// Number 0, from which the first claim starts, was removed.
    is_begun: bool,
    /// The highest number ever given.
    n_given: u64,
    news: BTreeMap<Token, ClaimNote>,
    row: Option<(u64, crate::lease::LeaseRow)>,
    n_beats: u64,
    tables: BTreeMap<Table, crate::lease::Generation>,
    mirror: Option<ClaimNote>,
    is_available: bool,
    requests: BTreeMap<String, RequestNote>,
    denials: BTreeMap<String, Denial>,
    /// Every change counts one.
    version: u64,
}

impl Server {
    fn has(&self, number: u64) -> bool {
        match number {
            0 => !self.is_begun,
            number => self.epochs.contains_key(&number),
        }
    }

    fn seen(&self, number: u64) -> Option<EpochSeen> {
        self.epochs.get(&number).map(|folded| EpochSeen {
            claim: folded.claim.clone(),
            pen: match &folded.pen {
                PenState::Alive(_) => PenSeen::Alive,
                PenState::Removed => PenSeen::Removed,
                PenState::Released => PenSeen::Released {
                    next: folded.hint.clone(),
                },
            },
            is_doubled: false,
        })
    }

    fn snap(&self, at: u64, me: &MachineId) -> Snap {
        let mut numbers = self.epochs.keys().rev();
        let newest = numbers.next().copied();
        Snap {
            at,
            listing: Listing {
                newest: newest.map(Epoch),
                before: numbers.next().copied().map(Epoch),
                oldest: if self.is_begun {
                    self.epochs.keys().next().copied().map(Epoch)
                } else {
                    Some(Epoch(0))
                },
                conflicts: Vec::new(),
            },
            newest: newest.and_then(|newest| self.seen(newest)),
            row: match &self.row {
                None => RowSeen::Absent,
                Some((beat, row)) => RowSeen::Is {
                    beat: Beat(*beat),
                    row: row.clone(),
                },
            },
            markers: Markers {
                is_available: self.is_available,
                is_leased: self.mirror.is_some(),
                token: self.mirror.as_ref().map(|note| note.token),
                foreign: None,
            },
            asked: Asked {
                requests: self.requests.values().cloned().collect(),
                seed: None,
                denial: self.denials.get(&me.0).cloned(),
                is_cut: false,
            },
        }
    }
}

#[derive(Debug)]
struct Machine {
    me: Me,
    lease: Option<Lease>,
    incarnation: u32,
    ppm: i64,
    offset: u64,
    wall: i64,
    cache: u64,
    snap: Option<Snap>,
    stalled_until: u64,
    suspended_until: u64,
    n_kids: u32,
    is_frozen: bool,
    kids: u32,
    armed: Option<Moment>,
    sitter: u32,
    tick: u32,
    /// The server's version at the last look.
    looked: u64,
    is_lazy: bool,
    sight: Option<Sighting>,
    /// What the next program of this boot needs to go on.
    keepsake: Option<Keepsake>,
    n_boots: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Tick {
        machine: usize,
        generation: u32,
    },
    Serve(Box<Sent>),
    Answer {
        machine: usize,
        incarnation: u32,
        ticket: u64,
        at: usize,
    },
    Sitter {
        machine: usize,
        generation: u32,
    },
    KidsEnd {
        machine: usize,
        generation: u32,
        by_force: bool,
    },
    User {
        machine: usize,
    },
    Disturb,
    Restart {
        machine: usize,
    },
    /// Hardware and children go on.
    Awake {
        machine: usize,
    },
    /// The program hears of it.
    Woke {
        machine: usize,
    },
    /// The program hears what became of its children.
    News {
        machine: usize,
    },
}

/// An operation on its way to the server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sent {
    machine: usize,
    incarnation: u32,
    ticket: u64,
    /// Its place among the operations under way.
    at: usize,
    answers: bool,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Ran {
    pub(super) broken: Option<String>,
    pub(super) n_events: u64,
    pub(super) n_ops: u64,
    pub(super) n_claims: u64,
    pub(super) n_refused: u64,
    pub(super) n_lost: u64,
    pub(super) n_resumed: u64,
    pub(super) n_pruned: u64,
    pub(super) n_takeovers: u64,
    pub(super) takeover_max: u64,
    pub(super) takeover_sum: u64,
    /// Of everything that happened, in order.
    pub(super) print: u64,
}

struct Sim {
    scene: Scene,
    random: Random,
    t: u64,
    heap: BinaryHeap<Reverse<(u64, u64, Event)>>,
    n_pushed: u64,
    machines: Vec<Machine>,
    server: Server,
    hung_until: u64,
    ops: Vec<Option<Op>>,
    replies: Vec<Option<Reply>>,
    free: Vec<usize>,
    crashed_at: Option<u64>,
    ran: Ran,
    /// The last things that happened, when somebody wants to read them.
    lines: Option<VecDeque<String>>,
}

/// How much of what happened before a failure is told.
const LINES_MAX: usize = 60;

/// Simulates one seed.
pub(super) fn run(seed: u64, scene: Scene) -> Ran {
    simulate(seed, scene, None).ran
}

/// The last things that happen in a seed.
pub(super) fn tell(seed: u64, scene: Scene) -> Vec<String> {
    let lines = simulate(seed, scene, Some(VecDeque::new())).lines;
    lines.unwrap_or_default().into()
}

fn simulate(seed: u64, scene: Scene, lines: Option<VecDeque<String>>) -> Sim {
    let mut sim = Sim {
        scene,
        random: Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5eed),
        t: 0,
        heap: BinaryHeap::new(),
        n_pushed: 0,
        machines: Vec::new(),
        server: Server::default(),
        hung_until: 0,
        ops: Vec::new(),
        replies: Vec::new(),
        free: Vec::new(),
        crashed_at: None,
        ran: Ran::default(),
        lines,
    };
    for at in 0..N {
        let drift = scene.drift_ppm;
        let ppm = sim.random.between(0, 2 * drift) as i64 - drift as i64;
        let wall = sim.random.between(0, 2 * scene.wall_skew) as i64 - scene.wall_skew as i64;
        let offset = sim.random.below(10_000 * SECOND);
        let cache = if sim.random.one_in(2) {
            scene.cache
        } else {
            sim.random.below(scene.cache + 1)
        };
        sim.machines.push(Machine {
            me: Me {
                machine: MachineId(format!("m{at}")),
                host: format!("ws{at}"),
                boot: String::new(),
                pid: 1,
                daemon: String::new(),
                app_version: String::new(),
                started_at: Timestamp(0),
            },
            lease: None,
            incarnation: 0,
            ppm,
            offset,
            wall,
            cache,
            snap: None,
            stalled_until: 0,
            suspended_until: 0,
            n_kids: 0,
            is_frozen: false,
            kids: 0,
            armed: None,
            sitter: 0,
            tick: 0,
            looked: u64::MAX,
            is_lazy: false,
            sight: None,
            keepsake: None,
            n_boots: 0,
        });
        sim.boot(at);
    }
    sim.push(s(30), Event::Disturb);
    sim.go();
    sim
}

impl Sim {
    fn push(&mut self, at: u64, event: Event) {
        self.n_pushed += 1;
        self.heap.push(Reverse((at, self.n_pushed, event)));
    }

    fn note(&mut self, machine: usize, what: impl FnOnce(&Self) -> String) {
        if self.lines.is_none() {
            return;
        }
        let line = format!("{:.6} ws{machine}: {}", self.t as f64 / 1e6, what(self));
        if let Some(lines) = &mut self.lines {
            lines.push_back(line);
            if lines.len() > LINES_MAX {
                lines.pop_front();
            }
        }
    }

    fn breaks(&mut self, what: String) {
        if self.ran.broken.is_none() {
            self.ran.broken = Some(format!("after {:.1} h: {what}", self.t as f64 / 3.6e9));
        }
    }

    fn go(&mut self) {
        let end = self.scene.hours * 60 * MINUTE;
        let mut n_at_once = 0;
        while let Some(Reverse((at, _, event))) = self.heap.pop() {
            if at > end || self.ran.broken.is_some() {
                return;
            }
            n_at_once = if at < self.t + 100 { n_at_once + 1 } else { 0 };
            if n_at_once > 10_000 {
                self.breaks(format!("busy for ever with {event:?}"));
            }
            self.t = at;
            self.ran.n_events += 1;
            let mix = at ^ (self.machines[0].n_kids as u64) << 1 ^ self.server.version << 20;
            self.ran.print = (self.ran.print ^ mix).wrapping_mul(0x100_0000_01b3);
            self.happen(event);
        }
    }

    /// A sleeping machine hears nothing; a stalled program neither, but its sitter and its children go on.
    fn deaf_until(&self, event: &Event) -> u64 {
        let (machine, is_program) = match event {
            Event::Tick { machine, .. }
            | Event::Answer { machine, .. }
            | Event::User { machine }
            | Event::News { machine }
            | Event::Woke { machine } => (*machine, true),
            Event::Sitter { machine, .. } | Event::KidsEnd { machine, .. } => (*machine, false),
            _ => return 0,
        };
        let machine = &self.machines[machine];
        if is_program {
            machine.suspended_until.max(machine.stalled_until)
        } else {
            machine.suspended_until
        }
    }

    fn happen(&mut self, event: Event) {
        let deaf_until = self.deaf_until(&event);
        if deaf_until > self.t {
            self.push(deaf_until, event);
            return;
        }
        match event {
            Event::Tick {
                machine,
                generation,
            } => {
                if self.machines[machine].tick == generation {
                    self.machines[machine].is_lazy = false;
                    self.tell(machine, Input::Tick);
                }
            }
            Event::Serve(sent) => self.serve(*sent),
            Event::Answer {
                machine,
                incarnation,
                ticket,
                at,
            } => {
                let reply = self.replies[at].take();
                self.free.push(at);
                if self.machines[machine].incarnation == incarnation
                    && let Some(reply) = reply
                {
                    self.tell(
                        machine,
                        Input::Replied {
                            ticket: Ticket(ticket),
                            reply,
                        },
                    );
                }
            }
            Event::Sitter {
                machine,
                generation,
            } => self.sit(machine, generation),
            Event::KidsEnd {
                machine,
                generation,
                by_force,
            } => {
                let m = &self.machines[machine];
                if m.kids != generation || m.n_kids == 0 {
                    return;
                }
                if m.is_frozen && !by_force {
                    let at = self.t + s(10);
                    self.push(
                        at,
                        Event::KidsEnd {
                            machine,
                            generation,
                            by_force,
                        },
                    );
                    return;
                }
                self.kids_gone(machine);
            }
            Event::User { machine } => {
                let next = self.t + self.random.between(s(60), s(1200));
                self.push(next, Event::User { machine });
                self.use_it(machine);
            }
            Event::Disturb => self.disturb(),
            Event::Restart { machine } => {
                if self.machines[machine].lease.is_none() {
                    self.boot(machine);
                }
            }
            Event::Awake { .. } => self.watch(),
            Event::Woke { machine } => self.tell(machine, Input::Woke),
            Event::News { machine } => {
                let n_kids = self.machines[machine].n_kids;
                let work = Work {
                    n_children: n_kids,
                    n_runs: n_kids,
                };
                self.tell(machine, Input::Work(work));
                if n_kids == 0 {
                    self.tell(machine, Input::Alone);
                }
            }
        }
    }

    fn now(&self, machine: usize) -> Now {
        self.machines[machine].now(self.t)
    }

    /// A program starts, on a machine that started or went on.
    fn boot(&mut self, machine: usize) {
        let seed = u128::from(self.random.next()) << 64 | u128::from(self.random.next());
        let takes_over = !self.scene.users || self.random.one_in(2);
        let policy = Policy {
            claims_when_free: !self.random.one_in(4) || !self.scene.users,
            takes_over,
            answer: match self.random.below(4) {
                0 => Answer::HandOver(When::Now),
                1 => Answer::HandOver(When::AfterNodes),
                2 => Answer::Deny,
                _ => Answer::HandOver(When::AfterRuns),
            },
            resumes: true,
            finishes_when_away: false,
        };
        let m = &mut self.machines[machine];
        m.incarnation += 1;
        m.me.boot = format!("{}", m.n_boots);
        m.me.pid = m.incarnation;
        m.snap = None;
        m.looked = u64::MAX;
        m.lease = Some(Lease::new(m.me.clone(), "mill", seed, policy));
        let (n_kids, sight, keepsake) = (m.n_kids, m.sight.take(), m.keepsake.take());
        if let Some(sight) = sight {
            self.tell(machine, Input::Remembered(sight));
        }
        self.tell(
            machine,
            Input::Work(Work {
                n_children: n_kids,
                n_runs: n_kids,
            }),
        );
        if let Some(keepsake) = keepsake {
            self.ran.n_resumed += 1;
            self.tell(machine, Input::Resumed(keepsake));
        }
        if n_kids == 0 {
            self.tell(machine, Input::Alone);
        }
        self.tell(machine, Input::Folder(Folder::Exclusive { is_slow: false }));
        if self.scene.users && self.machines[machine].incarnation == 1 {
            let at = self.t + self.random.between(s(10), s(900));
            self.push(at, Event::User { machine });
        }
    }

    /// Gives an input to a program and does what it wants, as long as it can be done at once.
    fn tell(&mut self, machine: usize, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = self.now(machine);
            let Some(lease) = &mut self.machines[machine].lease else {
                return;
            };
            let mut out = Vec::new();
            lease.handle(now, input, &mut out);
            // Before anything is carried out: what is forgotten is gone before the last step of a release is asked for.
            let keepsake = lease.keepsake();
            self.machines[machine].keepsake = keepsake;
            for effect in out {
                self.carry_out(machine, effect, &mut inputs);
            }
            if inputs.is_empty() {
                self.start_kids(machine, &mut inputs);
            }
        }
        self.schedule(machine);
    }

    fn carry_out(&mut self, machine: usize, effect: Effect, inputs: &mut VecDeque<Input>) {
        let is_look = self.machines[machine]
            .lease
            .as_ref()
            .is_some_and(|lease| lease.steps.journey.is_none());
        if !(is_look && matches!(&effect, Effect::Carry { op, .. } if op.is_read())) {
            self.note(machine, |_| match &effect {
                Effect::Carry { op, .. } => format!("wants {op:?}"),
                other => format!("{other:?}"),
            });
        }
        match effect {
            Effect::Carry { ticket, op } => {
                self.ran.n_ops += 1;
                let is_look = is_look && op.is_read();
                if is_look && self.hung_until <= self.t {
                    if op == Op::ReadRequests {
                        self.machines[machine].looked = self.server.version;
                    }
                    let reply = self.serve_now(machine, &op, false);
                    inputs.push_back(Input::Replied { ticket, reply });
                } else {
                    self.send(machine, ticket, op);
                }
            }
            Effect::Arm { until } => {
                let m = &mut self.machines[machine];
                m.armed = Some(until);
                self.set_sitter(machine);
            }
            Effect::Disarm => {
                let m = &mut self.machines[machine];
                m.armed = None;
                m.sitter += 1;
            }
            Effect::Children(order) => self.order(machine, order),
            Effect::Record(fact) => match fact {
                Fact::Gained { .. } => {
                    self.ran.n_claims += 1;
                    if let Some(at) = self.crashed_at.take() {
                        let took = self.t - at;
                        self.ran.n_takeovers += 1;
                        self.ran.takeover_sum += took;
                        self.ran.takeover_max = self.ran.takeover_max.max(took);
                    }
                }
                Fact::Lost { .. } => self.ran.n_lost += 1,
                _ => {}
            },
            Effect::Remember(sight) => self.machines[machine].sight = Some(sight),
        }
    }

    /// Sends an operation to the server, with all that can become of it.
    fn send(&mut self, machine: usize, ticket: Ticket, op: Op) {
        let incarnation = self.machines[machine].incarnation;
        let latency = self.random.between(300, 30_000);
        let mut at = (self.t + latency).max(self.hung_until);
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.ops.push(None);
                self.replies.push(None);
                self.ops.len() - 1
            }
        };
        let mut answers = true;
        let mut is_sent = true;
        if self.scene.losses && self.random.one_in(60) {
            let fate = self.random.below(5);
            let fault = if fate == 4 {
                Fault::Refused("no space left".to_owned())
            } else {
                Fault::Unknown("timed out".to_owned())
            };
            answers = false;
            is_sent = !matches!(fate, 0 | 4);
            if fate == 3 {
                // It was on its way all the time.
                at += self.random.between(s(1), s(60));
            }
            let place = self.place_of_reply(Reply::Failed(fault));
            let heard = self.t + self.random.between(20_000, s(15));
            self.push(
                heard,
                Event::Answer {
                    machine,
                    incarnation,
                    ticket: ticket.0,
                    at: place,
                },
            );
        }
        if !is_sent {
            self.free.push(place);
            return;
        }
        self.ops[place] = Some(op);
        let sent = Sent {
            machine,
            incarnation,
            ticket: ticket.0,
            at: place,
            answers,
        };
        self.push(at, Event::Serve(Box::new(sent)));
    }

    fn place_of_reply(&mut self, reply: Reply) -> usize {
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.ops.push(None);
                self.replies.push(None);
                self.ops.len() - 1
            }
        };
        self.replies[place] = Some(reply);
        place
    }

    fn serve(&mut self, sent: Sent) {
        if self.hung_until > self.t {
            let at = self.hung_until;
            self.push(at, Event::Serve(Box::new(sent)));
            return;
        }
        let Some(op) = self.ops[sent.at].take() else {
            return;
        };
        let is_current =
            self.machines[sent.machine].incarnation == sent.incarnation && sent.answers;
        let reply = self.serve_now(sent.machine, &op, !is_current);
        if !op.is_read() {
            self.note(sent.machine, |_| {
                format!(
                    "   {} {op:?}: {reply:?}",
                    if sent.answers {
                        "done"
                    } else {
                        "done, unanswered"
                    }
                )
            });
        }
        if sent.answers {
            self.replies[sent.at] = Some(reply);
            let at = self.t + self.random.between(200, 10_000);
            self.push(
                at,
                Event::Answer {
                    machine: sent.machine,
                    incarnation: sent.incarnation,
                    ticket: sent.ticket,
                    at: sent.at,
                },
            );
        } else {
            self.free.push(sent.at);
        }
    }

    /// The server does one operation, at this instant.
    fn serve_now(&mut self, machine: usize, op: &Op, is_stray: bool) -> Reply {
        let gone = || Reply::Failed(Fault::Gone);
        let is_unfenced = is_planted(Defect::NoPen) || is_planted(Defect::FenceByMove);
        // Whoever changes something sees it.
        if op.is_read() || *op == Op::Hydrate {
            let m = &self.machines[machine];
            let is_old = m
                .snap
                .as_ref()
                .is_none_or(|snap| snap.at + m.cache < self.t || m.cache == 0);
            if is_old {
                let snap = self.server.snap(self.t, &m.me.machine);
                self.machines[machine].snap = Some(snap);
            }
            let Some(snap) = &self.machines[machine].snap else {
                return gone();
            };
            return match op {
                Op::ListEpochs => Reply::Epochs(snap.listing.clone()),
                Op::ReadEpoch { epoch } => {
                    let seen = if Some(*epoch) == snap.listing.newest {
                        snap.newest.clone()
                    } else {
                        self.server.seen(epoch.0)
                    };
                    seen.map_or_else(gone, Reply::Epoch)
                }
                Op::ReadRow => Reply::Row(snap.row.clone()),
                Op::ReadMarkers => Reply::Markers(snap.markers.clone()),
                Op::ReadRequests => Reply::Requests(snap.asked.clone()),
                _ => Reply::Hydrated(Hydrated::Adopted),
            };
        }
        self.machines[machine].snap = None;
        if !matches!(
            op,
            Op::Touch { .. } | Op::MakeNew { .. } | Op::WritePage { .. }
        ) {
            self.server.version += 1;
            self.rouse();
        }
        let server = &mut self.server;
        match op {
            Op::MakeNew { note } if is_planted(Defect::EmptyMarker) => {
                if let Some(folded) = server.epochs.get_mut(&note.epoch.0) {
                    folded.claim = Some(note.clone());
                    folded.pen = PenState::Alive(Vec::new());
                }
                Reply::Done
            }
            Op::MakeNew { note } if !server.has(note.epoch.0 - 1) => gone(),
            Op::MakeNew { note } => {
                server.news.insert(note.token, note.clone());
                Reply::Done
            }
            Op::RenameNew { token, epoch } => {
                let is_taken = server
                    .epochs
                    .get(&epoch.0)
                    .is_some_and(|folded| folded.claim.is_some());
                let note = server.news.get(token).cloned();
                if is_taken {
                    return Reply::Failed(Fault::Exists);
                }
                if note.is_none() && !is_planted(Defect::EmptyMarker) {
                    return gone();
                }
                server.news.remove(token);
                let folded = Folded {
                    claim: note,
                    pen: PenState::Alive(Vec::new()),
                    hint: None,
                };
                let is_used = epoch.0 <= server.n_given;
                server.n_given = server.n_given.max(epoch.0);
                if server.epochs.insert(epoch.0, folded).is_some() || is_used {
                    self.breaks(format!("{epoch} was claimed twice"));
                }
                Reply::Done
            }
            Op::DropNew { token, .. } => {
                server.news.remove(token);
                Reply::Done
            }
            Op::EmptyPen { epoch } => {
                if let Some(Folded {
                    pen: PenState::Alive(entries),
                    ..
                }) = server.epochs.get_mut(&epoch.0)
                {
                    entries.clear();
                }
                Reply::Done
            }
            Op::RemovePen { epoch } => match server.epochs.get_mut(&epoch.0) {
                Some(Folded {
                    pen: PenState::Alive(entries),
                    ..
                }) if !entries.is_empty() => Reply::Failed(Fault::NotEmpty),
                Some(
                    folded @ Folded {
                        pen: PenState::Alive(_),
                        ..
                    },
                ) => {
                    folded.pen = PenState::Removed;
                    self.cut_off(*epoch);
                    Reply::Done
                }
                _ => gone(),
            },
            Op::WritePage { epoch, token, page } => match server.epochs.get_mut(&epoch.0) {
                Some(Folded {
                    pen: PenState::Alive(entries),
                    ..
                }) => {
                    entries.push((page.stem(), *token));
                    Reply::Done
                }
                Some(_) if is_unfenced => Reply::Done,
                _ => {
                    self.ran.n_refused += 1;
                    gone()
                }
            },
            Op::MovePage { epoch, token, page } => {
                match server.epochs.get_mut(&epoch.0) {
                    Some(Folded {
                        pen: PenState::Alive(entries),
                        ..
                    }) => {
                        match entries
                            .iter()
                            .position(|entry| *entry == (page.stem(), *token))
                        {
                            Some(at) => {
                                entries.swap_remove(at);
                            }
                            None => return gone(),
                        }
                    }
                    Some(_) if is_unfenced => {}
                    _ => {
                        self.ran.n_refused += 1;
                        return gone();
                    }
                }
                self.publish(*epoch, page);
                Reply::Done
            }
            Op::WriteHint { epoch, hint } => match server.epochs.get_mut(&epoch.0) {
                Some(
                    folded @ Folded {
                        pen: PenState::Alive(_),
                        ..
                    },
                ) => {
                    folded.hint = Some(hint.clone());
                    Reply::Done
                }
                _ => gone(),
            },
            Op::ReleasePen { epoch } => {
                let mut number = epoch.0;
                if is_planted(Defect::ReleaseByName)
                    && let Some(newest) = server.epochs.keys().next_back()
                {
                    number = *newest;
                }
                let Some(folded) = server.epochs.get_mut(&number) else {
                    return gone();
                };
                if !matches!(folded.pen, PenState::Alive(_)) {
                    return gone();
                }
                folded.pen = PenState::Released;
                let me = &self.machines[machine].me;
                // Claimed by this program, or by an earlier one whose tenure it went on with.
                let held = self.machines[machine]
                    .lease
                    .as_ref()
                    .and_then(|lease| lease.held);
                let is_own = folded.claim.as_ref().is_some_and(|claim| {
                    let has_gone_on = held == Some((*epoch, claim.token));
                    claim.machine == me.machine && (is_stray || claim.pid == me.pid || has_gone_on)
                });
                if is_planted(Defect::EpochReuse) {
                    server.epochs.remove(&number);
                }
                if !is_own {
                    self.breaks(format!("another's epoch {number} was released"));
                }
                Reply::Done
            }
            Op::RemoveEpoch { epoch } => {
                if epoch.0 > 0 && server.has(epoch.0 - 1) {
                    return Reply::Failed(Fault::NotEmpty);
                }
                if !server.has(epoch.0) {
                    return gone();
                }
                server.news.retain(|_, note| note.epoch.0 != epoch.0 + 1);
                server.is_begun = true;
                let pen = server.epochs.remove(&epoch.0).map(|folded| folded.pen);
                self.ran.n_pruned += 1;
                if let Some(PenState::Alive(_)) = pen {
                    self.breaks(format!("{epoch} was removed with a living pen"));
                }
                Reply::Done
            }
            Op::SetMirrors { owner } => {
                server.is_available = owner.is_none();
                server.mirror = owner.clone();
                Reply::Done
            }
            Op::WriteRequest { note } => {
                server.requests.insert(note.machine.0.clone(), note.clone());
                Reply::Done
            }
            Op::RemoveRequest { machine } => {
                server.requests.remove(&machine.0);
                server.denials.remove(&machine.0);
                Reply::Done
            }
            Op::WriteDenial { denial } => {
                server.denials.insert(denial.to.0.clone(), denial.clone());
                Reply::Done
            }
            _ => Reply::Done,
        }
    }

    fn publish(&mut self, epoch: Epoch, page: &Page) {
        match page {
            Page::Table { table, generation } => {
                self.server.tables.insert(*table, generation.clone());
            }
            Page::Row(row) => {
                let before = self
                    .server
                    .row
                    .as_ref()
                    .and_then(|(_, row)| row.generation.epoch);
                if before > Some(epoch) {
                    self.breaks(format!("stale write: {epoch} published over {before:?}"));
                }
                let is_whole = Table::ALL
                    .iter()
                    .all(|table| self.server.tables.get(table) == Some(&row.generation));
                // A checkpoint after a broken snapshot names the former one, which is not whole any more: that is a
                // reader's loss of news, never a mix. Only a row that announces a new one must find it there.
                let is_new = self
                    .server
                    .row
                    .as_ref()
                    .is_none_or(|(_, old)| old.generation != row.generation);
                if is_new && !is_whole {
                    self.breaks("the row names a snapshot that is not there".to_owned());
                }
                self.server.n_beats += 1;
                self.server.row = Some((self.server.n_beats, row.clone()));
            }
        }
    }

    /// A pen was removed: its owner must not have been valid.
    fn cut_off(&mut self, epoch: Epoch) {
        for machine in 0..N {
            let now = self.now(machine);
            let is_valid = self.machines[machine].lease.as_ref().is_some_and(|lease| {
                lease
                    .tenure
                    .as_ref()
                    .is_some_and(|tenure| tenure.epoch == epoch && now.boot < tenure.deadline)
                    && lease.may_run(now)
            });
            if is_valid && self.machines[machine].suspended_until <= self.t {
                self.breaks(format!("live lease stolen: {epoch} of machine {machine}"));
            }
        }
    }

    // --- children and sitters ------------------------------------------------------------------------------------------

    fn start_kids(&mut self, machine: usize, inputs: &mut VecDeque<Input>) {
        let now = self.now(machine);
        let m = &self.machines[machine];
        let may = m
            .lease
            .as_ref()
            .is_some_and(|lease| lease.may_start_nodes(now));
        if !may || m.n_kids > 0 || !self.random.one_in(2) {
            return;
        }
        let ends = self.t
            + if self.random.one_in(4) {
                self.random.between(s(600), s(7200))
            } else {
                self.random.between(s(1), s(300))
            };
        self.note(machine, |_| "starts children".to_owned());
        let m = &mut self.machines[machine];
        m.n_kids = 1;
        m.kids += 1;
        let generation = m.kids;
        self.push(
            ends,
            Event::KidsEnd {
                machine,
                generation,
                by_force: false,
            },
        );
        inputs.push_back(Input::Work(Work {
            n_children: 1,
            n_runs: 1,
        }));
        self.watch();
    }

    fn kids_gone(&mut self, machine: usize) {
        self.note(machine, |_| "children are gone".to_owned());
        let m = &mut self.machines[machine];
        m.n_kids = 0;
        m.is_frozen = false;
        m.kids += 1;
        self.push(self.t, Event::News { machine });
    }

    fn order(&mut self, machine: usize, order: ChildOrder) {
        let generation = self.machines[machine].kids;
        match order {
            ChildOrder::Freeze => {
                self.machines[machine].is_frozen = self.machines[machine].n_kids > 0
            }
            ChildOrder::Thaw => {
                self.machines[machine].is_frozen = false;
                self.watch();
            }
            ChildOrder::Stop => self.end_politely(machine, generation),
            ChildOrder::Kill => {
                let at = self.t + self.random.between(1_000, 50_000);
                self.push(
                    at,
                    Event::KidsEnd {
                        machine,
                        generation,
                        by_force: true,
                    },
                );
            }
        }
    }

    fn end_politely(&mut self, machine: usize, generation: u32) {
        // Some ignore it until they are killed.
        if !self.random.one_in(3) {
            let at = self.t + self.random.between(10_000, s(12));
            self.push(
                at,
                Event::KidsEnd {
                    machine,
                    generation,
                    by_force: false,
                },
            );
        }
    }

    fn set_sitter(&mut self, machine: usize) {
        let m = &mut self.machines[machine];
        m.sitter += 1;
        let Some(until) = m.armed else { return };
        let (generation, at) = (m.sitter, m.true_time(until).max(self.t));
        if !is_planted(Defect::NoSitter) {
            self.push(
                at,
                Event::Sitter {
                    machine,
                    generation,
                },
            );
        }
    }

    fn sit(&mut self, machine: usize, generation: u32) {
        let now = self.now(machine);
        let m = &self.machines[machine];
        let (Some(until), true) = (m.armed, m.sitter == generation) else {
            return;
        };
        let kids = m.kids;
        let kill_at = until.plus(Limits::REAL.grace);
        if now.boot >= kill_at && !is_planted(Defect::NoFreeze) {
            self.order(machine, ChildOrder::Kill);
        } else if now.boot >= until {
            self.end_politely(machine, kids);
            let at = self.machines[machine].true_time(kill_at).max(self.t + 1);
            let at = if is_planted(Defect::NoFreeze) {
                at.max(self.t + s(10))
            } else {
                at
            };
            self.push(
                at,
                Event::Sitter {
                    machine,
                    generation,
                },
            );
            if is_planted(Defect::NoFreeze) {
                self.push(
                    at,
                    Event::KidsEnd {
                        machine,
                        generation: kids,
                        by_force: true,
                    },
                );
                self.machines[machine].armed = None;
            }
        } else {
            self.set_sitter(machine);
        }
    }

    /// Two machines must never run children at once.
    fn watch(&mut self) {
        let running: Vec<usize> = (0..N)
            .filter(|at| {
                let m = &self.machines[*at];
                m.n_kids > 0 && !m.is_frozen && m.suspended_until <= self.t
            })
            .collect();
        if running.len() > 1 {
            self.breaks(format!("split brain: machines {running:?} run children"));
        }
    }

    // --- users and faults ------------------------------------------------------------------------------------------------

    fn use_it(&mut self, machine: usize) {
        let now = self.now(machine);
        let Some(lease) = &self.machines[machine].lease else {
            return;
        };
        let wish = if lease.tenure.is_some() {
            let first = lease
                .desk
                .requests(now, &lease.policy)
                .first()
                .map(|request| request.machine.clone());
            match (first, self.random.below(6)) {
                (Some(to), 0) => Wish::Deny { to },
                (Some(to), 1) => Wish::HandOver {
                    to,
                    when: When::Now,
                },
                (Some(to), 2) => Wish::HandOver {
                    to,
                    when: When::AfterNodes,
                },
                (_, 3) => Wish::Release {
                    when: When::AfterNodes,
                },
                (_, 4) => Wish::Release { when: When::Now },
                _ => return,
            }
        } else {
            match self.random.below(6) {
                0 | 1 => Wish::Request {
                    client: "ui".to_owned(),
                },
                2 => Wish::Cancel,
                3 => Wish::TakeOver,
                _ => Wish::Control,
            }
        };
        self.tell(machine, Input::Wish(wish));
    }

    fn disturb(&mut self) {
        let next = self.t + self.random.between(s(30), s(900));
        self.push(next, Event::Disturb);
        let machine = usize::try_from(self.random.below(N as u64)).unwrap_or(0);
        let scene = self.scene;
        let kind = self.random.below(6);
        match kind {
            0 if scene.pauses => self.suspend(machine),
            1 if scene.pauses => {
                let until = self.t + self.pause();
                self.note(machine, |sim| {
                    format!("stalls for {} s", (until - sim.t) / SECOND)
                });
                let m = &mut self.machines[machine];
                m.stalled_until = m.stalled_until.max(until);
            }
            2 | 3 if scene.crashes => self.crash(machine, kind == 2 || !scene.pauses),
            4 if scene.hangs => self.hung_until = self.t + self.random.between(s(10), s(200)),
            _ => {}
        }
    }

    fn pause(&mut self) -> u64 {
        match self.random.below(3) {
            0 => self.random.between(s(1), s(30)),
            1 => self.random.between(s(30), s(180)),
            _ => self.random.between(s(180), s(1800)),
        }
    }

    fn suspend(&mut self, machine: usize) {
        let m = &self.machines[machine];
        // The notice is waited for; a program that stalls cannot hear it, and the system does not sleep without it.
        if m.lease.is_none() || m.stalled_until > self.t || m.suspended_until > self.t {
            return;
        }
        self.tell(machine, Input::Suspending);
        let until = self.t + self.pause();
        self.note(machine, |sim| {
            format!("sleeps for {} s", (until - sim.t) / SECOND)
        });
        self.machines[machine].suspended_until = until;
        let latency = self.random.between(0, 1_500_000);
        self.machines[machine].stalled_until = until + latency;
        let at = until + latency;
        self.push(until, Event::Awake { machine });
        self.push(at, Event::Woke { machine });
    }

    fn crash(&mut self, machine: usize, is_whole: bool) {
        if self.machines[machine].lease.is_none() || self.machines[machine].suspended_until > self.t
        {
            return;
        }
        if !self.scene.users
            && (self.crashed_at.is_some() || self.machines.iter().any(|m| m.lease.is_none()))
        {
            return;
        }
        let now = self.now(machine);
        let was_owner = self.machines[machine]
            .lease
            .as_ref()
            .is_some_and(|lease| lease.may_run(now));
        let others = self.machines.iter().filter(|m| m.lease.is_some()).count() > 1;
        if is_whole && was_owner && others && !self.scene.pauses && !self.scene.users {
            self.crashed_at = Some(self.t);
        }
        self.note(machine, |_| format!("crashes, whole: {is_whole}"));
        let m = &mut self.machines[machine];
        m.lease = None;
        m.incarnation += 1;
        m.tick += 1;
        m.stalled_until = 0;
        if is_whole {
            m.n_kids = 0;
            m.kids += 1;
            m.is_frozen = false;
            m.armed = None;
            m.sitter += 1;
            m.sight = None;
            m.keepsake = None;
            m.n_boots += 1;
        } else if m.is_frozen {
            // The sitter does not leave frozen children to nobody.
            m.n_kids = 0;
            m.kids += 1;
            m.is_frozen = false;
        }
        // Whoever comes soon after a program that died goes on with its tenure.
        let is_soon = !is_whole && self.random.one_in(2);
        let at = self.t
            + if is_soon {
                self.random.between(50_000, s(50))
            } else if self.scene.users {
                self.random.between(s(5), s(600))
            } else {
                self.random.between(s(200), s(600))
            };
        self.push(at, Event::Restart { machine });
    }

    // --- time --------------------------------------------------------------------------------------------------------------

    /// Sets the program's alarm. As long as nothing has changed in the folder since its last look, the looks in between
    /// would show the same, and are left out.
    fn schedule(&mut self, machine: usize) {
        let m = &self.machines[machine];
        let Some(lease) = &m.lease else { return };
        let is_current = m.looked == self.server.version && m.cache == 0;
        let next = if is_current {
            let patience = m.now(self.t).boot.plus(Duration::from_secs(20));
            Some(
                lease
                    .next_but_looks()
                    .map_or(patience, |next| next.min(patience)),
            )
        } else if m.looked == self.server.version {
            // A cached view may hide something: look again when it has expired.
            let patience = m
                .now(self.t + m.cache.min(s(20)))
                .boot
                .plus(Duration::from_secs(1));
            Some(
                lease
                    .next_but_looks()
                    .map_or(patience, |next| next.min(patience)),
            )
        } else {
            lease.next_deadline()
        };
        let Some(next) = next else { return };
        let at = m.true_time(next).max(self.t + 1);
        let m = &mut self.machines[machine];
        m.is_lazy = m.looked == self.server.version;
        m.tick += 1;
        let generation = m.tick;
        self.push(
            at,
            Event::Tick {
                machine,
                generation,
            },
        );
    }

    /// Something changed in the folder: whoever left out looks takes them up again.
    fn rouse(&mut self) {
        for machine in 0..N {
            if !self.machines[machine].is_lazy {
                continue;
            }
            self.machines[machine].is_lazy = false;
            let at = self.t + self.random.between(1, s(2));
            let m = &mut self.machines[machine];
            m.tick += 1;
            let generation = m.tick;
            self.push(
                at,
                Event::Tick {
                    machine,
                    generation,
                },
            );
        }
    }
}

impl Machine {
    fn now(&self, t: u64) -> Now {
        let drift = i128::from(t) * i128::from(self.ppm) / 1_000_000;
        let boot = i128::from(t) + drift + i128::from(self.offset);
        Now {
            boot: Moment(u64::try_from(boot).unwrap_or(0)),
            wall: Timestamp(t as i64 + self.wall),
        }
    }

    /// When this machine's clock will show a moment, or a little later.
    fn true_time(&self, moment: Moment) -> u64 {
        let passed = moment.0.saturating_sub(self.offset);
        let t = u128::from(passed) * 1_000_000 / u128::from((1_000_000 + self.ppm) as u64);
        t as u64 + 2
    }
}

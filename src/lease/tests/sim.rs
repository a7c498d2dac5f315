//! Days of simulated time with every fault, by seed: whole leases, their sitters and children, clocks that differ, and
//! one file server with caches in front of it. A seed replays bit for bit.

mod alarm;
mod children;
mod machine;
mod random;
mod server;
mod trouble;

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

use machine::Machine;
use random::Random;
use server::{Server, Snap};

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

    // --- children and sitters ------------------------------------------------------------------------------------------

    // --- users and faults ------------------------------------------------------------------------------------------------

    // --- time --------------------------------------------------------------------------------------------------------------
}

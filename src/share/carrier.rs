//! The thread that touches one workspace's shared folder, and waits when the server does not answer.
//!
//! It knows no order of things: errands come one after the other, and each brings one piece of news.
//! When the server hangs, this thread hangs with it, and nobody else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{fmt, io};

use crate::lease::{Fault, Folder, Hydrated, MachineId, Now, Op, Reply, Ticket};

use super::self_test::{Measured, self_test};
use super::shared::SharedFolder;
use super::snapshot::{LedgerSide, Rows};
use super::table::TableReader;

/// What the thread is asked to do.
#[derive(Clone, Debug)]
pub enum Errand {
    /// One operation of the protocol.
    Carry {
        /// To be given back.
        ticket: Ticket,
        /// What.
        op: Op,
    },
    /// Take over what another machine has published since the last time.
    Watch,
    /// Test what the folder can be trusted with.
    Test,
    /// Take a workspace over from Data Engine 0.5, and put its bundle aside under this name.
    TakeOverBundle {
        /// A folder's name in `stale/`.
        aside: String,
    },
}

/// What came of an errand.
#[derive(Debug)]
pub enum News {
    /// Of [`Errand::Carry`].
    Replied {
        /// Which.
        ticket: Ticket,
        /// With what.
        reply: Reply,
    },
    /// Of [`Errand::Watch`].
    Watched(Result<Hydrated, Fault>),
    /// Of [`Errand::Test`].
    Tested {
        /// What the folder can be trusted with.
        folder: Folder,
        /// What was found; `None` when it could not be tested.
        measured: Option<Box<Measured>>,
    },
    /// Of [`Errand::TakeOverBundle`].
    TookOver(Result<Rows, Fault>),
}

/// The thread of one workspace. Dropping it lets the thread end after the errand under way, however
/// long that takes; nobody waits for it.
pub struct Carrier {
    errands: Sender<Errand>,
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carrier")
    }
}

/// What a carrier works with.
pub struct Tools {
    /// The workspace's folder.
    pub workspace: PathBuf,
    /// This machine.
    pub machine: MachineId,
    /// Reads tables of others.
    pub reader: TableReader,
    /// The workspace's ledger.
    pub ledger: Box<dyn LedgerSide + Send>,
    /// The time, for the self-test.
    pub now: Box<dyn Fn() -> Now + Send>,
    /// Takes the news, on the thread, and must not wait.
    pub tell: Box<dyn FnMut(News) + Send>,
}

impl Carrier {
    /// Starts the thread. Nothing is touched before the first errand.
    pub fn start(tools: Tools) -> io::Result<Self> {
        // No bound: the protocol has one operation under way at a time, and looks are seconds apart.
        let (errands, inbox) = channel();
        let name = tools.workspace.file_name().unwrap_or_default();
        std::thread::Builder::new()
            .name(format!("share {}", name.to_string_lossy()))
            .spawn(move || work(tools, &inbox))?;
        Ok(Self { errands })
    }

    /// Asks for an errand; never waits. False when the thread is gone.
    pub fn send(&self, errand: Errand) -> bool {
        self.errands.send(errand).is_ok()
    }
}

fn work(mut tools: Tools, inbox: &Receiver<Errand>) {
    let mut shared: Option<SharedFolder> = None;
    while let Ok(errand) = inbox.recv() {
        let ticket = match &errand {
            Errand::Carry { ticket, .. } => Some(*ticket),
            _ => None,
        };
        let done = catch_unwind(AssertUnwindSafe(|| run(&mut tools, &mut shared, errand)));
        let news = done.unwrap_or_else(|_| {
            // An error of Handmill, told by the panic itself. What was held is begun anew.
            shared = None;
            let fault = Fault::Unknown("Handmill made an error in the shared folder".to_owned());
            match ticket {
                Some(ticket) => News::Replied {
                    ticket,
                    reply: Reply::Failed(fault),
                },
                None => News::Watched(Err(fault)),
            }
        });
        (tools.tell)(news);
    }
}

fn run(tools: &mut Tools, shared: &mut Option<SharedFolder>, errand: Errand) -> News {
    if let Errand::Test = errand {
        let (folder, measured) = self_test(&tools.workspace, &tools.machine, &*tools.now);
        return News::Tested {
            folder,
            measured: measured.map(Box::new),
        };
    }
    let opened = match shared {
        Some(shared) => Ok(shared),
        None => {
            let (machine, reader) = (tools.machine.clone(), tools.reader.clone());
            SharedFolder::open(&tools.workspace, machine, reader).map(|open| shared.insert(open))
        }
    };
    let ledger = &mut *tools.ledger;
    match errand {
        Errand::Carry { ticket, op } => News::Replied {
            ticket,
            reply: opened.map_or_else(Reply::Failed, |shared| shared.carry(&op, ledger)),
        },
        Errand::Watch => News::Watched(opened.and_then(|shared| shared.watch(ledger))),
        Errand::TakeOverBundle { aside } => {
            News::TookOver(opened.and_then(|shared| shared.take_over_bundle(&aside)))
        }
        Errand::Test => unreachable!("answered above"),
    }
}

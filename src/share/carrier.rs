//! The thread that touches one workspace's shared folder, and waits when the server does not answer.
//!
//! It knows no order of things: errands come one after the other, and each brings one piece of news.
//! When the server hangs, this thread hangs with it, and nobody else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{fmt, io};

use crate::lease::{Fault, Folder, Hydrated, MachineId, Now, Op, Reply, Ticket};

use super::import::Imported;
use super::self_test::{Measured, self_test};
use super::shared::SharedFolder;
use super::snapshot::LedgerSide;
use super::table::TableReader;

/// What the thread is asked to do.
#[derive(Clone, Debug)]
pub enum Errand {
    /// One operation of the protocol.
    Carry {
        /// To be given back.
        ticket: Ticket,
        /// What.
        op: Box<Op>,
    },
    /// Take over what another machine has published since the last time.
    Watch,
    /// Test what the folder can be trusted with.
    Test,
    /// Take a workspace over from Data Engine 0.5.
    Import,
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
    /// Of [`Errand::Import`]; why not, as a sentence.
    Imported(Result<Imported, String>),
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
        let is_import = matches!(errand, Errand::Import);
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
                None if is_import => News::Imported(Err(format!("{fault}."))),
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
        Errand::Import => News::Imported(match opened {
            Ok(shared) => shared.import(ledger, (tools.now)().wall),
            Err(why) => Err(format!("The workspace folder cannot be used: {why}.")),
        }),
        Errand::Test => unreachable!("answered above"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::super::snapshot::{Adoption, Rows, Wanted};
    use super::*;
    use crate::lease::{Moment, Token};
    use crate::model::Timestamp;

    /// Waits, or panics, when it is to take rows over.
    struct Ledger {
        hold: Option<Receiver<()>>,
    }

    impl LedgerSide for Ledger {
        fn rows(&mut self, _: Wanted) -> Result<Rows, String> {
            Ok(Rows::default())
        }

        fn adopt(&mut self, _: Rows, _: Option<&str>, _: Adoption) -> Result<(), String> {
            match &self.hold {
                Some(hold) => {
                    hold.recv().ok();
                    Ok(())
                }
                None => panic!("an error of Handmill"),
            }
        }
    }

    fn start(hold: Option<Receiver<()>>) -> (tempfile::TempDir, Carrier, Receiver<News>) {
        let dir = tempfile::tempdir().expect("temp dir");
        let (tell, news) = channel();
        let tools = Tools {
            workspace: dir.path().to_owned(),
            machine: MachineId("a".to_owned()),
            reader: TableReader::in_place(),
            ledger: Box::new(Ledger { hold }),
            now: Box::new(|| Now {
                boot: Moment(0),
                wall: Timestamp(0),
            }),
            tell: Box::new(move |one| {
                tell.send(one).ok();
            }),
        };
        (dir, Carrier::start(tools).expect("starts"), news)
    }

    fn carry(n: u64, op: Op) -> Errand {
        Errand::Carry {
            ticket: Ticket(n),
            op: Box::new(op),
        }
    }

    fn replied(news: &Receiver<News>) -> (u64, Reply) {
        match news.recv_timeout(Duration::from_secs(60)).expect("news") {
            News::Replied { ticket, reply } => (ticket.0, reply),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errands_are_answered_in_their_order() {
        let (_dir, carrier, news) = start(None);
        assert!(carrier.send(carry(1, Op::Touch { token: Token(1) })));
        assert!(carrier.send(carry(2, Op::ReadRow)));
        assert!(carrier.send(Errand::Test));
        assert_eq!(replied(&news), (1, Reply::Done));
        assert_eq!(
            replied(&news),
            (2, Reply::Row(crate::lease::RowSeen::Absent))
        );
        let tested = news.recv_timeout(Duration::from_secs(60)).expect("news");
        assert!(
            matches!(
                &tested,
                News::Tested {
                    folder: Folder::Exclusive { .. },
                    measured: Some(_)
                }
            ),
            "{tested:?}"
        );
    }

    #[test]
    fn an_error_of_handmill_fails_one_errand_and_the_next_is_carried_out() {
        let (_dir, carrier, news) = start(None);
        assert!(carrier.send(carry(1, Op::Hydrate)));
        assert!(carrier.send(carry(2, Op::Touch { token: Token(1) })));
        let (ticket, reply) = replied(&news);
        assert_eq!(ticket, 1);
        assert!(
            matches!(reply, Reply::Failed(Fault::Unknown(_))),
            "{reply:?}"
        );
        assert_eq!(replied(&news), (2, Reply::Done));
    }

    #[test]
    fn a_folder_that_hangs_holds_up_neither_the_sender_nor_the_end() {
        let (release, hold) = channel();
        let (_dir, carrier, news) = start(Some(hold));
        for n in 0..100 {
            assert!(carrier.send(carry(n, Op::Hydrate)), "sending does not wait");
        }
        drop(carrier);
        assert!(
            news.try_recv().is_err(),
            "the first errand is still under way"
        );
        drop(release);
        assert_eq!(replied(&news).0, 0);
    }
}

//! The thread that touches the disk for open documents, so that the window never does.
//!
//! Jobs are done one after the other, in the order sent. Each gives exactly one result, also when
//! it breaks; the wake callback is called after it. Unaware of documents: whoever sent the job knows
//! by the ticket whose it was.

mod desk;
mod own;
mod task;

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::store::Home;

use self::desk::Desk;
use self::own::OwnSaves;

pub use self::task::{Found, Onto, Opened, Outcome, Task, Trouble, Unopened};

/// Something to do with a file.
#[derive(Clone, Debug)]
pub struct Job {
    /// Comes back with the result.
    pub ticket: u64,
    /// What to do.
    pub task: Task,
}

/// What came of a job.
#[derive(Debug)]
pub struct Done {
    /// Of the job.
    pub ticket: u64,
    /// What came of it.
    pub outcome: Outcome,
}

/// The saver thread. Dropping it waits until every job sent is done: no edit is lost at a quit.
#[derive(Debug)]
pub struct Saver {
    // Unbounded: each job answers something a person did, and holds only shared pointers.
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
}

impl Saver {
    /// Starts the thread. `wake` is called on it after each result and should only pass on.
    /// Workfiles below `trusted_root` (the example that came with the program) run without a question.
    pub fn start(
        home: Home,
        trusted_root: Option<PathBuf>,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, inbox) = channel::<Job>();
        let (outbox, done) = channel();
        let work = move || {
            let trusted_root = trusted_root.and_then(|root| root.canonicalize().ok());
            let mut desk = Desk {
                home,
                trusted_root,
                own: OwnSaves::default(),
                n_saves: 0,
            };
            for Job { ticket, task } in inbox {
                let outcome = desk.perform(task);
                if outbox.send(Done { ticket, outcome }).is_ok() {
                    wake();
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("saver".to_owned())
            .spawn(work)?;
        Ok(Self {
            jobs: Some(jobs),
            done,
            thread: Some(thread),
        })
    }

    /// Hands a job over.
    pub fn send(&self, ticket: u64, task: Task) {
        if let Some(jobs) = &self.jobs {
            // Fails only when the thread is gone, which no job can bring about.
            jobs.send(Job { ticket, task }).ok();
        }
    }

    /// What has come since the last call.
    pub fn drain(&self) -> impl Iterator<Item = Done> + '_ {
        self.done.try_iter()
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

#[cfg(test)]
mod tests;

//! Writes and reads, in their order, what the Handmills of this machine leave each other about control.
//!
//! One thread for all workspaces: it touches this machine's own disk only. The order matters: a keepsake is forgotten
//! before a release is done, and everything is written before the lock is let go.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use crate::model::WorkspaceId;
use crate::store::{self, ControlLock, ControlText, Home};

/// What is to be done.
pub enum Task {
    /// Leave a text.
    Write(ControlText, Vec<u8>),
    /// Take a text away.
    Forget(ControlText),
    /// Take the keepsake away and say so.
    ForgetTenure,
    /// Read what the keeper shows.
    ReadBoard,
    /// Take the wishes of guests.
    TakeWishes,
    /// Leave a wish for the keeper.
    Wish(Vec<u8>),
    /// This process follows what another keeps, or no longer.
    Follow(bool),
    /// Whether others follow what we keep.
    AskGuests,
    /// Let another process keep control.
    LetGo(ControlLock),
}

/// What came of it.
pub enum Done {
    /// Of [`Task::ForgetTenure`].
    Forgotten,
    /// Of [`Task::ReadBoard`].
    Board(Option<Vec<u8>>),
    /// Of [`Task::TakeWishes`].
    Wishes(Vec<Vec<u8>>),
    /// Of [`Task::AskGuests`].
    HasGuests(bool),
    /// Something could not be written; a fragment.
    Failed(String),
}

/// The clerk's end that takes tasks.
pub struct Clerk {
    tasks: Option<Sender<(WorkspaceId, u64, Task)>>,
    thread: Option<JoinHandle<()>>,
}

impl Clerk {
    /// Starts the thread; `tell` is given the workspace, the number that came with the task, and what came of it.
    pub fn start(
        home: Home,
        tell: impl Fn(WorkspaceId, u64, Done) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (tasks, inbox) = channel::<(WorkspaceId, u64, Task)>();
        let thread = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || {
                for (workspace, n, task) in inbox {
                    if let Some(done) = work(&home, &workspace, task) {
                        tell(workspace, n, done);
                    }
                }
            })?;
        Ok(Self {
            tasks: Some(tasks),
            thread: Some(thread),
        })
    }

    /// Hands over a task; never waits.
    pub fn give(&self, workspace: &WorkspaceId, n: u64, task: Task) {
        if let Some(tasks) = &self.tasks {
            // It ends with us only.
            tasks.send((workspace.clone(), n, task)).ok();
        }
    }

    /// Waits until everything is done. For the end of the process.
    pub fn finish(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn work(home: &Home, workspace: &WorkspaceId, task: Task) -> Option<Done> {
    let done = match task {
        Task::Write(text, bytes) => store::write_control(home, workspace, text, &bytes),
        Task::Forget(text) => store::forget_control(home, workspace, text),
        Task::ForgetTenure => match store::forget_control(home, workspace, ControlText::Tenure) {
            Ok(()) => return Some(Done::Forgotten),
            failed => failed,
        },
        Task::ReadBoard => {
            let text = store::read_control(home, workspace, ControlText::Board);
            return Some(Done::Board(text));
        }
        Task::TakeWishes => match store::take_wishes(home, workspace) {
            Ok(wishes) if wishes.is_empty() => return None,
            Ok(wishes) => return Some(Done::Wishes(wishes)),
            Err(why) => Err(why),
        },
        Task::Wish(bytes) => store::leave_wish(home, workspace, &bytes),
        Task::Follow(true) => store::join_guests(home, workspace),
        Task::Follow(false) => store::leave_guests(home, workspace),
        Task::AskGuests => return Some(Done::HasGuests(store::has_guests(home, workspace))),
        Task::LetGo(lock) => {
            drop(lock);
            return None;
        }
    };
    done.err().map(|why| Done::Failed(why.to_string()))
}

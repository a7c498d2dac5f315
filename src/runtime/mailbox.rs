//! Mail for the dispatcher, and who carries it: its own thread, or the thread that brought it.
//!
//! A thread that has just seen a process end has nothing else to do, so it carries its report
//! itself when the dispatcher is free, and goes straight on to the next process. Measured on two
//! cores: a hand-over between threads costs 49 µs, and a node had two of them (0.87 ms for the bare
//! process). Whoever may not wait (the window, the command line) only leaves its mail here.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Instant;

use super::clock;
use super::dispatcher::Dispatcher;
use super::incoming::Incoming;

/// When the dispatcher wants to work again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// When mail comes.
    Mail,
    /// At this time, or when mail comes.
    At(Instant),
    /// Never: it has ended.
    Over,
}

/// The end that takes mail. Cheap to clone.
#[derive(Clone)]
pub struct Inbox(Arc<Mailbox>);

struct Mailbox {
    mail: Mutex<Mail>,
    /// The dispatcher's own thread has something to do.
    came: Condvar,
    /// Empty before the start and after the end. Held while the dispatcher works: never for long,
    /// because it waits for nothing.
    dispatcher: Mutex<Option<Dispatcher>>,
}

struct Mail {
    waiting: VecDeque<Incoming>,
    /// Mail lies here that nobody but the dispatcher's thread will take.
    ring: bool,
    next: Next,
}

/// A poisoned lock means that the dispatcher panicked; its state is as it was between two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inbox {
    /// A mailbox without a dispatcher: mail waits until [`Inbox::work`].
    pub fn new() -> Self {
        Self(Arc::new(Mailbox {
            mail: Mutex::new(Mail {
                waiting: VecDeque::new(),
                ring: false,
                next: Next::Mail,
            }),
            came: Condvar::new(),
            dispatcher: Mutex::new(None),
        }))
    }

    /// Leaves mail for the dispatcher's thread. Waits for nothing; after the end it does nothing.
    pub fn send(&self, message: Incoming) {
        let mut mail = lock(&self.0.mail);
        if mail.next == Next::Over {
            return;
        }
        mail.waiting.push_back(message);
        mail.ring = true;
        drop(mail);
        self.0.came.notify_one();
    }

    /// Brings mail and has the dispatcher work on it here, unless it is at work already: then the
    /// thread that it works on takes this too, because it looks again before it leaves.
    pub fn carry(&self, message: Incoming) {
        lock(&self.0.mail).waiting.push_back(message);
        loop {
            let mut dispatcher = match self.0.dispatcher.try_lock() {
                Ok(free) => free,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            let Some(working) = dispatcher.as_mut() else {
                return;
            };
            let next = self.turn(working);
            // Noted before another thread may work: an older answer must not replace a newer one.
            let mut mail = lock(&self.0.mail);
            drop(dispatcher);
            let sooner = match (mail.next, next) {
                (Next::At(then), Next::At(now)) => now < then,
                (then, now) => then != now,
            };
            // Its own thread closes it, and until then there may be something to tell.
            if next != Next::Over {
                mail.next = next;
            }
            if sooner {
                // The dispatcher's thread sleeps too long for what is due now.
                mail.ring = true;
                self.0.came.notify_one();
            }
            if mail.waiting.is_empty() {
                return;
            }
        }
    }

    /// Works through everything that lies here.
    fn turn(&self, dispatcher: &mut Dispatcher) -> Next {
        loop {
            let batch = std::mem::take(&mut lock(&self.0.mail).waiting);
            let next = dispatcher.work(batch.into_iter());
            if lock(&self.0.mail).waiting.is_empty() {
                return next;
            }
        }
    }

    /// The dispatcher's own thread, from its start to its end.
    pub fn work(&self, dispatcher: Dispatcher) {
        *lock(&self.0.dispatcher) = Some(dispatcher);
        loop {
            let mut place = lock(&self.0.dispatcher);
            let next = place
                .as_mut()
                .map_or(Next::Over, |dispatcher| self.turn(dispatcher));
            let ended = if next == Next::Over {
                place.take()
            } else {
                None
            };
            let mut mail = lock(&self.0.mail);
            if ended.is_none() {
                mail.next = next;
            }
            drop(place);
            if let Some(mut dispatcher) = ended {
                // Mail is taken until it has closed: what that brings about is told.
                drop(mail);
                dispatcher.close();
                let mut mail = lock(&self.0.mail);
                mail.next = Next::Over;
                let rest = std::mem::take(&mut mail.waiting);
                drop(mail);
                dispatcher.last_words(rest.into_iter());
                return;
            }
            while !mail.ring && (mail.waiting.is_empty()) {
                mail = match mail.next {
                    Next::At(at) => {
                        let wait = at.saturating_duration_since(clock::instant());
                        if wait.is_zero() {
                            break;
                        }
                        match self.0.came.wait_timeout(mail, wait) {
                            Ok((mail, _)) => mail,
                            Err(poisoned) => poisoned.into_inner().0,
                        }
                    }
                    _ => self
                        .0
                        .came
                        .wait(mail)
                        .unwrap_or_else(PoisonError::into_inner),
                };
            }
            mail.ring = false;
        }
    }
}

//! Work beside the window's thread: one piece at a time, its result taken by a later frame.
//!
//! What a large flow costs to lay out or to draw is felt when the window waits for it. Unaware of what
//! is worked out. There is a thread while there is work, and none at rest.

use std::sync::mpsc::{Receiver, TryRecvError, channel};

use egui::Context;

/// A piece of work of one kind, at most one at a time.
pub struct Aside<T> {
    coming: Option<Receiver<T>>,
}

impl<T> Default for Aside<T> {
    fn default() -> Self {
        Self { coming: None }
    }
}

impl<T: Send + 'static> Aside<T> {
    /// True while something is being worked out.
    pub fn is_busy(&self) -> bool {
        self.coming.is_some()
    }

    /// Works something out and asks for a frame when it is there. What was asked for before is not
    /// waited for any more.
    pub fn begin(&mut self, ctx: &Context, name: &str, work: impl FnOnce() -> T + Send + 'static) {
        let (sender, coming) = channel();
        let ctx = ctx.clone();
        let thread = std::thread::Builder::new().name(name.to_owned());
        let spawned = thread.spawn(move || {
            // The canvas may be gone by now; then nobody waits for it.
            drop(sender.send(work()));
            ctx.request_repaint();
        });
        // Without a thread the sender is gone, and the next frame tries again.
        drop(spawned);
        self.coming = Some(coming);
    }

    /// What was worked out, once.
    pub fn take(&mut self) -> Option<T> {
        match self.coming.as_ref()?.try_recv() {
            Ok(done) => {
                self.coming = None;
                Some(done)
            }
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.coming = None;
                None
            }
        }
    }
}

/// Frees a large thing elsewhere: a hundred thousand small ones take their time.
pub fn let_go<T: Send + 'static>(thing: T) {
    let thread = std::thread::Builder::new().name("handmill-free".to_owned());
    drop(thread.spawn(move || drop(thing)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn wait<T: Send + 'static>(aside: &mut Aside<T>) -> Option<T> {
        let limit = Instant::now() + Duration::from_secs(60);
        loop {
            let done = aside.take();
            if done.is_some() || !aside.is_busy() {
                return done;
            }
            assert!(Instant::now() < limit, "nothing came");
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_was_worked_out_comes_once_and_a_later_piece_replaces_an_earlier() {
        let ctx = Context::default();
        let mut aside = Aside::default();
        aside.begin(&ctx, "test", || 1);
        aside.begin(&ctx, "test", || 2);
        assert_eq!(wait(&mut aside), Some(2));
        assert_eq!(aside.take(), None);
    }

    #[test]
    fn work_that_ends_badly_leaves_room_for_the_next() {
        let ctx = Context::default();
        let mut aside: Aside<u32> = Aside::default();
        let (gone, never) = channel::<u32>();
        drop(gone);
        aside.coming = Some(never);
        assert_eq!(wait(&mut aside), None);
        aside.begin(&ctx, "test", || 3);
        assert_eq!(wait(&mut aside), Some(3));
    }
}

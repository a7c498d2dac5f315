//! The writing end of a socket: whoever sends never waits for whoever reads.
//!
//! What the socket takes at once goes out on the sender's own thread, which saves a hand-over per
//! node; the rest waits for a thread of its own. Unbounded for the reason the dispatcher's mail is:
//! what is sent here is bounded by the nodes that run.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rustix::net::SendFlags;

use super::super::launcher::lock;

/// Cheap to clone.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    stream: UnixStream,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// The thread is at work on bytes it took.
    writing: bool,
    started: bool,
    closed: bool,
}

impl Outbox {
    /// Writes to this socket.
    pub fn new(stream: UnixStream) -> Self {
        Self(Arc::new(Inner {
            stream,
            waiting: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    /// Sends a frame. After the other end is gone it does nothing.
    pub fn send(&self, frame: &[u8]) {
        let mut waiting = lock(&self.0.waiting);
        if waiting.closed {
            return;
        }
        let mut rest = frame;
        if waiting.bytes.is_empty() && !waiting.writing {
            match rustix::net::send(&self.0.stream, frame, flags()) {
                Ok(n) => rest = &frame[n..],
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(_) => {
                    waiting.closed = true;
                    return;
                }
            }
        }
        if rest.is_empty() {
            return;
        }
        waiting.bytes.extend_from_slice(rest);
        if !waiting.started {
            waiting.started = true;
            let inner = Arc::clone(&self.0);
            let thread = std::thread::Builder::new().name("sitter mail".to_owned());
            if thread.spawn(move || inner.work()).is_err() {
                // Half a frame was sent: the other end must not read on.
                waiting.closed = true;
                self.0.stream.shutdown(std::net::Shutdown::Both).ok();
            }
        }
        drop(waiting);
        self.0.changed.notify_one();
    }

    /// Sends nothing any more, and ends the connection for whoever reads it.
    pub fn close(&self) {
        lock(&self.0.waiting).closed = true;
        self.0.changed.notify_one();
        self.0.stream.shutdown(std::net::Shutdown::Both).ok();
    }

    /// Waits until everything was handed to the system; for goodbyes.
    pub fn flush(&self) {
        let waiting = lock(&self.0.waiting);
        let (waiting, _) = self
            .0
            .changed
            .wait_timeout_while(waiting, std::time::Duration::from_secs(2), |w| {
                !w.closed && (!w.bytes.is_empty() || w.writing)
            })
            .unwrap_or_else(PoisonError::into_inner);
        drop(waiting);
    }
}

/// Without waiting, and without a signal when nobody reads.
fn flags() -> SendFlags {
    #[cfg(target_os = "linux")]
    return SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    #[cfg(not(target_os = "linux"))]
    return SendFlags::DONTWAIT;
}

impl Inner {
    fn work(&self) {
        loop {
            let mut waiting = lock(&self.waiting);
            waiting.writing = false;
            self.changed.notify_all();
            let mut waiting = self
                .changed
                .wait_while(waiting, |w| w.bytes.is_empty() && !w.closed)
                .unwrap_or_else(PoisonError::into_inner);
            if waiting.closed {
                return;
            }
            let bytes = std::mem::take(&mut waiting.bytes);
            waiting.writing = true;
            drop(waiting);
            let written: io::Result<()> = (&self.stream).write_all(&bytes);
            if written.is_err() {
                let mut waiting = lock(&self.waiting);
                waiting.closed = true;
                waiting.writing = false;
                self.changed.notify_all();
                return;
            }
        }
    }
}

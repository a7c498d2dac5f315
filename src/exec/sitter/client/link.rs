//! The connection to a sitter, from its making to its end, on a thread of its own; and a sitter's start.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::book::Fate;
use super::sitter::Inner;
use crate::exec::sitter::message::{self, Ask, Tell};
use crate::exec::sitter::outbox::Outbox;
use crate::exec::{exits, log_files};
use crate::model::NodeRunId;

/// Longest wait for an answer: a sitter that does not answer counts as one that cannot be asked.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Tries to reach a sitter, each of which may meet one that is just ending.
const TRIES: u32 = 20;
const AGAIN_AFTER: Duration = Duration::from_millis(20);

/// How a sitter is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The binary, absolute.
    pub file: PathBuf,
    /// What makes it a sitter.
    pub args: &'static [&'static str],
    /// Set on top of the inherited environment.
    pub env: Vec<(OsString, OsString)>,
}

impl Program {
    /// Starts a sitter and waits until it listens, or has seen that there is one.
    fn start(&self) -> io::Result<()> {
        let mut child = Command::new(&self.file)
            .args(self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut ready = child.stdout.take();
        // It closes its output when it listens, or ends.
        let mut said = [0];
        let listens = match ready.as_mut() {
            Some(ready) => ready.read(&mut said).is_ok(),
            None => false,
        };
        // So that it is no zombie of ours when it ends.
        thread::Builder::new()
            .name("sitter's end".to_owned())
            .stack_size(64 * 1024)
            .spawn(move || child.wait())?;
        match listens {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Connects; when no sitter is there and `start` says so, starts one.
pub(super) fn connect_soon(inner: &Arc<Inner>, start: bool) {
    let (of_thread, thread) = (Arc::clone(inner), thread::Builder::new());
    let work = move || work(&of_thread, start);
    if let Err(err) = thread.name("sitter".to_owned()).spawn(work) {
        let why = err.to_string();
        inner.act(|state, out| state.book.not_connected(true, &why, out));
    }
}

fn work(inner: &Arc<Inner>, start: bool) {
    match connect(inner, start) {
        Ok((stream, outbox)) => converse(inner, stream, &outbox),
        Err(err) => inner.act(|state, out| {
            // Whoever waits for an answer has it: there is none.
            state.answers.clear();
            state.book.not_connected(start, &err.to_string(), out);
        }),
    }
}

fn connect(inner: &Inner, start: bool) -> io::Result<(UnixStream, Outbox)> {
    let mut last: io::Error = io::ErrorKind::NotFound.into();
    for n in 0..TRIES {
        match greet(inner) {
            Ok(connected) => return Ok(connected),
            Err(err) if !is_nobody(&err) => return Err(err),
            Err(err) => last = err,
        }
        if !start {
            return Err(last);
        }
        if n > 0 {
            thread::sleep(AGAIN_AFTER);
        }
        inner.program.start()?;
    }
    Err(last)
}

fn greet(inner: &Inner) -> io::Result<(UnixStream, Outbox)> {
    let mut stream = inner.place.connect()?;
    let outbox = Outbox::new(stream.try_clone()?);
    outbox.send(&message::frame(&hello(&inner.program.file)));
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    match message::read(&mut stream)? {
        Tell::Welcome { .. } => {}
        _ => return Err(io::ErrorKind::InvalidData.into()),
    }
    stream.set_read_timeout(None)?;
    Ok((stream, outbox))
}

/// Hears the sitter to its end, and looks through what it left.
fn converse(inner: &Arc<Inner>, mut stream: UnixStream, outbox: &Outbox) {
    let is_wanted = inner.act(|state, out| {
        state.outbox = Some(outbox.clone());
        state.book.connected(out)
    });
    if is_wanted {
        while let Ok(tell) = message::read::<Tell>(&mut stream) {
            hear(inner, tell);
        }
    }
    outbox.close();
    let held = inner.act(|state, _| {
        state.outbox = None;
        state.answers.clear();
        state.book.disconnected()
    });
    // Read without the lock: the runtime does not wait for the disk.
    let fates = fates(held);
    inner.act(|state, out| state.book.settle(fates, out));
}

fn hear(inner: &Arc<Inner>, tell: Tell) {
    match tell {
        Tell::Welcome { .. } => {}
        Tell::Report(report) => inner.report(report),
        Tell::Attached { ticket, .. }
        | Tell::Runs { ticket, .. }
        | Tell::Killing { ticket, .. } => {
            let waits = inner.act(|state, _| state.answers.remove(&ticket));
            if let Some(waits) = waits {
                // Whoever asked may have given up.
                waits.send(tell).ok();
            }
        }
    }
}

/// What the folders of their runs tell of attempts whose sitter is gone.
fn fates(held: Vec<(NodeRunId, PathBuf)>) -> Vec<(NodeRunId, Fate)> {
    let mut records: HashMap<PathBuf, Vec<exits::Ended>> = HashMap::new();
    let fate = |(id, dir): (NodeRunId, PathBuf)| {
        // When nobody can tell, it is not run twice.
        let began = log_files(&dir, &id).0.try_exists().unwrap_or(true);
        let ended = records.entry(dir).or_insert_with_key(|dir| {
            // One that cannot be read knows no end.
            let record = exits::read_exits(dir, &id.run);
            record.map(|record| record.ended).unwrap_or_default()
        });
        let fate = match ended.iter().find(|ended| ended.id == id) {
            Some(ended) => Fate::Ended(ended.at, ended.exit.clone()),
            None if began => Fate::Begun,
            None => Fate::NotBegun,
        };
        (id, fate)
    };
    held.into_iter().map(fate).collect()
}

/// Nobody listens at the other end: none was there, or it was just ending.
pub(super) fn is_nobody(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}

/// What a connection begins with; `program` carries runs on that lose their client, none when it is empty.
pub(super) fn hello(program: &Path) -> Ask {
    Ask::Hello {
        pid: std::process::id(),
        program: program.into(),
    }
}

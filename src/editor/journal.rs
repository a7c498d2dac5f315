//! The crash journal: every edit is on disk before anybody notices, until it is saved.
//!
//! A thread of its own appends what the window sends, so that neither a slow save nor a network folder that
//! hangs holds it up; journals lie in the machine-local home. What was appended survives a kill at once, and a
//! power cut after the sync that follows within [`SYNC_AFTER`], which another thread does. A journal holds the
//! base it began from, so that the edits can be replayed even when the file is another by then. Text that is
//! still being typed in a field goes there with each letter, as what the step would be if it ended now.

mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::graphml;
use crate::model::{Edit, Flow, Notice, Timestamp};
use crate::store::{Home, JournalFile, Left, StoreError, SyncHandle};

use super::difference;

use self::words::Entry;

/// The longest time that an edit is on its way to the disk itself.
pub const SYNC_AFTER: Duration = Duration::from_secs(2);

/// A journal that has grown beyond this, and beyond four times what it began with, is begun anew.
const GROWN_BYTES: u64 = 8 << 20;

/// Something to be kept in a journal, by the ticket of its document.
#[derive(Clone, Debug)]
pub enum Note {
    /// Begin a journal; one that this document had is replaced by it.
    Begin {
        /// Whose.
        ticket: u64,
        /// What it stands on.
        base: Base,
        /// What was done since.
        since: Since,
        /// What is being typed and is no step yet.
        typed: Option<Edit>,
        /// Steps that a person took in it.
        n_steps: usize,
        /// When.
        at: Timestamp,
    },
    /// Add to the journal.
    Edits {
        /// Whose.
        ticket: u64,
        /// What was done.
        edits: Vec<Edit>,
        /// What is being typed after that and is no step yet; it takes the place of what was said of that
        /// before.
        typed: Option<Edit>,
        /// When.
        at: Timestamp,
    },
    /// The edits are saved, or not wanted any more.
    End {
        /// Whose.
        ticket: u64,
    },
}

/// What was done since a base.
#[derive(Clone, Debug)]
pub enum Since {
    /// These edits, in order.
    Edits(Vec<Edit>),
    /// Whatever leads to this flow; worked out on the journal's thread.
    Flow(Arc<Flow>),
}

/// What the edits of a journal were made on.
#[derive(Clone, Debug)]
pub struct Base {
    /// The workfile; `None` while there is none.
    pub path: Option<PathBuf>,
    /// What a person calls the flow.
    pub title: String,
    /// What the file holds.
    pub flow: Arc<Flow>,
    /// BLAKE3 of the file; `None` while there is none.
    pub hash: Option<[u8; 32]>,
    /// A journal that a crash left, whose edits are in this one now.
    pub replaces: Option<PathBuf>,
}

/// Something the journal has to tell.
#[derive(Clone, Debug)]
pub enum News {
    /// Unsaved edits of this document are not kept: why. The next edit is to begin a new journal.
    Lost(u64, Notice),
    /// The journal of this document has grown long and is to be begun anew.
    Grown(u64),
}

/// The journal thread. Dropping it waits until everything sent is written.
#[derive(Debug)]
pub struct Journal {
    // Unbounded: each note is something a person did.
    inbox: Option<Sender<Mail>>,
    news: Receiver<News>,
    thread: Option<JoinHandle<()>>,
}

enum Mail {
    Note(Note),
    /// A sync failed: of whose journal, which one, and why.
    Unsynced(u64, u64, StoreError),
    Close,
}

impl Journal {
    /// Starts the threads. `wake` is called when there is news.
    pub fn start(home: Home, wake: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let (inbox, mail) = channel::<Mail>();
        let (outbox, news) = channel();
        let (syncs, to_sync) = channel::<(u64, u64, SyncHandle)>();
        let back = inbox.clone();
        let syncer = std::thread::Builder::new()
            .name("journal sync".to_owned())
            .spawn(move || {
                for (ticket, nth, handle) in to_sync {
                    if let Err(why) = handle.sync() {
                        // Fails only when the journal is closing, which tells nobody anything any more.
                        back.send(Mail::Unsynced(ticket, nth, why)).ok();
                    }
                }
            })?;
        let tell = move |one: News| {
            if outbox.send(one).is_ok() {
                wake();
            }
        };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                let mut scribe = Scribe {
                    home,
                    open: BTreeMap::new(),
                    n_begun: 0,
                    syncs: Some(syncs),
                    tell: Box::new(tell),
                };
                scribe.work(&mail);
                scribe.syncs = None;
                syncer.join().ok();
                // What the last syncs had to say.
                for late in mail.try_iter() {
                    scribe.unsynced(late);
                }
            })?;
        Ok(Self {
            inbox: Some(inbox),
            news,
            thread: Some(thread),
        })
    }

    /// Hands a note over.
    pub fn send(&self, note: Note) {
        if let Some(inbox) = &self.inbox {
            // Fails only when the thread is gone, which no note can bring about.
            inbox.send(Mail::Note(note)).ok();
        }
    }

    /// What has come since the last call.
    pub fn drain(&self) -> impl Iterator<Item = News> + '_ {
        self.news.try_iter()
    }
}

impl Journal {
    /// Waits until everything sent is written; nothing more is taken. Its news can still be drained.
    pub fn finish(&mut self) {
        if let Some(inbox) = self.inbox.take() {
            inbox.send(Mail::Close).ok();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.finish();
    }
}

struct Open {
    /// Which of all that this process began.
    nth: u64,
    file: JournalFile,
    /// Bytes with which it began.
    began_with: u64,
    /// It was told that it is long.
    told_grown: bool,
    /// Since when something in it is not synced.
    unsynced: Option<Timestamp>,
    /// It could not be written to: what is in it stays, nothing more is added.
    broken: bool,
}

struct Scribe {
    home: Home,
    open: BTreeMap<u64, Open>,
    n_begun: u64,
    syncs: Option<Sender<(u64, u64, SyncHandle)>>,
    tell: Box<dyn Fn(News) + Send>,
}

impl Scribe {
    fn work(&mut self, mail: &Receiver<Mail>) {
        let mut now = Timestamp(0);
        loop {
            let oldest = self.open.values().filter_map(|open| open.unsynced).min();
            let next = match oldest {
                None => mail.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(since) => mail.recv_timeout(SYNC_AFTER.saturating_sub(now.since(since))),
            };
            match next {
                Ok(Mail::Note(note)) => {
                    if let Note::Begin { at, .. } | Note::Edits { at, .. } = &note {
                        now = *at;
                    }
                    self.take(note);
                    // Also while notes keep coming faster than the wait.
                    self.sync_due(|since| now.since(since) >= SYNC_AFTER);
                }
                Ok(late @ Mail::Unsynced(..)) => self.unsynced(late),
                Err(RecvTimeoutError::Timeout) => self.sync_due(|_| true),
                Ok(Mail::Close) | Err(RecvTimeoutError::Disconnected) => {
                    self.sync_due(|_| true);
                    return;
                }
            }
        }
    }

    fn unsynced(&mut self, mail: Mail) {
        if let Mail::Unsynced(ticket, nth, why) = mail
            && self.open.get(&ticket).is_some_and(|open| open.nth == nth)
        {
            self.lost(ticket, &why);
        }
    }

    fn take(&mut self, note: Note) {
        match note {
            Note::Begin {
                ticket,
                base,
                since,
                typed,
                n_steps,
                at,
            } => {
                let entry = Entry {
                    at,
                    n_steps,
                    edits: match since {
                        Since::Edits(edits) => edits,
                        Since::Flow(flow) => vec![difference(&base.flow, &flow)],
                    },
                    typed,
                };
                match self.begin(ticket, &base, &entry) {
                    Ok(open) => {
                        if let Some(left) = &base.replaces
                            && let Err(why) = crate::store::remove_journal(left)
                        {
                            self.tell_lost(ticket, &why);
                        }
                        // The old one last: at no time is there none.
                        if let Some(old) = self.open.insert(ticket, open)
                            && let Err(why) = old.file.remove()
                        {
                            self.tell_lost(ticket, &why);
                        }
                    }
                    Err(why) => {
                        if let Some(open) = self.open.get_mut(&ticket) {
                            open.broken = true;
                        }
                        self.tell_lost(ticket, &why);
                    }
                }
            }
            Note::Edits {
                ticket,
                edits,
                typed,
                at,
            } => {
                let entry = Entry {
                    at,
                    n_steps: edits.len(),
                    edits,
                    typed,
                };
                let Some(open) = self.open.get_mut(&ticket).filter(|open| !open.broken) else {
                    return;
                };
                if let Err(why) = append(&mut open.file, &entry) {
                    return self.lost(ticket, &why);
                }
                open.unsynced.get_or_insert(at);
                let len = open.file.len();
                if len > GROWN_BYTES && len > open.began_with * 4 && !open.told_grown {
                    open.told_grown = true;
                    (self.tell)(News::Grown(ticket));
                }
            }
            Note::End { ticket } => {
                if let Some(open) = self.open.remove(&ticket)
                    && let Err(why) = open.file.remove()
                {
                    let what = format!("Failed to {why}");
                    let hint = "These edits are saved already; decline them at the next start.";
                    (self.tell)(News::Lost(ticket, Notice::error(what, hint)));
                }
            }
        }
    }

    fn begin(&mut self, ticket: u64, base: &Base, entry: &Entry) -> Result<Open, StoreError> {
        self.n_begun += 1;
        let (path, nth) = (base.path.as_deref(), self.n_begun);
        let old = self.open.get(&ticket).map(|open| open.file.path());
        let replaces: Vec<&Path> = old.into_iter().chain(base.replaces.as_deref()).collect();
        let mut file =
            JournalFile::begin(&self.home, nth, path, &base.title, base.hash, &replaces)?;
        // A flow that cannot be written as GraphML can still be restored on the file it stands on.
        let text = graphml::write(&base.flow, None).unwrap_or_default();
        let written = file.append(&text).and_then(|()| append(&mut file, entry));
        if let Err(why) = written {
            // Half of a journal beside a whole older one would only confuse.
            file.remove().ok();
            return Err(why);
        }
        Ok(Open {
            nth,
            began_with: file.len(),
            file,
            told_grown: false,
            unsynced: Some(entry.at),
            broken: false,
        })
    }

    fn sync_due(&mut self, is_due: impl Fn(Timestamp) -> bool) {
        let mut failed = Vec::new();
        for (ticket, open) in &mut self.open {
            if open.unsynced.is_none_or(|since| !is_due(since)) || open.broken {
                continue;
            }
            open.unsynced = None;
            match open.file.sync_handle() {
                // Fails only when that thread is gone; a kill is still survived then.
                Ok(handle) => {
                    if let Some(syncs) = &self.syncs {
                        syncs.send((*ticket, open.nth, handle)).ok();
                    }
                }
                Err(why) => failed.push((*ticket, why)),
            }
        }
        for (ticket, why) in failed {
            self.lost(ticket, &why);
        }
    }

    fn lost(&mut self, ticket: u64, why: &StoreError) {
        if let Some(open) = self.open.get_mut(&ticket) {
            open.broken = true;
            open.unsynced = None;
        }
        self.tell_lost(ticket, why);
    }

    fn tell_lost(&self, ticket: u64, why: &StoreError) {
        let what = format!("Unsaved edits would not survive a crash: failed to {why}");
        let hint = "Save, or make room; the next edit tries again.";
        (self.tell)(News::Lost(ticket, Notice::error(what, hint)));
    }
}

fn append(file: &mut JournalFile, entry: &Entry) -> Result<(), StoreError> {
    match entry.to_json() {
        Ok(json) => file.append(&json),
        Err(why) => Err(file.failed(why.into())),
    }
}

/// Edits that a crash left unsaved, replayed.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsaved {
    /// The journal they come from; removed when they are settled.
    pub file: PathBuf,
    /// What the flow was called.
    pub title: String,
    /// When the last of them was made.
    pub at: Timestamp,
    /// Steps that a person took.
    pub n_steps: usize,
    /// The last ones could not be read and are not in it.
    pub torn: bool,
    /// What they were made on.
    pub base: Arc<Flow>,
    /// What they led to.
    pub flow: Arc<Flow>,
}

/// Replays a left journal over what the file holds now; `None` when nothing in it is worth asking about.
pub(super) fn replay(left: Left, now: Option<(&Arc<Flow>, [u8; 32])>) -> Option<Unsaved> {
    let hex = |hash| blake3::Hash::from_bytes(hash).to_hex().to_string();
    let mut records = left.records.into_iter();
    let text = records.next()?;
    let is_same_file = now.is_some_and(|(_, hash)| left.header.base == Some(hex(hash)));
    let base = match now {
        Some((flow, _)) if is_same_file => flow.clone(),
        _ => Arc::new(graphml::read(&text).ok()?.flow),
    };
    let mut flow = (*base).clone();
    let (mut at, mut n_steps, mut torn) = (Timestamp(0), 0, left.torn);
    let mut typed = None;
    'records: for record in records {
        let Some(entry) = Entry::from_json(&record) else {
            torn = true;
            break;
        };
        for edit in entry.edits {
            if edit.apply(&mut flow).is_err() {
                torn = true;
                break 'records;
            }
        }
        at = entry.at;
        n_steps += entry.n_steps;
        typed = entry.typed;
    }
    // Of what was being typed only the last is meant, and only after the steps it was typed after.
    if let Some(edit) = typed
        && edit.apply(&mut flow).is_ok()
    {
        n_steps += 1;
    }
    // A flow whose file is gone is on no disk at all, edited or not.
    let nothing_new = match now {
        Some((held, _)) => **held == flow || flow == *base,
        None => flow == Flow::default(),
    };
    (!nothing_new).then(|| Unsaved {
        file: left.file,
        title: left.header.title,
        at,
        n_steps: n_steps.max(1),
        torn,
        base,
        flow: Arc::new(flow),
    })
}

#[cfg(test)]
mod tests;

//! How attempts of a run ended, in a file of its log folder, written by whoever waited for them.
//!
//! A line is written before the end is reported, so a kill -9 of everything at any moment loses no
//! end that somebody saw. It is not synced: after a power cut the ledger decides. The folder of a
//! run is a run's own, so two processes write here only one after the other; a torn last line is
//! what the kill left of an end that nobody had been told of.
//!
//! Unaware of what an end means for a run. Read by recovery and by whoever carries a run on.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::launcher::lock;
use crate::model::{Exit, NodeIdx, NodeRunId, RunId, Timestamp};

/// Beside the logs of a run.
const EXITS_FILE: &str = "exits";

/// Ends a whole line: of a torn one that somebody wrote on after, a number may be cut short.
const LINE_END: &str = " .\n";

/// Why a process was asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Why {
    /// It ran past its timeout.
    Timeout,
    /// A person stopped it.
    Stop,
    /// A person used the kill switch.
    Kill,
    /// The right to run this workspace ended.
    Control,
}

impl Why {
    const ALL: [Self; 4] = [Self::Timeout, Self::Stop, Self::Kill, Self::Control];

    fn word(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Stop => "stop",
            Self::Kill => "kill",
            Self::Control => "control",
        }
    }
}

/// One end of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// Which attempt.
    pub id: NodeRunId,
    /// When it was begun.
    pub began: Timestamp,
    /// When it had ended.
    pub at: Timestamp,
    /// How.
    pub exit: Exit,
    /// What it was asked to end for, when it was.
    pub asked: Option<Why>,
}

/// What the exit record of a run says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExitRecord {
    /// Ends, in the order they were seen.
    pub ended: Vec<Ended>,
    /// The run was asked to stop: nothing of it starts any more.
    pub stopping: Option<Timestamp>,
}

/// Exit records that are being written, by the folder of their run.
#[derive(Default)]
pub(super) struct ExitRecords(Mutex<HashMap<PathBuf, Pages>>);

#[derive(Default)]
struct Pages {
    file: Option<File>,
    /// Lines that the disk has refused so far.
    waiting: Vec<u8>,
}

impl ExitRecords {
    /// Writes one end. A disk that refuses delays the line: it is written with the next one. The end
    /// is reported all the same; the error is for telling, with the path.
    pub fn ended(&self, run_dir: &Path, ended: &Ended) -> Result<(), (PathBuf, io::Error)> {
        let mut all = lock(&self.0);
        if !all.contains_key(run_dir) {
            all.insert(run_dir.to_owned(), Pages::default());
        }
        let Some(pages) = all.get_mut(run_dir) else {
            return Ok(());
        };
        pages.waiting.extend_from_slice(line_of(ended).as_bytes());
        pages
            .write(run_dir)
            .map_err(|err| (run_dir.join(EXITS_FILE), err))
    }

    /// The run is over.
    pub fn close(&self, run_dir: &Path) {
        lock(&self.0).remove(run_dir);
    }
}

impl Pages {
    fn write(&mut self, run_dir: &Path) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => open(run_dir)?,
        };
        // Once: a write that was cut short is ended by `open` before it goes on.
        let n = file.write(&self.waiting)?;
        if n == self.waiting.len() {
            self.waiting.clear();
            self.file = Some(file);
            return Ok(());
        }
        // Lines that went out whole are not said twice.
        let whole = self.waiting[..n].iter().rposition(|byte| *byte == b'\n');
        self.waiting.drain(..whole.map_or(0, |at| at + 1));
        Err(io::ErrorKind::StorageFull.into())
    }
}

/// Notes that a run was asked to stop, so that nobody who carries it on starts more of it.
pub fn note_stopping(run_dir: &Path, at: Timestamp) -> io::Result<()> {
    let mut file = open(run_dir)?;
    file.write_all(format!("stopping {}{LINE_END}", at.0).as_bytes())
}

fn open(run_dir: &Path) -> io::Result<File> {
    let path = run_dir.join(EXITS_FILE);
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    let mut file = options.open(path)?;
    // Closes a line that an earlier writer could not finish; blank lines mean nothing.
    if file.metadata()?.len() > 0 {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

fn line_of(ended: &Ended) -> String {
    let Ended {
        id,
        began,
        at,
        exit,
        asked,
    } = ended;
    let asked = asked.map_or("-", Why::word);
    let mut line = format!(
        "ended {}.{}.{} {} {} {asked} ",
        id.node.0, id.pass, id.attempt, began.0, at.0
    );
    // Writing to a string cannot fail.
    let written = match exit {
        Exit::Code(code) => write!(line, "code {code}"),
        Exit::Signal(signal) => write!(line, "signal {signal}"),
        Exit::NotStarted(why) => {
            let why = why.replace(['\n', '\r'], " ");
            write!(line, "not-started {why}")
        }
        Exit::TimedOut | Exit::MaxPasses | Exit::Unknown => write!(line, "unknown"),
    };
    debug_assert!(written.is_ok());
    line.push_str(LINE_END);
    line
}

/// Reads the exit record of a run; empty when there is none. Lines that are torn or of a later release
/// are passed over. The error is a fragment: one that is there and cannot be read now must not
/// be taken for one that knows no end.
pub fn read_exits(run_dir: &Path, run: &RunId) -> Result<ExitRecord, String> {
    let path = run_dir.join(EXITS_FILE);
    let bytes = super::begun::read_if_there(&path)?;
    let mut record = ExitRecord::default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = line.strip_suffix(LINE_END.as_bytes()) else {
            continue;
        };
        let line = String::from_utf8_lossy(line);
        if let Some(at) = line.strip_prefix("stopping ") {
            record.stopping = at.parse().ok().map(Timestamp).or(record.stopping);
        } else if let Some(ended) = ended_of(run, &line) {
            record.ended.push(ended);
        }
    }
    Ok(record)
}

fn ended_of(run: &RunId, line: &str) -> Option<Ended> {
    let mut words = line.splitn(7, ' ');
    if words.next()? != "ended" {
        return None;
    }
    let mut place = words
        .next()?
        .split('.')
        .map(|part| part.parse::<u32>().ok());
    let id = NodeRunId {
        run: run.clone(),
        node: NodeIdx(place.next()??),
        pass: place.next()??,
        attempt: place.next()??,
    };
    let began = Timestamp(words.next()?.parse().ok()?);
    let at = Timestamp(words.next()?.parse().ok()?);
    let asked = words.next()?;
    let asked = Why::ALL.into_iter().find(|why| why.word() == asked);
    let kind = words.next()?;
    let rest = words.next().unwrap_or_default();
    let exit = match kind {
        "code" => Exit::Code(rest.parse().ok()?),
        "signal" => Exit::Signal(rest.parse().ok()?),
        "not-started" => Exit::NotStarted(rest.into()),
        _ => Exit::Unknown,
    };
    Some(Ended {
        id,
        began,
        at,
        exit,
        asked,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(run_dir: &Path, run: &RunId) -> ExitRecord {
        read_exits(run_dir, run).expect("readable")
    }

    fn ended(node: u32, exit: Exit, asked: Option<Why>) -> Ended {
        Ended {
            id: NodeRunId {
                run: "r".into(),
                node: NodeIdx(node),
                pass: 2,
                attempt: 3,
            },
            began: Timestamp(5),
            at: Timestamp(7),
            exit,
            asked,
        }
    }

    #[test]
    fn every_end_survives_its_line_and_a_torn_one_costs_only_itself() {
        let dir = tempfile::tempdir().expect("a folder");
        let run = RunId::from("r");
        assert_eq!(read(dir.path(), &run), ExitRecord::default());
        let all = [
            ended(0, Exit::Code(0), None),
            ended(1, Exit::Code(-1), Some(Why::Stop)),
            ended(2, Exit::Signal(9), Some(Why::Timeout)),
            ended(3, Exit::Signal(15), Some(Why::Control)),
            ended(4, Exit::NotStarted("no  such file".into()), None),
            ended(5, Exit::Unknown, None),
        ];
        let records = ExitRecords::default();
        for one in &all {
            records.ended(dir.path(), one).expect("written");
        }
        records.close(dir.path());
        assert_eq!(read(dir.path(), &run).ended, all);
        // Torn at every byte, and written on by somebody else.
        let path = dir.path().join(EXITS_FILE);
        let whole = fs::read(&path).expect("read");
        let last = line_of(&all[5]).len();
        for cut in whole.len() - last..whole.len() {
            fs::write(&path, &whole[..cut]).expect("written");
            assert_eq!(read(dir.path(), &run).ended, all[..5], "cut at {cut}");
            let again = ExitRecords::default();
            again.ended(dir.path(), &all[0]).expect("written");
            let read = read(dir.path(), &run).ended;
            assert_eq!(read.last(), Some(&all[0]), "cut at {cut}");
            assert_eq!(read[..5], all[..5], "cut at {cut}");
        }
        assert_eq!(read(dir.path(), &run).stopping, None);
        note_stopping(dir.path(), Timestamp(9)).expect("written");
        assert_eq!(read(dir.path(), &run).stopping, Some(Timestamp(9)));
    }

    #[test]
    fn an_end_that_the_disk_refused_is_written_with_the_next_one() {
        let dir = tempfile::tempdir().expect("a folder");
        let (folder, run) = (dir.path().join("r"), RunId::from("r"));
        let both = [ended(0, Exit::Code(0), None), ended(1, Exit::Code(1), None)];
        let records = ExitRecords::default();
        let (path, _) = records.ended(&folder, &both[0]).expect_err("no folder");
        assert_eq!(path, folder.join(EXITS_FILE));
        fs::create_dir(&folder).expect("made");
        records.ended(&folder, &both[1]).expect("written");
        assert_eq!(read(&folder, &run).ended, both);
    }
}

//! The end of a log, read for a screen: bounded by bytes and lines however long the log is.
//!
//! Reads files and may wait for a disk: the caller is a thread of its own, never the window.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lines::{Lines, PROBE_BYTES, binary_line, is_binary};
use crate::model::{LogLine, LogTail, NodeId, Stream, Timestamp};

/// Which part of a log had arrived when: bytes of the stream up to this offset were there at that
/// time. In order of arrival; made from the growth reports.
pub type IndexEntry = (Stream, u64, Timestamp);

/// Hands what a log holds from `offset` on to `sink`, piece by piece until it wants no more, and moves
/// `offset` along. A log that is not there has nothing.
pub fn read_from(
    path: &Path,
    offset: &mut u64,
    mut sink: impl FnMut(&[u8]) -> bool,
) -> io::Result<()> {
    let mut file = match File::open(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    file.seek(SeekFrom::Start(*offset))?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let n = file.read(&mut buffer)?;
        *offset += n as u64;
        if n == 0 || !sink(&buffer[..n]) {
            return Ok(());
        }
    }
}

/// True when there is a log file, empty or not, or nobody can tell: then reading it says why.
pub fn is_log(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(meta) => meta.is_file(),
        Err(err) => err.kind() != io::ErrorKind::NotFound,
    }
}

/// When a log was last written to; `None` when it is empty or not there.
pub fn last_write(path: &Path) -> Option<std::time::SystemTime> {
    let seen = std::fs::metadata(path).ok()?;
    (seen.len() > 0).then(|| seen.modified().ok())?
}

/// The newest lines of an attempt's two logs, at most this many lines and, of each log, bytes.
///
/// With an index the two are in order of arrival, as fine as the growth reports were; what arrived
/// after its last entry comes last. Without one standard output comes first, and both get room.
pub fn read_tail(
    out: &Path,
    err: &Path,
    index: &[IndexEntry],
    node: NodeId,
    max_bytes: u64,
    max_lines: usize,
) -> LogTail {
    let mut trouble = String::new();
    let mut read = |path: &Path| {
        read_end(path, max_bytes, max_lines).unwrap_or_else(|err| {
            // Not there yet is no trouble: the node has not started.
            if err.kind() != io::ErrorKind::NotFound {
                trouble = format!("log not readable ({err}): {}", path.display());
            }
            End::empty()
        })
    };
    let mut out = read(out);
    let mut err = read(err);
    out.arrange(index, Stream::Out);
    err.arrange(index, Stream::Err);
    let total_bytes = out.total + err.total;
    let lines = if index.is_empty() {
        let (keep_out, keep_err) = shares(out.lines.len(), err.lines.len(), max_lines);
        out.keep_last(keep_out);
        err.keep_last(keep_err);
        let mut lines = std::mem::take(&mut out.lines);
        lines.append(&mut err.lines);
        lines
    } else {
        merge(&mut out, &mut err, max_lines)
    };
    LogTail {
        skipped_bytes: out.skipped + err.skipped,
        total_bytes,
        removed: false,
        published: None,
        trouble,
        lines: lines
            .into_iter()
            .map(|line| LogLine {
                at: line.at,
                stream: line.stream,
                node: node.clone(),
                text: line.text.into(),
            })
            .collect(),
    }
}

/// One line, where it ends in its log, and its place in the index.
struct Placed {
    stream: Stream,
    text: String,
    start: u64,
    end: u64,
    place: usize,
    at: Option<Timestamp>,
}

/// The end of one log.
struct End {
    lines: Vec<Placed>,
    /// Bytes before the first of them.
    skipped: u64,
    total: u64,
}

impl End {
    fn empty() -> Self {
        Self {
            lines: Vec::new(),
            skipped: 0,
            total: 0,
        }
    }

    /// Gives each line its place in the order of arrival.
    fn arrange(&mut self, index: &[IndexEntry], stream: Stream) {
        let mut entries = index
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.0 == stream)
            .peekable();
        for line in &mut self.lines {
            line.stream = stream;
            while entries.peek().is_some_and(|(_, entry)| entry.1 < line.end) {
                entries.next();
            }
            match entries.peek() {
                Some((place, entry)) => {
                    line.place = *place;
                    line.at = Some(entry.2);
                }
                None => line.place = index.len(),
            }
        }
    }

    fn keep_last(&mut self, count: usize) {
        let drop = self.lines.len().saturating_sub(count);
        if drop > 0 {
            self.skipped = match self.lines.get(drop) {
                Some(first) => first.start,
                None => self.total,
            };
            self.lines.drain(..drop);
        }
    }
}

/// Room for each of two logs: half of it, and what the other does not need.
fn shares(out: usize, err: usize, room: usize) -> (usize, usize) {
    let err_kept = err.min((room / 2).max(room.saturating_sub(out)));
    (out.min(room - err_kept), err_kept)
}

fn merge(out: &mut End, err: &mut End, max_lines: usize) -> Vec<Placed> {
    // Counted from the end, since the newest are kept.
    let (mut keep_out, mut keep_err) = (0, 0);
    while keep_out + keep_err < max_lines {
        let next = |end: &End, kept: usize| {
            let at = end.lines.len().checked_sub(kept + 1)?;
            Some(end.lines[at].place)
        };
        match (next(out, keep_out), next(err, keep_err)) {
            (Some(a), Some(b)) if b >= a => keep_err += 1,
            // Where one log was cut, older lines of the other would stand without their context.
            (None, Some(_)) if out.skipped == 0 => keep_err += 1,
            (Some(_), None) if err.skipped > 0 && !err.lines.is_empty() => break,
            (Some(_), _) => keep_out += 1,
            (None, _) => break,
        }
    }
    out.keep_last(keep_out);
    err.keep_last(keep_err);
    let mut lines = std::mem::take(&mut out.lines);
    lines.append(&mut err.lines);
    // Stable: within one place standard output comes first, each log in its own order.
    lines.sort_by_key(|line| line.place);
    lines
}

fn read_end(path: &Path, max_bytes: u64, max_lines: usize) -> io::Result<End> {
    let mut file = File::open(path)?;
    let total = file.metadata()?.len();
    let line = |text, start, end| Placed {
        stream: Stream::Out,
        text,
        start,
        end,
        place: 0,
        at: None,
    };
    let mut probe = Vec::with_capacity(PROBE_BYTES);
    (&mut file)
        .take(PROBE_BYTES as u64)
        .read_to_end(&mut probe)?;
    if is_binary(&probe) {
        return Ok(End {
            lines: vec![line(binary_line(total), 0, total)],
            skipped: 0,
            total,
        });
    }
    let mut start = total.saturating_sub(max_bytes);
    // One byte earlier tells whether a line begins exactly there.
    file.seek(SeekFrom::Start(start.saturating_sub(1)))?;
    let mut bytes = Vec::with_capacity(usize::try_from(total - start).unwrap_or(0) + 1);
    file.take(total - start + u64::from(start > 0))
        .read_to_end(&mut bytes)?;
    let mut text = bytes.as_slice();
    if start > 0 {
        // The rest of a line whose beginning is not here is left out, unless it is all there is.
        match text.iter().position(|byte| *byte == b'\n') {
            Some(at) if at + 1 < text.len() => {
                start += at as u64;
                text = &text[at + 1..];
            }
            _ => text = text.get(1..).unwrap_or_default(),
        }
    }
    // Only the last lines are turned into text.
    let from = text
        .iter()
        .enumerate()
        .rev()
        .filter(|(at, byte)| **byte == b'\n' && at + 1 < text.len())
        .nth(max_lines.saturating_sub(1))
        .map_or(0, |(at, _)| at + 1);
    start += from as u64;
    let mut lines = Vec::new();
    let mut reader = Lines::default();
    let mut last = start;
    reader.push(&text[from..], |text, end| {
        lines.push(line(text, last, start + end));
        last = start + end;
    });
    let end = start + reader.taken();
    lines.extend(reader.partial().map(|text| line(text, last, end)));
    Ok(End {
        lines,
        skipped: start,
        total,
    })
}

/// Reads what is added to one log, from a place on.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    at: u64,
    lines: Lines,
    binary: Option<bool>,
}

impl Follower {
    /// Follows a log from its beginning.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            at: 0,
            lines: Lines::default(),
            binary: None,
        }
    }

    /// Finished lines that were added since the last call; reads at most this many bytes. True when
    /// there may be more to read at once. A log that is not there yet has no lines. Of a binary log
    /// nothing but one line comes.
    pub fn read(&mut self, max_bytes: u64, lines: &mut Vec<Arc<str>>) -> io::Result<bool> {
        let mut file = match File::open(&self.path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(false),
            result => result?,
        };
        file.seek(SeekFrom::Start(self.at))?;
        let mut left = max_bytes;
        let mut buffer = vec![0; usize::try_from(max_bytes.clamp(1, 64 * 1024)).unwrap_or(1)];
        while left > 0 {
            let room = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let count = file.read(&mut buffer[..room])?;
            if count == 0 {
                return Ok(false);
            }
            let bytes = &buffer[..count];
            if self.binary.is_none() && is_binary(bytes) {
                lines.push(binary_line(file.metadata()?.len()).into());
            }
            let binary = *self.binary.get_or_insert_with(|| is_binary(bytes));
            if !binary {
                self.lines.push(bytes, |line, _| lines.push(line.into()));
            }
            self.at += count as u64;
            left -= count as u64;
        }
        Ok(true)
    }

    /// The unfinished last line, as it stands.
    pub fn partial(&self) -> Option<String> {
        self.lines.partial()
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.at
    }
}

#[cfg(test)]
mod tests;

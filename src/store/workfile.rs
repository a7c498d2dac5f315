//! Reading and saving one workfile, so that nothing in it is ever lost.
//!
//! A save patches the text that is on disk now, reads the result back and compares it with the flow
//! before the file is touched, and goes ahead only over the very version that was read.

use std::fs;
use std::path::Path;

use crate::disk::{self, DiskError, Expect, Stamp};
use crate::graphml::{self, ReadError, Source};
use crate::model::merge::Picks;
use crate::model::{FileResults, Flow, Node, Notice};

use super::git::Sides;
use super::merge_text::{self, MergeError};
use super::{Backup, Home, SaveError, StoreError, backups};

/// The largest workfile that is read or written, in bytes.
pub const WORKFILE_BYTES_MAX: u64 = 64 << 20;

/// How far a place in a file may be from the one on the canvas: half of its last decimal, and a
/// little for the arithmetic.
const PLACE_ROUNDING: f64 = 0.005_001;

/// A workfile as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What it says.
    pub flow: Flow,
    /// Results that another program left in it.
    pub results: FileResults,
    /// What was odd about it, as sentences with line numbers.
    pub warnings: Vec<String>,
    /// It could be read only in part; saving over it is refused.
    pub damaged: bool,
    /// What the file looked like.
    pub stamp: Stamp,
}

/// A workfile as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// What the file looks like now.
    pub stamp: Stamp,
    /// What did not go as usual, though the file is saved.
    pub remark: Option<Notice>,
}

/// Reads a workfile.
pub fn load(path: &Path) -> Result<Loaded, StoreError> {
    let (bytes, stamp) = disk::read_with_stamp(path, WORKFILE_BYTES_MAX)?;
    parse(path, &bytes, stamp)
}

/// What the bytes of the workfile at `path` say.
pub(super) fn parse(path: &Path, bytes: &[u8], stamp: Stamp) -> Result<Loaded, StoreError> {
    Ok(loaded(read(bytes, path)?, stamp))
}

/// Reads an earlier version of the workfile at `path`.
pub fn load_backup(path: &Path, backup: &Backup) -> Result<Loaded, StoreError> {
    let bytes = super::read_backup(backup)?;
    let stamp = Stamp {
        len: backup.len,
        modified: backup.written,
        inode: 0,
        hash: *blake3::hash(&bytes).as_bytes(),
    };
    Ok(loaded(read(&bytes, path)?, stamp))
}

fn read(bytes: &[u8], path: &Path) -> Result<graphml::Reading, StoreError> {
    graphml::read(bytes).map_err(|why| {
        let path = path.to_owned();
        match why {
            ReadError::Conflict { line } => StoreError::Conflict { line, path },
            why => {
                let why = why.to_string();
                StoreError::NotAWorkfile { why, path }
            }
        }
    })
}

fn loaded(reading: graphml::Reading, stamp: Stamp) -> Loaded {
    let warnings = reading
        .warnings
        .into_iter()
        .map(|warning| match warning.line {
            Some(line) => format!("Line {line}: {}", warning.text),
            None => warning.text,
        });
    Loaded {
        flow: reading.flow,
        results: reading.results,
        warnings: warnings.collect(),
        damaged: reading.damaged,
        stamp,
    }
}

/// Saves without keeping what is replaced: see [`Writer::save`].
pub fn save(path: &Path, flow: &Flow, expected: Option<&Stamp>) -> Result<Saved, SaveError> {
    Writer { keep: None }.save(path, flow, expected)
}

/// Saves without keeping what is replaced: see [`Writer::save_over`].
pub fn save_over(path: &Path, flow: &Flow) -> Result<Saved, SaveError> {
    Writer { keep: None }.save_over(path, flow)
}

/// Saves without keeping what is replaced: see [`Writer::save_copy`].
pub fn save_copy(
    path: &Path,
    flow: &Flow,
    original: Option<&Path>,
    overwrite: bool,
) -> Result<Saved, SaveError> {
    Writer { keep: None }.save_copy(path, flow, original, overwrite)
}

/// Writes workfiles, and keeps what it replaces among the earlier versions of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// Whose earlier versions; `None` keeps none.
    pub keep: Option<&'a Home>,
}

impl Writer<'_> {
    /// Saves a flow over the version of the file that `expected` stamps, or as a new file when that is
    /// `None`. What the file says beyond the flow is kept; a save without changes writes nothing.
    pub fn save(
        &self,
        path: &Path,
        flow: &Flow,
        expected: Option<&Stamp>,
    ) -> Result<Saved, SaveError> {
        let Some(expected) = expected else {
            let bytes = written(path, flow, None)?;
            return put(path, &bytes, Expect::Absent);
        };
        let old = match disk::read_with_stamp(path, WORKFILE_BYTES_MAX) {
            Ok(old) => old,
            Err(why) if why.is_not_found() => {
                return Err(SaveError::Gone {
                    path: path.to_owned(),
                });
            }
            Err(why) => return Err(SaveError::Disk(why)),
        };
        if !old.1.same_content(expected) {
            return Err(SaveError::ChangedOutside {
                now: Some(old.1),
                path: path.to_owned(),
            });
        }
        self.patch(path, flow, old)
    }

    /// Saves a flow over whatever version of the file is there now: the operator has seen that it
    /// changed and keeps their own. What that version says beyond the flow is kept.
    pub fn save_over(&self, path: &Path, flow: &Flow) -> Result<Saved, SaveError> {
        match disk::read_with_stamp(path, WORKFILE_BYTES_MAX) {
            Ok(old) => self.patch(path, flow, old),
            Err(why) if why.is_not_found() => self.save(path, flow, None),
            Err(why) => Err(SaveError::Disk(why)),
        }
    }

    /// Saves a flow under another name. What `original`, the file it came from, says beyond the flow
    /// goes along when that file can still be read whole. A file at `path` is replaced only when
    /// `overwrite` is set, and never when it is the damaged original itself.
    pub fn save_copy(
        &self,
        path: &Path,
        flow: &Flow,
        original: Option<&Path>,
        overwrite: bool,
    ) -> Result<Saved, SaveError> {
        let base = original.and_then(|original| base_of(original).ok());
        if base.is_none() && original.is_some_and(|original| same_file(original, path)) {
            return Err(SaveError::Damaged {
                path: path.to_owned(),
            });
        }
        let bytes = written(path, flow, base.as_ref())?;
        if !overwrite {
            return put(path, &bytes, Expect::Absent);
        }
        // Whatever it is, a workfile or not: what is replaced is kept, when it can be read at all.
        match disk::read_with_stamp(path, WORKFILE_BYTES_MAX) {
            Ok((old, stamp)) => self.put_over(path, &bytes, (&old, &stamp)),
            Err(why) if why.is_not_found() => put(path, &bytes, Expect::Anything),
            Err(why) => Err(SaveError::Disk(why)),
        }
    }

    /// Puts an earlier version back, over whatever is there. What is there is kept as a version too.
    pub fn restore(&self, path: &Path, backup: &Backup) -> Result<Saved, MergeError> {
        let bytes = super::read_backup(backup)?;
        let done = match disk::read_with_stamp(path, WORKFILE_BYTES_MAX) {
            Ok((old, stamp)) => self.put_over(path, &bytes, (&old, &stamp)),
            Err(why) if why.is_not_found() => put(path, &bytes, Expect::Absent),
            Err(why) => Err(SaveError::Disk(why)),
        };
        Ok(done?)
    }

    /// Settles a conflict that git left in the file: see `store::merge_text`.
    pub fn settle(&self, path: &Path, sides: &Sides, picks: &Picks) -> Result<Saved, MergeError> {
        merge_text::settle(self, path, sides, picks)
    }

    fn patch(&self, path: &Path, flow: &Flow, old: (Vec<u8>, Stamp)) -> Result<Saved, SaveError> {
        let (old_bytes, old_stamp) = old;
        let base = source(path, &old_bytes)?;
        let bytes = written(path, flow, Some(&base))?;
        if bytes == old_bytes {
            return Ok(Saved {
                stamp: old_stamp,
                remark: None,
            });
        }
        self.put_over(path, &bytes, (&old_bytes, &old_stamp))
    }

    /// Replaces the file that holds `old` by `bytes`.
    pub(super) fn put_over(
        &self,
        path: &Path,
        bytes: &[u8],
        (old, stamp): (&[u8], &Stamp),
    ) -> Result<Saved, SaveError> {
        let kept = match self.keep {
            Some(home) => backups::keep(home, path, old, stamp),
            None => Ok(()),
        };
        match put(path, bytes, Expect::Content(stamp)) {
            // The one way left is to write into the file itself. It may end half way, so not without
            // the old bytes in a safe place.
            Err(SaveError::Disk(DiskError::NoReplace { cause, .. }))
                if self.keep.is_some() && kept.is_ok() =>
            {
                let stamp = disk::overwrite(path, bytes, old).map_err(|why| match why {
                    DiskError::ChangedUnderneath { path } => SaveError::ChangedOutside {
                        now: disk::stamp(&path).ok(),
                        path,
                    },
                    why => SaveError::Disk(why),
                })?;
                let why = disk::plain_cause(&cause);
                let what = format!(
                    "Saved by writing into the file itself, because its folder takes no new file ({why}): {}",
                    path.display()
                );
                let hint = "The version before is kept; a power cut during such a save can leave half a file.";
                Ok(Saved {
                    stamp,
                    remark: Some(Notice::warning(what, hint)),
                })
            }
            Ok(mut saved) => {
                if let Err(why) = kept {
                    let what =
                        format!("Saved, but the version before was not kept: failed to {why}");
                    saved.remark = Some(Notice::warning(what, why.hint()));
                }
                Ok(saved)
            }
            Err(why) => Err(why),
        }
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

fn base_of(path: &Path) -> Result<Source, SaveError> {
    let (bytes, _) = disk::read_with_stamp(path, WORKFILE_BYTES_MAX).map_err(SaveError::Disk)?;
    source(path, &bytes)
}

/// The text to patch. One that was not understood whole must not be overwritten by a guess.
pub(super) fn source(path: &Path, bytes: &[u8]) -> Result<Source, SaveError> {
    match graphml::read(bytes) {
        Ok(reading) if !reading.damaged => Ok(reading.source),
        _ => Err(SaveError::Damaged {
            path: path.to_owned(),
        }),
    }
}

/// The bytes of the workfile, proven to read back as `flow`.
pub(super) fn written(
    path: &Path,
    flow: &Flow,
    base: Option<&Source>,
) -> Result<Vec<u8>, SaveError> {
    let bytes = graphml::write(flow, base).map_err(|why| SaveError::Unwritable {
        why: why.to_string(),
        path: path.to_owned(),
    })?;
    if bytes.len() as u64 > WORKFILE_BYTES_MAX {
        return Err(SaveError::Unwritable {
            why: format!("it would hold more than {} MiB", WORKFILE_BYTES_MAX >> 20),
            path: path.to_owned(),
        });
    }
    match graphml::read(&bytes) {
        Ok(reading) if same_but_rounded(flow, &reading.flow) && !reading.damaged => Ok(bytes),
        _ => Err(SaveError::Unfaithful {
            path: path.to_owned(),
        }),
    }
}

/// True when `read` is what `flow` becomes in a file, where places have two decimals.
fn same_but_rounded(flow: &Flow, read: &Flow) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= PLACE_ROUNDING;
    let mut flow = flow.clone();
    for node in read.graph.nodes() {
        // Changed only where needed: an unchanged node stays shared with the document's.
        let rounded = |ours: &&Node| {
            ours.pos != node.pos && near(ours.pos.x, node.pos.x) && near(ours.pos.y, node.pos.y)
        };
        if flow.graph.node(&node.id).filter(rounded).is_some()
            && let Ok(ours) = flow.graph.node_mut(&node.id)
        {
            ours.pos = node.pos;
        }
    }
    for (ours, frame) in flow.frames.iter_mut().zip(&read.frames) {
        let (a, b) = (ours.rect, frame.rect);
        if near(a.x, b.x) && near(a.y, b.y) && near(a.w, b.w) && near(a.h, b.h) {
            ours.rect = frame.rect;
        }
    }
    flow == *read
}

pub(super) fn put(path: &Path, bytes: &[u8], expect: Expect<'_>) -> Result<Saved, SaveError> {
    match disk::replace(path, bytes, expect) {
        Ok(stamp) => Ok(Saved {
            stamp,
            remark: None,
        }),
        Err(DiskError::ChangedUnderneath { path }) => Err(SaveError::ChangedOutside {
            now: disk::stamp(&path).ok(),
            path,
        }),
        Err(DiskError::Exists { path }) => Err(SaveError::Exists { path }),
        Err(why) => Err(SaveError::Disk(why)),
    }
}

#[cfg(test)]
mod tests;

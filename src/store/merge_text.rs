//! Three versions of a workfile as bytes, made into one: for git's merge driver, and for a file in which git left a
//! conflict.
//!
//! The model decides what the flow becomes (`model::merge`). What the model does not know (comments, other programs'
//! keys) stays as the text that is patched has it: ours where the other side changed nothing of that kind, else theirs.

use std::collections::HashSet;
use std::path::Path;

use crate::disk::{self, Expect};
use crate::graphml::{self, Reading};
use crate::model::Flow;
use crate::model::merge::{Conflict, Merged, Picks, merge_with, unknown_base};

use super::git::Sides;
use super::workfile::{Saved, Writer, written};
use super::{SaveError, StoreError, WORKFILE_BYTES_MAX};

/// Three versions of a workfile, read.
#[derive(Clone, Debug)]
pub struct Three {
    base: Option<Reading>,
    ours: Reading,
    theirs: Reading,
    /// What both grew from, guessed where nobody knows it.
    pub base_flow: Flow,
}

/// What came of a merge of texts.
#[derive(Clone, Debug)]
pub struct MergedText {
    /// The workfile.
    pub bytes: Vec<u8>,
    /// What had to be picked.
    pub conflicts: Vec<Conflict>,
    /// Lines of ours that only other programs know and that could not be kept, because both sides changed such lines.
    pub left_out: Vec<String>,
}

impl Three {
    /// Reads three versions; `path` names the file in an error. An empty base is none.
    pub fn read(
        path: &Path,
        base: Option<&[u8]>,
        ours: &[u8],
        theirs: &[u8],
    ) -> Result<Self, StoreError> {
        let read = |which: &str, bytes: &[u8]| {
            let bad = |why: String| StoreError::NotAWorkfile {
                why: format!("{which}: {why}"),
                path: path.to_owned(),
            };
            match graphml::read(bytes) {
                Ok(reading) if reading.damaged => Err(bad("it is damaged".to_owned())),
                Ok(reading) => Ok(reading),
                Err(why) => Err(bad(why.to_string())),
            }
        };
        let ours = read("our side", ours)?;
        let theirs = read("their side", theirs)?;
        let base = match base.filter(|base| !base.is_empty()) {
            // A base put together from markers need not be whole.
            Some(base) => graphml::read(base).ok().filter(|base| !base.damaged),
            None => None,
        };
        let base_flow = match &base {
            Some(base) => base.flow.clone(),
            None => unknown_base(&ours.flow, &theirs.flow),
        };
        Ok(Self {
            base,
            ours,
            theirs,
            base_flow,
        })
    }

    /// Our version.
    pub fn ours(&self) -> &Flow {
        &self.ours.flow
    }

    /// Their version.
    pub fn theirs(&self) -> &Flow {
        &self.theirs.flow
    }

    /// Merges with what was picked. `path` names the file in an error.
    pub fn merged(&self, path: &Path, picks: &Picks) -> Result<MergedText, SaveError> {
        let (ours, theirs) = (&self.ours, &self.theirs);
        let Merged {
            flow, conflicts, ..
        } = merge_with(&self.base_flow, &ours.flow, &theirs.flow, picks);
        // What each side would be had it changed only what the model does not know.
        let rest = |side: &Reading| graphml::write(&self.base_flow, Some(&side.source)).ok();
        let base = self.base.as_ref().map(|base| base.source.text().as_bytes());
        let (our_rest, their_rest) = (rest(ours), rest(theirs));
        let source = match (base, &their_rest) {
            (Some(base), Some(their_rest)) if base == their_rest => &ours.source,
            _ => &theirs.source,
        };
        let bytes = written(path, &flow, Some(source))?;
        let mut left_out = Vec::new();
        if source.text() == theirs.source.text() {
            let kept: HashSet<&[u8]> = [base, their_rest.as_deref(), Some(&bytes)]
                .into_iter()
                .flatten()
                .flat_map(lines)
                .collect();
            let ours = our_rest.as_deref().map(lines).into_iter().flatten();
            left_out = ours
                .filter(|line| !kept.contains(line) && !line.starts_with(b"<key "))
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect();
        }
        Ok(MergedText {
            bytes,
            conflicts,
            left_out,
        })
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
}

/// Reads the three files that git hands to a merge driver, and writes the merge over `ours`.
pub fn merge_files(base: &Path, ours: &Path, theirs: &Path) -> Result<MergedText, MergeError> {
    let read = |path: &Path| {
        let (bytes, _) =
            disk::read_with_stamp(path, WORKFILE_BYTES_MAX).map_err(StoreError::from)?;
        Ok::<_, StoreError>(bytes)
    };
    let (base, our_bytes, their_bytes) = (read(base)?, read(ours)?, read(theirs)?);
    let three = Three::read(ours, Some(&base), &our_bytes, &their_bytes)?;
    let merged = three.merged(ours, &Picks::new())?;
    disk::replace(ours, &merged.bytes, Expect::Anything).map_err(SaveError::Disk)?;
    Ok(merged)
}

/// Why three files were not merged; ours is then as it was.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// One could not be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// The result could not be written.
    #[error(transparent)]
    Write(#[from] SaveError),
}

/// Writes what was picked of both sides over the file that holds the conflict. The file as it is now is kept among
/// its earlier versions.
pub(super) fn settle(
    writer: &Writer<'_>,
    path: &Path,
    sides: &Sides,
    picks: &Picks,
) -> Result<Saved, MergeError> {
    let three = Three::read(path, sides.base.as_deref(), &sides.ours, &sides.theirs)?;
    let merged = three.merged(path, picks)?;
    let (old, stamp) = disk::read_with_stamp(path, WORKFILE_BYTES_MAX).map_err(StoreError::from)?;
    if !stamp.same_content(&sides.stamp) {
        return Err(MergeError::Write(SaveError::ChangedOutside {
            now: Some(stamp),
            path: path.to_owned(),
        }));
    }
    Ok(writer.put_over(path, &merged.bytes, (&old, &stamp))?)
}

//! What logs and exit records could not take because of their disk: told once, counted, and said
//! again when the disk is well.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::Report;
use super::launcher::{Shared, lock};
use super::pump::{Gap, note_gap};
use crate::model::{Level, Notice};

/// Room that a disk must have again before anything is tried, in bytes: less is used up at once.
const ROOM_AGAIN: u64 = 64 * 1024;

/// Shared by all that one launcher started.
#[derive(Default)]
pub(super) struct Losses(Mutex<State>);

#[derive(Default)]
struct State {
    /// It was said that output is being lost.
    told: bool,
    bytes: u64,
    logs: BTreeSet<PathBuf>,
    /// Logs whose child has ended, and which do not say yet what they lack.
    owed: Vec<(PathBuf, Gap)>,
    /// It was said that ends cannot be noted.
    told_record: bool,
}

impl Losses {
    /// A log could not take what was printed.
    pub fn lost(&self, path: &Path, gap: &Gap, shared: &Shared) {
        let mut state = lock(&self.0);
        state.bytes += gap.bytes;
        if !state.logs.contains(path) {
            state.logs.insert(path.to_owned());
        }
        if std::mem::replace(&mut state.told, true) {
            return;
        }
        drop(state);
        shared.report(Report::Told(Notice::warning(
            format!(
                "What nodes print is being lost ({}): {}",
                gap.why,
                path.display()
            ),
            "Make room on the disk; nodes go on, and logs are written again then.",
        )));
    }

    /// The end of a child that wrote its log itself found the disk full: the log may lack its end,
    /// and nobody knows how much.
    pub fn full_at_end(&self, path: &Path, shared: &Shared) {
        let gap = Gap {
            bytes: 0,
            why: "no space is left on the disk".to_owned(),
        };
        self.lost(path, &gap, shared);
    }

    /// The child of this log has ended, and there was no room to say what the log lacks.
    pub fn owe(&self, path: &Path, gap: Gap) {
        lock(&self.0).owed.push((path.to_owned(), gap));
    }

    /// The disk has this much room. When something was lost and it has room again, the logs say
    /// what they lack, and it is told.
    pub fn settle(&self, room: Option<u64>, shared: &Shared) {
        let mut state = lock(&self.0);
        if !state.told || room.is_some_and(|room| room < ROOM_AGAIN) {
            return;
        }
        state.owed.retain(|(path, gap)| !note_gap(path, gap));
        if !state.owed.is_empty() {
            return;
        }
        let logs = std::mem::take(&mut state.logs);
        let bytes = std::mem::take(&mut state.bytes);
        state.told = false;
        drop(state);
        let Some(first) = logs.first() else { return };
        let of = match logs.len() {
            1 => first.display().to_string(),
            n => format!("{n} logs, such as {}", first.display()),
        };
        let what = match bytes {
            0 => format!("Logs are written again. The end may be missing in {of}"),
            n => format!("Logs are written again. {n} bytes are missing in {of}"),
        };
        shared.report(Report::Told(Notice::new(
            Level::Info,
            what,
            "Each log says where.",
        )));
    }

    /// An end could not be noted.
    pub fn record_refused(&self, path: &Path, why: &std::io::Error, shared: &Shared) {
        if std::mem::replace(&mut lock(&self.0).told_record, true) {
            return;
        }
        shared.report(Report::Told(Notice::warning(
            format!(
                "How nodes end cannot be noted beside their logs ({why}): {}",
                path.display()
            ),
            "Make room on the disk; until then a crash of Handmill may lose how nodes ended.",
        )));
    }

    /// Ends are noted.
    pub fn record_well(&self) {
        lock(&self.0).told_record = false;
    }
}

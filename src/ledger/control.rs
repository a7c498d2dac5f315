//! Who had control of the workspace, and how it passed on: the newest facts.

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::LedgerError;
use super::handle::Ledger;
use super::inbox::Message;
use crate::model::{ControlFact, ControlKind, Timestamp};

/// Facts that are kept: at two for each run of a command line, weeks of a busy machine.
const KEPT_MAX: i64 = 20_000;

/// Format 4.
pub(super) const TABLE: &str = "
CREATE TABLE control_facts (
    id    INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    kind  TEXT NOT NULL,                         -- ControlKind::word
    epoch INTEGER,
    host  TEXT,                                  -- of the other machine
    why   TEXT
);
";

impl Ledger {
    /// Records what happened to control of the workspace. Never blocks.
    pub fn record_control(&self, fact: ControlFact) {
        self.put(Message::Control(fact));
    }

    /// The newest facts of control, newest first, so many at most.
    pub fn control_facts(&self, limit: usize) -> Result<Vec<ControlFact>, LedgerError> {
        self.read(|conn| facts(conn, limit))
    }
}

pub(super) fn write(conn: &Connection, fact: &ControlFact) -> rusqlite::Result<()> {
    let epoch = fact.epoch.and_then(|epoch| i64::try_from(epoch).ok());
    conn.prepare_cached(
        "INSERT INTO control_facts (at, kind, epoch, host, why) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((
        fact.at.0,
        fact.kind.word(),
        epoch,
        fact.host.as_deref(),
        fact.why.as_deref(),
    ))?;
    let newest = conn.last_insert_rowid();
    conn.prepare_cached("DELETE FROM control_facts WHERE id <= ?1")?
        .execute([newest - KEPT_MAX])?;
    Ok(())
}

fn facts(conn: &Transaction<'_>, limit: usize) -> rusqlite::Result<Vec<ControlFact>> {
    // A file that no newer Handmill has written to since has no such table.
    let is_there = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'control_facts'";
    let is_there = conn.query_row(is_there, [], |_| Ok(())).optional()?;
    if is_there.is_none() {
        return Ok(Vec::new());
    }
    let text = "SELECT at, kind, epoch, host, why FROM control_facts ORDER BY id DESC LIMIT ?1";
    let mut asked = conn.prepare(text)?;
    let rows = asked.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        let kind: String = row.get(1)?;
        let epoch: Option<i64> = row.get(2)?;
        let text = |text: Option<String>| text.map(Into::into);
        Ok(ControlKind::parse(&kind).map(|kind| {
            Ok(ControlFact {
                at: Timestamp(row.get(0)?),
                kind,
                epoch: epoch.and_then(|epoch| epoch.try_into().ok()),
                host: text(row.get(3)?),
                why: text(row.get(4)?),
            })
        }))
    })?;
    // A word of a newer Handmill says nothing here.
    rows.filter_map(Result::transpose)
        .map(|fact| fact?)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_control_come_back_newest_first_and_the_oldest_go() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ledger.sqlite");
        let open = || Ledger::open(&path, Timestamp(0), |_| {}).expect("opens");
        let fact = |at: i64, kind| ControlFact {
            at: Timestamp(at),
            kind,
            epoch: u64::try_from(at).ok(),
            host: Some("wsA".into()),
            why: None,
        };
        let ledger = open();
        assert_eq!(ledger.control_facts(10).expect("read"), []);
        for (at, kind) in (1..).zip(ControlKind::ALL) {
            ledger.record_control(fact(at, kind));
        }
        drop(ledger);
        let ledger = open();
        let kept = ledger.control_facts(100).expect("read");
        let all: Vec<_> = (1..)
            .zip(ControlKind::ALL)
            .map(|(at, kind)| fact(at, kind))
            .collect();
        assert!(kept.iter().rev().eq(all.iter()), "{kept:?}");
        assert_eq!(ledger.control_facts(1).expect("read"), kept[..1]);
        for at in 100..100 + KEPT_MAX {
            ledger.record_control(fact(at, ControlKind::Claimed));
        }
        ledger.commit(false).expect("written");
        let n = ledger.control_facts(usize::MAX).expect("read").len();
        assert_eq!(i64::try_from(n), Ok(KEPT_MAX));
    }
}

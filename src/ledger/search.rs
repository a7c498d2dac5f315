//! Pages of past runs by what is asked for. Each page goes on from the last run of the page before
//! by its start and key, so that the hundredth page costs what the first one does.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::history::{count_so_far, place_of, summary};
use super::past::flow;
use super::{Ledger, LedgerError};
use crate::model::{FlowRef, HistoryFilter, HistoryPage, HistoryRun, NodeId, RunId, Timestamp};

const RUN: &str =
    "SELECT r.id, r.name, r.choice, p.name, r.started, r.ended, r.outcome, r.n_subset,
        r.n_ran, r.n_failed, r.n_stopped, r.n_skipped, r.n_kept, r.host, r.pinned, r.log_bytes, f.file
    FROM runs r JOIN flows f ON f.id = r.flow LEFT JOIN runs p ON p.id = r.resumes";

impl Ledger {
    /// Runs that are asked for, newest first: of one flow or of the whole workspace, at most `limit`
    /// (at least one), and those before `before`.
    ///
    /// Text costs a look at the attempts of each run until the page is full; without it a page is a
    /// few seeks.
    pub fn search(
        &self,
        of: Option<&FlowRef>,
        filter: &HistoryFilter,
        limit: usize,
        before: Option<&RunId>,
    ) -> Result<HistoryPage, LedgerError> {
        self.catch_up();
        self.read(|tx| search(tx, of, filter, limit.max(1), before))
    }

    /// One run of a flow; `None` when it is not listed.
    pub fn run(&self, of: &FlowRef, run: &RunId) -> Result<Option<HistoryRun>, LedgerError> {
        self.catch_up();
        self.read(|tx| {
            let mut select = tx.prepare_cached(&format!(
                "{RUN} WHERE r.name = ?1 AND f.file = ?2 AND r.gone = 0"
            ))?;
            let mut rows = select.query(params![run.as_str(), &*of.file])?;
            match rows.next()? {
                Some(row) => Ok(Some(listed(tx, row)?)),
                None => Ok(None),
            }
        })
    }

    /// Runs of the workspace that began at this time or later; results taken over from files are none.
    pub fn count_runs_since(&self, since: Timestamp) -> Result<u64, LedgerError> {
        self.catch_up();
        self.read(|tx| {
            tx.prepare_cached(
                "SELECT count(*) FROM runs WHERE gone = 0 AND started >= ?1 AND choice <> ?2",
            )?
            .query_row(params![since.0, super::fold::IMPORTED], |row| {
                row.get::<_, i64>(0)
            })
            .map(i64::cast_unsigned)
        })
    }
}

fn search(
    conn: &Connection,
    of: Option<&FlowRef>,
    filter: &HistoryFilter,
    limit: usize,
    before: Option<&RunId>,
) -> rusqlite::Result<HistoryPage> {
    let flow = match of {
        None => None,
        Some(of) => match flow(conn, &of.file)? {
            Some((key, _)) => Some(key),
            None => return Ok(HistoryPage::default()),
        },
    };
    let (started, key) = place_of(conn, before)?;
    let text = match filter.text.trim() {
        "" => None,
        text => Some(Text::new(conn, flow, text, &filter.nodes)?),
    };
    let of_flow = if flow.is_some() {
        "r.flow = ?2"
    } else {
        "?2 IS NULL"
    };
    let mut select = conn.prepare_cached(&format!(
        "{RUN} WHERE r.started <= ?1 AND (r.started < ?1 OR r.id < ?5) AND {of_flow} AND r.gone = 0
           AND r.started >= ?3 AND r.started < ?4 ORDER BY r.started DESC, r.id DESC"
    ))?;
    let since = filter.since.map_or(i64::MIN, |at| at.0);
    let until = filter.until.map_or(i64::MAX, |at| at.0);
    let mut rows = select.query(params![started, flow, since, until, key])?;
    let mut page = HistoryPage::default();
    while let Some(row) = rows.next()? {
        if !filter.outcomes.is_empty() {
            let word = row.get_ref(6)?.as_str_or_null()?;
            if !filter.outcomes.iter().any(|o| Some(o.word()) == word) {
                continue;
            }
        }
        if let Some(text) = &text
            && !text.is_in(conn, row)?
        {
            continue;
        }
        if page.runs.len() == limit {
            page.more = true;
            break;
        }
        page.runs.push(listed(conn, row)?);
    }
    Ok(page)
}

fn listed(conn: &Connection, row: &rusqlite::Row<'_>) -> rusqlite::Result<HistoryRun> {
    let mut summary = summary(row)?;
    if summary.ended.is_none() {
        count_so_far(conn, row.get(0)?, &mut summary.counts)?;
    }
    Ok(HistoryRun {
        summary,
        pinned: row.get(14)?,
        log_bytes: row.get::<_, Option<i64>>(15)?.map(i64::cast_unsigned),
        file: row.get(16)?,
    })
}

/// Text that is looked for, with the nodes and commands that hold it.
struct Text {
    /// In lower case.
    text: String,
    nodes: HashSet<i64>,
    commands: HashSet<i64>,
}

impl Text {
    fn new(
        conn: &Connection,
        flow: Option<i64>,
        text: &str,
        named: &[NodeId],
    ) -> rusqlite::Result<Self> {
        let mut found = Self {
            text: text.to_lowercase(),
            nodes: HashSet::new(),
            commands: HashSet::new(),
        };
        let named: HashSet<&str> = named.iter().map(NodeId::as_str).collect();
        let mut select =
            conn.prepare_cached("SELECT id, name FROM nodes WHERE ?1 IS NULL OR flow = ?1")?;
        let mut rows = select.query([flow])?;
        while let Some(row) = rows.next()? {
            let name = row.get_ref(1)?.as_str()?;
            if named.contains(name) || found.holds(name) {
                found.nodes.insert(row.get(0)?);
            }
        }
        let mut select = conn.prepare_cached("SELECT id, text FROM commands")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            if found.holds(row.get_ref(1)?.as_str()?) {
                found.commands.insert(row.get(0)?);
            }
        }
        Ok(found)
    }

    fn holds(&self, text: &str) -> bool {
        // Most texts are ASCII and need no copy in lower case.
        if text.is_ascii() && self.text.is_ascii() {
            let (text, part) = (text.as_bytes(), self.text.as_bytes());
            return text
                .windows(part.len())
                .any(|at| at.eq_ignore_ascii_case(part));
        }
        text.to_lowercase().contains(&self.text)
    }

    fn is_in(&self, conn: &Connection, run: &rusqlite::Row<'_>) -> rusqlite::Result<bool> {
        for column in [1, 2, 16] {
            if self.holds(run.get_ref(column)?.as_str()?) {
                return Ok(true);
            }
        }
        if let Some(host) = run.get_ref(13)?.as_str_or_null()?
            && self.holds(host)
        {
            return Ok(true);
        }
        if self.nodes.is_empty() && self.commands.is_empty() {
            return Ok(false);
        }
        let key: i64 = run.get(0)?;
        for attempts in [
            "SELECT node, command FROM node_runs WHERE run = ?1",
            "SELECT node, NULL FROM import_nodes WHERE run = ?1",
        ] {
            let mut select = conn.prepare_cached(attempts)?;
            let mut rows = select.query([key])?;
            while let Some(row) = rows.next()? {
                let command: Option<i64> = row.get(1)?;
                if self.nodes.contains(&row.get(0)?)
                    || command.is_some_and(|command| self.commands.contains(&command))
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

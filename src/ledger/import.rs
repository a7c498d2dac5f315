//! Results that another program left in a workfile, stored as that flow's last run; and which results
//! stand in a file because we wrote them there.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::fold::{IMPORTED, clear_statuses};
use super::keys::{flow_key, node_key, run_key};
use super::past::states_of_run;
use crate::model::{
    FileResult, FileResults, FlowRef, NodeId, NodeState, NodeStatus, RunId, Timestamp,
};

/// Of each output of a node, the end is kept: that is where a failure says why.
const LOG_BYTES_MAX: usize = 1 << 20;

/// One workfile's results, waiting to be stored.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) flow: FlowRef,
    pub(super) run: RunId,
    pub(super) results: FileResults,
    pub(super) hash: u64,
    pub(super) at: Timestamp,
    /// They stand there because `run`, a run of ours, left them.
    pub(super) kept: bool,
}

impl Import {
    /// Stores the results once per hash, and only when they tell more than the import before did:
    /// a node deleted by hand changes the hash, and must not bring old results back over newer runs.
    pub(super) fn apply(&self, conn: &Connection) -> rusqlite::Result<()> {
        let flow = flow_key(conn, &self.flow.file)?;
        let hash = self.hash.cast_signed();
        if self.kept {
            let run = run_key(conn, &self.run)?;
            conn.prepare_cached(
                "INSERT OR REPLACE INTO imports (flow, hash, run, at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![flow, hash, run, self.at.0])?;
            return Ok(());
        }
        let seen = conn
            .prepare_cached("SELECT 1 FROM imports WHERE flow = ?1 AND hash = ?2")?
            .exists([flow, hash])?;
        if seen {
            return Ok(());
        }
        let mut told: Vec<(&NodeId, &FileResult)> = self
            .results
            .nodes
            .iter()
            .filter(|(_, result)| !says_nothing(result))
            .collect();
        told.sort_by_key(|(node, _)| *node);
        let run = if self.tells_new(conn, flow, &told)? {
            Some(self.insert(conn, flow, &told)?)
        } else {
            None
        };
        conn.prepare_cached("INSERT INTO imports (flow, hash, run, at) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![flow, hash, run, self.at.0])?;
        Ok(())
    }

    fn tells_new(
        &self,
        conn: &Connection,
        flow: i64,
        told: &[(&NodeId, &FileResult)],
    ) -> rusqlite::Result<bool> {
        let Some(newest) = newest_import(conn, flow)? else {
            return Ok(!told.is_empty() || !self.results.marks.is_empty());
        };
        let ours = self.left_by(conn, newest)?;
        let before = newest_taken_over(conn, flow)?;
        let mut same = conn.prepare_cached(
            "SELECT 1 FROM nodes n JOIN import_nodes i ON i.node = n.id AND i.run = ?1
             LEFT JOIN import_logs l ON l.run = i.run AND l.node = i.node
             WHERE n.flow = ?2 AND n.name = ?3 AND i.status = ?4 AND i.exit IS ?5
               AND coalesce(l.stdout, '') = ?6 AND coalesce(l.stderr, '') = ?7",
        )?;
        for (node, result) in told {
            if ours
                .get(*node)
                .is_some_and(|state| is_told_by(result, state))
            {
                continue;
            }
            let known = same.exists(params![
                before,
                flow,
                node.as_str(),
                result.status.word(),
                result.exit,
                end_of(&result.stdout),
                end_of(&result.stderr)
            ])?;
            if !known {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How a run of ours left the nodes; none when that run was taken over.
    fn left_by(&self, conn: &Connection, run: i64) -> rusqlite::Result<HashMap<NodeId, NodeState>> {
        let (name, choice): (String, String) = conn
            .prepare_cached("SELECT name, choice FROM runs WHERE id = ?1")?
            .query_row([run], |row| Ok((row.get(0)?, row.get(1)?)))?;
        match choice == IMPORTED {
            true => Ok(HashMap::new()),
            false => states_of_run(conn, &self.flow.file, &RunId::new(name)),
        }
    }

    fn insert(
        &self,
        conn: &Connection,
        flow: i64,
        told: &[(&NodeId, &FileResult)],
    ) -> rusqlite::Result<i64> {
        let count = |status| {
            let n = told.iter().filter(|(_, r)| r.status == status).count();
            u32::try_from(n).unwrap_or(u32::MAX)
        };
        let (ran, failed) = (count(NodeStatus::Ran), count(NodeStatus::Failed));
        let outcome = if failed > 0 { "failed" } else { "succeeded" };
        let run = conn
            .prepare_cached(
                "INSERT INTO runs (name, flow, choice, whole, started, ended, outcome,
                                   n_subset, n_ran, n_failed)
                 VALUES (?1, ?2, ?3, 1, ?4, ?4, ?5, ?6, ?7, ?8)",
            )?
            .insert(params![
                self.run.as_str(),
                flow,
                IMPORTED,
                self.at.0,
                outcome,
                u32::try_from(told.len()).unwrap_or(u32::MAX),
                ran,
                failed
            ])?;
        clear_statuses(conn, flow)?;
        for (node, result) in told {
            let key = node_key(conn, flow, node)?;
            conn.prepare_cached(
                "INSERT INTO import_nodes (run, node, status, exit) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![run, key, result.status.word(), result.exit])?;
            if !(result.stdout.is_empty() && result.stderr.is_empty()) {
                conn.prepare_cached(
                    "INSERT INTO import_logs (run, node, stdout, stderr) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    run,
                    key,
                    end_of(&result.stdout),
                    end_of(&result.stderr)
                ])?;
            }
            if result.status != NodeStatus::Idle {
                conn.prepare_cached(
                    "INSERT INTO node_status (node, at_run, status) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![key, run, result.status.word()])?;
            }
        }
        for edge in &self.results.marks {
            conn.prepare_cached("INSERT OR IGNORE INTO marks (run, edge) VALUES (?1, ?2)")?
                .execute(params![run, edge.as_str()])?;
        }
        conn.prepare_cached("UPDATE flows SET last_run = ?2 WHERE id = ?1")?
            .execute([flow, run])?;
        Ok(run)
    }
}

fn is_told_by(result: &FileResult, state: &NodeState) -> bool {
    *result == FileResult::of(state)
}

fn says_nothing(result: &FileResult) -> bool {
    result.status == NodeStatus::Idle
        && result.exit.is_none()
        && result.stdout.is_empty()
        && result.stderr.is_empty()
}

/// The last [`LOG_BYTES_MAX`] bytes of a text, from the start of a character.
fn end_of(text: &str) -> &str {
    let from = text.len().saturating_sub(LOG_BYTES_MAX);
    let from = (from..=text.len())
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(text.len());
    &text[from..]
}

/// The newest import of a flow that told something.
pub(super) fn newest_import(conn: &Connection, flow: i64) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT max(run) FROM imports WHERE flow = ?1")?
        .query_row([flow], |row| row.get(0))
        .optional()
        .map(Option::flatten)
}

/// The newest import of a flow that another program's results made a run of.
fn newest_taken_over(conn: &Connection, flow: i64) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached(
        "SELECT max(i.run) FROM imports i
         WHERE i.flow = ?1 AND EXISTS (SELECT 1 FROM import_nodes n WHERE n.run = i.run)",
    )?
    .query_row([flow], |row| row.get(0))
    .optional()
    .map(Option::flatten)
}

//! Event to rows: a pure fold but for the connection it writes to.
//!
//! Every statement may be repeated: a batch whose commit failed is applied again from its start.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::inbox::Message;
use super::keys::{command_key, flow_key, run_key};
use super::row::{exit_columns, set_to_blob, stream_number};
use crate::model::{
    Choice, Event, Finish, FlowRef, NodeId, NodeIdx, NodeRunId, NodeStatus, RunId, RunStart,
    Timestamp,
};

mod live_run;

use live_run::LiveRun;

/// The word of [`crate::model::RunSummary::choice`] for results another program left in a workfile.
pub(super) const IMPORTED: &str = "imported";

/// What the writer knows of the runs of this process that have not ended.
#[derive(Debug, Default)]
pub(super) struct Fold {
    live: HashMap<RunId, LiveRun>,
    /// Ended in this batch; forgotten when it is committed.
    ended: Vec<RunId>,
}

impl Fold {
    /// Applies one message inside the transaction that is open on `conn`.
    pub(super) fn apply(&mut self, conn: &Connection, message: &Message) -> rusqlite::Result<()> {
        match message {
            Message::Event(event) => self.event(conn, event),
            Message::Command { id, text } => self.command(conn, id, text),
            Message::LogIndex {
                id,
                stream,
                offset,
                at,
            } => {
                let Some(run) = self.run_key(conn, &id.run)? else {
                    return Ok(());
                };
                conn.prepare_cached(
                    "INSERT OR REPLACE INTO log_index VALUES (?1,?2,?3,?4,?5,?6,?7)",
                )?
                .execute(params![
                    run,
                    id.node.0,
                    id.pass,
                    id.attempt,
                    stream_number(*stream),
                    offset.cast_signed(),
                    at.0
                ])?;
                Ok(())
            }
            Message::Import(import) => import.apply(conn),
            Message::Begun { run, attempts } => super::recover::begun(conn, run, attempts),
            Message::Ended { run, attempts } => super::recover::ended(conn, run, attempts),
            Message::Interrupt(runs) => runs.iter().try_for_each(|&run| {
                // A run of this very process is not dead, whatever the caller was told.
                let ours = self.live.values().any(|live| live.key == run);
                if ours {
                    Ok(())
                } else {
                    super::recover::interrupt(conn, run)
                }
            }),
            Message::Retain(change) => change.apply(conn),
            Message::Adopt(adoption) => adoption.apply(conn),
            Message::Control(fact) => super::control::write(conn, fact),
            Message::Flush { .. } => Ok(()),
        }
    }

    /// The batch is on disk.
    pub(super) fn committed(&mut self) {
        for run in self.ended.drain(..) {
            self.live.remove(&run);
        }
    }

    /// The batch is not on disk: keys of rows it inserted mean nothing.
    pub(super) fn rolled_back(&mut self) {
        self.ended.clear();
        #[expect(
            clippy::iter_over_hash_type,
            reason = "each is cleared; order is nothing"
        )]
        for live in self.live.values_mut() {
            live.forget_keys();
        }
    }

    fn event(&mut self, conn: &Connection, event: &Event) -> rusqlite::Result<()> {
        match event {
            Event::RunStarted(start) => self.run_started(conn, start),
            Event::NodeStarted { id, at } => self.node_started(conn, id, *at),
            Event::NodeSpawned { id, pid, birth } => self.node_spawned(conn, id, *pid, *birth),
            Event::NodeFinished(finish) => self.node_finished(conn, finish),
            Event::RunFinished {
                run,
                outcome,
                counts,
                skipped,
                at,
            } => {
                self.skip(conn, run, skipped)?;
                conn.prepare_cached(
                    "UPDATE runs SET outcome = ?2, ended = ?3, n_subset = ?4, n_ran = ?5,
                     n_failed = ?6, n_stopped = ?7, n_skipped = ?8, n_kept = ?9 WHERE name = ?1",
                )?
                .execute(params![
                    run.as_str(),
                    outcome.word(),
                    at.0,
                    counts.subset,
                    counts.ran,
                    counts.failed,
                    counts.stopped,
                    counts.skipped,
                    counts.kept
                ])?;
                self.ended.push(run.clone());
                Ok(())
            }
            Event::StatusCleared { flow, nodes, .. } => clear(conn, flow, nodes.as_deref()),
            Event::RunRefused { .. }
            | Event::NodeTriggered { .. }
            | Event::EdgesMarked { .. }
            | Event::RunStopping { .. }
            | Event::Told(_) => Ok(()),
        }
    }

    fn run_started(&mut self, conn: &Connection, start: &RunStart) -> rusqlite::Result<()> {
        let flow = flow_key(conn, &start.flow.file)?;
        let group = Some(&*start.frozen.group).filter(|group| !group.is_empty());
        conn.prepare_cached(
            "UPDATE flows SET group_name = ?2 WHERE id = ?1 AND group_name IS NOT ?2",
        )?
        .execute(params![flow, group])?;
        let resumed = resumed_run(conn, flow, start)?;
        let whole = match (&start.choice, resumed) {
            (Choice::Full, _) => true,
            (Choice::Resume, Some((_, whole))) => whole,
            (Choice::Resume, None) => true,
            _ => false,
        };
        let mut live = LiveRun::new(flow, start.frozen.graph.shared_nodes());
        let subset = match whole {
            true => None,
            false => Some(live.blob(conn, &start.subset)?),
        };
        let kept = match start.kept.is_empty() {
            true => None,
            false => Some(live.blob(conn, &start.kept)?),
        };
        let n = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        live.key = conn
            .prepare_cached(
                "INSERT INTO runs (name, flow, choice, resumes, whole, subset, kept, started,
                                   n_subset, n_kept, owner_pid)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                 ON CONFLICT (name) DO UPDATE SET owner_pid = excluded.owner_pid RETURNING id",
            )?
            .query_row(
                params![
                    start.run.as_str(),
                    flow,
                    start.choice.word(),
                    resumed.map(|(key, _)| key),
                    whole,
                    subset,
                    kept,
                    start.at.0,
                    n(start.subset.len()),
                    n(start.kept.len()),
                    std::process::id()
                ],
                |row| row.get(0),
            )?;
        // A run that another process began goes on from its facts.
        live.seq = super::recover::last_seq(conn, live.key)?;
        conn.prepare_cached("UPDATE flows SET last_run = ?2 WHERE id = ?1")?
            .execute([flow, live.key])?;
        self.live.insert(start.run.clone(), live);
        Ok(())
    }

    fn node_started(
        &mut self,
        conn: &Connection,
        id: &NodeRunId,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        let Some(live) = self.live.get_mut(&id.run) else {
            return Ok(());
        };
        // Later attempts of a pass are not a fact of their own.
        let seq = (id.attempt <= 1).then(|| live.next_seq());
        live.insert_attempt(conn, id, NodeStatus::Running, Some(at), seq)
    }

    fn node_spawned(
        &mut self,
        conn: &Connection,
        id: &NodeRunId,
        pid: u32,
        birth: u64,
    ) -> rusqlite::Result<()> {
        let Some(live) = self.live.get_mut(&id.run) else {
            return Ok(());
        };
        let Some(node) = live.node_key(conn, id.node)? else {
            return Ok(());
        };
        conn.prepare_cached(
            "UPDATE node_runs SET pid = ?5, birth = ?6
             WHERE run = ?1 AND node = ?2 AND pass = ?3 AND attempt = ?4",
        )?
        .execute(params![
            live.key,
            node,
            id.pass,
            id.attempt,
            pid,
            birth.cast_signed()
        ])?;
        Ok(())
    }

    fn node_finished(&mut self, conn: &Connection, finish: &Finish) -> rusqlite::Result<()> {
        let id = &finish.id;
        let Some(live) = self.live.get_mut(&id.run) else {
            return Ok(());
        };
        let Some(node) = live.node_key(conn, id.node)? else {
            return Ok(());
        };
        // An attempt that is retried does not end its pass.
        let seq = finish.retry_at.is_none().then(|| live.next_seq());
        let (kind, value) = exit_columns(&finish.exit);
        let mut update = conn.prepare_cached(
            "UPDATE node_runs SET status = ?5, exit = ?6, exit_value = ?7, ended = ?8, ended_seq = ?9
             WHERE run = ?1 AND node = ?2 AND pass = ?3 AND attempt = ?4",
        )?;
        let run = live.key;
        let columns = params![
            run,
            node,
            id.pass,
            id.attempt,
            finish.status.word(),
            kind,
            value,
            finish.at.0,
            seq
        ];
        if update.execute(columns)? == 0 {
            // A pass can end without a start: one beyond `max_passes`.
            live.insert_attempt(conn, id, finish.status, None, None)?;
            update.execute(columns)?;
        }
        Ok(())
    }

    /// Nodes that a run ended without: shown as skipped unless the run has run them.
    fn skip(
        &mut self,
        conn: &Connection,
        run: &RunId,
        skipped: &[NodeIdx],
    ) -> rusqlite::Result<()> {
        let Some(live) = self.live.get_mut(run).filter(|_| !skipped.is_empty()) else {
            return Ok(());
        };
        let keys = live.keys(conn, skipped)?;
        let mut update = conn.prepare_cached(
            "INSERT INTO node_status (node, at_run, status) VALUES (?1, ?2, 'skipped')
             ON CONFLICT (node) DO UPDATE SET at_run = ?2, status = 'skipped'
             WHERE run IS NOT ?2",
        )?;
        for &node in &keys {
            update.execute([node, live.key])?;
        }
        conn.prepare_cached("UPDATE runs SET skipped = ?2 WHERE id = ?1")?
            .execute(params![live.key, set_to_blob(keys)])?;
        Ok(())
    }

    fn command(&mut self, conn: &Connection, id: &NodeRunId, text: &str) -> rusqlite::Result<()> {
        let Some(live) = self.live.get_mut(&id.run) else {
            return Ok(());
        };
        let Some(node) = live.node_key(conn, id.node)? else {
            return Ok(());
        };
        let command = command_key(conn, text)?;
        conn.prepare_cached(
            "UPDATE node_runs SET command = ?5
             WHERE run = ?1 AND node = ?2 AND pass = ?3 AND attempt = ?4",
        )?
        .execute(params![live.key, node, id.pass, id.attempt, command])?;
        Ok(())
    }

    fn run_key(&self, conn: &Connection, run: &RunId) -> rusqlite::Result<Option<i64>> {
        match self.live.get(run) {
            Some(live) => Ok(Some(live.key)),
            None => run_key(conn, run),
        }
    }
}

/// The run that a new one goes on from, with whether that one was bound to the whole flow. A resume
/// that names none goes on from imported results, which are no run of ours.
fn resumed_run(
    conn: &Connection,
    flow: i64,
    start: &RunStart,
) -> rusqlite::Result<Option<(i64, bool)>> {
    let found = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    match &start.resumes {
        Some(run) => conn
            .prepare_cached("SELECT id, whole FROM runs WHERE name = ?1")?
            .query_row([run.as_str()], found)
            .optional(),
        None if start.choice == Choice::Resume => conn
            .prepare_cached(
                "SELECT r.id, r.whole FROM flows f JOIN runs r ON r.id = f.last_run
                 WHERE f.id = ?1 AND r.choice = ?2",
            )?
            .query_row(params![flow, IMPORTED], found)
            .optional(),
        None => Ok(None),
    }
}

fn clear(conn: &Connection, flow: &FlowRef, nodes: Option<&[NodeId]>) -> rusqlite::Result<()> {
    let flow = flow_key(conn, &flow.file)?;
    let Some(nodes) = nodes else {
        clear_statuses(conn, flow)?;
        conn.prepare_cached("UPDATE flows SET last_run = NULL WHERE id = ?1")?
            .execute([flow])?;
        return Ok(());
    };
    let mut delete = conn.prepare_cached(
        "DELETE FROM node_status WHERE node = (SELECT id FROM nodes WHERE flow = ?1 AND name = ?2)",
    )?;
    for node in nodes {
        delete.execute(params![flow, node.as_str()])?;
    }
    Ok(())
}

/// Forgets how every node of a flow stands.
pub(super) fn clear_statuses(conn: &Connection, flow: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "DELETE FROM node_status WHERE node IN (SELECT id FROM nodes WHERE flow = ?1)",
    )?
    .execute([flow])?;
    Ok(())
}

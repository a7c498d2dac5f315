//! A run under way and its nodes, as rows.

use std::sync::Arc;

use rusqlite::{Connection, params};

use crate::ledger::keys::{command_key, titled_node_key};
use crate::ledger::row::set_to_blob;
use crate::model::{Node, NodeIdx, NodeRunId, NodeStatus, Timestamp};

/// A run of this process that has not ended, with the keys of its rows.
#[derive(Debug)]
pub struct LiveRun {
    /// Its row.
    pub key: i64,
    flow: i64,
    nodes: Vec<NodeKeys>,
    /// Facts so far: they are numbered, because two clocks ticks apart is not an order.
    pub seq: i64,
}

/// A node of a live run with the keys of its rows, once they are known.
#[derive(Debug)]
struct NodeKeys {
    node: Arc<Node>,
    node_key: Option<i64>,
    command_key: Option<i64>,
}

impl LiveRun {
    /// One that is about to get a row.
    pub fn new<'a>(flow: i64, nodes: impl Iterator<Item = &'a Arc<Node>>) -> Self {
        let keys = |node: &Arc<Node>| NodeKeys {
            node: node.clone(),
            node_key: None,
            command_key: None,
        };
        Self {
            key: 0,
            flow,
            nodes: nodes.map(keys).collect(),
            seq: 0,
        }
    }

    /// Rows that were inserted are there no more.
    pub fn forget_keys(&mut self) {
        for keys in &mut self.nodes {
            keys.node_key = None;
            keys.command_key = None;
        }
    }

    /// The number of its next fact.
    pub fn next_seq(&mut self) -> i64 {
        self.seq += 1;
        self.seq
    }

    /// Inserts an attempt and makes it the newest of its node.
    pub fn insert_attempt(
        &mut self,
        conn: &Connection,
        id: &NodeRunId,
        status: NodeStatus,
        started: Option<Timestamp>,
        started_seq: Option<i64>,
    ) -> rusqlite::Result<()> {
        let Some(node) = self.node_key(conn, id.node)? else {
            return Ok(());
        };
        let command = self.command_key(conn, id.node)?;
        conn.prepare_cached(
            "INSERT OR REPLACE INTO node_runs
                 (run, node, pass, attempt, idx, status, started, started_seq, command)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            self.key,
            node,
            id.pass,
            id.attempt,
            id.node.0,
            status.word(),
            started.map(|at| at.0),
            started_seq,
            command
        ])?;
        conn.prepare_cached(
            "INSERT OR REPLACE INTO node_status (node, at_run, status, run, pass, attempt)
             VALUES (?1, ?2, NULL, ?2, ?3, ?4)",
        )?
        .execute(params![node, self.key, id.pass, id.attempt])?;
        Ok(())
    }

    /// The row key of a node; `None` for a place the frozen flow does not have.
    pub fn node_key(&mut self, conn: &Connection, idx: NodeIdx) -> rusqlite::Result<Option<i64>> {
        let Some(keys) = self.nodes.get_mut(idx.0 as usize) else {
            return Ok(None);
        };
        if keys.node_key.is_none() {
            keys.node_key = Some(titled_node_key(conn, self.flow, &keys.node)?);
        }
        Ok(keys.node_key)
    }

    fn command_key(&mut self, conn: &Connection, idx: NodeIdx) -> rusqlite::Result<Option<i64>> {
        let Some(keys) = self.nodes.get_mut(idx.0 as usize) else {
            return Ok(None);
        };
        if keys.command_key.is_none() {
            keys.command_key = Some(command_key(conn, &keys.node.command)?);
        }
        Ok(keys.command_key)
    }

    /// The row keys of these nodes.
    pub fn keys(&mut self, conn: &Connection, nodes: &[NodeIdx]) -> rusqlite::Result<Vec<i64>> {
        let keys = nodes.iter().map(|&idx| self.node_key(conn, idx));
        Ok(keys
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    /// The same as a set that is stored.
    pub fn blob(&mut self, conn: &Connection, nodes: &[NodeIdx]) -> rusqlite::Result<Vec<u8>> {
        Ok(set_to_blob(self.keys(conn, nodes)?))
    }
}

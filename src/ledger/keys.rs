//! Row keys of flows, nodes, runs and commands, made when they are new.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{Node, NodeId, RunId, command_hash};

/// Longest title that is kept; the workfile has the rest.
const TITLE_CHARS_MAX: usize = 80;

/// The row key of a flow, made when it is new.
pub(super) fn flow_key(conn: &Connection, file: &str) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO flows (file) VALUES (?1)
         ON CONFLICT (file) DO UPDATE SET file = file RETURNING id",
    )?
    .query_row([file], |row| row.get(0))
}

/// The row key of a node of a run that begins, with its name for people brought up to date: other
/// machines are told of its attempts by it.
pub(super) fn titled_node_key(conn: &Connection, flow: i64, node: &Node) -> rusqlite::Result<i64> {
    let name = node.name();
    let end = name.char_indices().nth(TITLE_CHARS_MAX);
    let title = &name[..end.map_or(name.len(), |(at, _)| at)];
    let mut select =
        conn.prepare_cached("SELECT id, title IS ?3 FROM nodes WHERE flow = ?1 AND name = ?2")?;
    let found: Option<(i64, bool)> = select
        .query_row(params![flow, node.id.as_str(), title], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    match found {
        Some((key, true)) => Ok(key),
        Some((key, false)) => {
            conn.prepare_cached("UPDATE nodes SET title = ?2 WHERE id = ?1")?
                .execute(params![key, title])?;
            Ok(key)
        }
        None => conn
            .prepare_cached("INSERT INTO nodes (flow, name, title) VALUES (?1, ?2, ?3)")?
            .insert(params![flow, node.id.as_str(), title]),
    }
}

/// The row key of a node, made when it is new.
pub(super) fn node_key(conn: &Connection, flow: i64, node: &NodeId) -> rusqlite::Result<i64> {
    let found = conn
        .prepare_cached("SELECT id FROM nodes WHERE flow = ?1 AND name = ?2")?
        .query_row(params![flow, node.as_str()], |row| row.get(0))
        .optional()?;
    if let Some(key) = found {
        return Ok(key);
    }
    conn.prepare_cached("INSERT INTO nodes (flow, name) VALUES (?1, ?2)")?
        .insert(params![flow, node.as_str()])
}

/// The row key of a run, when it is known.
pub(super) fn run_key(conn: &Connection, run: &RunId) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT id FROM runs WHERE name = ?1")?
        .query_row([run.as_str()], |row| row.get(0))
        .optional()
}

/// The row key of a command's text. The hash finds it; the text decides, as the hash may collide.
pub(super) fn command_key(conn: &Connection, text: &str) -> rusqlite::Result<i64> {
    let hash = command_hash(text).cast_signed();
    let found = conn
        .prepare_cached("SELECT id FROM commands WHERE hash = ?1 AND text = ?2")?
        .query_row(params![hash, text], |row| row.get(0))
        .optional()?;
    if let Some(key) = found {
        return Ok(key);
    }
    conn.prepare_cached("INSERT INTO commands (hash, text) VALUES (?1, ?2)")?
        .insert(params![hash, text])
}

//! What is known of a flow from before: statuses, and the facts of its last run with those it resumed.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fold::IMPORTED;
use super::keys::run_key;
use super::row::{exit_of, set_from_blob, status_of};
use crate::model::{
    Base, EdgeId, Exit, Fact, NodeId, NodeState, NodeStatus, Past, PastRun, RunId, Timestamp, What,
};

type Names = HashMap<i64, NodeId>;

/// One run of a chain.
struct Link {
    key: i64,
    name: RunId,
    imported: bool,
    resumes: Option<i64>,
    whole: bool,
    subset: Option<Vec<u8>>,
    kept: Option<Vec<u8>>,
    skipped: Option<Vec<u8>>,
}

/// All of it. One view of the file, so that a status never comes from a later run than the facts.
pub(super) fn past(conn: &Connection, file: &str) -> rusqlite::Result<Past> {
    let Some((flow, last_run)) = flow(conn, file)? else {
        return Ok(Past::default());
    };
    let names = names(conn, flow)?;
    let mut past = Past::default();
    statuses(conn, flow, &names, &mut past)?;
    if let Some(last) = last_run {
        past.last = past_run(conn, last, &names)?;
    }
    Ok(past)
}

/// How each node stood in one run.
pub(super) fn states_of_run(
    conn: &Connection,
    file: &str,
    run: &RunId,
) -> rusqlite::Result<HashMap<NodeId, NodeState>> {
    let mut states = HashMap::new();
    let (Some((flow, _)), Some(key)) = (flow(conn, file)?, run_key(conn, run)?) else {
        return Ok(states);
    };
    let names = names(conn, flow)?;
    let chain = chain(conn, key)?;
    // Nodes that a run kept are as the run before left them; `None` is every node.
    let mut asked: Option<Vec<i64>> = None;
    for link in &chain {
        let of_link = states_of_link(conn, link)?;
        match &asked {
            None => {
                let named = of_link.into_iter();
                states.extend(named.filter_map(|(node, s)| Some((names.get(&node)?.clone(), s))));
            }
            Some(kept) => {
                for node in kept {
                    if let (Some(name), Some(state)) = (names.get(node), of_link.get(node)) {
                        states.entry(name.clone()).or_insert_with(|| state.clone());
                    }
                }
            }
        }
        let kept = set_from_blob(link.kept.as_deref().unwrap_or_default());
        if kept.is_empty() {
            break;
        }
        asked = Some(kept);
    }
    Ok(states)
}

/// The key of a flow and of its last run.
pub(super) fn flow(conn: &Connection, file: &str) -> rusqlite::Result<Option<(i64, Option<i64>)>> {
    conn.prepare_cached("SELECT id, last_run FROM flows WHERE file = ?1")?
        .query_row([file], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn names(conn: &Connection, flow: i64) -> rusqlite::Result<Names> {
    let mut select = conn.prepare_cached("SELECT id, name FROM nodes WHERE flow = ?1")?;
    let mut rows = select.query([flow])?;
    let mut names = Names::new();
    while let Some(row) = rows.next()? {
        names.insert(row.get(0)?, NodeId::new(row.get_ref(1)?.as_str()?));
    }
    Ok(names)
}

fn statuses(conn: &Connection, flow: i64, names: &Names, past: &mut Past) -> rusqlite::Result<()> {
    let mut select = conn.prepare_cached(
        "SELECT coalesce(s.status, r.status), r.pass, r.attempt, r.started, r.ended, r.exit,
                r.exit_value, r.pid, s.node, s.at_run, s.status IS NULL, c.hash,
                CASE WHEN s.run IS NULL THEN
                    (SELECT i.exit FROM import_nodes i WHERE i.run = s.at_run AND i.node = s.node)
                END
         FROM nodes n
         CROSS JOIN node_status s ON s.node = n.id
         LEFT JOIN node_runs r ON r.run = s.run AND r.node = s.node
                              AND r.pass = s.pass AND r.attempt = s.attempt
         LEFT JOIN commands c ON c.id = r.command
         WHERE n.flow = ?1",
    )?;
    // Few runs give the statuses of many nodes.
    let mut runs: HashMap<i64, Option<RunId>> = HashMap::new();
    let mut rows = select.query([flow])?;
    while let Some(row) = rows.next()? {
        let Some(node) = names.get(&row.get(8)?) else {
            continue;
        };
        let at_run: i64 = row.get(9)?;
        let run = match runs.get(&at_run) {
            Some(run) => run.clone(),
            None => runs.entry(at_run).or_insert(own_run(conn, at_run)?).clone(),
        };
        let of_node_run: bool = row.get(10)?;
        let state = if of_node_run {
            state_of(row, run)?
        } else {
            NodeState {
                status: status_of(row.get_ref(0)?),
                run,
                exit: row.get::<_, Option<i32>>(12)?.map(Exit::Code),
                ..NodeState::default()
            }
        };
        past.nodes.insert(node.clone(), state);
        if let Some(hash) = row.get::<_, Option<i64>>(11)? {
            past.commands.insert(node.clone(), hash.cast_unsigned());
        }
    }
    Ok(())
}

/// The id of a run of ours; `None` for an import.
fn own_run(conn: &Connection, key: i64) -> rusqlite::Result<Option<RunId>> {
    conn.prepare_cached("SELECT name FROM runs WHERE id = ?1 AND choice <> ?2")?
        .query_row(params![key, IMPORTED], |row| {
            Ok(RunId::new(row.get_ref(0)?.as_str()?))
        })
        .optional()
}

/// A state from the columns status, pass, attempt, started, ended, exit, exit value, pid.
fn state_of(row: &Row<'_>, run: Option<RunId>) -> rusqlite::Result<NodeState> {
    let status = status_of(row.get_ref(0)?);
    let pid: Option<u32> = row.get(7)?;
    Ok(NodeState {
        status,
        run,
        pass: row.get::<_, Option<u32>>(1)?.unwrap_or(0),
        attempt: row.get::<_, Option<u32>>(2)?.unwrap_or(0),
        queued: 0,
        started: row.get::<_, Option<i64>>(3)?.map(Timestamp),
        ended: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        exit: exit_of(row.get_ref(5)?, row.get_ref(6)?),
        pid: pid.filter(|_| status == NodeStatus::Running),
    })
}

/// A run and those it goes on from, newest first.
fn chain(conn: &Connection, run: i64) -> rusqlite::Result<Vec<Link>> {
    let mut select = conn.prepare_cached(
        "SELECT id, name, choice, resumes, whole, subset, kept, skipped FROM runs WHERE id = ?1",
    )?;
    let mut chain: Vec<Link> = Vec::new();
    let mut next = Some(run);
    while let Some(key) = next {
        let link = select
            .query_row([key], |row| {
                Ok(Link {
                    key: row.get(0)?,
                    name: RunId::new(row.get_ref(1)?.as_str()?),
                    imported: row.get_ref(2)?.as_str()? == IMPORTED,
                    resumes: row.get(3)?,
                    whole: row.get(4)?,
                    subset: row.get(5)?,
                    kept: row.get(6)?,
                    skipped: row.get(7)?,
                })
            })
            .optional()?;
        // A run goes on from an earlier one: anything else is damage, and would never end.
        next = link
            .as_ref()
            .and_then(|link| link.resumes)
            .filter(|&resumes| resumes < key);
        chain.extend(link);
    }
    Ok(chain)
}

fn past_run(conn: &Connection, last: i64, names: &Names) -> rusqlite::Result<Option<PastRun>> {
    let chain = chain(conn, last)?;
    let Some(newest) = chain.first() else {
        return Ok(None);
    };
    let mut past = PastRun {
        run: (!newest.imported).then(|| newest.name.clone()),
        ..PastRun::default()
    };
    if !newest.whole {
        let subset = set_from_blob(newest.subset.as_deref().unwrap_or_default());
        past.scope = Some(named(&subset, names));
    }
    for (place, link) in chain.iter().rev().enumerate() {
        if link.imported {
            past.base = Some(base(conn, link.key, names)?);
            continue;
        }
        if place > 0 {
            past.facts.push(Fact {
                node: None,
                what: What::Resumed,
            });
        }
        facts(conn, link.key, names, &mut past.facts)?;
    }
    Ok(Some(past))
}

fn named(keys: &[i64], names: &Names) -> Vec<NodeId> {
    keys.iter()
        .filter_map(|key| names.get(key).cloned())
        .collect()
}

fn facts(conn: &Connection, run: i64, names: &Names, into: &mut Vec<Fact>) -> rusqlite::Result<()> {
    let mut select = conn.prepare_cached(
        "SELECT node, started_seq, ended_seq, status FROM node_runs
         WHERE run = ?1 AND (started_seq IS NOT NULL OR ended_seq IS NOT NULL)",
    )?;
    let mut rows = select.query([run])?;
    let mut numbered: Vec<(i64, i64, What)> = Vec::new();
    while let Some(row) = rows.next()? {
        let node: i64 = row.get(0)?;
        if let Some(seq) = row.get(1)? {
            numbered.push((seq, node, What::Started));
        }
        if let Some(seq) = row.get(2)? {
            numbered.push((seq, node, What::Ended(status_of(row.get_ref(3)?))));
        }
    }
    // Passes interrupted together share a number; their order means nothing, but is kept the same.
    numbered.sort_by_key(|&(seq, node, _)| (seq, node));
    into.extend(numbered.into_iter().filter_map(|(_, node, what)| {
        let node = Some(names.get(&node)?.clone());
        Some(Fact { node, what })
    }));
    Ok(())
}

fn base(conn: &Connection, run: i64, names: &Names) -> rusqlite::Result<Base> {
    let mut base = Base::default();
    let mut select = conn.prepare_cached("SELECT node, status FROM import_nodes WHERE run = ?1")?;
    let mut rows = select.query([run])?;
    while let Some(row) = rows.next()? {
        let status = status_of(row.get_ref(1)?);
        if let Some(node) = names.get(&row.get(0)?)
            && status != NodeStatus::Idle
        {
            base.statuses.insert(node.clone(), status);
        }
    }
    let mut select = conn.prepare_cached("SELECT edge FROM marks WHERE run = ?1 ORDER BY edge")?;
    base.marks = select
        .query_map([run], |row| Ok(EdgeId::new(row.get_ref(0)?.as_str()?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(base)
}

fn states_of_link(conn: &Connection, link: &Link) -> rusqlite::Result<HashMap<i64, NodeState>> {
    let mut states = HashMap::new();
    if link.imported {
        let mut select =
            conn.prepare_cached("SELECT node, status, exit FROM import_nodes WHERE run = ?1")?;
        let mut rows = select.query([link.key])?;
        while let Some(row) = rows.next()? {
            let state = NodeState {
                status: status_of(row.get_ref(1)?),
                exit: row.get::<_, Option<i32>>(2)?.map(Exit::Code),
                ..NodeState::default()
            };
            states.insert(row.get(0)?, state);
        }
        return Ok(states);
    }
    let skipped = NodeState {
        status: NodeStatus::Skipped,
        run: Some(link.name.clone()),
        ..NodeState::default()
    };
    for node in set_from_blob(link.skipped.as_deref().unwrap_or_default()) {
        states.insert(node, skipped.clone());
    }
    // In the order of the key, so that a node's newest attempt is the last to be written.
    let mut select = conn.prepare_cached(
        "SELECT status, pass, attempt, started, ended, exit, exit_value, pid, node
         FROM node_runs WHERE run = ?1 ORDER BY run, node, pass, attempt",
    )?;
    let mut rows = select.query([link.key])?;
    while let Some(row) = rows.next()? {
        states.insert(row.get(8)?, state_of(row, Some(link.name.clone()))?);
    }
    Ok(states)
}

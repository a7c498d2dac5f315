//! Rows of the shared tables in the words of our ledger. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ledger::{
    FileState, RunElsewhere, StepElsewhere, Taken, TakenAttempt, TakenLine, TakenRun,
};
use crate::model::{NodeId, NodeStatus, Retention, Stream, Timestamp};
use crate::share::{Rows, RunRow, StepRow};
use crate::store;

use super::words::{self, Source, bounded};

/// What a machine is called whose name nobody tells.
const UNKNOWN_HOST: &str = "another machine";

/// The choice of a run whose machine does not tell it.
const UNKNOWN_CHOICE: &str = "full";

/// All rows of a snapshot. `host` is the machine that published it, if that is known.
pub fn taken(rows: Rows, host: Option<&str>, rule: &Retention, now: Timestamp) -> Taken {
    // Runs have no number, but their steps have: they are in the order of their first steps.
    let mut steps = rows.steps;
    steps.sort_by_key(|step| step.id);
    let mut first: HashMap<&str, i64> = HashMap::new();
    for step in &steps {
        first.entry(&step.run_id).or_insert(step.id);
    }
    let mut runs = rows.runs;
    runs.retain(|run| !is_too_old(run, rule, now));
    let runs = in_order(runs, &first);
    let attempts = steps.into_iter().map(attempt).collect();
    let lines = rows.logs.into_iter().map(|log| TakenLine {
        run: log.run_id.map(|run| words::mapped_run_id(&run)),
        flow: log.flow_name.map(bounded),
        label: log.step_label.map(bounded),
        level: bounded(log.level),
        message: bounded(log.message),
        at: log.created_at,
    });
    let files = rows.files.into_iter().map(|file| FileState {
        flow: bounded(file.flow_name),
        source: bounded(file.source_path),
        mtime_ns: file.mtime_ns,
        bytes: file.size_bytes,
        success_run: file.last_success_run_id.map(bounded),
        success_at: file.last_success_at,
        status: bounded(file.last_status),
        error: file.last_error_text.map(bounded),
    });
    Taken {
        seen: now,
        runs: runs.into_iter().map(|row| run(row, host)).collect(),
        attempts,
        lines: lines.collect(),
        files: files.collect(),
        interrupts: false,
    }
}

/// Runs in the order they came into their machine's ledger: that of their first steps; one without steps stands
/// before the first that began after it.
fn in_order(runs: Vec<RunRow>, first_step: &HashMap<&str, i64>) -> Vec<RunRow> {
    let number = |run: &RunRow| first_step.get(run.run_id.as_str()).copied();
    let (mut numbered, mut others): (Vec<_>, Vec<_>) =
        runs.into_iter().partition(|run| number(run).is_some());
    numbered.sort_by_key(number);
    others.sort_by_key(|run| run.started_at);
    let mut all = Vec::with_capacity(numbered.len() + others.len());
    let mut others = others.into_iter().peekable();
    for run in numbered {
        while let Some(other) = others.next_if(|other| other.started_at <= run.started_at) {
            all.push(other);
        }
        all.push(run);
    }
    all.extend(others);
    all
}

/// Retention would remove it at once, and it would come back with the next look.
fn is_too_old(run: &RunRow, rule: &Retention, now: Timestamp) -> bool {
    let (Some(ended), Some(mut time)) = (run.finished_at, rule.time()) else {
        return false;
    };
    if run.status != "success" {
        time *= 2;
    }
    now.since(ended) > time
}

fn run(row: RunRow, host: Option<&str>) -> TakenRun {
    let file = file_of(row.flow_name);
    let outcome = words::outcome_of(&row.status, row.error_text.as_deref());
    let source = row.source_path.as_deref();
    let source = source.and_then(|source| Source::parse(source, &file));
    let told = source.unwrap_or_else(|| Source {
        host: host.unwrap_or(UNKNOWN_HOST).to_owned(),
        choice: UNKNOWN_CHOICE.to_owned(),
        whole: true,
        resumes: None,
    });
    TakenRun {
        run: words::mapped_run_id(&row.run_id),
        file: file.into(),
        choice: short(&told.choice),
        whole: told.whole,
        resumes: told.resumes,
        host: short(called(&told.host, host)),
        started: row.started_at,
        ended: outcome.map(|_| row.finished_at.unwrap_or(row.started_at)),
        outcome,
        elsewhere: RunElsewhere {
            status: bounded(row.status),
            group: row.group_name.map(bounded),
            source: row.source_path.map(bounded),
            error: row.error_text.map(bounded),
        },
    }
}

/// What a run's host is called here: as the machine that published it is, where that one ran it and has a name that
/// another machine has too.
fn called<'a>(ran_on: &'a str, publisher: Option<&'a str>) -> &'a str {
    let told_apart = |name: &&str| {
        let rest = name.strip_prefix(ran_on);
        rest.is_some_and(|rest| rest.starts_with(" ("))
    };
    publisher.filter(told_apart).unwrap_or(ran_on)
}

/// A flow's file by its name in the tables. Flows of Handmill are named by their file; those of the seed have no
/// ending and are no workfiles.
fn file_of(name: String) -> String {
    let name = bounded(name);
    let is_inside = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    match is_inside {
        true => name,
        // No path of a workspace: it can never be opened as one.
        false => format!("?{}", name.replace('/', "∕")),
    }
}

/// A name for one line of a list.
fn short(text: &str) -> Arc<str> {
    let text = crate::exec::inert(text.as_bytes());
    text.chars().take(64).collect::<String>().into()
}

/// Node, pass and attempt of a step's label. Only a flow of ours numbers them.
fn named(flow: &str, label: &str) -> Option<(NodeId, u32, u32)> {
    let file_name = flow.rsplit('/').next().unwrap_or_default();
    let is_ours = store::is_workfile_name(file_name);
    words::parse_label(label).filter(|_| is_ours)
}

/// The node that a line of another machine is of; one without a name for what is of none.
pub fn node_of(flow: Option<&str>, label: Option<&str>) -> NodeId {
    let label = label.unwrap_or_default();
    let named = named(flow.unwrap_or_default(), label);
    named.map_or_else(|| NodeId::new(label), |(node, _, _)| node)
}

/// Which output a line of another machine came from, by its level.
pub fn stream_of(level: &str) -> Stream {
    match level {
        "ERROR" | "CRITICAL" => Stream::Err,
        _ => Stream::Out,
    }
}

fn attempt(row: StepRow) -> TakenAttempt {
    let (status, exit, is_retried) = words::step_of(&row.status, row.error_text.as_deref());
    let label = bounded(row.step_label);
    let named = named(&row.flow_name, &label);
    let (node, number) = match named {
        Some((node, pass, n_th)) => (node, Some((pass, n_th))),
        None => (NodeId::new(label.as_str()), None),
    };
    let is_over = status != NodeStatus::Running;
    TakenAttempt {
        run: words::mapped_run_id(&row.run_id),
        node,
        number,
        status,
        exit,
        is_retried,
        started: row.started_at,
        ended: is_over.then(|| row.finished_at.unwrap_or(row.started_at)),
        elsewhere: StepElsewhere {
            label,
            status: bounded(row.status),
            elapsed_ms: row.elapsed_ms,
            error: row.error_text.map(bounded),
            output: row.output_path.map(bounded),
        },
    }
}

//! Questions about what is recorded, answered at once and blocking: for the pool's threads and
//! for the command line. The window asks by [`super::Order`] instead.

use std::path::PathBuf;
use std::sync::Arc;

pub use super::details::{compare, run_in_detail};
pub use super::pruner::Taken;
use crate::exec;
pub use crate::exec::{Lines, read_from};
use crate::ledger::{Ledger, NodeRunRow};
use crate::model::{
    FlowRef, LogLine, LogTail, NodeId, Notice, Past, Published, Retention, RunId, RunSummary,
    Stream, Timestamp,
};
use crate::store::Home;

use super::board::Runner;
use super::order::LogTarget;
use super::workspace::Workspace;
use super::{pruner, runners, sharing};

/// Most lines of a log kept on the board (processes-and-ledger.md, C4).
pub const TAIL_LINES_MAX: usize = 5_000;

/// Most bytes read from the end of each log file for that.
const TAIL_BYTES_MAX: u64 = 1 << 20;

/// Most nodes whose logs a whole run's log is put together from: those that printed last.
const RUN_LOGS_MAX: usize = 64;

/// The newest lines of a log; why not, as a fragment.
pub fn tail(workspace: &Workspace, target: &LogTarget) -> Result<LogTail, String> {
    let ledger = &workspace.ledger;
    let told = |why: crate::ledger::LedgerError| why.to_string();
    match &target.node {
        Some(node) => {
            let row = match &target.run {
                Some(run) => ledger.node_runs(run, Some(node)).map_err(told)?.pop(),
                None => ledger.newest_node_run(&target.flow, node).map_err(told)?,
            };
            if let Some(row) = &row
                && let Some(tail) = published_tail(workspace, &row.id.run, Some(node))?
            {
                return Ok(tail);
            }
            match row {
                Some(row) if exec::is_log(&workspace.log_files(&row.id).0) => {
                    tail_of(workspace, &row, TAIL_LINES_MAX)
                }
                Some(row) if is_removed(workspace, &row) => Ok(removed()),
                _ if target.run.is_some() => Ok(LogTail::default()),
                _ => {
                    let imported = ledger.imported_log(&target.flow, node).map_err(told)?;
                    Ok(imported
                        .map(|(out, err)| imported_tail(node, &out, &err))
                        .unwrap_or_default())
                }
            }
        }
        None => {
            let run = match &target.run {
                Some(run) => Some(run.clone()),
                None => ledger
                    .history(&target.flow, 1, None)
                    .map_err(told)?
                    .pop()
                    .map(|run| run.id),
            };
            match run {
                Some(run) => tail_of_run(workspace, &target.flow, &run),
                None => Ok(LogTail::default()),
            }
        }
    }
}

/// What another machine published of the log of one of its runs; `None` for a run of this machine.
fn published_tail(
    workspace: &Workspace,
    run: &RunId,
    node: Option<&NodeId>,
) -> Result<Option<LogTail>, String> {
    let known = workspace.ledger.lines_elsewhere(run, node);
    let Some(known) = known.map_err(|why| why.to_string())? else {
        return Ok(None);
    };
    let mut tail = LogTail {
        published: Some(Published {
            host: known.host,
            seen: known.seen,
        }),
        ..LogTail::default()
    };
    for line in known.lines {
        let node = match node {
            Some(node) => node.clone(),
            None => sharing::node_of(line.flow.as_deref(), line.label.as_deref()),
        };
        let stream = sharing::stream_of(&line.level);
        tail.total_bytes += line.message.len() as u64;
        for text in shown_lines(line.message.as_bytes()) {
            tail.lines.push(LogLine {
                at: Some(line.at),
                stream,
                node: node.clone(),
                text: text.into(),
            });
        }
    }
    let too_many = tail.lines.len().saturating_sub(TAIL_LINES_MAX);
    tail.lines.drain(..too_many);
    Ok(Some(tail))
}

/// The log of a recorded attempt is gone with the folder of its run.
fn is_removed(workspace: &Workspace, row: &NodeRunRow) -> bool {
    let folder = workspace.run_dir(&row.id.run);
    !exec::is_log(&workspace.log_files(&row.id).0) && folder.try_exists().is_ok_and(|there| !there)
}

fn removed() -> LogTail {
    LogTail {
        removed: true,
        ..LogTail::default()
    }
}

fn tail_of(workspace: &Workspace, row: &NodeRunRow, lines_max: usize) -> Result<LogTail, String> {
    let (out, err) = workspace.log_files(&row.id);
    let index = workspace
        .ledger
        .log_index(&row.id)
        .map_err(|why| why.to_string())?;
    let mut tail = exec::read_tail(
        &out,
        &err,
        &index,
        row.node.clone(),
        TAIL_BYTES_MAX,
        lines_max,
    );
    // What was printed last may have come too shortly before the end to be seen arriving. Where no
    // end is known, as when Handmill died, nothing can be said.
    for line in tail.lines.iter_mut().filter(|line| line.at.is_none()) {
        line.at = row.ended;
    }
    Ok(tail)
}

/// Puts lines of several logs in the order they came. A line without a time stays behind the one
/// before it in its own log.
fn in_order(logs: Vec<Vec<LogLine>>) -> Vec<LogLine> {
    let mut all: Vec<(Option<Timestamp>, LogLine)> = Vec::new();
    for log in logs {
        let mut before = None;
        for line in log {
            before = line.at.or(before);
            all.push((before, line));
        }
    }
    // Stable: lines of one log keep their order.
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, line)| line).collect()
}

fn imported_tail(node: &NodeId, stdout: &str, stderr: &str) -> LogTail {
    let mut tail = LogTail {
        total_bytes: (stdout.len() + stderr.len()) as u64,
        ..LogTail::default()
    };
    for (stream, text) in [(Stream::Out, stdout), (Stream::Err, stderr)] {
        for line in shown_lines(text.as_bytes()) {
            tail.lines.push(LogLine {
                at: None,
                stream,
                node: node.clone(),
                text: line.into(),
            });
        }
    }
    tail
}

fn tail_of_run(workspace: &Workspace, flow: &FlowRef, run: &RunId) -> Result<LogTail, String> {
    if let Some(tail) = published_tail(workspace, run, None)? {
        return Ok(tail);
    }
    let rows = workspace
        .ledger
        .node_runs(run, None)
        .map_err(|why| why.to_string())?;
    if rows.first().is_some_and(|row| is_removed(workspace, row)) {
        return Ok(removed());
    }
    let mut printed: Vec<(std::time::SystemTime, &NodeRunRow)> = rows
        .iter()
        .filter_map(|row| {
            let (out, err) = workspace.log_files(&row.id);
            let seen = [out, err]
                .iter()
                .filter_map(|file| exec::last_write(file))
                .max()?;
            Some((seen, row))
        })
        .collect();
    printed.sort_by_key(|(at, _)| *at);
    let left_out = printed.len().saturating_sub(RUN_LOGS_MAX);
    let mut whole = LogTail::default();
    let mut logs = Vec::new();
    for (_, row) in &printed[left_out..] {
        let tail = tail_of(workspace, row, TAIL_LINES_MAX)?;
        whole.skipped_bytes += tail.skipped_bytes;
        whole.total_bytes += tail.total_bytes;
        logs.push(tail.lines);
    }
    if rows.is_empty() {
        // Results of another program came as statuses and texts, without attempts and log files.
        let told = |why: crate::ledger::LedgerError| why.to_string();
        let ledger = &workspace.ledger;
        let mut nodes: Vec<NodeId> = ledger
            .states_of_run(flow, run)
            .map_err(told)?
            .into_keys()
            .collect();
        nodes.sort_unstable();
        for node in &nodes {
            if let Some((out, err)) = ledger.imported_log(flow, node).map_err(told)? {
                let tail = imported_tail(node, &out, &err);
                whole.total_bytes += tail.total_bytes;
                logs.push(tail.lines);
            }
        }
    }
    whole.lines = in_order(logs);
    let too_many = whole.lines.len().saturating_sub(TAIL_LINES_MAX);
    whole.lines.drain(..too_many);
    Ok(whole)
}

/// What is recorded of one flow.
pub struct FlowRecord {
    /// How each node stands, and what a resume would know.
    pub past: Past,
    /// Newest runs first.
    pub history: Vec<RunSummary>,
    /// Another process that runs it now.
    pub runner: Option<Runner>,
}

/// Opens the workspace of a flow to look things up; with what the operator should read about it.
pub fn open(home: &Home, flow: &FlowRef) -> Result<(Arc<Workspace>, Vec<Notice>), String> {
    let (tell, told) = std::sync::mpsc::channel();
    let open = Workspace::open(home, flow, super::now(), move |notice| {
        tell.send(notice).ok();
    });
    open.map(|workspace| (Arc::new(workspace), told.try_iter().collect()))
}

/// What is recorded of a flow.
pub fn record(
    home: &Home,
    workspace: &Workspace,
    flow: &FlowRef,
    n_runs: usize,
) -> Result<FlowRecord, String> {
    let ledger: &Ledger = &workspace.ledger;
    Ok(FlowRecord {
        past: ledger.past(flow).map_err(|why| why.to_string())?,
        history: ledger
            .history(flow, n_runs, None)
            .map_err(|why| why.to_string())?,
        runner: runners::runner(home, flow),
    })
}

/// Has the runs and logs of a workspace go that the rule takes, or only tells which; why not, as a fragment.
pub fn prune(workspace: &Workspace, rule: &Retention, dry: bool) -> Result<Taken, String> {
    let now = super::now();
    match dry {
        true => pruner::plan(workspace, rule, now),
        false => {
            let end = std::sync::atomic::AtomicBool::new(false);
            pruner::prune(workspace, rule, now, pruner::Care::Thorough, &end)
        }
    }
}

/// The log files of the newest attempts of a run's nodes (or of one node), in the order they
/// began. Imported logs have no files.
pub fn log_files(
    workspace: &Workspace,
    flow: &FlowRef,
    run: Option<&RunId>,
    node: Option<&NodeId>,
) -> Result<Vec<LogFiles>, String> {
    let ledger = &workspace.ledger;
    let told = |why: crate::ledger::LedgerError| why.to_string();
    let rows = match (run, node) {
        (None, Some(node)) => ledger
            .newest_node_run(flow, node)
            .map_err(told)?
            .into_iter()
            .collect(),
        (Some(run), node) => ledger.node_runs(run, node).map_err(told)?,
        (None, None) => match ledger.history(flow, 1, None).map_err(told)?.pop() {
            Some(newest) => ledger.node_runs(&newest.id, None).map_err(told)?,
            None => Vec::new(),
        },
    };
    let files = rows.into_iter().map(|row| {
        let (stdout, stderr) = workspace.log_files(&row.id);
        let imported = if exec::is_log(&stdout) {
            None
        } else if let Ok(Some(tail)) = published_tail(workspace, &row.id.run, Some(&row.node)) {
            Some(texts_of(&tail))
        } else {
            ledger.imported_log(flow, &row.node).ok().flatten()
        };
        LogFiles {
            removed: imported.is_none() && is_removed(workspace, &row),
            node: row.node,
            run: row.id.run,
            over: row.ended.is_some(),
            stdout,
            stderr,
            imported,
        }
    });
    Ok(files.collect())
}

/// The lines of each stream as one text.
fn texts_of(tail: &LogTail) -> (String, String) {
    let of = |stream| {
        let lines = tail.lines.iter().filter(|line| line.stream == stream);
        lines.map(|line| format!("{}\n", line.text)).collect()
    };
    (of(Stream::Out), of(Stream::Err))
}

/// Where the log of one attempt lies.
pub struct LogFiles {
    /// The node.
    pub node: NodeId,
    /// The run that the attempt is of.
    pub run: RunId,
    /// The attempt has ended.
    pub over: bool,
    /// Its files were removed, as retention says.
    pub removed: bool,
    /// Its standard output.
    pub stdout: PathBuf,
    /// Its standard error.
    pub stderr: PathBuf,
    /// Standard output and error that came with the workfile, or from another machine, instead of files.
    pub imported: Option<(String, String)>,
}

/// What a node printed as lines that are safe to show at a terminal.
pub fn shown_lines(bytes: &[u8]) -> Vec<String> {
    let mut shown = Vec::new();
    let mut lines = exec::Lines::default();
    lines.push(bytes, |line, _| shown.push(line));
    shown.extend(lines.partial());
    shown
}

/// Calls `tell` when something in a watched folder changes.
pub fn watch(tell: impl Fn(PathBuf) + Send + 'static) -> Result<FolderWatch, String> {
    let watcher = crate::watch::Watcher::start(move |change| match change {
        crate::watch::Change::File(path) | crate::watch::Change::Within { path, .. } => tell(path),
    });
    watcher.map(FolderWatch).map_err(|why| why.to_string())
}

/// A watch on folders; ends when dropped.
pub struct FolderWatch(crate::watch::Watcher);

impl FolderWatch {
    /// Watches one more folder; one that is watched already stays so.
    pub fn watch(&mut self, folder: &std::path::Path) -> Result<(), String> {
        self.0
            .watch_dir(folder, false)
            .map_err(|why| why.to_string())
    }
}

/// Uses the kill switch on the run of a flow that the sitter holds, whatever its carrier does; gives
/// how many of its nodes are being ended.
pub fn kill_held(home: &Home, flow: &FlowRef) -> Result<u64, String> {
    use crate::exec::sitter::{self, Place, Scope};
    let place = Place::new(home.sitter_dir());
    let held = sitter::held(&place)?;
    let mut n = 0;
    for run in held.into_iter().filter(|held| held.flow == *flow) {
        n += sitter::kill(&place, &Scope::Run(run.run))?;
    }
    Ok(n)
}

/// True when a run of the flow goes on without a face: whoever starts the flow with the sitter's
/// help follows that one.
pub fn goes_on(home: &Home, flow: &FlowRef) -> bool {
    use crate::exec::sitter::{self, Place};
    // A sitter that does not answer is met again by the start itself, which tells of it.
    let held = sitter::held(&Place::new(home.sitter_dir())).unwrap_or_default();
    let alone = |face: &str| face == super::adopt::BACKGROUND;
    held.iter().any(|held| held.flow == *flow)
        && crate::store::holder(home, flow).is_none_or(|held| alone(&held.face))
}

/// Ends the processes that a dead Handmill left running for a flow; gives how many have ended, and
/// those that cannot be.
pub fn end_orphans(workspace: &Workspace, flow: &FlowRef) -> Result<(usize, Vec<u32>), String> {
    let orphans = workspace.orphans_of(flow)?;
    let orphans = orphans.iter();
    Ok(end_all(orphans.map(|o| (o.pid, o.birth, &o.id))))
}

/// Ends every process of a run by its mark, whoever should have done it: for a run whose process does
/// not answer. Gives how many attempts have ended, and what of them cannot be. Waits up to a second
/// for each.
pub fn end_run(run: &RunId) -> (usize, Vec<u32>) {
    let left = exec::survivors(std::slice::from_ref(run));
    end_all(left.iter().map(|s| (s.pid, s.birth, &s.id)))
}

fn end_all<'a>(
    processes: impl Iterator<Item = (u32, u64, &'a crate::model::NodeRunId)>,
) -> (usize, Vec<u32>) {
    let (mut n_ended, mut left) = (0, Vec::new());
    for (pid, birth, id) in processes {
        match exec::kill_orphan(pid, birth, id) {
            true => n_ended += 1,
            false => left.push(pid),
        }
    }
    (n_ended, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_a_time_stays_behind_the_one_before_it() {
        let line = |node: &str, second: Option<i64>, text: &str| LogLine {
            at: second.map(|second| Timestamp(second * 1_000_000)),
            stream: Stream::Out,
            node: node.into(),
            text: text.into(),
        };
        let lines = in_order(vec![
            vec![
                line("a", Some(1), "a1"),
                line("a", Some(4), "a2"),
                line("a", None, "a3"),
            ],
            vec![line("b", Some(2), "b1"), line("b", Some(5), "b2")],
        ]);
        let texts: Vec<&str> = lines.iter().map(|line| &*line.text).collect();
        assert_eq!(texts, ["a1", "b1", "a2", "a3", "b2"]);
        assert_eq!(lines[3].at, None, "no time is made up");
    }
}

//! Rows of our ledger in the words of the shared tables. Pure.

use crate::ledger::{AttemptToShare, FileState, RunToShare, StepElsewhere, TakenLine};
use crate::model::{NodeStatus, Timestamp};
use crate::share::{FileStateRow, LogRow, RunRow, StepRow};

use super::words::{self, Source};

/// A run. `host` is this machine.
pub fn run_row(run: RunToShare, host: &str) -> RunRow {
    let word = words::run_word(run.outcome);
    let error = match &run.failed {
        Some((node, title, exit)) => {
            let label = words::label(title.as_deref(), node, 1, 1);
            let why = exit.as_ref().map(|exit| format!(": {exit}"));
            let why = why.unwrap_or_default();
            Some(format!(
                "Flow \"{}\" failed in step \"{label}\"{why}",
                run.file
            ))
        }
        None => words::run_error(run.outcome),
    };
    let (group, source, status, error) = match run.elsewhere {
        // That machine's own words, unless this one has brought the run to its end since.
        Some((_, theirs)) => {
            let is_same = words::outcome_of(&theirs.status, theirs.error.as_deref()) == run.outcome;
            let (status, error) = match is_same {
                true => (theirs.status, theirs.error),
                false => (word.to_owned(), error),
            };
            (theirs.group, theirs.source, status, error)
        }
        None => {
            let source = Source {
                host: host.to_owned(),
                choice: run.choice.to_string(),
                whole: run.whole,
                resumes: run.resumes,
            };
            let source = source.to_text(&run.file);
            (run.group, Some(source), word.to_owned(), error)
        }
    };
    RunRow {
        run_id: run.run.as_str().to_owned(),
        flow_name: run.file.to_string(),
        group_name: group,
        source_path: source,
        status,
        started_at: run.started,
        finished_at: run.ended,
        error_text: error,
    }
}

/// An attempt, under this number.
pub fn step_row(attempt: AttemptToShare, id: i64) -> StepRow {
    let error = words::step_error(attempt.status, attempt.exit.as_ref(), attempt.is_retried);
    let mut row = StepRow {
        id,
        run_id: attempt.id.run.as_str().to_owned(),
        flow_name: attempt.file.to_string(),
        step_label: step_label(&attempt),
        status: words::step_word(attempt.status).to_owned(),
        started_at: attempt.started,
        finished_at: attempt.ended,
        elapsed_ms: attempt
            .ended
            .map(|ended| elapsed_ms(attempt.started, ended)),
        error_text: error,
        output_path: None,
    };
    if let Some(theirs) = attempt.elsewhere {
        let is_same = words::step_of(&theirs.status, theirs.error.as_deref()).0 == attempt.status;
        if is_same {
            row.status = theirs.status;
            row.elapsed_ms = theirs.elapsed_ms;
            row.error_text = theirs.error;
        }
        if attempt.status == NodeStatus::Running {
            row.finished_at = None;
        }
        row.output_path = theirs.output;
    }
    row
}

/// What an attempt is called in the shared tables.
pub fn step_label(attempt: &AttemptToShare) -> String {
    match &attempt.elsewhere {
        Some(StepElsewhere { label, .. }) => label.clone(),
        None => words::label(
            attempt.title.as_deref(),
            &attempt.node,
            attempt.id.pass,
            attempt.id.attempt,
        ),
    }
}

fn elapsed_ms(from: Timestamp, to: Timestamp) -> i64 {
    i64::try_from(to.since(from).as_millis()).unwrap_or(i64::MAX)
}

/// A line, under this number.
pub fn log_row(line: TakenLine, id: i64) -> LogRow {
    LogRow {
        id,
        run_id: line.run.map(|run| run.as_str().to_owned()),
        flow_name: line.flow,
        step_label: line.label,
        level: line.level,
        message: line.message,
        created_at: line.at,
    }
}

/// The state of a file.
pub fn file_row(file: FileState) -> FileStateRow {
    FileStateRow {
        flow_name: file.flow,
        source_path: file.source,
        mtime_ns: file.mtime_ns,
        size_bytes: file.bytes,
        last_success_run_id: file.success_run,
        last_success_at: file.success_at,
        last_status: file.status,
        last_error_text: file.error,
    }
}

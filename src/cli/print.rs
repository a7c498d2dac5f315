//! Events and refusals as lines: for a person at a terminal, for a file, or as JSON.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::model::{
    Counts, Event, Flow, Level, NodeId, NodeIdx, NodeRunId, NodeStatus, Notice, Outcome,
    RunSummary, Timestamp, human_duration,
};

use super::exit::Refused;

/// How events are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line per node, and a progress bar on a terminal.
    Lines,
    /// Failures and the end.
    Quiet,
    /// One JSON object per event.
    Json,
}

/// Tells a run as it happens.
pub struct Printer {
    form: Form,
    out: std::io::BufWriter<std::io::Stdout>,
    bar: Option<ProgressBar>,
    frozen: Arc<Flow>,
    names: Vec<String>,
    ids: Vec<NodeId>,
    started: HashMap<NodeRunId, Timestamp>,
    run_started: Timestamp,
}

impl Printer {
    /// A printer to standard output.
    pub fn new(form: Form) -> Self {
        Self {
            form,
            out: std::io::BufWriter::new(std::io::stdout()),
            bar: None,
            frozen: Arc::default(),
            names: Vec::new(),
            ids: Vec::new(),
            started: HashMap::new(),
            run_started: Timestamp::default(),
        }
    }

    /// Tells one event. A closed pipe is not an error: nobody listens any more, the run goes on.
    pub fn event(&mut self, event: &Event) {
        if let Event::RunStarted(start) = event {
            self.frozen = start.frozen.clone();
            self.ids = self
                .frozen
                .graph
                .nodes()
                .map(|node| node.id.clone())
                .collect();
            self.names = self
                .frozen
                .graph
                .nodes()
                .map(|node| one_line(node.name()))
                .collect();
            self.run_started = start.at;
            if self.form == Form::Lines
                && std::io::stderr().is_terminal()
                && std::io::stdout().is_terminal()
            {
                self.bar = Some(progress_bar(start.subset.len() - start.kept.len()));
            }
        }
        match self.form {
            Form::Json => self.json(event),
            Form::Lines | Form::Quiet => self.line(event),
        }
    }

    /// Hands on what is buffered; called when no event waits.
    pub fn flush(&mut self) {
        // A closed pipe: see `event`.
        self.out.flush().ok();
    }

    fn say(&mut self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => {
                writeln!(self.out, "{line}").ok();
            }
        }
    }

    fn line(&mut self, event: &Event) {
        match event {
            Event::RunStarted(start) => {
                let n = start.subset.len() - start.kept.len();
                let kept = match start.kept.len() {
                    0 => String::new(),
                    n => format!(", {n} kept"),
                };
                if self.form == Form::Lines {
                    self.say(&format!(
                        "run {} · {} · {} to run{kept}",
                        start.run,
                        start.choice.word(),
                        count(n, "node")
                    ));
                }
            }
            Event::NodeStarted { id, at } => {
                self.started.insert(id.clone(), *at);
                if let Some(bar) = &self.bar {
                    bar.set_message(self.name(id.node).to_owned());
                }
            }
            Event::NodeFinished(finish) => {
                let time = self
                    .started
                    .remove(&finish.id)
                    .map(|start| human_duration(finish.at.since(start)));
                let failed = finish.status != NodeStatus::Ran;
                if self.form == Form::Quiet && !failed {
                    return;
                }
                if let Some(bar) = &self.bar
                    && finish.retry_at.is_none()
                {
                    bar.inc(1);
                    // On a terminal the bar tells of successes; lines are for what went wrong.
                    if !failed {
                        return;
                    }
                }
                let pass = if finish.id.pass > 1 {
                    format!(" ×{}", finish.id.pass)
                } else {
                    String::new()
                };
                let exit = if failed {
                    format!("  {}", finish.exit)
                } else {
                    String::new()
                };
                let again = if finish.retry_at.is_some() {
                    ", tried again"
                } else {
                    ""
                };
                let time = time.unwrap_or_default();
                let line = format!(
                    "{:<8} {:>6}  {}{pass}{exit}{again}",
                    finish.status.word(),
                    time,
                    self.name(finish.id.node)
                );
                self.say(&line);
            }
            Event::RunStopping { .. } => self.say("stopping; press Ctrl-C again to kill at once"),
            Event::RunFinished {
                outcome,
                counts,
                at,
                ..
            } => {
                let time = human_duration(at.since(self.run_started));
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
                self.say(&format!("{} in {time} · {}", outcome.word(), told(*counts)));
            }
            Event::Told(notice) => self.notice(notice),
            Event::RunRefused { .. }
            | Event::NodeTriggered { .. }
            | Event::NodeSpawned { .. }
            | Event::EdgesMarked { .. }
            | Event::StatusCleared { .. } => {}
        }
    }

    fn notice(&mut self, notice: &Notice) {
        self.flush();
        let hint = if notice.hint.is_empty() {
            String::new()
        } else {
            format!(" {}", notice.hint)
        };
        let what = notice.what.trim_end_matches('.');
        let text = format!("{}: {what}.{hint}", level(notice.level));
        match &self.bar {
            Some(bar) => bar.println(text),
            None => {
                writeln!(std::io::stderr(), "{text}").ok();
            }
        }
    }

    fn json(&mut self, event: &Event) {
        let node = |node: NodeIdx| {
            let at = node.0 as usize;
            json!({"id": self.ids.get(at).map(NodeId::as_str), "name": self.names.get(at)})
        };
        let value = match event {
            Event::RunStarted(start) => json!({
                "event": "run_started", "run": start.run.as_str(), "flow": start.flow.path().to_string_lossy(), "choice": start.choice.word(),
                "resumes": start.resumes.as_ref().map(|run| run.as_str()), "subset": start.subset.len(),
                "kept": start.kept.len(), "at": seconds(start.at),
            }),
            Event::RunRefused { notice, .. } => {
                json!({"event": "run_refused", "why": notice.what.as_ref(), "hint": notice.hint.as_ref()})
            }
            Event::NodeStarted { id, at } => json!({
                "event": "node_started", "run": id.run.as_str(), "node": node(id.node), "pass": id.pass,
                "attempt": id.attempt, "at": seconds(*at),
            }),
            Event::NodeFinished(finish) => json!({
                "event": "node_finished", "run": finish.id.run.as_str(), "node": node(finish.id.node),
                "pass": finish.id.pass, "attempt": finish.id.attempt, "status": finish.status.word(),
                "exit": exit_value(&finish.exit), "why": finish.exit.to_string(),
                "retry_at": finish.retry_at.map(seconds), "at": seconds(finish.at),
            }),
            Event::RunStopping { run, at } => {
                json!({"event": "run_stopping", "run": run.as_str(), "at": seconds(*at)})
            }
            Event::RunFinished {
                run,
                outcome,
                counts,
                at,
                ..
            } => json!({
                "event": "run_finished", "run": run.as_str(), "outcome": outcome.word(), "counts": counts_value(*counts),
                "at": seconds(*at),
            }),
            Event::Told(notice) => json!({
                "event": "notice", "level": level(notice.level), "what": notice.what.as_ref(), "hint": notice.hint.as_ref(),
            }),
            Event::NodeTriggered { .. }
            | Event::NodeSpawned { .. }
            | Event::EdgesMarked { .. }
            | Event::StatusCleared { .. } => {
                return;
            }
        };
        writeln!(self.out, "{value}").ok();
    }

    fn name(&self, node: NodeIdx) -> &str {
        self.names.get(node.0 as usize).map_or("?", String::as_str)
    }
}

/// A refusal, on standard error.
pub fn refused(why: &Refused) {
    let hint = if why.hint.is_empty() {
        String::new()
    } else {
        format!(" {}", why.hint)
    };
    writeln!(
        std::io::stderr(),
        "handmill: {}.{hint}",
        why.what.trim_end_matches('.')
    )
    .ok();
}

/// A line on standard output.
pub fn line(text: &str) {
    writeln!(std::io::stdout(), "{text}").ok();
}

/// Seconds since the epoch, as JSON carries times.
pub fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / 1e6
}

/// An exit as a number where it is one: the code, or minus the signal.
pub fn exit_value(exit: &crate::model::Exit) -> Value {
    match exit {
        crate::model::Exit::Code(code) => json!(code),
        crate::model::Exit::Signal(signal) => json!(-signal),
        _ => Value::Null,
    }
}

/// Counts by name.
pub fn counts_value(counts: Counts) -> Value {
    json!({
        "subset": counts.subset, "ran": counts.ran, "failed": counts.failed, "stopped": counts.stopped,
        "skipped": counts.skipped, "kept": counts.kept,
    })
}

/// ` · ran on wsA` for a run of another machine, ` · runs on wsA` while it goes on there; nothing for one of this one.
pub fn ran_on(run: &RunSummary) -> String {
    let place = run.place_words();
    place
        .map(|words| format!(" · {}", one_line(&words)))
        .unwrap_or_default()
}

/// Counts as a person reads them: only what there is.
pub fn told(counts: Counts) -> String {
    let all = [
        (counts.ran, "ran"),
        (counts.failed, "failed"),
        (counts.stopped, "stopped"),
        (counts.skipped, "skipped"),
        (counts.kept, "kept"),
    ];
    let some: Vec<String> = all
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    if some.is_empty() {
        "nothing ran".to_owned()
    } else {
        some.join(" · ")
    }
}

/// The exit code of an outcome.
pub fn code(outcome: Outcome) -> super::ExitCode {
    match outcome {
        Outcome::Succeeded => super::ExitCode::Done,
        Outcome::Failed => super::ExitCode::Failed,
        Outcome::Stopped | Outcome::Interrupted => super::ExitCode::Stopped,
    }
}

/// Text safe on one line of a terminal: control characters replaced, cut at 80.
pub fn one_line(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut safe: String = shown_in_full(text).chars().take(CHARS_MAX).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        safe.push('…');
    }
    safe
}

/// The same of any length: a path that is cut is no path.
pub fn shown_in_full(text: &str) -> String {
    text.chars()
        .map(|c| if is_unseen(c) { '·' } else { c })
        .collect()
}

/// Control characters, and those that turn the direction of a line or have no width.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A number of things.
pub fn count(n: usize, thing: &str) -> String {
    let many = if n == 1 { "" } else { "s" };
    format!("{n} {thing}{many}")
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Info => "note",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

fn progress_bar(len: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:28.cyan/blue} {pos}/{len} {elapsed} {wide_msg}");
    let bar =
        ProgressBar::with_draw_target(Some(len as u64), ProgressDrawTarget::stderr_with_hz(12));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_move_the_cursor_of_a_terminal() {
        assert_eq!(one_line("a\x1b[2Jb\nc"), "a·[2Jb·c");
        assert_eq!(
            one_line("\u{202e}cba\u{200b}"),
            "·cba·",
            "nor turn a line round"
        );
        assert_eq!(one_line(&"x".repeat(99)).chars().count(), 81);
    }
}

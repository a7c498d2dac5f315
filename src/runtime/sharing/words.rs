//! Texts in the shared tables that say more than one thing. Pure.

use crate::model::{Exit, NodeId, NodeStatus, Outcome, RunId};

/// What the seed's programs write for a run that a dead process left open.
const SEED_RECOVERED: &str = "Recovered after daemon restart.";

/// What follows the reason of a failed attempt when another is to come.
const TRIED_AGAIN: &str = ", tried again";

/// Longest text of another machine that is kept in one cell, in characters.
const TEXT_CHARS_MAX: usize = 16_384;

/// What a step is called: `Load the orders [load]`, `Load the orders [load, pass 2, attempt 3]`.
pub fn label(title: Option<&str>, node: &NodeId, pass: u32, attempt: u32) -> String {
    let mut label = String::new();
    if let Some(title) = title.filter(|title| *title != node.as_str()) {
        label.push_str(title);
        label.push(' ');
    }
    label.push('[');
    for c in node.as_str().chars() {
        match c {
            '%' => label.push_str("%25"),
            '[' => label.push_str("%5B"),
            ']' => label.push_str("%5D"),
            ',' => label.push_str("%2C"),
            _ => label.push(c),
        }
    }
    if (pass, attempt) != (1, 1) {
        label.push_str(&format!(", pass {pass}"));
    }
    if attempt != 1 {
        label.push_str(&format!(", attempt {attempt}"));
    }
    label.push(']');
    label
}

/// Node, pass and attempt of a [`label`]; `None` for any other text.
pub fn parse_label(label: &str) -> Option<(NodeId, u32, u32)> {
    let inner = label.strip_suffix(']')?;
    let inner = &inner[inner.rfind('[')? + 1..];
    let mut parts = inner.split(", ");
    let id = parts.next()?;
    let (mut pass, mut attempt) = (1, 1);
    for part in parts {
        match part.split_once(' ')? {
            ("pass", n) => pass = n.parse().ok()?,
            ("attempt", n) => attempt = n.parse().ok()?,
            _ => return None,
        }
    }
    let id = id
        .replace("%2C", ",")
        .replace("%5D", "]")
        .replace("%5B", "[")
        .replace("%25", "%");
    Some((NodeId::new(id), pass, attempt))
}

/// What a person calls the step with such a label: its title, else its node's id; any other text as it is.
pub fn step_name(label: &str) -> String {
    let Some((node, ..)) = parse_label(label) else {
        return label.to_owned();
    };
    let title = label.rfind('[').map_or("", |at| label[..at].trim_end());
    match title {
        "" => node.to_string(),
        title => title.to_owned(),
    }
}

/// Where a run ran, of which file, and what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// That machine's host.
    pub host: String,
    /// What was asked for: [`crate::model::Choice::word`].
    pub choice: String,
    /// Bound to the whole flow.
    pub whole: bool,
    /// The run that it resumes.
    pub resumes: Option<RunId>,
}

impl Source {
    /// As text: `wsA:flow_modules/daily.graphml#resume;part;after=20261121-051234.567-1a2b`.
    pub fn to_text(&self, file: &str) -> String {
        let mut text = format!("{}:{file}#{}", self.host.replace(':', "-"), self.choice);
        if !self.whole {
            text.push_str(";part");
        }
        if let Some(run) = &self.resumes {
            text.push_str(";after=");
            text.push_str(run.as_str());
        }
        text
    }

    /// Of such a text about that file.
    pub fn parse(text: &str, file: &str) -> Option<Self> {
        let (host, rest) = text.split_once(':')?;
        let mut parts = rest.strip_prefix(file)?.strip_prefix('#')?.split(';');
        let mut source = Self {
            host: host.to_owned(),
            choice: parts.next()?.to_owned(),
            whole: true,
            resumes: None,
        };
        for part in parts {
            match part.split_once('=') {
                None if part == "part" => source.whole = false,
                Some(("after", run)) => source.resumes = run_id(run),
                // Of a later version.
                _ => {}
            }
        }
        Some(source)
    }
}

/// The id of a run of another machine, if it may be a folder's name here as our own are.
fn run_id(text: &str) -> Option<RunId> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_id = (1..=64).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('.');
    is_id.then(|| RunId::new(text))
}

/// The id that a run of another machine has here: its own, or one made from it.
pub fn mapped_run_id(text: &str) -> RunId {
    run_id(text).unwrap_or_else(|| {
        let hash = blake3::hash(text.as_bytes()).to_hex();
        RunId::new(format!("x-{}", &hash[..32]))
    })
}

/// The word of a run's end.
pub fn run_word(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        None => "started",
        Some(Outcome::Succeeded) => "success",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Stopped | Outcome::Interrupted) => "stopped",
    }
}

/// The end of a run by its word; `None` while it goes on.
pub fn outcome_of(word: &str, error: Option<&str>) -> Option<Outcome> {
    match word {
        "started" | "running" => None,
        "success" => Some(Outcome::Succeeded),
        "failed" => Some(Outcome::Failed),
        "stopped" if !is_recovered(error) => Some(Outcome::Stopped),
        // Nothing is shown as done that may not be.
        _ => Some(Outcome::Interrupted),
    }
}

/// Why a run ended so, for the column about it.
pub fn run_error(outcome: Option<Outcome>) -> Option<String> {
    (outcome == Some(Outcome::Interrupted)).then(|| Outcome::Interrupted.remark().to_owned())
}

/// The word of a step's status.
pub fn step_word(status: NodeStatus) -> &'static str {
    match status {
        NodeStatus::Running | NodeStatus::Ready | NodeStatus::Waiting => "started",
        NodeStatus::Ran => "success",
        NodeStatus::Failed => "failed",
        _ => "stopped",
    }
}

/// Why a step ended so, for the column about it.
pub fn step_error(status: NodeStatus, exit: Option<&Exit>, is_retried: bool) -> Option<String> {
    let again = if is_retried { TRIED_AGAIN } else { "" };
    match status {
        NodeStatus::Failed | NodeStatus::Stopped => {
            let exit = exit.unwrap_or(&Exit::Unknown);
            Some(format!("{exit}{again}"))
        }
        NodeStatus::Interrupted => Some(Outcome::Interrupted.remark().to_owned()),
        _ => None,
    }
}

/// The status of a step by its word, its exit, and whether another attempt follows.
pub fn step_of(word: &str, error: Option<&str>) -> (NodeStatus, Option<Exit>, bool) {
    let (reason, is_retried) = match error.and_then(|error| error.strip_suffix(TRIED_AGAIN)) {
        Some(reason) => (Some(reason), true),
        None => (error, false),
    };
    let exit = reason.and_then(Exit::from_text);
    match word {
        "started" | "running" => (NodeStatus::Running, None, false),
        "success" => (NodeStatus::Ran, Some(Exit::Code(0)), false),
        "failed" => (NodeStatus::Failed, exit, is_retried),
        "stopped" if !is_recovered(error) => (NodeStatus::Stopped, exit, is_retried),
        _ => (NodeStatus::Interrupted, Some(Exit::Unknown), false),
    }
}

fn is_recovered(error: Option<&str>) -> bool {
    error.is_some_and(|error| error == SEED_RECOVERED || error == Outcome::Interrupted.remark())
}

/// A text of another machine, bounded.
pub fn bounded(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(TEXT_CHARS_MAX) {
        text.truncate(end);
    }
    text
}

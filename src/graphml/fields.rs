//! Data of the graph and of nodes to the model's fields, with what is out of range told and left out.

use std::borrow::Cow;
use std::time::Duration;

use super::element::{Data, Layout, NodeElement};
use super::escape::{text_value, with_pictures};
use super::frames::read_frames;
use super::keys::{Domain, Field};
use super::limits::{JOBS_MAX, PASSES_MAX, RETRIES_MAX};
use super::number::{count, position, seconds, truth};
use super::read::defaults;
use super::warning::{Warnings, shown};
use crate::model::{Env, FileResult, Flow, Node, NodeStatus, Point, Trigger, Wrapper};

/// The value of a data element, with visible signs for what XML does not allow.
pub(super) fn clean<'t>(text: &'t str, data: &Data) -> Cow<'t, str> {
    let value = text_value(data.element.inner.of(text));
    match with_pictures(&value) {
        Cow::Borrowed(_) => value,
        Cow::Owned(healed) => Cow::Owned(healed),
    }
}

/// A wrapper in meaning: none, empty and `{}` are the same.
pub(super) fn wrapper_of(template: &str) -> Option<Wrapper> {
    (!matches!(template, "" | "{}")).then(|| Wrapper::new(template))
}

/// Reads what stands on the graph itself.
pub(super) struct FlowReader<'t, 'w> {
    text: &'t str,
    warnings: &'w mut Warnings<'t>,
}

impl<'t, 'w> FlowReader<'t, 'w> {
    pub(super) fn new(text: &'t str, warnings: &'w mut Warnings<'t>) -> Self {
        Self { text, warnings }
    }

    pub(super) fn read(mut self, layout: &Layout) -> Flow {
        let mut flow = Flow::default();
        let (mut wrapper, mut prefix, mut suffix) = (None, String::new(), String::new());
        let mut values: Vec<(Field, Cow<'_, str>, usize)> = Vec::new();
        for (field, default) in defaults(layout, Domain::Graph) {
            values.push((field, Cow::Borrowed(default), 0));
        }
        for data in layout.graph_data.iter().filter(|d| d.closed) {
            if let Some(field) = data.field {
                let at = data.element.span.start as usize;
                values.push((field, clean(self.text, data), at));
            }
        }
        for (field, value, at) in values {
            match field {
                Field::FlowTitle => flow.title = value.into_owned(),
                Field::Group => flow.group = value.into_owned(),
                Field::Trigger => flow.trigger = self.trigger(&value, at),
                Field::Wrapper => wrapper = Some(value.into_owned()),
                Field::Prefix => prefix = value.into_owned(),
                Field::Suffix => suffix = value.into_owned(),
                Field::Shell => flow.shell = value.into_owned(),
                Field::FlowCwd => flow.cwd = value.into_owned(),
                Field::FlowEnv => flow.env = read_env(&value, at, self.warnings),
                Field::MaxPasses => flow.max_passes = self.limit(field, &value, at, PASSES_MAX),
                Field::JobsMax => flow.jobs_max = self.limit(field, &value, at, JOBS_MAX),
                Field::Frames => {
                    let (frames, bad) = read_frames(&value);
                    flow.frames = frames;
                    if let Some(first) = bad.first() {
                        self.warnings.at(at, || {
                            format!(
                                "{} lines of frames cannot be read, the first is {}",
                                bad.len(),
                                shown(first)
                            )
                        });
                    }
                }
                _ => {}
            }
        }
        flow.wrapper = match wrapper {
            Some(template) => wrapper_of(&template),
            None => legacy_wrapper(&prefix, &suffix),
        };
        flow
    }

    fn trigger(&mut self, value: &str, at: usize) -> Trigger {
        let read = Trigger::from_word(value);
        if read.is_none() && !value.trim().is_empty() {
            self.warnings.at(at, || {
                format!(
                    "trigger {} must be manual, poll or schedule; read as manual",
                    shown(value)
                )
            });
        }
        read.unwrap_or_default()
    }

    fn limit(&mut self, field: Field, value: &str, at: usize, max: u32) -> Option<u32> {
        let read = count(value, max);
        if read.is_none() && !value.trim().is_empty() {
            self.warnings.at(at, || {
                format!(
                    "{} {} must be 0…{max}; left out",
                    field.name(),
                    shown(value)
                )
            });
        }
        read.filter(|n| *n > 0)
    }
}

/// The wrapper that the seed's older two fields mean. A word before the command is parted from it;
/// an open quote is not.
fn legacy_wrapper(prefix: &str, suffix: &str) -> Option<Wrapper> {
    if prefix.is_empty() && suffix.is_empty() {
        return None;
    }
    let open_quote = prefix.chars().fold(None, |open, c| match (open, c) {
        (None, '\'' | '"') => Some(c),
        (Some(quote), c) if quote == c => None,
        _ => open,
    });
    let before =
        prefix.is_empty() || open_quote.is_some() || prefix.ends_with([' ', '\t', '\n', '(']);
    let after = suffix.is_empty()
        || open_quote.is_some()
        || suffix.starts_with([' ', '\t', '\n', ')', ';']);
    let gap = |none: bool| if none { "" } else { " " };
    wrapper_of(&format!(
        "{prefix}{}{{}}{}{suffix}",
        gap(before),
        gap(after)
    ))
}

fn read_env(value: &str, at: usize, warnings: &mut Warnings<'_>) -> Env {
    let (env, bad) = Env::parse(value);
    if let Some(first) = bad.first() {
        warnings.at(at, || {
            format!("env {} is not NAME=value; left out", shown(first))
        });
    }
    env
}

/// What the file says about one node.
pub(super) struct NodeValues {
    pub(super) node: Node,
    pub(super) result: FileResult,
    pub(super) has_place: bool,
    /// It has a position that no canvas can show.
    pub(super) unusable_place: bool,
    /// Another program says it runs.
    pub(super) running: bool,
}

/// Reads nodes one by one.
pub(super) struct NodeReader<'t> {
    text: &'t str,
    layout: &'t Layout,
    defaults: Vec<(Field, &'t str)>,
}

impl<'t> NodeReader<'t> {
    pub(super) fn new(text: &'t str, layout: &'t Layout) -> Self {
        Self {
            text,
            layout,
            defaults: defaults(layout, Domain::Node),
        }
    }

    pub(super) fn read(
        &mut self,
        element: &NodeElement,
        warnings: &mut Warnings<'_>,
    ) -> NodeValues {
        let mut node = Draft {
            values: NodeValues {
                node: Node::new(element.id.clone(), "", Point::default()),
                result: FileResult::default(),
                has_place: false,
                unusable_place: false,
                running: false,
            },
            x: None,
            y: None,
            log: None,
            at: element.element.span.start as usize,
        };
        for (field, default) in &self.defaults {
            node.set(*field, Cow::Borrowed(default), warnings);
        }
        for data in self.layout.data_of(element.data) {
            let Some(field) = data.field else { continue };
            if !data.closed {
                continue;
            }
            node.at = data.element.span.start as usize;
            let value = match field {
                // Output is shown as it was printed, escape sequences and all.
                Field::Stdout | Field::Stderr | Field::Log => {
                    text_value(data.element.inner.of(self.text))
                }
                _ => clean(self.text, data),
            };
            node.set(field, value, warnings);
        }
        node.finish()
    }
}

struct Draft {
    values: NodeValues,
    x: Option<f64>,
    y: Option<f64>,
    log: Option<String>,
    /// Where the value stands that is being read.
    at: usize,
}

impl Draft {
    fn set(&mut self, field: Field, value: Cow<'_, str>, warnings: &mut Warnings<'_>) {
        let node = &mut self.values.node;
        let result = &mut self.values.result;
        match field {
            Field::Label => node.command = value.into_owned(),
            Field::X => self.x = self.position(&value),
            Field::Y => self.y = self.position(&value),
            Field::Title => node.title = value.into_owned(),
            Field::Disabled => {
                let disabled = truth(&value);
                if disabled.is_none() {
                    self.warn(
                        field,
                        &value,
                        "must be true or false; read as false",
                        warnings,
                    );
                }
                self.values.node.disabled = disabled.unwrap_or(false);
            }
            Field::Cwd => node.cwd = value.into_owned(),
            Field::Env => node.env = read_env(&value, self.at, warnings),
            Field::Timeout => {
                let timeout = self.seconds(field, &value, warnings);
                self.values.node.timeout = timeout.filter(|d| !d.is_zero());
            }
            Field::Retries => {
                self.values.node.retries = count(&value, RETRIES_MAX).unwrap_or_else(|| {
                    self.warn(field, &value, "must be 0…10 000; read as 0", warnings);
                    0
                });
            }
            Field::RetryDelay => {
                let delay = self.seconds(field, &value, warnings);
                self.values.node.retry_delay = delay.unwrap_or_default();
            }
            Field::Status => self.status(&value, warnings),
            Field::Stdout => result.stdout = value.into_owned(),
            Field::Stderr => result.stderr = value.into_owned(),
            Field::Log => self.log = Some(value.into_owned()),
            Field::ErrorCode => result.exit = value.trim().parse().ok(),
            _ => {}
        }
    }

    fn position(&mut self, value: &str) -> Option<f64> {
        let position = position(value);
        self.values.unusable_place |= position.is_none() && !value.trim().is_empty();
        position
    }

    fn seconds(&self, field: Field, value: &str, warnings: &mut Warnings<'_>) -> Option<Duration> {
        let read = seconds(value);
        if read.is_none() && !value.trim().is_empty() {
            self.warn(
                field,
                value,
                "must be seconds from 0 to a year; left out",
                warnings,
            );
        }
        read
    }

    fn status(&mut self, word: &str, warnings: &mut Warnings<'_>) {
        self.values.running = false;
        self.values.result.status = match word.trim() {
            "" => NodeStatus::Idle,
            "ran" => NodeStatus::Ran,
            "fail" | "failed" => NodeStatus::Failed,
            "run" | "running" => {
                self.values.running = true;
                NodeStatus::Idle
            }
            _ => {
                self.warn(Field::Status, word, "is not known; read as idle", warnings);
                NodeStatus::Idle
            }
        };
    }

    fn warn(&self, field: Field, value: &str, what: &str, warnings: &mut Warnings<'_>) {
        warnings.at(self.at, || {
            let id = shown(self.values.node.id.as_str());
            format!("{} {} of node {id} {what}", field.name(), shown(value))
        });
    }

    fn finish(mut self) -> NodeValues {
        if let (Some(x), Some(y)) = (self.x, self.y) {
            self.values.node.pos = Point { x, y };
            self.values.has_place = true;
        }
        let result = &mut self.values.result;
        if let Some(log) = self.log
            && result.stdout.is_empty()
            && result.stderr.is_empty()
        {
            (result.stdout, result.stderr) = split_log(log);
        }
        self.values
    }
}

/// The seed's older single log, `STDOUT:\n…\n\nSTDERR:\n…`, as its two halves.
fn split_log(log: String) -> (String, String) {
    let halves = log
        .strip_prefix("STDOUT:\n")
        .and_then(|rest| rest.rsplit_once("\n\nSTDERR:"));
    match halves {
        Some((out, err)) => {
            let err = err.strip_prefix('\n').unwrap_or(err);
            (out.to_owned(), err.to_owned())
        }
        None => (log, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_and_suffix_become_a_wrapper() {
        for (prefix, suffix, template) in [
            ("bash -c '", "'", Some("bash -c '{}'")),
            ("bash -c", "", Some("bash -c {}")),
            (
                "export test='one'\nbash -c",
                "",
                Some("export test='one'\nbash -c {}"),
            ),
            ("", "| tee log", Some("{} | tee log")),
            ("nice ", " 2>&1", Some("nice {} 2>&1")),
            ("ssh host \"", " ; true\"", Some("ssh host \"{} ; true\"")),
            ("", "", None),
        ] {
            let wrapper = legacy_wrapper(prefix, suffix);
            assert_eq!(
                wrapper.as_ref().map(Wrapper::template),
                template,
                "{prefix}"
            );
        }
    }

    #[test]
    fn the_old_log_is_split() {
        for (log, out, err) in [
            ("STDOUT:\na\n\n\nSTDERR:", "a\n", ""),
            ("STDOUT:\na\n\nSTDERR:\nb\n", "a", "b\n"),
            ("STDOUT:\n\n\nSTDERR:\nb", "", "b"),
            ("something else", "something else", ""),
        ] {
            let split = split_log(log.to_owned());
            assert_eq!((split.0.as_str(), split.1.as_str()), (out, err), "{log:?}");
        }
    }
}

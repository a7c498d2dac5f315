//! Nodes of the layout to nodes of the flow, and the results that another program left with them.
//! What is out of range is told and left out.

use std::borrow::Cow;
use std::time::Duration;

use super::element::{Layout, NodeElement};
use super::escape::text_value;
use super::flow_reader::read_env;
use super::keys::{Domain, Field};
use super::limits::RETRIES_MAX;
use super::number::{count, position, seconds, truth};
use super::warning::{Warnings, shown};
use crate::model::{
    FileResult, FileResults, Flow, Node, NodeId, NodeStatus, Point, parse_resources,
};

/// Fills the flow's nodes; gives back those whose place is not in the file.
pub(super) fn read_nodes(
    text: &str,
    layout: &Layout,
    flow: &mut Flow,
    results: &mut FileResults,
    warnings: &mut Warnings<'_>,
) -> Vec<NodeId> {
    let mut placed = Vec::new();
    let mut n_unusable = 0;
    let mut first_placed = None;
    let mut n_running = 0;
    let mut reader = NodeReader::new(text, layout);
    for element in &layout.nodes {
        let NodeValues {
            node,
            result,
            has_place,
            unusable_place,
            running,
        } = reader.read(element, warnings);
        if !has_place {
            placed.push(node.id.clone());
            first_placed.get_or_insert(element.element.span.start as usize);
            n_unusable += usize::from(unusable_place);
        }
        n_running += usize::from(running);
        if result != FileResult::default() {
            results.nodes.insert(node.id.clone(), result);
        }
        // Duplicates were refused before; there is no other reason for a refusal.
        let added = flow.graph.add_node(node);
        debug_assert!(added.is_ok(), "ids were checked");
    }
    if n_running > 0 {
        warnings.whole(|| {
            format!("nodes marked as running by another program ({n_running}) are read as idle")
        });
    }
    if let Some(at) = first_placed
        && (n_unusable > 0 || placed.len() < layout.nodes.len())
    {
        let n = placed.len();
        warnings.at(at, || {
            format!(
                "nodes without a usable position ({n}, the first here) are placed automatically"
            )
        });
    }
    placed
}

/// What the file says about one node.
struct NodeValues {
    node: Node,
    result: FileResult,
    has_place: bool,
    /// It has a position that no canvas can show.
    unusable_place: bool,
    /// Another program says it runs.
    running: bool,
}

/// Reads nodes one by one.
struct NodeReader<'t> {
    text: &'t str,
    layout: &'t Layout,
    defaults: Vec<(Field, &'t str)>,
}

impl<'t> NodeReader<'t> {
    fn new(text: &'t str, layout: &'t Layout) -> Self {
        Self {
            text,
            layout,
            defaults: layout.defaults(Domain::Node),
        }
    }

    fn read(&mut self, element: &NodeElement, warnings: &mut Warnings<'_>) -> NodeValues {
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
                _ => data.value(self.text),
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
            Field::Resources => {
                let (names, bad) = parse_resources(&value);
                node.resources = names;
                if let Some(first) = bad.first() {
                    self.warn(field, first, "is no name; left out", warnings);
                }
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

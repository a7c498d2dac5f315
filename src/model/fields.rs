//! The fields of a node, a flow, a frame and an edge as a table: what a comparison, a merge and a sentence
//! about them go through.

use std::time::Duration;

use super::{Edge, EdgeKind, Flow, Frame, Node, resources_text};

/// One field of `T`.
pub(super) struct Field<T: 'static> {
    /// Its name in a sentence.
    pub(super) name: &'static str,
    /// Both hold the same in it.
    pub(super) same: fn(&T, &T) -> bool,
    /// Gives the first what the second holds in it.
    pub(super) copy: fn(&mut T, &T),
    /// What it holds, for a person.
    pub(super) text: fn(&T) -> String,
}

macro_rules! field {
    ($name:literal, $field:ident, $text:expr) => {
        Field {
            name: $name,
            same: |a, b| a.$field == b.$field,
            copy: |to, from| to.$field.clone_from(&from.$field),
            text: $text,
        }
    };
}

/// All of a node but its id and its place.
pub(super) const OF_NODE: &[Field<Node>] = &[
    field!("title", title, |node| node.title.clone()),
    field!("command", command, |node| node.command.clone()),
    field!("muted", disabled, |node| yes_or_no(node.disabled)),
    field!("folder", cwd, |node| node.cwd.clone()),
    field!("environment", env, |node| node.env.to_text()),
    field!("resources", resources, |node| resources_text(
        &node.resources
    )),
    field!("timeout", timeout, |node| node
        .timeout
        .map(seconds)
        .unwrap_or_default()),
    field!("retries", retries, |node| node.retries.to_string()),
    field!("retry delay", retry_delay, |node| seconds(node.retry_delay)),
];

/// All of a flow but its graph and its frames.
pub(super) const OF_FLOW: &[Field<Flow>] = &[
    field!("title", title, |flow| flow.title.clone()),
    field!("group", group, |flow| flow.group.clone()),
    field!("trigger", trigger, |flow| flow.trigger.word().to_owned()),
    field!("wrapper", wrapper, |flow| flow
        .wrapper
        .as_ref()
        .map(|wrapper| wrapper.template().to_owned())
        .unwrap_or_default()),
    field!("shell", shell, |flow| flow.shell.clone()),
    field!("folder", cwd, |flow| flow.cwd.clone()),
    field!("environment", env, |flow| flow.env.to_text()),
    field!("passes at most", max_passes, |flow| count(flow.max_passes)),
    field!("nodes at once", jobs_max, |flow| count(flow.jobs_max)),
];

/// All of a frame but its id and its place.
pub(super) const OF_FRAME: &[Field<Frame>] = &[
    field!("title", title, |frame| frame.title.clone()),
    field!("text", text, |frame| frame.text.clone()),
];

/// All of an edge but its id and its ends.
pub(super) const OF_EDGE: &[Field<Edge>] = &[field!("kind", kind, |edge| match edge.kind {
    EdgeKind::Blocking => "blocking".to_owned(),
    EdgeKind::NonBlocking => "non-blocking".to_owned(),
})];

fn yes_or_no(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

fn count(n: Option<u32>) -> String {
    n.map(|n| n.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does not compile when a field is added and forgotten here.
    #[test]
    fn every_field_stands_in_its_table() {
        let Node {
            id: _,
            pos: _,
            title: _,
            command: _,
            disabled: _,
            cwd: _,
            env: _,
            resources: _,
            timeout: _,
            retries: _,
            retry_delay: _,
        } = Node::new("a", "", super::super::Point::default());
        assert_eq!(OF_NODE.len(), 9);
        let Flow {
            graph: _,
            frames: _,
            title: _,
            group: _,
            trigger: _,
            wrapper: _,
            shell: _,
            cwd: _,
            env: _,
            max_passes: _,
            jobs_max: _,
        } = Flow::default();
        assert_eq!(OF_FLOW.len(), 9);
    }
}

//! What an edited node or flow sets on its element, by field. Refuses what would not read back.

use super::error::WriteError;
use super::escape::forbidden_in;
use super::frames::frames_text;
use super::keys::Field;
use super::limits::TEXT_BYTES_MAX;
use super::meaning::template;
use super::number::{position_text, rounded, seconds_text};
use super::warning::shown;
use crate::model::{Edge, EdgeKind, Env, Flow, Node, Trigger, resources_text};

/// One data of an element to be set, or taken out.
pub(super) type Change = (Field, Option<String>);

/// What to set on the graph itself. `has_wrapper`: the file says one, new or old.
pub(super) fn flow_changes(
    was: &Flow,
    is: &Flow,
    has_wrapper: bool,
) -> Result<Vec<Change>, WriteError> {
    let mut changes = Vec::new();
    for (field, was, is) in [
        (Field::FlowTitle, &was.title, &is.title),
        (Field::Group, &was.group, &is.group),
    ] {
        text_change(&mut changes, field, was, is, || {
            format!("{} of the flow", field.name())
        })?;
    }
    if was.trigger != is.trigger {
        // By hand is what the absence says.
        let word = (is.trigger != Trigger::default()).then(|| is.trigger.word().to_owned());
        changes.push((Field::Trigger, word));
    }
    if template(was) != template(is) {
        // Leaving it out would bring an older prefix back.
        let new = template(is).or(has_wrapper.then_some("{}"));
        if let Some(new) = new {
            check_text(new, || "wrapper of the flow".to_owned())?;
        }
        changes.push((Field::Wrapper, new.map(str::to_owned)));
    }
    for (field, was, is) in [
        (Field::Shell, &was.shell, &is.shell),
        (Field::FlowCwd, &was.cwd, &is.cwd),
    ] {
        text_change(&mut changes, field, was, is, || {
            format!("{} of the flow", field.name())
        })?;
    }
    env_change(&mut changes, Field::FlowEnv, &was.env, &is.env, || {
        "env of the flow".to_owned()
    })?;
    for (field, was, is) in [
        (Field::MaxPasses, was.max_passes, is.max_passes),
        (Field::JobsMax, was.jobs_max, is.jobs_max),
    ] {
        if was != is {
            changes.push((field, is.map(|n| n.to_string())));
        }
    }
    let text = frames_text(&is.frames);
    if was.frames != is.frames && frames_text(&was.frames) != text {
        check_text(&text, || "text of a frame".to_owned())?;
        changes.push((Field::Frames, Some(text).filter(|text| !text.is_empty())));
    }
    Ok(changes)
}

/// What to set on a node's element. A new one says its command and place in any case.
pub(super) fn node_changes(was: &Node, is: &Node, new: bool) -> Result<Vec<Change>, WriteError> {
    let mut changes: Vec<Change> = Vec::new();
    let what = |name: &str| format!("{name} of node {}", shown(is.id.as_str()));
    if new || was.command != is.command {
        check_text(&is.command, || what("command"))?;
        changes.push((Field::Label, Some(is.command.clone())));
    }
    for (field, was, is) in [
        (Field::X, was.pos.x, is.pos.x),
        (Field::Y, was.pos.y, is.pos.y),
    ] {
        #[expect(
            clippy::float_cmp,
            reason = "a value is unchanged only when it is the same value"
        )]
        if new || (was != is && was != rounded(is)) {
            changes.push((field, Some(position_text(is))));
        }
    }
    text_change(&mut changes, Field::Title, &was.title, &is.title, || {
        what("title")
    })?;
    if was.disabled != is.disabled {
        changes.push((Field::Disabled, is.disabled.then(|| "true".to_owned())));
    }
    text_change(&mut changes, Field::Cwd, &was.cwd, &is.cwd, || what("cwd"))?;
    env_change(&mut changes, Field::Env, &was.env, &is.env, || what("env"))?;
    let timeout = |node: &Node| node.timeout.filter(|t| !t.is_zero());
    if timeout(was) != timeout(is) {
        changes.push((Field::Timeout, timeout(is).map(seconds_text)));
    }
    if was.retries != is.retries {
        let retries = (is.retries > 0).then(|| is.retries.to_string());
        changes.push((Field::Retries, retries));
    }
    if was.retry_delay != is.retry_delay {
        let delay = (!is.retry_delay.is_zero()).then(|| seconds_text(is.retry_delay));
        changes.push((Field::RetryDelay, delay));
    }
    if was.resources != is.resources {
        let names = resources_text(&is.resources);
        changes.push((Field::Resources, (!names.is_empty()).then_some(names)));
    }
    Ok(changes)
}

fn text_change(
    changes: &mut Vec<Change>,
    field: Field,
    was: &str,
    is: &str,
    what: impl Fn() -> String,
) -> Result<(), WriteError> {
    if was != is {
        check_text(is, what)?;
        changes.push((field, (!is.is_empty()).then(|| is.to_owned())));
    }
    Ok(())
}

fn env_change(
    changes: &mut Vec<Change>,
    field: Field,
    was: &Env,
    is: &Env,
    what: impl Fn() -> String,
) -> Result<(), WriteError> {
    if was != is {
        let text = is.to_text();
        check_text(&text, &what)?;
        if Env::parse(&text) != (is.clone(), Vec::new()) {
            return Err(WriteError::Env { what: what() });
        }
        changes.push((field, (!text.is_empty()).then_some(text)));
    }
    Ok(())
}

/// Refuses what would not be read back: never write what we cannot read.
pub(super) fn check_text(text: &str, what: impl Fn() -> String) -> Result<(), WriteError> {
    if let Some((at, _)) = forbidden_in(text) {
        let code = text[at..].chars().next().map_or(0, u32::from);
        return Err(WriteError::Character { what: what(), code });
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(WriteError::TooLong { what: what() });
    }
    Ok(())
}

/// What to set on an edge of this kind.
pub(super) fn kind_change(edge: &Edge) -> Change {
    let word = match edge.kind {
        EdgeKind::Blocking => "blocking",
        EdgeKind::NonBlocking => "non-blocking",
    };
    (Field::EdgeType, Some(word.to_owned()))
}

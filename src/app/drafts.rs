//! Text that is being typed in a field: it becomes one edit when the field is left, whichever way.
//!
//! A draft lives outside the field, so that a click on another node, a save or a run while typing
//! loses nothing: [`super::App`] takes it before it does anything else.

use std::time::Duration;

use egui::{Id, Response, TextEdit, Ui};

use crate::model::{
    Edit, Env, Flow, FlowField, JOBS_MAX, Node, NodeField, NodeId, PASSES_MAX, RETRIES_MAX,
    ResourceName, SECONDS_MAX, parse_resources, resources_text,
};

use super::action::TabId;
use super::theme::{mono, regular, size};
use super::widgets;

/// What a field changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A field of a node.
    Node(NodeId, NodeText),
    /// A field of the flow.
    Flow(FlowText),
}

/// A field of a node that is typed as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeText {
    /// Title.
    Title,
    /// Command.
    Command,
    /// Timeout, as a duration.
    Timeout,
    /// Retries, as a number with an optional delay: `2, after 5s`.
    Retries,
    /// Working folder.
    Cwd,
    /// Environment, one setting per line.
    Env,
    /// Names of resources.
    Resources,
}

/// A field of the flow that is typed as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowText {
    /// Title.
    Title,
    /// Group.
    Group,
    /// Shell.
    Shell,
    /// Working folder.
    Cwd,
    /// Environment, one setting per line.
    Env,
    /// Passes of one node at most.
    MaxPasses,
    /// Nodes at once.
    Jobs,
}

impl Field {
    /// What the document says now.
    pub fn text(&self, flow: &Flow) -> String {
        match self {
            Self::Node(id, part) => flow
                .graph
                .node(id)
                .map(|node| node_text(node, *part))
                .unwrap_or_default(),
            Self::Flow(part) => flow_text(flow, *part),
        }
    }

    /// The edit that makes it `text`; the error is one sentence.
    pub fn edit(&self, text: &str) -> Result<Edit, String> {
        match self {
            Self::Node(id, part) => Ok(match part {
                NodeText::Title => set_node(id, NodeField::Title(text.trim().to_owned())),
                NodeText::Command => set_node(id, NodeField::Command(text.to_owned())),
                NodeText::Timeout => set_node(id, NodeField::Timeout(parse_duration(text)?)),
                NodeText::Retries => {
                    let (retries, delay) = parse_retries(text)?;
                    Edit::Batch(vec![
                        set_node(id, NodeField::Retries(retries)),
                        set_node(id, NodeField::RetryDelay(delay)),
                    ])
                }
                NodeText::Cwd => set_node(id, NodeField::Cwd(text.trim().to_owned())),
                NodeText::Env => set_node(id, NodeField::Env(parse_env(text)?)),
                NodeText::Resources => set_node(id, NodeField::Resources(parse_names(text)?)),
            }),
            Self::Flow(part) => Ok(Edit::SetFlow(match part {
                FlowText::Title => FlowField::Title(text.trim().to_owned()),
                FlowText::Group => FlowField::Group(text.trim().to_owned()),
                FlowText::Shell => FlowField::Shell(text.trim().to_owned()),
                FlowText::Cwd => FlowField::Cwd(text.trim().to_owned()),
                FlowText::Env => FlowField::Env(parse_env(text)?),
                FlowText::MaxPasses => {
                    FlowField::MaxPasses(parse_count(text, PASSES_MAX, "passes")?)
                }
                FlowText::Jobs => FlowField::JobsMax(parse_count(text, JOBS_MAX, "nodes at once")?),
            })),
        }
    }

    fn is_mono(&self) -> bool {
        matches!(
            self,
            Self::Node(
                _,
                NodeText::Command | NodeText::Cwd | NodeText::Env | NodeText::Resources
            ) | Self::Flow(FlowText::Shell | FlowText::Cwd | FlowText::Env)
        )
    }

    fn is_multiline(&self) -> bool {
        matches!(
            self,
            Self::Node(_, NodeText::Command | NodeText::Env | NodeText::Resources)
                | Self::Flow(FlowText::Env)
        )
    }
}

fn set_node(id: &NodeId, field: NodeField) -> Edit {
    Edit::SetNode {
        id: id.clone(),
        field,
    }
}

fn node_text(node: &Node, part: NodeText) -> String {
    match part {
        NodeText::Title => node.title.clone(),
        NodeText::Command => node.command.clone(),
        NodeText::Timeout => node.timeout.map(duration_text).unwrap_or_default(),
        NodeText::Retries if node.retries == 0 => String::new(),
        NodeText::Retries if node.retry_delay.is_zero() => node.retries.to_string(),
        NodeText::Retries => {
            format!(
                "{}, after {}",
                node.retries,
                duration_text(node.retry_delay)
            )
        }
        NodeText::Cwd => node.cwd.clone(),
        NodeText::Env => node.env.to_text(),
        NodeText::Resources => resources_text(&node.resources),
    }
}

fn flow_text(flow: &Flow, part: FlowText) -> String {
    let count = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
    match part {
        FlowText::Title => flow.title.clone(),
        FlowText::Group => flow.group.clone(),
        FlowText::Shell => flow.shell.clone(),
        FlowText::Cwd => flow.cwd.clone(),
        FlowText::Env => flow.env.to_text(),
        FlowText::MaxPasses => count(flow.max_passes),
        FlowText::Jobs => count(flow.jobs_max),
    }
}

/// A duration that [`parse_duration`] reads back exactly.
fn duration_text(duration: Duration) -> String {
    let ms = duration.as_millis();
    for (unit, name) in [(3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if ms >= unit && ms.is_multiple_of(unit) {
            return format!("{}{name}", ms / unit);
        }
    }
    format!("{ms}ms")
}

/// `10m`, `1.5h`, `250ms`, or plain seconds; blank means none.
fn parse_duration(text: &str) -> Result<Option<Duration>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let at = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let scale = match unit.trim() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => return Err(not_a_duration(text)),
    };
    let seconds = number.trim().parse::<f64>().ok().map(|n| n * scale);
    match seconds {
        Some(s) if s > SECONDS_MAX as f64 => Err(format!(
            "‘{text}’ is longer than a year. Write at most {}h",
            SECONDS_MAX / 3_600
        )),
        Some(s) if s > 0.0 => Ok(Some(Duration::from_secs_f64(s))),
        _ => Err(not_a_duration(text)),
    }
}

fn not_a_duration(text: &str) -> String {
    format!("‘{text}’ is not a duration. Write 30s, 10m, 1.5h or 250ms")
}

fn parse_retries(text: &str) -> Result<(u32, Duration), String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok((0, Duration::ZERO));
    }
    let (count, delay) = text.split_once(',').unwrap_or((text, ""));
    let delay = delay.trim().trim_start_matches("after").trim();
    let count: u32 = count
        .trim()
        .parse()
        .map_err(|_| format!("‘{text}’ is not a number of retries. Write 2, or 2, after 5s"))?;
    if count > RETRIES_MAX {
        return Err(too_many(count, RETRIES_MAX, "retries"));
    }
    Ok((count, parse_duration(delay)?.unwrap_or_default()))
}

/// A workfile holds no more than this; what is typed beyond it would not be read back.
fn too_many(n: impl std::fmt::Display, max: u32, what: &str) -> String {
    format!("{n} is more {what} than a workfile can hold. Write at most {max}")
}

fn parse_count(text: &str, max: u32, what: &str) -> Result<Option<u32>, String> {
    match text.trim() {
        "" => Ok(None),
        // Digits only: a number too large for any integer is still a number.
        number if number.bytes().all(|c| c.is_ascii_digit()) && number.len() > 9 => {
            Err(too_many(number, max, what))
        }
        number => match number.parse() {
            Ok(n) if n > max => Err(too_many(n, max, what)),
            Ok(n) if n > 0 => Ok(Some(n)),
            _ => Err(format!(
                "‘{number}’ is not a number above 0. Leave it empty for no limit"
            )),
        },
    }
}

fn parse_env(text: &str) -> Result<Env, String> {
    let (env, bad) = Env::parse(text);
    match bad.first() {
        None => Ok(env),
        Some(line) => Err(format!(
            "‘{line}’ is not a setting. Write NAME=value, one per line"
        )),
    }
}

fn parse_names(text: &str) -> Result<Vec<ResourceName>, String> {
    let (names, bad) = parse_resources(text);
    match bad.first() {
        None => Ok(names),
        Some(word) => Err(format!(
            "‘{word}’ names no resource. Write names such as DATABASE_URL, one per line"
        )),
    }
}

/// The field that is being typed in.
pub struct Draft {
    /// The tab it belongs to.
    pub tab: TabId,
    /// What it changes.
    pub field: Field,
    /// What is typed.
    pub text: String,
    /// What the document said when it began.
    pub was: String,
    /// The pass in which its field was drawn last.
    pub seen: u64,
    /// The field was left and the text is to be taken.
    pub left: bool,
    /// Why the text cannot be taken.
    pub refused: Option<String>,
}

impl Draft {
    /// The edit to make, or nothing when nothing changed; the error is one sentence.
    pub fn edit(&self) -> Result<Option<Edit>, String> {
        if self.text == self.was {
            return Ok(None);
        }
        self.field.edit(&self.text).map(Some)
    }
}

/// A text field over `field`. Leaving it makes one edit; Escape drops what was typed.
pub fn field_ui(
    ui: &mut Ui,
    draft: &mut Option<Draft>,
    tab: TabId,
    field: Field,
    flow: &Flow,
    label: &str,
    hint: &str,
) -> Response {
    let name = widgets::field_label(ui, label);
    let id = Id::new(("field", tab.0, format!("{field:?}")));
    let mine = draft
        .as_ref()
        .is_some_and(|draft| draft.tab == tab && draft.field == field);
    let saved = field.text(flow);
    let mut text = match draft {
        Some(draft) if mine => draft.text.clone(),
        _ => saved.clone(),
    };
    let font = if field.is_mono() {
        mono(size::MONO)
    } else {
        regular(size::UI)
    };
    let edit = if field.is_multiline() {
        let rows = text.lines().count().clamp(1, 12);
        TextEdit::multiline(&mut text).desired_rows(rows)
    } else {
        TextEdit::singleline(&mut text)
    };
    let response = ui
        .add(
            edit.id(id)
                .font(font)
                .hint_text(hint)
                .margin(widgets::field_margin())
                .desired_width(f32::INFINITY),
        )
        .labelled_by(name.id);
    let pass = ui.ctx().cumulative_pass_nr();
    if response.has_focus() {
        if !mine {
            *draft = Some(Draft {
                tab,
                field,
                text: text.clone(),
                was: saved,
                seen: pass,
                left: false,
                refused: None,
            });
        }
        if let Some(draft) = draft.as_mut() {
            if draft.text != text {
                draft.refused = None;
            }
            draft.text = text;
            draft.seen = pass;
        }
    } else if mine {
        let escaped = ui.input(|i| i.key_pressed(egui::Key::Escape));
        if escaped {
            *draft = None;
        } else if let Some(draft) = draft.as_mut() {
            draft.text = text;
            draft.seen = pass;
            draft.left = draft.refused.is_none();
            if let Some(why) = &draft.refused {
                let theme = super::theme::Theme::of(ui.ctx());
                ui.label(
                    egui::RichText::new(why)
                        .font(regular(size::SMALL))
                        .color(theme.error()),
                );
            }
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Point;

    #[test]
    fn what_a_field_shows_is_read_back_as_the_same() {
        let mut node = Node::new("a", "echo\n  two", Point::default());
        node.timeout = Some(Duration::from_secs(600));
        node.retries = 2;
        node.retry_delay = Duration::from_millis(1500);
        node.env = Env(vec![("MONTH".into(), "2026-11".into())]);
        let mut flow = Flow::default();
        flow.graph.add_node(node).expect("fresh id");
        let before = flow.clone();
        for part in [
            NodeText::Title,
            NodeText::Command,
            NodeText::Timeout,
            NodeText::Retries,
            NodeText::Cwd,
            NodeText::Env,
        ] {
            let field = Field::Node("a".into(), part);
            let edit = field.edit(&field.text(&flow)).expect("reads");
            edit.apply(&mut flow).expect("applies");
        }
        assert_eq!(flow, before);
    }

    #[test]
    fn what_cannot_be_read_is_said_with_the_remedy() {
        for (part, text) in [
            (NodeText::Timeout, "soon"),
            (NodeText::Timeout, "-3s"),
            (NodeText::Retries, "many"),
            (NodeText::Env, "no setting"),
        ] {
            let why = Field::Node("a".into(), part).edit(text).expect_err(text);
            assert!(why.contains("Write"), "{why}");
        }
        assert!(Field::Flow(FlowText::Jobs).edit("0").is_err());
    }

    #[test]
    fn a_field_takes_no_number_that_the_workfile_could_not_hold() {
        let node = |part| Field::Node("a".into(), part);
        for (field, most, beyond) in [
            (node(NodeText::Retries), "10000", "10001"),
            (node(NodeText::Timeout), "8784h", "8785h"),
            (node(NodeText::Retries), "1, after 8784h", "1, after 8785h"),
            (Field::Flow(FlowText::Jobs), "10000", "10001"),
            (Field::Flow(FlowText::MaxPasses), "1000000", "1000001"),
            (
                Field::Flow(FlowText::MaxPasses),
                "1",
                "99999999999999999999",
            ),
        ] {
            field.edit(most).expect(most);
            let why = field.edit(beyond).expect_err(beyond);
            assert!(why.contains("Write at most"), "{why}");
        }
    }

    #[test]
    fn durations_may_be_written_in_every_unit() {
        let read = |text: &str| parse_duration(text).expect("reads").map(|d| d.as_millis());
        assert_eq!(read(""), None);
        assert_eq!(read("10"), Some(10_000));
        assert_eq!(read("1.5h"), Some(5_400_000));
        assert_eq!(read("250 ms"), Some(250));
    }
}

//! Nodes and edges as a screen reader, the Tab key and a test see them: by name, with their status.
//!
//! Only what is in view near by is told, and what is selected or focused; a list of everything is
//! the shell's outline.

use egui::accesskit::Role;
use egui::{Id, Rect, Response, Sense, Ui, Vec2, WidgetInfo, WidgetType};

use crate::model::{EdgeKind, Node, NodeState, NodeStatus, Timestamp, human_duration};

use super::node_words::exit_word;
use super::picture::ZOOM_FAR;
use super::seen::Seen;
use super::standing::Lit;

/// Edges told at once; beyond it the picture is read by nodes.
const EDGES_MAX: usize = 400;
/// Selected nodes out of view that are seen.
const SELECTED_MAX: usize = 32;

/// What the keyboard or a screen reader did.
#[derive(Default)]
pub struct Heard {
    /// The pointer is over the canvas or something in it, and nothing lies above.
    pub over: bool,
    /// A press in this frame belongs to the canvas or something in it.
    pub pressed: bool,
    /// The node with the keyboard focus.
    pub focus: Option<u32>,
    /// A node that gained the focus.
    pub gained: Option<u32>,
    /// A node that was clicked without a pointer.
    pub clicked_node: Option<u32>,
    /// An edge that was clicked without a pointer.
    pub clicked_edge: Option<u32>,
}

impl Heard {
    /// Takes note of the pointer on one widget.
    pub fn pointer(&mut self, response: &Response) {
        self.over |= response.contains_pointer();
        self.pressed |= response.is_pointer_button_down_on()
            || response.clicked()
            || response.secondary_clicked()
            || response.middle_clicked()
            || response.drag_stopped();
    }
}

/// Registers what is in view with egui; `canvas` is the id of the canvas.
pub fn tell(ui: &Ui, canvas: Id, seen: &Seen<'_>, heard: &mut Heard) {
    let by_pointer = ui.input(|i| i.pointer.any_released());
    let near = seen.camera.zoom >= ZOOM_FAR;
    if near && seen.visible.edges.len() <= EDGES_MAX {
        for &at in &seen.visible.edges {
            tell_edge(ui, canvas, seen, at, by_pointer, heard);
        }
    }
    let mut node = |at: u32| tell_node(ui, canvas, seen, at, by_pointer, heard);
    if near {
        for &at in &seen.visible.nodes {
            node(at);
        }
    }
    for id in seen.selection.nodes().iter().take(SELECTED_MAX) {
        if let Some(at) = seen.scene.node_at(id)
            && !(near && seen.visible.nodes.contains(&at))
        {
            node(at);
        }
    }
}

/// The name egui knows a node by.
fn node_id(canvas: Id, node: &Node) -> Id {
    canvas.with(("node", node.id.as_str()))
}

fn tell_node(ui: &Ui, canvas: Id, seen: &Seen<'_>, at: u32, by_pointer: bool, heard: &mut Heard) {
    let node = seen.scene.node(at);
    let response = ui.interact(seen.node_rect(at), node_id(canvas, node), Sense::click());
    let selected = seen.selection.has_node(&node.id);
    response.widget_info(|| {
        WidgetInfo::selected(WidgetType::SelectableLabel, true, selected, node.name())
    });
    ui.ctx().accesskit_node_builder(response.id, |builder| {
        builder.set_role(Role::ListBoxOption);
        let state = seen.state(at);
        let status = seen.standing.nodes[at as usize];
        builder.set_description(describe(node, status, state, seen.now));
    });
    heard.pointer(&response);
    if response.clicked() && !by_pointer {
        heard.clicked_node = Some(at);
    }
    if response.has_focus() {
        heard.focus = Some(at);
        // Arrows walk along edges; egui's own walk from widget to widget would fight them.
        let filter = egui::EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..Default::default()
        };
        ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
        if response.gained_focus() {
            heard.gained = Some(at);
        }
    }
}

fn tell_edge(ui: &Ui, canvas: Id, seen: &Seen<'_>, at: u32, by_pointer: bool, heard: &mut Heard) {
    let edge = &seen.scene.edges[at as usize];
    let curve = seen.scene.curve(at, seen.shift);
    // A small place on the curve that is in view: the box round a curve would cover other things.
    let place = [0.5, 0.35, 0.65, 0.2, 0.8]
        .into_iter()
        .map(|t| seen.camera.to_screen(seen.view, curve.point(t)))
        .find(|pos| seen.view.contains(*pos));
    let Some(pos) = place else {
        return;
    };
    let rect = Rect::from_center_size(pos, Vec2::splat(12.0));
    let id = canvas.with(("edge", edge.id.as_str()));
    let response = ui.interact(rect, id, Sense::click());
    let selected = seen.selection.has_edge(&edge.id);
    response.widget_info(|| {
        let source = seen.scene.node(edge.source).name();
        let target = seen.scene.node(edge.target).name();
        let kind = match edge.kind {
            EdgeKind::Blocking => "blocking",
            EdgeKind::NonBlocking => "non-blocking",
        };
        let label = format!("{source} → {target}, {kind}");
        WidgetInfo::selected(WidgetType::SelectableLabel, true, selected, label)
    });
    ui.ctx().accesskit_node_builder(response.id, |builder| {
        builder.set_role(Role::ListBoxOption);
        builder.set_description(match seen.standing.edges[at as usize] {
            Lit::No => "not fired",
            Lit::Fired => "fired",
            Lit::Failed => "source failed",
            Lit::Marked => "marked to run",
        });
    });
    heard.pointer(&response);
    if response.clicked() && !by_pointer {
        heard.clicked_edge = Some(at);
    }
}

/// A node's status in words: `status failed, exit 67, 250ms, pass 3, muted`.
fn describe(
    node: &Node,
    status: Option<NodeStatus>,
    state: Option<&NodeState>,
    now: Timestamp,
) -> String {
    let mut text = match status {
        Some(status) => format!("status {}", status.word()),
        None => "status not known yet".to_owned(),
    };
    let mut add = |part: String| {
        text.push_str(", ");
        text.push_str(&part);
    };
    if let Some(state) = state {
        if status == Some(NodeStatus::Failed)
            && let Some(exit) = &state.exit
        {
            add(exit_word(exit));
        }
        if let Some(time) = state.duration(now) {
            add(human_duration(time));
        }
        if state.pass > 1 {
            add(format!("pass {}", state.pass));
        }
        if state.attempt > 1 {
            add(format!("attempt {}", state.attempt));
        }
    }
    if node.disabled {
        add("muted".to_owned());
    }
    text
}

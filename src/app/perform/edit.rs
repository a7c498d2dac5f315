//! Verbs and gestures that change the document: each is one edit, so one step to undo.

use egui::Context;

use crate::app::action::{TabId, Toward};
use crate::app::selection::Selection;
use crate::app::window::{App, Came};
use crate::editor::layout;
use crate::model::{
    Edge, EdgeId, EdgeKind, EdgeSpec, Edit, Flow, FlowField, Frame, FrameId, Node, NodeField,
    NodeId, Notice, Point, Rect, Wrapper,
};

/// How far a nudge moves, in canvas units.
const NUDGE: f64 = 8.0;
/// Room between the nodes of a new frame and its border.
const FRAME_PAD: f64 = 24.0;
/// Size by which a node counts when no canvas has measured it.
const NODE_SIZE: (f64, f64) = (200.0, 72.0);

/// The edges that verbs on edges mean: those selected, else those between selected nodes.
fn links_of(flow: &Flow, selection: &Selection) -> Vec<EdgeId> {
    if !selection.edges().is_empty() {
        return selection.edges().to_vec();
    }
    links_inside(flow, selection).cloned().collect()
}

/// Whether there are any. Asked several times a frame, also when everything is selected.
pub fn has_links(flow: &Flow, selection: &Selection) -> bool {
    !selection.edges().is_empty() || links_inside(flow, selection).next().is_some()
}

fn links_inside<'a>(flow: &'a Flow, selection: &'a Selection) -> impl Iterator<Item = &'a EdgeId> {
    let out = |id| flow.graph.outgoing(id);
    let links = selection.nodes().iter().flat_map(out);
    let inside = links.filter(|(target, _)| selection.has_node(&target.id));
    inside.map(|(_, edge)| &edge.id)
}

impl App {
    /// Applies an edit to the shown document.
    pub(super) fn edit(&mut self, edit: Edit) {
        if let Some(id) = self.view.shown {
            self.edit_tab(id, edit);
        }
    }

    /// Applies an edit to a tab's document.
    pub(super) fn edit_tab(&mut self, id: TabId, edit: Edit) {
        let Some(tab) = self.view.tab_of(id) else {
            return;
        };
        let Some(doc) = tab.doc_mut() else {
            return;
        };
        let result = doc.apply(edit);
        let flow = doc.flow().clone();
        tab.selection.retain(&flow);
        if let Err(why) = result {
            self.view.tell(Notice::error(
                format!("The edit was not made: {why}."),
                "Undo until the flow looks right, then try again.",
            ));
        }
    }

    pub(super) fn edit_and_select(&mut self, edit: Edit, nodes: Vec<NodeId>) {
        self.edit(edit);
        self.select(nodes, Vec::new(), Vec::new());
    }

    pub(super) fn select(&mut self, nodes: Vec<NodeId>, edges: Vec<EdgeId>, frames: Vec<FrameId>) {
        let Some(tab) = self.view.tab_mut() else {
            return;
        };
        tab.selection.replace(nodes, edges, frames);
        if let Some(flow) = tab.doc().map(|doc| doc.flow().clone()) {
            tab.selection.retain(&flow);
        }
    }

    pub(super) fn select_all(&mut self) {
        let nodes = self.view.doc().map(|doc| {
            let nodes = doc.flow().graph.nodes();
            nodes.map(|node| node.id.clone()).collect()
        });
        self.select(nodes.unwrap_or_default(), Vec::new(), Vec::new());
    }

    pub(super) fn undo(&mut self) {
        self.step_history(true);
    }

    pub(super) fn redo(&mut self) {
        self.step_history(false);
    }

    fn step_history(&mut self, back: bool) {
        let Some(tab) = self.view.tab_mut() else {
            return;
        };
        let Some(doc) = tab.doc_mut() else {
            return;
        };
        if back {
            doc.undo();
        } else {
            doc.redo();
        }
        let flow = doc.flow().clone();
        tab.selection.retain(&flow);
    }

    pub(super) fn new_node(&mut self, pos: Point, from: Option<(NodeId, EdgeKind)>) {
        let Some(doc) = self.view.doc() else {
            return;
        };
        let graph = &doc.flow().graph;
        let id = graph.free_node_id();
        let edges = from
            .map(|(source, kind)| EdgeSpec {
                edge: Edge {
                    id: graph.free_edge_id(&source, &id),
                    kind,
                },
                source,
                target: id.clone(),
            })
            .into_iter()
            .collect();
        let nodes = vec![Node::new(id.clone(), "", pos)];
        self.edit_and_select(Edit::Add { nodes, edges }, vec![id.clone()]);
        if let Some(tab) = self.view.tab_mut() {
            tab.canvas.begin_new(id);
        }
    }

    /// Takes a node back that was made for a command nobody typed: the step that made it is undone,
    /// and when something else was done since, the node alone goes.
    pub(super) fn drop_new_node(&mut self, id: &NodeId) {
        let Some(doc) = self.view.tab_mut().and_then(|tab| tab.doc_mut()) else {
            return;
        };
        let made_last = {
            doc.undo();
            !doc.flow().graph.contains(id)
        };
        if made_last {
            let flow = doc.flow().clone();
            if let Some(tab) = self.view.tab_mut() {
                tab.selection.retain(&flow);
            }
            return;
        }
        doc.redo();
        self.edit(Edit::Remove {
            nodes: vec![id.clone()],
            edges: Vec::new(),
        });
    }

    pub(super) fn connect(&mut self) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let graph = &doc.flow().graph;
        let mut edges: Vec<EdgeSpec> = Vec::new();
        for pair in tab.selection.nodes().windows(2) {
            let (source, target) = (&pair[0], &pair[1]);
            if graph.outgoing(source).any(|(node, _)| node.id == *target) {
                continue;
            }
            edges.push(EdgeSpec {
                edge: Edge {
                    id: graph.free_edge_id(source, target),
                    kind: EdgeKind::Blocking,
                },
                source: source.clone(),
                target: target.clone(),
            });
        }
        if edges.is_empty() {
            self.view
                .tell(Notice::info("The selected nodes are joined already."));
            return;
        }
        let nodes = Vec::new();
        self.edit(Edit::Add { nodes, edges });
    }

    pub(super) fn disconnect(&mut self) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let edges = links_of(doc.flow(), &tab.selection);
        let nodes = Vec::new();
        self.edit(Edit::Remove { nodes, edges });
    }

    pub(super) fn toggle_edge_kind(&mut self) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let kinds = links_of(doc.flow(), &tab.selection)
            .into_iter()
            .filter_map(|id| {
                let (_, _, edge) = doc.flow().graph.edge(&id)?;
                let kind = match edge.kind {
                    EdgeKind::Blocking => EdgeKind::NonBlocking,
                    EdgeKind::NonBlocking => EdgeKind::Blocking,
                };
                Some((id, kind))
            })
            .collect();
        self.edit(Edit::SetEdgeKind(kinds));
    }

    /// Mutes all selected nodes when one of them is not, else unmutes all.
    pub(super) fn toggle_mute(&mut self) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let graph = &doc.flow().graph;
        let nodes = || tab.selection.nodes().iter();
        let mute = nodes().any(|id| graph.node(id).is_some_and(|node| !node.disabled));
        let edits: Vec<Edit> = nodes()
            .map(|id| Edit::SetNode {
                id: id.clone(),
                field: NodeField::Disabled(mute),
            })
            .collect();
        self.edit(Edit::Batch(edits));
    }

    pub(super) fn delete(&mut self) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let remove = Edit::Remove {
            nodes: tab.selection.nodes().to_vec(),
            edges: tab.selection.edges().to_vec(),
        };
        let gone = tab.selection.frames();
        let edit = if gone.is_empty() {
            remove
        } else {
            let mut frames = doc.flow().frames.clone();
            frames.retain(|frame| !gone.contains(&frame.id));
            Edit::Batch(vec![remove, Edit::SetFlow(FlowField::Frames(frames))])
        };
        self.edit(edit);
    }

    pub(super) fn copy(&mut self, ctx: &Context) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        if let Some(doc) = tab.doc() {
            ctx.copy_text(self.files.to_text(doc.flow(), tab.selection.nodes()));
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        let at = self.view.tab().map(|tab| tab.canvas.view_center());
        self.add_text(text, at);
    }

    pub(super) fn duplicate(&mut self) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let text = self.files.to_text(doc.flow(), tab.selection.nodes());
        self.add_text(&text, None);
    }

    fn add_text(&mut self, text: &str, at: Option<Point>) {
        let Some(doc) = self.view.doc() else {
            return;
        };
        match self.files.paste(text, doc.flow(), at) {
            Ok(pasted) => self.edit_and_select(pasted.edit, pasted.nodes),
            Err(why) => self.view.tell(Notice::new(
                crate::model::Level::Warning,
                why,
                "Copy nodes from a flow first.",
            )),
        }
    }

    pub(super) fn nudge(&mut self, toward: Toward) {
        let (dx, dy) = match toward {
            Toward::Left => (-NUDGE, 0.0),
            Toward::Right => (NUDGE, 0.0),
            Toward::Up => (0.0, -NUDGE),
            Toward::Down => (0.0, NUDGE),
        };
        let Some(tab) = self.view.tab() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let moves = tab
            .selection
            .nodes()
            .iter()
            .filter_map(|id| {
                let pos = doc.flow().graph.node(id)?.pos;
                let to = Point {
                    x: pos.x + dx,
                    y: pos.y + dy,
                };
                Some((id.clone(), to))
            })
            .collect();
        self.edit(Edit::Move(moves));
    }

    pub(super) fn group_into_frame(&mut self) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let flow = doc.flow();
        let places: Vec<Point> = tab
            .selection
            .nodes()
            .iter()
            .filter_map(|id| flow.graph.node(id).map(|node| node.pos))
            .collect();
        let Some(first) = places.first().copied() else {
            return;
        };
        let (mut min, mut max) = (first, first);
        for p in places {
            min = Point {
                x: min.x.min(p.x),
                y: min.y.min(p.y),
            };
            max = Point {
                x: max.x.max(p.x),
                y: max.y.max(p.y),
            };
        }
        let id = (1..)
            .map(|n| FrameId(format!("f{n}")))
            .find(|id| flow.frames.iter().all(|frame| frame.id != *id))
            .unwrap_or_else(|| FrameId("f".to_owned()));
        let mut frames = flow.frames.clone();
        frames.push(Frame {
            id: id.clone(),
            rect: Rect {
                x: min.x - FRAME_PAD,
                // The title stands in the top edge.
                y: min.y - FRAME_PAD * 1.75,
                w: max.x - min.x + NODE_SIZE.0 + FRAME_PAD * 2.0,
                h: max.y - min.y + NODE_SIZE.1 + FRAME_PAD * 2.75,
            },
            title: "Group".to_owned(),
            text: String::new(),
        });
        self.edit(Edit::SetFlow(FlowField::Frames(frames)));
        self.select(Vec::new(), Vec::new(), vec![id]);
    }

    pub(super) fn auto_layout(&mut self, ctx: &Context) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let (id, flow, revision) = (tab.id, doc.flow().clone(), doc.revision());
        let chosen = tab.selection.nodes().to_vec();
        self.view.laying_out = Some(id);
        self.in_background(ctx, "handmill-layout", move || {
            let only = (chosen.len() > 1).then_some(chosen);
            let moves = layout::layered(&flow, only.as_deref(), NODE_SIZE);
            Came::Layout {
                tab: id,
                revision,
                moves,
            }
        });
    }

    /// A layout was worked out: it is used when nothing was edited meanwhile.
    pub(in crate::app) fn layout_came(
        &mut self,
        id: TabId,
        revision: u64,
        moves: Vec<(NodeId, Point)>,
    ) {
        self.view.laying_out = None;
        let Some(doc) = self.view.tab_of(id).and_then(|tab| tab.doc_mut()) else {
            return;
        };
        if doc.revision() != revision {
            self.view.tell(Notice::new(
                crate::model::Level::Info,
                "The flow was edited while it was being laid out.",
                "Press Ctrl+L again.",
            ));
            return;
        }
        if !moves.is_empty() {
            self.edit_tab(id, Edit::Move(moves));
        }
    }

    pub(super) fn set_wrapper(&mut self, wrapper: Option<Wrapper>) {
        self.view.dialog = None;
        let same = self
            .view
            .doc()
            .is_some_and(|doc| doc.flow().wrapper == wrapper);
        if !same {
            self.edit(Edit::SetFlow(FlowField::Wrapper(wrapper)));
        }
    }
}

//! The right pane: the properties of what is selected, else of the flow.

use egui::{Frame, Margin, RichText, ScrollArea, Sense, Ui, Vec2, vec2};

use crate::model::{
    EdgeId, EdgeKind, Edit, Flow, Node, NodeField, NodeId, Timestamp, human_duration,
};
use crate::runtime::{Board, FlowBoard};

use super::action::{Action, TabId, Verb};
use super::drafts::{Draft, Field, FlowText, NodeText, field_ui};
use super::icons::{self, Icon};
use super::theme::{Theme, regular, semibold, size, space};
use super::verbs;
use super::view::View;
use super::widgets::{self, Button, Row};

/// Draws the pane.
pub fn inspector_ui(
    ui: &mut Ui,
    view: &mut View,
    board: &Board,
    now: Timestamp,
    actions: &mut Vec<Action>,
) {
    let facts = view.context(board);
    let View {
        tabs, shown, draft, ..
    } = view;
    let Some(tab) = tabs.iter().find(|tab| Some(tab.id) == *shown) else {
        return;
    };
    let Some(doc) = tab.doc() else {
        return;
    };
    let flow = doc.flow().clone();
    let stands = board.flow(&doc.flow_ref).map(|flow| &**flow);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        Frame::new()
            .inner_margin(Margin::symmetric(12, 12))
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing = vec2(space::S, 5.0);
                let mut pane = Pane {
                    tab: tab.id,
                    flow: &flow,
                    stands,
                    now,
                    draft,
                    actions,
                };
                match (tab.selection.nodes(), tab.selection.edges()) {
                    ([one], []) => {
                        if let Some(node) = flow.graph.node(one) {
                            pane.node_ui(ui, node);
                        }
                    }
                    ([], [one]) => pane.edge_ui(ui, one),
                    ([], []) if tab.selection.frames().is_empty() => {
                        pane.flow_ui(ui, doc.flow_ref.stem());
                    }
                    (nodes, edges) => pane.many_ui(ui, nodes, edges, &facts),
                }
            });
    });
}

struct Pane<'a> {
    tab: TabId,
    flow: &'a Flow,
    stands: Option<&'a FlowBoard>,
    now: Timestamp,
    draft: &'a mut Option<Draft>,
    actions: &'a mut Vec<Action>,
}

impl Pane<'_> {
    fn title_ui(&self, ui: &mut Ui, icon: Icon, colour: egui::Color32, title: &str) {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(16.0), Sense::hover());
            icons::paint(ui.painter(), rect, icon, colour);
            let text = RichText::new(title).font(semibold(size::TITLE));
            ui.add(egui::Label::new(text).truncate());
        });
    }

    fn field(&mut self, ui: &mut Ui, field: Field, label: &str, hint: &str) {
        field_ui(ui, self.draft, self.tab, field, self.flow, label, hint);
    }

    fn two(
        &mut self,
        ui: &mut Ui,
        left: impl FnOnce(&mut Self, &mut Ui),
        right: impl FnOnce(&mut Self, &mut Ui),
    ) {
        ui.columns(2, |columns| {
            for column in &mut *columns {
                column.spacing_mut().item_spacing.y = 5.0;
            }
            left(self, &mut columns[0]);
            right(self, &mut columns[1]);
        });
    }

    fn node_ui(&mut self, ui: &mut Ui, node: &Node) {
        let theme = Theme::of(ui.ctx());
        let id = &node.id;
        let state = self.stands.map(|flow| flow.node(id)).unwrap_or_default();
        let colour = theme.status(state.status);
        self.title_ui(ui, Icon::Status(state.status), colour, node.name());
        self.field(
            ui,
            Field::Node(id.clone(), NodeText::Command),
            "Command",
            "sh command",
        );
        self.field(
            ui,
            Field::Node(id.clone(), NodeText::Title),
            "Title",
            node.name(),
        );

        let loaded = self.stands.is_some_and(|flow| flow.loaded);
        let duration = state.duration(self.now).map(human_duration);
        let status = match (loaded, &duration) {
            (false, _) => "Reading…".to_owned(),
            (true, Some(time)) => format!("{}, {time}", capital(state.status.word())),
            (true, None) => capital(state.status.word()),
        };
        let exit = state
            .exit
            .as_ref()
            .map_or_else(|| "–".to_owned(), ToString::to_string);
        self.two(
            ui,
            |_, ui| {
                widgets::field_label(ui, "Status");
                widgets::shown_value(ui, &status, theme.text);
            },
            |_, ui| {
                widgets::field_label(ui, "Exit");
                let failed = state.exit.as_ref().is_some_and(|exit| !exit.is_success());
                let ink = if failed { theme.error() } else { theme.text };
                widgets::shown_value(ui, &exit, ink);
            },
        );
        if state.attempt > 1 || state.pass > 1 || state.queued > 0 {
            self.two(
                ui,
                |_, ui| {
                    widgets::field_label(ui, "Attempt");
                    let text = format!("{} of {}", state.attempt.max(1), node.retries + 1);
                    widgets::shown_value(ui, &text, theme.text);
                },
                |_, ui| {
                    widgets::field_label(ui, "Pass");
                    let text = match state.queued {
                        0 => state.pass.to_string(),
                        n => format!("{}, {n} queued", state.pass),
                    };
                    widgets::shown_value(ui, &text, theme.text);
                },
            );
        }
        self.two(
            ui,
            |pane, ui| {
                pane.field(
                    ui,
                    Field::Node(id.clone(), NodeText::Timeout),
                    "Timeout",
                    "none",
                )
            },
            |pane, ui| {
                pane.field(
                    ui,
                    Field::Node(id.clone(), NodeText::Retries),
                    "Retries",
                    "0",
                )
            },
        );
        let waits = by_place(self.flow.graph.incoming(id));
        let then = by_place(self.flow.graph.outgoing(id));
        self.neighbours_ui(ui, "Waits for", &waits);
        self.neighbours_ui(ui, "Then", &then);
        self.field(
            ui,
            Field::Node(id.clone(), NodeText::Env),
            "Environment",
            "NAME=value",
        );
        self.field(
            ui,
            Field::Node(id.clone(), NodeText::Resources),
            "Resources",
            "names of passwords it needs",
        );
        let folder = if self.flow.cwd.is_empty() {
            "workspace"
        } else {
            self.flow.cwd.as_str()
        };
        self.field(
            ui,
            Field::Node(id.clone(), NodeText::Cwd),
            "Working folder",
            folder,
        );
        ui.add_space(space::XS);
        let mut muted = node.disabled;
        if ui
            .checkbox(&mut muted, "Muted: passed without running")
            .changed()
        {
            self.actions.push(Action::Edit(Edit::SetNode {
                id: id.clone(),
                field: NodeField::Disabled(muted),
            }));
        }
    }

    fn neighbours_ui(&mut self, ui: &mut Ui, label: &str, nodes: &[(NodeId, String, EdgeKind)]) {
        if nodes.is_empty() {
            return;
        }
        let theme = Theme::of(ui.ctx());
        widgets::field_label(ui, label);
        Frame::new()
            .stroke(egui::Stroke::new(1.0, theme.line))
            .corner_radius(size::RADIUS)
            .inner_margin(Margin::same(2))
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                for (id, name, kind) in nodes {
                    let state = self.stands.map(|flow| flow.node(id)).unwrap_or_default();
                    let colour = theme.status(state.status);
                    let kind = match kind {
                        EdgeKind::Blocking => "",
                        EdgeKind::NonBlocking => "non-blocking",
                    };
                    let row = Row {
                        text: name,
                        name: Some(format!("{label} {name}")),
                        icon: Some((Icon::Status(state.status), colour)),
                        detail: kind,
                        ..Row::default()
                    };
                    if row.show(ui).clicked() {
                        self.actions.push(Action::GoToNode(id.clone()));
                    }
                }
            });
    }

    fn edge_ui(&mut self, ui: &mut Ui, id: &EdgeId) {
        let theme = Theme::of(ui.ctx());
        let Some((source, target, edge)) = self.flow.graph.edge(id) else {
            return;
        };
        self.title_ui(ui, Icon::Flow, theme.dim, "Edge");
        for (label, node) in [("From", source), ("To", target)] {
            let one = [(node.id.clone(), node.name().to_owned(), EdgeKind::Blocking)];
            self.neighbours_ui(ui, label, &one);
        }
        widgets::field_label(ui, "Type");
        for (kind, name, what) in [
            (
                EdgeKind::Blocking,
                "Blocking",
                "The target waits until all its blocking sources have succeeded.",
            ),
            (
                EdgeKind::NonBlocking,
                "Non-blocking",
                "Each success of the source starts the target anew.",
            ),
        ] {
            let radio = ui.radio(edge.kind == kind, name).on_hover_text(what);
            if radio.clicked() && edge.kind != kind {
                self.actions
                    .push(Action::Edit(Edit::SetEdgeKind(vec![(id.clone(), kind)])));
            }
        }
        if let Some(stands) = self.stands {
            let words = if stands.marked.contains(id) {
                "Marked: its source has succeeded, its target has not used it"
            } else if stands.fired.contains(id) {
                "Fired in the run shown"
            } else {
                "Has not fired in the run shown"
            };
            ui.add_space(space::S);
            let text = RichText::new(words)
                .font(regular(size::SMALL))
                .color(theme.dim);
            ui.add(egui::Label::new(text).wrap());
        }
    }

    fn many_ui(&mut self, ui: &mut Ui, nodes: &[NodeId], edges: &[EdgeId], facts: &verbs::Context) {
        let theme = Theme::of(ui.ctx());
        let title = match (nodes.len(), edges.len()) {
            (0, 0) => "Frame".to_owned(),
            (n, 0) => format!("{n} nodes"),
            (0, n) => format!("{n} edges"),
            (n, m) => format!("{n} nodes, {m} edges"),
        };
        self.title_ui(ui, Icon::Flow, theme.dim, &title);
        ui.add_space(space::S);
        let acts: &[Verb] = if nodes.is_empty() {
            &[Verb::ToggleEdgeKind, Verb::Delete]
        } else {
            &[
                Verb::Run,
                Verb::RunFromHere,
                Verb::RunUpToHere,
                Verb::Connect,
                Verb::Disconnect,
                Verb::ToggleEdgeKind,
                Verb::ToggleMute,
                Verb::GroupIntoFrame,
                Verb::AutoLayout,
                Verb::Duplicate,
                Verb::ClearStatus,
                Verb::Delete,
            ]
        };
        let mac = ui.ctx().os().is_mac();
        for verb in acts {
            let entry = verbs::entry(*verb);
            let mut button = Button::new(entry.name).tooltip(entry.tooltip).flat();
            button.key = entry.keys.first().map(|key| key.short_label(mac));
            button.disabled = facts.disabled_because(*verb);
            if button.show(ui).clicked() {
                self.actions.push(Action::Do(*verb));
            }
        }
    }

    fn flow_ui(&mut self, ui: &mut Ui, stem: &str) {
        let theme = Theme::of(ui.ctx());
        let title = self.flow.title.trim();
        let title = if title.is_empty() { stem } else { title };
        self.title_ui(ui, Icon::Flow, theme.dim, title);
        self.field(ui, Field::Flow(FlowText::Title), "Title", stem);
        self.field(ui, Field::Flow(FlowText::Group), "Group", "none");
        widgets::field_label(ui, "Wrapper");
        let wrapper = self.flow.wrapper.as_ref().map(|w| w.template());
        // One line of it: the field shows, and the dialog edits.
        let text = match wrapper.and_then(|text| text.split_once('\n')) {
            Some((first, _)) => format!("{first} …"),
            None => wrapper.unwrap_or("none").to_owned(),
        };
        ui.horizontal(|ui| {
            let room = ui.available_width() - 66.0;
            ui.scope(|ui| {
                ui.set_max_width(room);
                let ink = if wrapper.is_some() {
                    theme.text
                } else {
                    theme.faint
                };
                widgets::shown_value(ui, &text, ink);
            });
            if Button::new("Edit…").show(ui).clicked() {
                self.actions.push(Action::Do(Verb::EditWrapper));
            }
        });
        self.field(
            ui,
            Field::Flow(FlowText::Cwd),
            "Working folder",
            "workspace",
        );
        self.field(ui, Field::Flow(FlowText::Env), "Environment", "NAME=value");
        self.two(
            ui,
            |pane, ui| pane.field(ui, Field::Flow(FlowText::Shell), "Shell", "bash, else sh"),
            |pane, ui| pane.field(ui, Field::Flow(FlowText::Jobs), "Nodes at once", "no limit"),
        );
        self.field(
            ui,
            Field::Flow(FlowText::MaxPasses),
            "Passes of one node at most",
            "no limit",
        );
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// Neighbours from top to bottom, as they stand on the canvas.
fn by_place<'a>(
    neighbours: impl Iterator<Item = (&'a Node, &'a crate::model::Edge)>,
) -> Vec<(NodeId, String, EdgeKind)> {
    let mut all: Vec<_> = neighbours.collect();
    all.sort_by(|(a, _), (b, _)| a.pos.y.total_cmp(&b.pos.y));
    all.into_iter()
        .map(|(node, edge)| (node.id.clone(), node.name().to_owned(), edge.kind))
        .collect()
}

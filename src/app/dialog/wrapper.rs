//! The wrapper of the shown flow, with what it makes of a command.

use egui::{RichText, ScrollArea, TextEdit, Ui};

use crate::app::action::{Action, Answer};
use crate::app::theme::{Theme, mono, semibold, size, space};
use crate::app::widgets::{self, Button};
use crate::app::window::App;
use crate::model::{Flow, Node, Wrapper};

/// Draws it over `text`, which is what is typed.
pub fn wrapper_ui(ui: &Ui, app: &App, text: &mut String, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui.ctx());
    let Some(tab) = app.view.tab() else {
        return;
    };
    let Some(doc) = tab.doc() else {
        return;
    };
    let graph = &doc.flow().graph;
    let node = tab
        .selection
        .nodes()
        .last()
        .and_then(|id| graph.node(id))
        .or_else(|| graph.nodes().next());
    let wrapper = (!text.trim().is_empty()).then(|| Wrapper::new(text.as_str()));
    let response = widgets::modal(ui, "wrapper").show(ui.ctx(), |ui| {
        ui.set_width(560.0);
        ui.label(RichText::new("Wrapper").font(semibold(size::TITLE)));
        ui.add_space(space::XS);
        let hint = "Set round each command of this flow; {} stands for the command.";
        ui.add(egui::Label::new(RichText::new(hint).color(theme.dim)).wrap());
        ui.add_space(space::S);
        let label = widgets::field_label(ui, "Wrapper");
        let field = TextEdit::multiline(text)
            .id(egui::Id::new("wrapper field"))
            .font(mono(size::MONO))
            .hint_text("ssh worker {}")
            .margin(widgets::field_margin())
            .desired_rows(2)
            .desired_width(f32::INFINITY);
        let field = ui.add(field).labelled_by(label.id);
        if ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        if let Some(node) = node {
            ui.add_space(space::XS);
            widgets::field_label(ui, &format!("What will run for ‘{}’", node.name()));
            let line = preview(app, doc.flow(), node, wrapper.clone());
            let frame = egui::Frame::new()
                .stroke(egui::Stroke::new(1.0, theme.line))
                .corner_radius(size::RADIUS)
                .inner_margin(widgets::field_margin());
            frame.show(ui, |ui| {
                ui.set_width(ui.available_width());
                let shown = RichText::new(line).font(mono(size::MONO)).color(theme.dim);
                let scroll = ScrollArea::vertical()
                    .max_height(120.0)
                    .auto_shrink([false, true]);
                scroll.show(ui, |ui| {
                    ui.add(egui::Label::new(shown).selectable(true).wrap());
                });
            });
        }
        ui.add_space(space::L);
        widgets::answers_ui(ui, |ui| {
            let enter = ui.input(|i| i.modifiers.command && i.key_pressed(egui::Key::Enter));
            if Button::new("Use wrapper").primary().show(ui).clicked() || enter {
                actions.push(Action::SetWrapper(wrapper.clone()));
            }
            if Button::new("Cancel").show(ui).clicked() {
                actions.push(Action::Answer(Answer::Cancel));
            }
        });
    });
    if response.backdrop_response.clicked() {
        actions.push(Action::Answer(Answer::Cancel));
    }
}

fn preview(app: &App, flow: &Flow, node: &Node, wrapper: Option<Wrapper>) -> String {
    // Only what goes round the command matters; nodes are shared, so the copy is cheap.
    let flow = Flow {
        wrapper,
        shell: flow.shell.clone(),
        ..Flow::default()
    };
    app.engine.command_line(&flow, node)
}

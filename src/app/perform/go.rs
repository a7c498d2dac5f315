//! Verbs that move the view or the selection without changing the document.

use egui::Context;

use crate::app::action::{TabId, Toward, Verb};
use crate::app::canvas::{Walk, walk};
use crate::app::settings::{Granted, Page, Section, Wish};
use crate::app::view::Dialog;
use crate::app::window::{App, Came};
use crate::model::{NodeId, Wrapper};

impl App {
    /// Hands a verb to the canvas of the shown tab, which does it in its next frame.
    pub(super) fn ask_canvas(&mut self, verb: Verb) {
        if let Some(tab) = self.view.tab_mut() {
            tab.canvas.ask(verb);
        }
    }

    pub(super) fn begin_edit(&mut self, node: NodeId) {
        if let Some(tab) = self.view.tab_mut() {
            tab.canvas.begin_edit(node);
        }
    }

    pub(super) fn new_node_in_view(&mut self) {
        if let Some(pos) = self.view.tab().map(|tab| tab.canvas.new_node_place()) {
            self.new_node(pos, None);
        }
    }

    pub(super) fn go_to_node(&mut self, node: NodeId) {
        self.select(vec![node.clone()], Vec::new(), Vec::new());
        if let Some(tab) = self.view.tab_mut() {
            tab.canvas.go_to(node);
        }
    }

    /// Selects the neighbour of the selected node in a direction.
    pub(super) fn walk(&mut self, toward: Toward) {
        let Some(tab) = self.view.tab() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let graph = &doc.flow().graph;
        let Some(from) = tab.selection.nodes().last().and_then(|id| graph.node(id)) else {
            // Nothing selected: begin at the leftmost node.
            let first = graph
                .nodes()
                .min_by(|a, b| (a.pos.x + a.pos.y).total_cmp(&(b.pos.x + b.pos.y)));
            if let Some(id) = first.map(|node| node.id.clone()) {
                self.go_to_node(id);
            }
            return;
        };
        let way = match toward {
            Toward::Right => Walk::Forth,
            Toward::Left => Walk::Back,
            Toward::Up => Walk::Up,
            Toward::Down => Walk::Down,
        };
        if let Some(id) = walk(graph, &from.id, way) {
            self.go_to_node(id);
        }
    }

    pub(super) fn show_tab(&mut self, id: TabId) {
        if self.view.shown != Some(id) {
            self.view.shown = Some(id);
            self.check_file(id);
        }
    }

    pub(super) fn step_tab(&mut self, by: isize) {
        let n = self.view.tabs.len();
        let at = self
            .view
            .tabs
            .iter()
            .position(|tab| Some(tab.id) == self.view.shown);
        if let Some(at) = at {
            let next = (at + n).wrapping_add_signed(by) % n;
            self.show_tab(self.view.tabs[next].id);
        }
    }

    pub(super) fn open_wrapper(&mut self) {
        if let Some(doc) = self.view.doc() {
            let text = doc.flow().wrapper.as_ref().map(Wrapper::template);
            self.view.dialog = Some(Dialog::Wrapper(text.unwrap_or_default().to_owned()));
        }
    }

    /// Has the machine looked at; the page of settings is given what was seen.
    pub(super) fn diagnose(&self, ctx: &Context) {
        let look = self.engine.health();
        let collection = self.view.settings.collection.clone();
        self.in_background(ctx, "handmill-health", move || {
            Came::Health(look(collection.as_deref()))
        });
    }

    /// Has the wish of the settings about resources carried out, and everything looked at afterwards.
    pub(super) fn carry_out_resource_wish(&mut self, ctx: &Context) {
        let Some(Dialog::Settings(page)) = &mut self.view.dialog else {
            return;
        };
        let Some(wish) = page.take_wish() else {
            return;
        };
        let desk = self.engine.resources();
        self.in_background(ctx, "handmill-resources", move || {
            let done = match wish {
                Wish::Look => None,
                Wish::Keep(name, keep) => Some(desk.keep(&name, keep)),
                Wish::Remove(name) => Some(desk.remove(&name)),
            };
            let view = desk.look();
            Came::Resources(Granted { done, view })
        });
    }

    pub(super) fn open_settings(&mut self, section: Section) {
        let page = Page::new(&self.view.settings, section);
        self.view.dialog = Some(Dialog::Settings(Box::new(page)));
    }
}

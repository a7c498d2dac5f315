//! Carries actions out: each becomes an edit on the document, an order to the runtime, a file job,
//! or a change of the view. One match; its arms are the functions of the files beside.

mod control;
mod edit;
mod file;
mod go;
mod kill;
mod outside;
mod run;
mod safety;
mod unsaved;
mod workspace;

pub use edit::has_links;
pub(super) use file::cores;
pub(super) use run::choice_of;

use egui::Context;

use crate::model::{Level, Notice};

use super::action::{Action, Answer, Verb};
use super::room::Pane;
use super::settings::Section;
use super::view::{Dialog, LogScope, Palette, PaletteScope, SidePane};
use super::window::App;

impl App {
    /// Carries one action out.
    pub(super) fn perform(&mut self, ctx: &Context, action: Action) {
        // The field has lost the keyboard to this very key, which drops what was typed in it.
        if matches!(action, Action::Do(Verb::Escape))
            && !self.view.is_covered()
            && self.view.draft.take().is_some()
        {
            return;
        }
        // What is being typed belongs to the document before anything else happens to it.
        if !matches!(action, Action::DismissNotice(_) | Action::CopyText(_)) {
            self.take_draft();
        }
        match action {
            Action::Do(verb) => self.do_verb(ctx, verb),
            Action::Edit(edit) => self.edit(edit),
            Action::EditAndSelect(edit, nodes) => self.edit_and_select(edit, nodes),
            Action::Select {
                nodes,
                edges,
                frames,
            } => self.select(nodes, edges, frames),
            Action::NewNodeAt { pos, from } => self.new_node(pos, from),
            Action::BeginEdit(node) => self.begin_edit(node),
            Action::DropNewNode(node) => self.drop_new_node(&node),
            Action::OpenFlow(flow) => self.open_path(ctx, flow.path()),
            Action::OpenPath(path) => self.open_path(ctx, path),
            Action::ShowRun(run) => self.show_run(run),
            Action::PinRun(run, pinned) => self.pin_run(run, pinned),
            Action::GoToNode(node) => self.go_to_node(node),
            Action::DismissNotice(id) => self.dismiss(id),
            Action::ShowTab(id) => self.show_tab(id),
            Action::CloseTab(id) => self.close_tab(id),
            Action::ShowWorkspace(id) => self.show_workspace(ctx, &id),
            Action::Answer(answer) => self.answer(ctx, answer),
            Action::Banner(act) => self.banner(ctx, act),
            Action::SetWrapper(wrapper) => self.set_wrapper(wrapper),
            Action::Configure(settings) => self.configure(ctx, *settings),
            Action::CopyText(text) => ctx.copy_text(text),
            Action::PasteText(text) => self.paste(&text),
            Action::Diagnose => self.diagnose(ctx),
            Action::CarryOutResourceWish => self.carry_out_resource_wish(ctx),
            Action::Kill(scope) => self.ask_kill(scope),
            Action::OpenExample => self.open_example(ctx),
            Action::Safety(act) => self.safety(ctx, act),
            Action::Control(workspace, act) => self.control(&workspace, act),
        }
    }

    fn do_verb(&mut self, ctx: &Context, verb: Verb) {
        let facts = self.view.context(&self.board);
        if let Some(why) = facts.disabled_because(verb) {
            // A key has no tooltip, so the reason is told.
            if !matches!(verb, Verb::Walk(_) | Verb::Nudge(_) | Verb::Escape) {
                let name = super::verbs::entry(verb).name.trim_end_matches('…');
                self.view
                    .tell(Notice::new(Level::Info, why, name_of_act(name)));
            }
            return;
        }
        match verb {
            Verb::Run
            | Verb::Resume
            | Verb::RunAll
            | Verb::RunFromHere
            | Verb::RunUpToHere
            | Verb::Stop
            | Verb::Retry
            | Verb::ClearStatus
            | Verb::ClearAllStatus => self.run_verb(verb),
            Verb::TakeControl
            | Verb::RequestControl
            | Verb::CancelRequest
            | Verb::TakeOver
            | Verb::HandOver
            | Verb::RefuseRequest
            | Verb::GiveUpControl
            | Verb::KeepControl
            | Verb::CheckFolder
            | Verb::AboutControl
            | Verb::ControlSettings => self.control_verb(verb),
            Verb::ShowLog => self.show_log(),
            Verb::KillNodes | Verb::KillRun | Verb::KillAll => self.kill_verb(verb),

            Verb::NewNode => self.new_node_in_view(),
            Verb::EditCommand => {
                let node = self.view.tab().and_then(|t| t.selection.nodes().first());
                if let Some(node) = node.cloned() {
                    self.begin_edit(node);
                }
            }
            Verb::Connect => self.connect(),
            Verb::Disconnect => self.disconnect(),
            Verb::ToggleEdgeKind => self.toggle_edge_kind(),
            Verb::ToggleMute => self.toggle_mute(),
            Verb::Delete => self.delete(),
            Verb::Copy => self.copy(ctx),
            Verb::Cut => {
                self.copy(ctx);
                self.delete();
            }
            // The text comes back as an event of its own.
            Verb::Paste => ctx.send_viewport_cmd(egui::ViewportCommand::RequestPaste),
            Verb::Duplicate => self.duplicate(),
            Verb::SelectAll => self.select_all(),
            Verb::Undo => self.undo(),
            Verb::Redo => self.redo(),
            Verb::AutoLayout => self.auto_layout(ctx),
            Verb::GroupIntoFrame => self.group_into_frame(),
            Verb::Nudge(toward) => self.nudge(toward),
            Verb::EditWrapper => self.open_wrapper(),

            Verb::Walk(toward) => self.walk(toward),
            Verb::FrameSelection
            | Verb::FrameAll
            | Verb::ZoomIn
            | Verb::ZoomOut
            | Verb::ZoomReset
            | Verb::AddNode => self.ask_canvas(verb),
            Verb::ToggleSidebar => self.view.toggle(Pane::Sidebar),
            Verb::ToggleInspector => self.view.toggle(Pane::Inspector),
            Verb::ToggleBottom => self.view.toggle(Pane::Bottom),
            Verb::ToggleMinimap => self.view.layout.panes.minimap ^= true,
            Verb::CycleTheme => {
                let mut settings = self.view.settings.clone();
                settings.theme = settings.theme.next();
                self.configure(ctx, settings);
            }
            Verb::ShowSettings => self.open_settings(Section::default()),
            Verb::Escape => self.escape(),

            Verb::Open => self.ask_open_file(ctx),
            Verb::NewFlow => self.new_flow(),
            Verb::ChooseCollection => self.ask_collection(ctx),
            Verb::SetUpWorkspace => self.ask_workspace_folder(ctx),
            Verb::Save => self.save_shown(ctx),
            Verb::SaveAs => self.save_shown_as(ctx),
            Verb::OlderVersions => self.show_versions(),
            Verb::SaveAndClose => self.save_and_close(ctx),
            Verb::CloseTab => {
                if let Some(id) = self.view.shown {
                    self.close_tab(id);
                }
            }
            Verb::NextTab => self.step_tab(1),
            Verb::PreviousTab => self.step_tab(-1),
            Verb::Quit => self.quit(ctx),

            Verb::CommandPalette => self.open_palette(PaletteScope::Everything),
            Verb::FindNode => self.open_palette(PaletteScope::Nodes),
            Verb::FindFlow => {
                self.view.bring(Pane::Sidebar);
                self.view.focus_flow_filter = true;
            }
            Verb::ShowKeys => {
                self.view.palette = None;
                self.view.dialog = Some(Dialog::Keys);
            }
        }
    }

    fn open_palette(&mut self, scope: PaletteScope) {
        self.view.palette = Some(Palette {
            scope,
            query: String::new(),
            at: 0,
            fresh: true,
        });
    }

    fn show_log(&mut self) {
        self.view.bring(Pane::Bottom);
        let one = self
            .view
            .tab()
            .is_some_and(|tab| !tab.selection.nodes().is_empty());
        self.view.log.scope = if one { LogScope::Node } else { LogScope::Run };
    }

    fn dismiss(&mut self, id: u64) {
        let ours = self.view.toasts.iter().any(|toast| toast.id == id);
        if ours {
            self.view.toasts.retain(|toast| toast.id != id);
        } else {
            self.engine.send(crate::runtime::Order::DismissNotice(id));
        }
        self.view.notice_shown_at.remove(&id);
    }

    fn escape(&mut self) {
        if self.view.palette.take().is_some() {
            return;
        }
        if self.view.dialog.is_some() {
            self.cancel_dialog();
            return;
        }
        if self.view.log.find.take().is_some() {
            return;
        }
        self.ask_canvas(Verb::Escape);
        self.select(Vec::new(), Vec::new(), Vec::new());
    }

    /// Takes what is being typed in a field, as one edit.
    pub(super) fn take_draft(&mut self) {
        let Some(draft) = &mut self.view.draft else {
            return;
        };
        match draft.edit() {
            Ok(None) => {
                if draft.left {
                    self.view.draft = None;
                }
            }
            Ok(Some(edit)) => {
                let tab = draft.tab;
                draft.was.clone_from(&draft.text);
                if draft.left {
                    self.view.draft = None;
                }
                self.edit_tab(tab, edit);
            }
            Err(why) => {
                draft.left = false;
                let told = draft.refused.replace(why.clone()).is_some();
                if !told {
                    // Its field may not be on the screen any more.
                    let hint = "The field keeps what you typed until you mend it.";
                    self.view.tell(Notice::new(Level::Warning, why, hint));
                }
            }
        }
    }

    fn show_run(&mut self, run: Option<crate::model::RunId>) {
        let Some(flow) = self.view.flow_ref().cloned() else {
            return;
        };
        self.view.side_pane = SidePane::Runs;
        self.engine
            .send(crate::runtime::Order::ShowRun { flow, run });
    }

    fn pin_run(&mut self, run: crate::model::RunId, pinned: bool) {
        if let Some(flow) = self.view.flow_ref().cloned() {
            self.engine
                .send(crate::runtime::Order::PinRun { flow, run, pinned });
        }
    }

    fn answer(&mut self, ctx: &Context, answer: Answer) {
        match self.view.dialog.take() {
            Some(Dialog::Close(tab)) => self.answer_close(ctx, tab, &answer),
            Some(Dialog::QuitRunning) => match answer {
                Answer::KeepRunning => {
                    self.engine.send(crate::runtime::Order::Leave);
                    self.really_quit(ctx);
                }
                Answer::Discard => self.really_quit(ctx),
                _ => self.view.quitting = false,
            },
            Some(Dialog::Replace(tab, path)) => {
                if answer == Answer::Save {
                    self.write_as(tab, path, true);
                } else {
                    self.view.quitting = false;
                }
            }
            Some(Dialog::Path(dialog)) => self.answer_path(ctx, *dialog, answer),
            Some(Dialog::Kill(kill)) => {
                if answer == Answer::Discard {
                    self.kill(*kill);
                }
            }
            Some(Dialog::Give(give)) => {
                if answer == Answer::Save {
                    self.run_with(*give);
                }
            }
            Some(
                Dialog::Settings(_)
                | Dialog::Wrapper(_)
                | Dialog::Keys
                | Dialog::Killing
                | Dialog::Safety(_)
                | Dialog::Control(_),
            )
            | None => {}
        }
    }

    fn cancel_dialog(&mut self) {
        self.view.dialog = None;
        self.view.quitting = false;
    }
}

fn name_of_act(name: &str) -> String {
    format!("{name} was not done.")
}

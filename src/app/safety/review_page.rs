//! What a workfile from elsewhere would run, to be read before its first run here.

use std::path::PathBuf;

use egui::{Align, Key, Layout, Modifiers, RichText, ScrollArea, Sense, Ui, vec2};

use crate::app::action::{Action, Answer, TabId, Verb};
use crate::app::theme::{Theme, mono, regular, semibold, size, space};
use crate::app::widgets::{self, Button};
use crate::app::window::App;
use crate::model::{Env, Flow, resources_text};

use super::Act;
use super::changes::{framed, head_ui, shown};

/// The page.
pub struct ReviewPage {
    /// Whose tab.
    pub tab: TabId,
    /// What was asked for, to be done afterwards.
    pub then: Verb,
    /// The folder that may be trusted as a whole.
    pub root: PathBuf,
    whole: bool,
    lines: Vec<Line>,
    n_commands: usize,
    n_marked: usize,
}

struct Line {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Head,
    Command,
    /// A setting that makes other programs load something.
    Marked,
}

impl ReviewPage {
    /// A page over what `flow` would run.
    pub fn new(tab: TabId, then: Verb, root: PathBuf, flow: &Flow) -> Self {
        let lines = lines(flow);
        Self {
            tab,
            then,
            root,
            whole: false,
            n_commands: flow.graph.n_nodes(),
            n_marked: lines
                .iter()
                .filter(|line| line.kind == Kind::Marked)
                .count(),
            lines,
        }
    }

    /// Draws it.
    pub(super) fn show(&mut self, ui: &Ui, _app: &App, actions: &mut Vec<Action>) {
        const ROW: f32 = 18.0;
        let screen = ui.ctx().content_rect();
        let theme = Theme::of(ui.ctx());
        let response = widgets::modal(ui, "review").show(ui.ctx(), |ui| {
            ui.set_width((screen.width() - 80.0).min(760.0));
            let hint = match self.n_commands {
                1 => "It comes from elsewhere, or somebody changed it since you ran it. This is its command.".to_owned(),
                n => format!("It comes from elsewhere, or somebody changed it since you ran it. These are its {n} commands."),
            };
            head_ui(ui, "Trust this workfile?", &hint);
            if self.n_marked > 0 {
                let told = "Lines marked below name secrets of yours, or make other programs load or run something.";
                ui.label(RichText::new(told).font(semibold(size::UI)).color(theme.warning()));
                ui.add_space(space::S);
            }
            let height = (screen.height() - 320.0).clamp(80.0, 440.0);
            framed(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                let scroll = ScrollArea::both()
                    .id_salt("review")
                    .max_height(height)
                    .auto_shrink([false, true]);
                scroll.show_rows(ui, ROW, self.lines.len(), |ui, range| {
                    for line in self.lines.get(range).unwrap_or_default() {
                        line_ui(ui, line, ROW, &theme);
                    }
                });
            });
            ui.add_space(space::M);
            let root = self.root.display().to_string();
            widgets::seen_marks(ui);
            ui.checkbox(&mut self.whole, "Trust every workfile in this folder");
            let path = RichText::new(root).font(mono(size::SMALL)).color(theme.dim);
            ui.horizontal(|ui| {
                ui.add_space(ui.spacing().icon_width + ui.spacing().icon_spacing);
                ui.add(egui::Label::new(path).truncate());
            });
            ui.add_space(space::L);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = space::S;
                // No key of its own: what was pressed to run must not run it after all.
                if Button::new("Trust and run").primary().show(ui).clicked() {
                    let (whole, then) = (self.whole, self.then);
                    actions.push(Action::Safety(Act::Trust { whole, then }));
                }
                let cancel = Button::new("Don't run").show(ui);
                if ui.memory(|memory| memory.focused().is_none()) {
                    cancel.request_focus();
                }
                let escape = ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape));
                if cancel.clicked() || escape {
                    actions.push(Action::Answer(Answer::Cancel));
                }
            });
        });
        if response.backdrop_response.clicked() {
            actions.push(Action::Answer(Answer::Cancel));
        }
    }
}

fn line_ui(ui: &mut Ui, line: &Line, height: f32, theme: &Theme) {
    let (font, colour, indent) = match line.kind {
        Kind::Head => (regular(size::SMALL), theme.dim, 10.0),
        Kind::Command => (mono(size::MONO), theme.text, 22.0),
        Kind::Marked => (mono(size::MONO), theme.warning(), 22.0),
    };
    let galley = widgets::galley(ui, &line.text, font, colour, f32::INFINITY);
    let size = vec2(galley.size().x + indent + 10.0, height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::WidgetType::Label, true, line.text.clone())
    });
    let at = rect.left_top() + vec2(indent, (height - galley.size().y) / 2.0);
    ui.painter().galley(at, galley, colour);
}

fn lines(flow: &Flow) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut put = |kind, text: &str| {
        let text = shown(text);
        lines.extend(text.split('\n').map(|text| Line {
            text: text.to_owned(),
            kind,
        }));
    };
    let wrapper = flow.wrapper.as_ref().map(|wrapper| wrapper.template());
    for (head, text) in [
        ("Set round each command", wrapper.unwrap_or_default()),
        ("Shell", &flow.shell),
        ("Folder", &flow.cwd),
    ] {
        if !text.is_empty() {
            put(Kind::Head, head);
            put(Kind::Command, text);
        }
    }
    let put_env = |put: &mut dyn FnMut(Kind, &str), head: &str, env: &Env| {
        if !env.0.is_empty() {
            put(Kind::Head, head);
        }
        for (name, value) in &env.0 {
            let kind = match loads_something(name) {
                true => Kind::Marked,
                false => Kind::Command,
            };
            put(kind, &format!("{name}={value}"));
        }
    };
    put_env(&mut put, "Environment of every node", &flow.env);
    for node in flow.graph.nodes() {
        if node.command.trim().is_empty() {
            continue;
        }
        let folder = match node.cwd.as_str() {
            "" => String::new(),
            cwd => format!(" in {cwd}"),
        };
        // Its command follows; it need not stand there twice.
        let name = match node.title.trim() {
            "" => node.id.as_str(),
            title => title,
        };
        let name = name.replace('\n', " ");
        put(Kind::Head, &format!("{name}{folder}"));
        put_env(&mut put, "with", &node.env);
        if !node.resources.is_empty() {
            put(Kind::Head, "is given these resources");
            put(Kind::Marked, &resources_text(&node.resources));
        }
        put(Kind::Command, &node.command);
    }
    lines
}

/// True for variables that make a loader, a shell or an interpreter take in code of somebody's choice.
fn loads_something(name: &str) -> bool {
    const NAMES: [&str; 24] = [
        "PATH",
        "ENV",
        "BASH_ENV",
        "BASH_FUNC",
        "SHELLOPTS",
        "BASHOPTS",
        "PS4",
        "PROMPT_COMMAND",
        "IFS",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PYTHONHOME",
        "PERL5LIB",
        "PERL5OPT",
        "RUBYOPT",
        "RUBYLIB",
        "NODE_OPTIONS",
        "NODE_PATH",
        "JAVA_TOOL_OPTIONS",
        "CLASSPATH",
        "EDITOR",
        "PAGER",
        "ZDOTDIR",
        "R_PROFILE",
    ];
    ["LD_", "DYLD_", "GIT_", "GCONV_", "LUA_"]
        .iter()
        .any(|start| name.starts_with(start))
        || NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Node, Point, Wrapper};

    #[test]
    fn everything_that_would_run_is_listed_and_what_loads_code_is_marked() {
        let mut flow = Flow {
            wrapper: Some(Wrapper::new("ssh host {}")),
            env: Env::parse("A=1\nLD_PRELOAD=/tmp/x.so").0,
            ..Flow::default()
        };
        let mut node = Node::new("a", "echo 1\nrm \u{202e}x", Point::default());
        node.env = Env::parse("PYTHONPATH=.").0;
        node.resources = crate::model::parse_resources("DB_URL").0;
        flow.graph.add_node(node).expect("fresh id");
        let lines = lines(&flow);
        let told: Vec<(&str, bool)> = lines
            .iter()
            .filter(|line| line.kind != Kind::Head)
            .map(|line| (line.text.as_str(), line.kind == Kind::Marked))
            .collect();
        assert_eq!(
            told,
            [
                ("ssh host {}", false),
                ("A=1", false),
                ("LD_PRELOAD=/tmp/x.so", true),
                ("PYTHONPATH=.", true),
                ("DB_URL", true),
                ("echo 1", false),
                ("rm \\u{202e}x", false),
            ]
        );
    }
}

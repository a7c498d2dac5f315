//! The window: reads the board and the open documents, sends orders and edits. The only egui.
//!
//! Reading order: `window` (a frame), `frame` (how it is divided), the panes, `verbs` (the table of
//! what can be done), `perform` (what each does), `ports` (what the window needs from outside).

mod action;
mod aside;
mod banner;
mod canvas;
mod compare_page;
mod control;
mod desk;
mod desktop;
mod dialog;
mod drafts;
mod fonts;
mod footer;
mod frame;
mod history;
mod icons;
mod inspector;
mod kill;
mod log_pane;
mod memory;
mod notices;
mod outline;
mod palette;
mod path_dialog;
mod perform;
pub mod ports;
mod room;
mod safety;
mod selection;
mod settings;
mod side_pane;
mod sidebar;
mod split;
mod tabs;
mod tally;
mod theme;
mod toolbar;
mod turn;
mod verbs;
mod view;
mod welcome;
mod when;
mod widgets;
mod window;

#[cfg(test)]
mod tests;

pub use action::{Action, Answer, BannerAct, TabId, Toward, Verb};
pub use canvas::{CanvasInput, CanvasState, VerbInfo, Walk, canvas_ui, walk};
pub use desktop::NativeDesktop;
pub use icons::window_icon;
pub use memory::{Layout, Remembered, Settings, ThemeChoice};
pub use selection::Selection;
pub use theme::Theme;
pub use window::{App, Ports};

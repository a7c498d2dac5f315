//! What the window remembers between two starts: settings and the places of its panes.
//!
//! Plain values with serde; where they are kept is the business of [`super::ports::Memory`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Retention;
use crate::runtime::Manner;

/// Which theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// As the system says.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

impl ThemeChoice {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Dark => "Dark",
            Self::Light => "Light",
        }
    }

    /// The next one round.
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Dark,
            Self::Dark => Self::Light,
            Self::Light => Self::System,
        }
    }
}

/// What a person set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Dark, light, or as the system says.
    pub theme: ThemeChoice,
    /// Nodes at once in this process; `None` means as many as there are cores.
    pub slots: Option<u32>,
    /// Seconds between the request to stop and the kill; `None` means the built-in grace.
    pub grace_s: Option<u32>,
    /// Shell of flows that name none; empty means `bash`, else `sh`.
    pub shell: String,
    /// Days that an ended run is kept, 0 for ever; `None` means the built-in number.
    pub retention_days: Option<u32>,
    /// Bytes that the logs of a workspace may take, 0 without bound; `None` means the built-in number.
    pub log_bytes_max: Option<u64>,
    /// The results of a run are written into its workfile, too.
    pub keep_results: bool,
    /// The folder that holds the workspaces.
    pub collection: Option<PathBuf>,
}

impl Settings {
    /// The part of it that the runtime goes by.
    pub fn manner(&self) -> Manner {
        let usual = Manner::default();
        Manner {
            slots: self.slots,
            grace: self
                .grace_s
                .map_or(usual.grace, |s| Duration::from_secs(s.into())),
            shell: self.shell.clone(),
            keep_results: self.keep_results,
            retention: Retention {
                days: self.retention_days.unwrap_or(usual.retention.days),
                log_bytes_max: self.log_bytes_max.unwrap_or(usual.retention.log_bytes_max),
            },
        }
    }
}

/// Where the panes are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Layout {
    /// Width and height of the window in points.
    pub window: [f32; 2],
    /// The window fills the screen.
    pub maximized: bool,
    /// The sidebar is shown.
    pub sidebar: bool,
    /// Its width in points.
    pub sidebar_w: f32,
    /// The other panes of the workspace shown.
    #[serde(flatten)]
    pub panes: Panes,
    /// Headings of the sidebar whose flows are hidden.
    pub folded: BTreeSet<String>,
    /// The workspace shown, by its id.
    pub workspace: Option<String>,
    /// Paths of its open tabs, in order.
    pub tabs: Vec<PathBuf>,
    /// Path of the tab shown.
    pub shown: Option<PathBuf>,
    /// The same of each other workspace, by its id.
    pub desks: BTreeMap<String, DeskMemory>,
}

/// The panes that each workspace has as it was left. Sizes are what a person wished for: where
/// there is less room they are drawn smaller, and that is not remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Panes {
    /// The inspector is shown.
    pub inspector: bool,
    /// Its width in points.
    pub inspector_w: f32,
    /// The bottom panes are shown.
    pub bottom: bool,
    /// Their height in points.
    pub bottom_h: f32,
    /// Width of the run list beside the log in points.
    pub runs_w: f32,
    /// The minimap is shown.
    pub minimap: bool,
    /// Long log lines are wrapped.
    pub log_wrap: bool,
}

/// What is remembered of a workspace that is not shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeskMemory {
    /// Where its panes are.
    pub panes: Panes,
    /// Paths of its open tabs, in order.
    pub tabs: Vec<PathBuf>,
    /// Path of the tab that was shown.
    pub shown: Option<PathBuf>,
}

impl Default for Panes {
    fn default() -> Self {
        Self {
            inspector: true,
            inspector_w: 300.0,
            bottom: true,
            bottom_h: 262.0,
            runs_w: 330.0,
            minimap: true,
            log_wrap: false,
        }
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            window: [1440.0, 900.0],
            maximized: false,
            sidebar: true,
            sidebar_w: 244.0,
            panes: Panes::default(),
            folded: BTreeSet::new(),
            workspace: None,
            tabs: Vec::new(),
            shown: None,
            desks: BTreeMap::new(),
        }
    }
}

/// Everything remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// What a person set.
    pub settings: Settings,
    /// Where the panes are.
    pub layout: Layout,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_version_did_not_know_takes_its_default() {
        let remembered: Remembered =
            serde_json::from_str(r#"{"layout":{"sidebar":false,"bottom_h":99.0}}"#).expect("reads");
        assert!(!remembered.layout.sidebar);
        assert_eq!(remembered.layout.panes.bottom_h, 99.0);
        assert!(remembered.layout.panes.inspector);
        assert_eq!(remembered.layout.sidebar_w, Layout::default().sidebar_w);
    }

    #[test]
    fn it_comes_back_as_it_was() {
        let mut before = Remembered::default();
        before.settings.theme = ThemeChoice::Light;
        before.layout.tabs = vec!["/a/b.graphml".into()];
        let desk = DeskMemory {
            tabs: vec!["/c/d.graphml".into()],
            ..DeskMemory::default()
        };
        before.layout.desks.insert("c-1".to_owned(), desk);
        let text = serde_json::to_string(&before).expect("writes");
        let after: Remembered = serde_json::from_str(&text).expect("reads");
        assert_eq!(after, before);
    }
}

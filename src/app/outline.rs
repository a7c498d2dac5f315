//! The list in the sidebar: which lines a workspace has, where each stands, and how its groups fare.
//!
//! Worked out once per change of what it depends on, so that a frame costs what is visible of it and
//! not what there is. Unaware of egui's widgets; `sidebar` draws what is in view.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::model::{FlowRef, Outcome, RunSummary, WorkspaceEntry, WorkspaceId, heading_rank};
use crate::runtime::Board;

use super::theme::size;

/// Height of the card of a flow that cannot be read: its title, and its reason below.
pub const CARD_H: f32 = 46.0;

/// Space after a group.
const GAP_H: f32 = 8.0;

/// One line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A heading over flows, by its place in [`Outline::groups`].
    Group(usize),
    /// A flow, by its place in the workspace.
    Flow(usize),
    /// A flow that cannot be read, by its place in the workspace.
    Broken(usize),
    /// The heading over modules.
    Modules,
    /// A module, by its place in the workspace.
    Module(usize),
    /// Nothing.
    Gap,
}

impl Line {
    fn height(self) -> f32 {
        match self {
            Self::Broken(_) => CARD_H,
            Self::Gap => GAP_H,
            _ => size::ROW,
        }
    }
}

/// A heading over flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What it says.
    pub title: String,
    /// Flows under it that are listed.
    pub n_flows: usize,
    /// Its flows are not shown.
    pub folded: bool,
    /// Flows under it that cannot be read, or whose last run failed.
    pub n_failed: usize,
}

/// The title under which modules are folded.
pub const MODULES: &str = "Modules";

/// The list of one workspace.
#[derive(Default)]
pub struct Outline {
    of: Option<Of>,
    /// Headings, in order.
    pub groups: Vec<Group>,
    lines: Vec<Line>,
    /// Where each line begins, and after the last one the whole height.
    tops: Vec<f32>,
    group_of: HashMap<Arc<str>, usize>,
    /// Flows whose last run failed, by workspace.
    failed: HashMap<WorkspaceId, usize>,
}

/// What an outline was made from.
struct Of {
    workspace: Arc<WorkspaceEntry>,
    last_runs: Arc<std::collections::BTreeMap<FlowRef, RunSummary>>,
    filter: String,
    folded: BTreeSet<String>,
}

/// Names a folded group among those of all workspaces.
pub fn fold_key(workspace: &WorkspaceId, title: &str) -> String {
    format!("{workspace}/{}", heading_rank(title).1)
        + match heading_rank(title).0 {
            0 => "manual",
            1 => "poll",
            2 => "schedule",
            _ => "",
        }
}

impl Outline {
    /// Brings the list up to date; does nothing when nothing it depends on has changed.
    pub fn update(
        &mut self,
        workspace: &Arc<WorkspaceEntry>,
        board: &Board,
        filter: &str,
        folded: &BTreeSet<String>,
    ) {
        let same_lines = self.of.as_ref().is_some_and(|of| {
            Arc::ptr_eq(&of.workspace, workspace) && of.filter == filter && of.folded == *folded
        });
        let same_runs = self
            .of
            .as_ref()
            .is_some_and(|of| Arc::ptr_eq(&of.last_runs, &board.last_runs));
        if same_lines && same_runs {
            return;
        }
        if !same_lines {
            self.list(workspace, filter, folded);
        }
        self.count_failed(workspace, &board.last_runs);
        self.of = Some(Of {
            workspace: workspace.clone(),
            last_runs: board.last_runs.clone(),
            filter: filter.to_owned(),
            folded: folded.clone(),
        });
    }

    fn list(&mut self, workspace: &WorkspaceEntry, filter: &str, folded: &BTreeSet<String>) {
        let wanted = filter.trim().to_lowercase();
        let is_wanted = |title: &str, file: &str| {
            wanted.is_empty()
                || title.to_lowercase().contains(&wanted)
                || file.to_lowercase().contains(&wanted)
        };
        // Whoever looks for something wants to see it.
        let is_folded =
            |title: &str| wanted.is_empty() && folded.contains(&fold_key(&workspace.id, title));
        self.groups.clear();
        self.lines.clear();
        self.group_of.clear();
        let mut first = 0;
        for (title, flows) in workspace.groups() {
            let group = self.groups.len();
            let folded = is_folded(title);
            let heading_at = self.lines.len();
            self.lines.push(Line::Group(group));
            let mut n_flows = 0;
            for (at, flow) in flows.iter().enumerate() {
                if !is_wanted(&flow.title, &flow.flow.file) {
                    continue;
                }
                n_flows += 1;
                self.group_of.insert(flow.flow.file.clone(), group);
                if !folded {
                    self.lines.push(match flow.problem {
                        None => Line::Flow(first + at),
                        Some(_) => Line::Broken(first + at),
                    });
                }
            }
            first += flows.len();
            if n_flows == 0 {
                self.lines.truncate(heading_at);
                continue;
            }
            self.lines.push(Line::Gap);
            self.groups.push(Group {
                title: title.to_owned(),
                n_flows,
                folded,
                n_failed: 0,
            });
        }
        let modules = workspace.modules.iter().enumerate();
        let modules: Vec<usize> = modules
            .filter(|(_, module)| is_wanted("", &module.file))
            .map(|(at, _)| at)
            .collect();
        if !modules.is_empty() {
            self.lines.push(Line::Modules);
            if !is_folded(MODULES) {
                self.lines.extend(modules.into_iter().map(Line::Module));
            }
            self.lines.push(Line::Gap);
        }
        let mut y = 0.0;
        self.tops.clear();
        self.tops.push(y);
        for line in &self.lines {
            y += line.height();
            self.tops.push(y);
        }
    }

    fn count_failed(
        &mut self,
        workspace: &WorkspaceEntry,
        last_runs: &std::collections::BTreeMap<FlowRef, RunSummary>,
    ) {
        self.failed.clear();
        for group in &mut self.groups {
            group.n_failed = 0;
        }
        for flow in workspace.flows.iter().filter(|flow| flow.problem.is_some()) {
            if let Some(group) = self.group_of.get(&flow.flow.file) {
                self.groups[*group].n_failed += 1;
            }
        }
        let failed = last_runs
            .iter()
            .filter(|(_, run)| run.outcome == Some(Outcome::Failed));
        for (flow, _) in failed {
            // The flows of one workspace stand together; its id is copied once.
            match self.failed.get_mut(&flow.workspace) {
                Some(n) => *n += 1,
                None => drop(self.failed.insert(flow.workspace.clone(), 1)),
            }
            if flow.workspace == workspace.id
                && let Some(group) = self.group_of.get(&flow.file)
            {
                self.groups[*group].n_failed += 1;
            }
        }
    }

    /// Flows of a workspace whose last run failed.
    pub fn n_failed(&self, workspace: &WorkspaceId) -> usize {
        self.failed.get(workspace).copied().unwrap_or_default()
    }

    /// Flows that run now, by group.
    pub fn running(&self, workspace: &WorkspaceId, board: &Board) -> Vec<usize> {
        let mut running = vec![0; self.groups.len()];
        for (flow, stands) in &board.flows {
            let runs = stands.live.is_some() || stands.runner.is_some();
            if runs
                && flow.workspace == *workspace
                && let Some(group) = self.group_of.get(&flow.file)
            {
                running[*group] += 1;
            }
        }
        running
    }

    /// True when there is nothing to list.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Height of the whole list in points.
    pub fn height(&self) -> f32 {
        self.tops.last().copied().unwrap_or_default()
    }

    /// Lines of which something lies between two heights, each with its top.
    pub fn between(&self, from: f32, to: f32) -> impl Iterator<Item = (Line, f32)> + '_ {
        let first = self
            .tops
            .partition_point(|top| *top <= from)
            .saturating_sub(1);
        let last = self
            .tops
            .partition_point(|top| *top < to)
            .min(self.lines.len());
        let range: Range<usize> = first.min(last)..last;
        range.map(|at| (self.lines[at], self.tops[at]))
    }
}

/// How a group fares, as the seed says it: `3 flows  Running: 1`, `3 flows  Error: 1`. What runs
/// comes before what failed.
pub fn group_words(n_flows: usize, n_running: usize, n_failed: usize) -> String {
    let flows = count(n_flows, "flow");
    match (n_running, n_failed) {
        (0, 0) => flows,
        (0, failed) => format!("{flows}  Error: {failed}"),
        (running, _) => format!("{flows}  Running: {running}"),
    }
}

/// `1 flow`, `3 flows`.
pub fn count(n: usize, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {what}{s}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Counts, FlowEntry, ModuleEntry, Timestamp, Trigger};
    use std::collections::BTreeMap;
    use std::path::Path;

    fn flow(title: &str, group: &str, trigger: Trigger) -> FlowEntry {
        FlowEntry {
            flow: FlowRef {
                workspace: "w".into(),
                root: Arc::from(Path::new("/w")),
                file: format!("flow_modules/{title}.wf").into(),
            },
            title: title.to_owned(),
            group: group.to_owned(),
            trigger,
            n_nodes: 1,
            problem: title.starts_with("broken").then(|| "no XML".to_owned()),
        }
    }

    fn workspace() -> Arc<WorkspaceEntry> {
        Arc::new(WorkspaceEntry {
            id: "w".into(),
            name: "w".into(),
            root: Arc::from(Path::new("/w")),
            flows: vec![
                flow("a", "", Trigger::Manual),
                flow("broken", "", Trigger::Manual),
                flow("inbox", "", Trigger::Poll),
                flow("x", "Reports", Trigger::Manual),
                flow("y", "Reports", Trigger::Schedule),
            ],
            modules: vec![ModuleEntry {
                file: "flow_modules/m.py".into(),
            }],
        })
    }

    fn lines(outline: &Outline) -> Vec<String> {
        let shown = outline.between(0.0, f32::INFINITY);
        shown.map(|(line, top)| format!("{top} {line:?}")).collect()
    }

    #[test]
    fn groups_and_modules_are_lines_of_known_places() {
        let mut outline = Outline::default();
        outline.update(&workspace(), &Board::default(), "", &BTreeSet::new());
        assert_eq!(
            lines(&outline),
            [
                "0 Group(0)",
                "26 Flow(0)",
                "52 Broken(1)",
                "98 Gap",
                "106 Group(1)",
                "132 Flow(2)",
                "158 Gap",
                "166 Group(2)",
                "192 Flow(3)",
                "218 Flow(4)",
                "244 Gap",
                "252 Modules",
                "278 Module(0)",
                "304 Gap",
            ]
        );
        assert_eq!(outline.height(), 312.0);
        let seen: Vec<Line> = outline.between(60.0, 133.0).map(|(line, _)| line).collect();
        assert_eq!(
            seen,
            [Line::Broken(1), Line::Gap, Line::Group(1), Line::Flow(2)]
        );
    }

    #[test]
    fn a_folded_group_keeps_its_heading_until_something_is_looked_for() {
        let mut outline = Outline::default();
        let folded = BTreeSet::from([fold_key(&"w".into(), "reports")]);
        outline.update(&workspace(), &Board::default(), "", &folded);
        assert!(outline.groups[2].folded);
        assert!(!lines(&outline).iter().any(|line| line.contains("Flow(3)")));
        outline.update(&workspace(), &Board::default(), "Y", &folded);
        assert_eq!(
            lines(&outline),
            [
                "0 Group(0)",
                "26 Flow(4)",
                "52 Gap",
                "60 Modules",
                "86 Module(0)",
                "112 Gap"
            ]
        );
        outline.update(&workspace(), &Board::default(), "nothing", &folded);
        assert!(outline.is_empty());
    }

    #[test]
    fn what_cannot_be_read_and_what_failed_are_errors_of_their_group() {
        let workspace = workspace();
        let run = RunSummary {
            id: "r".into(),
            choice: "full".into(),
            resumes: None,
            started: Timestamp(0),
            ended: None,
            outcome: Some(Outcome::Failed),
            counts: Counts::default(),
            ran_on: None,
        };
        let board = Board {
            last_runs: Arc::new(BTreeMap::from([(workspace.flows[3].flow.clone(), run)])),
            ..Board::default()
        };
        let mut outline = Outline::default();
        outline.update(&workspace, &board, "", &BTreeSet::new());
        let failed: Vec<usize> = outline.groups.iter().map(|g| g.n_failed).collect();
        assert_eq!(failed, [1, 0, 1]);
        assert_eq!(outline.n_failed(&"w".into()), 1);
    }
}

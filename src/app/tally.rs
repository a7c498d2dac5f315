//! What the panes beside the log list of all nodes of a flow: what is wrong, and when each ran. Worked out
//! once per change, for a large flow beside the window's thread; until then the list before is shown.
//!
//! Unaware of how it is drawn. One per tab, so that a switch finds it as it was left.

use std::collections::HashMap;
use std::sync::Arc;

use egui::Context;

use crate::editor::Document;
use crate::model::{Flow, NodeId, NodeState, NodeStatus, RunId, Timestamp};
use crate::runtime::FlowBoard;

use super::aside::Aside;

/// Nodes whose lists are worked out at once.
const AT_ONCE_MAX: usize = 2_000;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub text: String,
    /// The node it is about.
    pub node: Option<NodeId>,
    /// A node failed; everything else is a warning.
    pub is_failure: bool,
}

/// When a node ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Which.
    pub node: NodeId,
    /// How it stands.
    pub status: NodeStatus,
    /// From when.
    pub started: Timestamp,
    /// Until when; `None` while it runs.
    pub ended: Option<Timestamp>,
}

/// Both lists.
#[derive(Debug, Default)]
pub struct Lists {
    /// What is wrong: with the file, then with nodes in the order of the file, then what was left running.
    pub problems: Vec<Problem>,
    /// Nodes of the run shown, in the order in which they began.
    pub bars: Vec<Bar>,
}

/// The lists of one flow, kept in step with its document and the board.
#[derive(Default)]
pub struct Tally {
    /// As they were worked out last.
    pub lists: Arc<Lists>,
    of: Option<Told>,
    aside: Aside<(Told, Lists)>,
}

/// All that the lists are made from; shared, so that any thread can read it.
#[derive(Clone)]
struct Told {
    flow: Arc<Flow>,
    warnings: Arc<[String]>,
    nodes: Arc<HashMap<NodeId, NodeState>>,
    orphans: Arc<Vec<(NodeId, u32)>>,
    run: Option<RunId>,
}

impl Told {
    fn by(doc: &Document, board: Option<&FlowBoard>) -> Self {
        let nothing = FlowBoard::default();
        let board = board.unwrap_or(&nothing);
        let newest = board.live.as_ref().or(board.history.first());
        let run = board.shown_run.as_ref().or(newest.map(|run| &run.id));
        Self {
            flow: doc.flow().clone(),
            warnings: doc.warnings.clone(),
            nodes: board.nodes.clone(),
            orphans: board.orphans.clone(),
            run: run.cloned(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        let same_nodes = Arc::ptr_eq(&self.nodes, &other.nodes)
            || self.nodes.is_empty() && other.nodes.is_empty();
        let same_orphans = Arc::ptr_eq(&self.orphans, &other.orphans)
            || self.orphans.is_empty() && other.orphans.is_empty();
        same_nodes
            && same_orphans
            && Arc::ptr_eq(&self.flow, &other.flow)
            && Arc::ptr_eq(&self.warnings, &other.warnings)
            && self.run == other.run
    }

    fn lists(&self) -> Lists {
        let warning = |text: String, node| Problem {
            text,
            node,
            is_failure: false,
        };
        let warnings = self.warnings.iter();
        let mut problems: Vec<Problem> = warnings.map(|text| warning(text.clone(), None)).collect();
        let mut bars = Vec::new();
        // Without any status there is nothing to look for in a hundred thousand nodes.
        let nodes = self
            .flow
            .graph
            .nodes()
            .take_while(|_| !self.nodes.is_empty());
        for node in nodes {
            let Some(state) = self.nodes.get(&node.id) else {
                continue;
            };
            if state.status == NodeStatus::Failed {
                let exit = state.exit.as_ref().map(ToString::to_string);
                problems.push(Problem {
                    text: format!("{}: {}", node.name(), exit.unwrap_or("failed".to_owned())),
                    node: Some(node.id.clone()),
                    is_failure: true,
                });
            }
            if let Some(started) = state.started
                && state.run.as_ref() == self.run.as_ref()
            {
                bars.push(Bar {
                    node: node.id.clone(),
                    status: state.status,
                    started,
                    ended: state.ended,
                });
            }
        }
        // Ties by id, so that rows never swap places between two boards.
        bars.sort_unstable_by(|a, b| (a.started, &a.node).cmp(&(b.started, &b.node)));
        problems.extend(self.orphans.iter().map(|(node, pid)| {
            let text = format!("{node} still runs as process {pid}, left by a Handmill that died");
            warning(text, Some(node.clone()))
        }));
        Lists { problems, bars }
    }
}

impl Tally {
    /// Brings the lists up to date; of a large flow by and by.
    pub fn follow(&mut self, ctx: &Context, doc: &Document, board: Option<&FlowBoard>) {
        let told = Told::by(doc, board);
        if let Some((of, lists)) = self.aside.take() {
            self.lists = Arc::new(lists);
            self.of = Some(of);
        }
        if self.of.as_ref().is_some_and(|of| of.is(&told)) {
            return;
        }
        if told.flow.graph.n_nodes() <= AT_ONCE_MAX {
            self.aside = Aside::default();
            self.lists = Arc::new(told.lists());
            self.of = Some(told);
        } else if !self.aside.is_busy() {
            self.aside.begin(ctx, "handmill-tally", move || {
                let lists = told.lists();
                (told, lists)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::DiskState;
    use crate::model::{Exit, FlowRef, Node, Point};
    use std::time::{Duration, Instant};

    fn document(n: usize) -> Document {
        let mut flow = Flow::default();
        for i in 0..n {
            let node = Node::new(format!("n{i}").as_str(), "true", Point::default());
            flow.graph.add_node(node).expect("fresh id");
        }
        let flow_ref = FlowRef {
            workspace: "w".into(),
            root: std::path::Path::new("/w").into(),
            file: "a.wf".into(),
        };
        Document::new(flow_ref, Arc::new(flow), DiskState::New)
    }

    fn state(status: NodeStatus, started: i64) -> NodeState {
        NodeState {
            status,
            run: Some("r".into()),
            started: Some(Timestamp(started)),
            exit: (status == NodeStatus::Failed).then_some(Exit::Code(3)),
            ..NodeState::default()
        }
    }

    fn board(states: &[(&str, NodeState)]) -> FlowBoard {
        let states = states
            .iter()
            .map(|(id, state)| ((*id).into(), state.clone()));
        FlowBoard {
            loaded: true,
            nodes: Arc::new(states.collect()),
            shown_run: Some("r".into()),
            orphans: Arc::new(vec![("n1".into(), 42)]),
            ..FlowBoard::default()
        }
    }

    fn words(lists: &Lists) -> Vec<String> {
        let problems = lists.problems.iter().map(|problem| problem.text.clone());
        let bars = lists.bars.iter().map(|bar| bar.node.to_string());
        problems.chain(bars).collect()
    }

    #[test]
    fn failures_stand_in_the_order_of_the_file_and_times_in_their_own() {
        let mut tally = Tally::default();
        let doc = document(3);
        let board = board(&[
            ("n2", state(NodeStatus::Failed, 1)),
            ("n0", state(NodeStatus::Failed, 2)),
            ("n1", state(NodeStatus::Ran, 1)),
            ("gone", state(NodeStatus::Failed, 0)),
        ]);
        tally.follow(&Context::default(), &doc, Some(&board));
        assert_eq!(
            words(&tally.lists),
            [
                "true: exit 3",
                "true: exit 3",
                "n1 still runs as process 42, left by a Handmill that died",
                "n1",
                "n2",
                "n0"
            ]
        );
        assert_eq!(tally.lists.problems[0].node, Some("n0".into()));
        let lists = tally.lists.clone();
        tally.follow(&Context::default(), &doc, Some(&board));
        assert!(
            Arc::ptr_eq(&lists, &tally.lists),
            "nothing is worked out twice"
        );
        tally.follow(&Context::default(), &doc, None);
        assert!(words(&tally.lists).is_empty());
    }

    #[test]
    fn the_lists_of_a_large_flow_come_by_and_by() {
        let mut tally = Tally::default();
        let doc = document(AT_ONCE_MAX + 1);
        let failed = board(&[("n7", state(NodeStatus::Failed, 1))]);
        tally.follow(&Context::default(), &doc, Some(&failed));
        let limit = Instant::now() + Duration::from_secs(60);
        while tally.lists.problems.is_empty() {
            assert!(Instant::now() < limit, "never worked out");
            std::thread::yield_now();
            tally.follow(&Context::default(), &doc, Some(&failed));
        }
        assert_eq!(tally.lists.problems[0].node, Some("n7".into()));
    }
}

//! The kill switch: what it would end, and how far that is. Pure.
//!
//! Unaware of how processes are ended, and of what was ended in the end: the runtime tells that. The
//! dialogs that confirm and show the progress are in `dialog/kill`.

use crate::model::{FlowRef, NodeId, NodeStatus, RunId, natural_order};
use crate::runtime::{Board, KillScope, Order};

/// Names told one by one; the rest is counted.
const NAMES_MAX: usize = 5;
/// A name is cut to so many characters: a node without a title is named by its command.
const NAME_CHARS_MAX: usize = 30;

/// What runs of one flow, and is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which flow.
    pub flow: FlowRef,
    /// Its run.
    pub run: RunId,
    /// What a person calls it.
    pub title: String,
    /// Its running nodes, with their names, in order of their names.
    pub nodes: Vec<(NodeId, String)>,
    /// The run ends, not only nodes of it.
    pub whole: bool,
}

/// One use of the kill switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kill {
    /// What was asked for.
    pub scope: KillScope,
    /// What that meant when it was asked.
    pub targets: Vec<Target>,
}

/// What people call flows and nodes.
pub trait Names {
    /// A flow.
    fn flow(&self, flow: &FlowRef) -> String;
    /// A node of it.
    fn node(&self, flow: &FlowRef, node: &NodeId) -> String;
}

impl Kill {
    /// What would be ended now; `None` when nothing runs.
    pub fn of(scope: KillScope, board: &Board, names: &dyn Names) -> Option<Self> {
        let mut targets = Vec::new();
        for (flow, stands) in &board.flows {
            let chosen: Option<&[NodeId]> = match &scope {
                KillScope::Everything => None,
                KillScope::Workspace(only) if *only == flow.workspace => None,
                KillScope::Run(only) if only == flow => None,
                KillScope::Nodes(only, nodes) if only == flow => Some(nodes),
                KillScope::Workspace(_) | KillScope::Run(_) | KillScope::Nodes(..) => continue,
            };
            let Some(live) = &stands.live else {
                continue;
            };
            let running = stands.nodes.iter().filter(|(id, state)| {
                state.status == NodeStatus::Running
                    && chosen.is_none_or(|chosen| chosen.contains(id))
            });
            let mut nodes: Vec<(NodeId, String)> = running
                .map(|(id, _)| (id.clone(), short(&names.node(flow, id))))
                .collect();
            nodes.sort_by(|a, b| natural_order(&a.1, &b.1).then_with(|| a.0.cmp(&b.0)));
            if chosen.is_some() && nodes.is_empty() {
                continue;
            }
            targets.push(Target {
                flow: flow.clone(),
                run: live.id.clone(),
                title: names.flow(flow),
                nodes,
                whole: chosen.is_none(),
            });
        }
        (!targets.is_empty()).then_some(Self { scope, targets })
    }

    /// Nodes that were to be ended.
    pub fn n_nodes(&self) -> usize {
        self.targets.iter().map(|target| target.nodes.len()).sum()
    }

    /// Nodes that still run, of those that were to be ended.
    pub fn n_left(&self, board: &Board) -> usize {
        let left = |target: &Target| {
            let lives =
                |(id, _): &&(NodeId, String)| status_of(board, target, id).is_some_and(is_up);
            target.nodes.iter().filter(lives).count()
        };
        self.targets.iter().map(left).sum()
    }

    /// Names of the nodes that still run, of those that were to be ended; empty when none does.
    pub fn names_left(&self, board: &Board) -> String {
        let left = self.targets.iter().flat_map(|target| {
            let nodes = target.nodes.iter();
            nodes.filter(|(id, _)| status_of(board, target, id).is_some_and(is_up))
        });
        let left: Vec<&str> = left.map(|(_, name)| name.as_str()).collect();
        named(left.into_iter())
    }

    /// True when nothing of it is left.
    pub fn is_over(&self, board: &Board) -> bool {
        let over = |target: &Target| !target.whole || !is_live(board, target);
        self.n_left(board) == 0 && self.targets.iter().all(over)
    }

    /// The question before it.
    pub fn question(&self) -> String {
        let n = counted(self.n_nodes(), "running node");
        match (&self.scope, self.targets.as_slice()) {
            (KillScope::Nodes(..), [one]) => format!("Kill {n} of ‘{}’?", one.title),
            (_, [one]) => format!("Kill the run of ‘{}’?", one.title),
            (_, all) => format!("Kill all {} runs?", all.len()),
        }
    }

    /// What it means, flow by flow.
    pub fn lines(&self) -> Vec<String> {
        let line = |target: &Target| {
            let names = named(target.nodes.iter().map(|(_, name)| name.as_str()));
            match (target.nodes.len(), self.targets.len()) {
                (0, 1) => "No node runs just now; what waits will not start.".to_owned(),
                (0, _) => format!("‘{}’: no node runs just now", target.title),
                (_, 1) => names,
                (n, _) => format!("‘{}’, {}: {names}", target.title, counted(n, "node")),
            }
        };
        self.targets.iter().map(line).collect()
    }

    /// What is asked of the runtime.
    pub fn order(&self) -> Order {
        Order::Kill(match (&self.scope, self.targets.as_slice()) {
            // Of what was selected only what ran when it was asked about.
            (KillScope::Nodes(flow, _), [one]) => {
                let nodes = one.nodes.iter().map(|(id, _)| id.clone());
                KillScope::Nodes(flow.clone(), nodes.collect())
            }
            (scope, _) => scope.clone(),
        })
    }
}

fn is_live(board: &Board, target: &Target) -> bool {
    let live = board.flow(&target.flow).and_then(|flow| flow.live.as_ref());
    live.is_some_and(|live| live.id == target.run)
}

/// How a node of that run stands; `None` when another run has taken its place.
fn status_of(board: &Board, target: &Target, node: &NodeId) -> Option<NodeStatus> {
    let state = board.flow(&target.flow)?.nodes.get(node)?;
    (state.run.as_ref() == Some(&target.run)).then_some(state.status)
}

fn is_up(status: NodeStatus) -> bool {
    status == NodeStatus::Running
}

/// A number of things: `1 node`, `3 nodes`.
pub fn counted(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// The beginning of a name, on one line.
fn short(name: &str) -> String {
    let line = name.lines().next().unwrap_or_default();
    match line.chars().count() > NAME_CHARS_MAX {
        true => line.chars().take(NAME_CHARS_MAX - 1).chain(['…']).collect(),
        false => line.to_owned(),
    }
}

/// `price, mail and 4 more`.
fn named<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let n_more = names.len().saturating_sub(NAMES_MAX);
    let mut text = names.take(NAMES_MAX).collect::<Vec<_>>().join(", ");
    if n_more > 0 {
        text.push_str(&format!(" and {n_more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Counts, NodeState, RunSummary, Timestamp};
    use crate::runtime::FlowBoard;
    use std::path::Path;
    use std::sync::Arc;

    struct Plain;

    impl Names for Plain {
        fn flow(&self, flow: &FlowRef) -> String {
            flow.stem().to_owned()
        }
        fn node(&self, _flow: &FlowRef, node: &NodeId) -> String {
            node.to_string()
        }
    }

    fn flow(name: &str) -> FlowRef {
        FlowRef {
            workspace: "w".into(),
            root: Arc::from(Path::new("/w")),
            file: name.into(),
        }
    }

    /// A board of one live flow per text: `name: a=running b=ran`; `name!` has no live run.
    fn board(flows: &[&str]) -> Board {
        let mut board = Board::default();
        for text in flows {
            let (name, nodes) = text.split_once(':').expect("a colon");
            let (name, live) = match name.strip_suffix('!') {
                Some(name) => (name, false),
                None => (name, true),
            };
            let nodes = nodes.split_whitespace().map(|node| {
                let (id, word) = node.split_once('=').expect("a status");
                let state = NodeState {
                    status: NodeStatus::from_word(word),
                    run: Some("r".into()),
                    ..NodeState::default()
                };
                (NodeId::new(id), state)
            });
            let live = live.then(|| RunSummary {
                id: "r".into(),
                choice: "full".into(),
                resumes: None,
                started: Timestamp(0),
                ended: None,
                outcome: None,
                counts: Counts::default(),
                ran_on: None,
            });
            let stands = FlowBoard {
                nodes: Arc::new(nodes.collect()),
                live,
                ..FlowBoard::default()
            };
            board.flows.insert(flow(name), Arc::new(stands));
        }
        board
    }

    fn told(scope: KillScope, flows: &[&str]) -> String {
        match Kill::of(scope, &board(flows), &Plain) {
            Some(kill) => format!("{} {}", kill.question(), kill.lines().join("; ")),
            None => "nothing".to_owned(),
        }
    }

    #[test]
    fn item_72_the_question_names_what_will_be_ended_and_no_more() {
        let flows = [
            "a: x=running y=running z=ready",
            "b: u=running",
            "c!: v=ran",
        ];
        assert_eq!(
            told(KillScope::Everything, &flows),
            "Kill all 2 runs? ‘a’, 2 nodes: x, y; ‘b’, 1 node: u"
        );
        assert_eq!(
            told(KillScope::Run(flow("a")), &flows),
            "Kill the run of ‘a’? x, y"
        );
        let one = KillScope::Nodes(flow("a"), vec!["y".into(), "z".into()]);
        assert_eq!(told(one, &flows), "Kill 1 running node of ‘a’? y");
        assert_eq!(told(KillScope::Run(flow("c")), &flows), "nothing");
        let waits = KillScope::Nodes(flow("a"), vec!["z".into()]);
        assert_eq!(told(waits, &flows), "nothing");
    }

    #[test]
    fn item_72_one_run_or_node_is_killed_alone() {
        let flows = ["a: x=running y=running z=ready", "b: u=running"];
        let asked = |scope| match Kill::of(scope, &board(&flows), &Plain).map(|kill| kill.order()) {
            Some(Order::Kill(scope)) => Some(scope),
            other => panic!("{other:?}"),
        };
        let wish = KillScope::Nodes(flow("a"), vec!["z".into(), "y".into()]);
        let only = KillScope::Nodes(flow("a"), vec!["y".into()]);
        assert_eq!(asked(wish), Some(only));
        for scope in [KillScope::Run(flow("b")), KillScope::Everything] {
            assert_eq!(asked(scope.clone()), Some(scope));
        }
    }

    #[test]
    fn it_is_over_when_nothing_of_it_runs() {
        let kill = Kill::of(
            KillScope::Run(flow("a")),
            &board(&["a: x=running y=running z=running"]),
            &Plain,
        )
        .expect("runs");
        let meanwhile = board(&["a: x=stopped y=running z=ran"]);
        assert_eq!((kill.n_nodes(), kill.n_left(&meanwhile)), (3, 1));
        assert_eq!(kill.names_left(&meanwhile), "y");
        assert!(!kill.is_over(&meanwhile));
        // The last process is gone, the end of the run is still being recorded.
        assert!(!kill.is_over(&board(&["a: x=stopped y=stopped z=ran"])));
        assert!(kill.is_over(&board(&["a!: x=stopped y=stopped z=ran"])));
    }

    #[test]
    fn many_names_are_counted() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(named(names.into_iter()), "a, b, c, d, e and 2 more");
        assert_eq!(named(names[..5].iter().copied()), "a, b, c, d, e");
    }
}

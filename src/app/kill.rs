//! The kill switch: what it would end, how far that is, and what it has ended. Pure.
//!
//! Unaware of how processes are ended: `orders` is what is asked of the runtime. The dialogs
//! that confirm and show the progress are in `dialogs`.

use crate::model::{FlowRef, NodeId, NodeStatus, Notice, RunId};
use crate::runtime::{Board, Order};

/// Names told one by one; the rest is counted.
const NAMES_MAX: usize = 5;

/// What is to be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All that runs in this process.
    Everything,
    /// The run of one flow.
    Run(FlowRef),
    /// Nodes of one flow; its run goes on without them.
    Nodes(FlowRef, Vec<NodeId>),
}

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
    pub scope: Scope,
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
    pub fn of(scope: Scope, board: &Board, names: &dyn Names) -> Option<Self> {
        let mut targets = Vec::new();
        for (flow, stands) in &board.flows {
            let chosen: Option<&[NodeId]> = match &scope {
                Scope::Everything => None,
                Scope::Run(only) if only == flow => None,
                Scope::Nodes(only, nodes) if only == flow => Some(nodes),
                Scope::Run(_) | Scope::Nodes(..) => continue,
            };
            let Some(live) = &stands.live else {
                continue;
            };
            let running = stands.nodes.iter().filter(|(id, state)| {
                state.status == NodeStatus::Running
                    && chosen.is_none_or(|chosen| chosen.contains(id))
            });
            let mut nodes: Vec<(NodeId, String)> = running
                .map(|(id, _)| (id.clone(), names.node(flow, id)))
                .collect();
            nodes.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
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

    /// True when nothing of it is left.
    pub fn is_over(&self, board: &Board) -> bool {
        let over = |target: &Target| !target.whole || !is_live(board, target);
        self.n_left(board) == 0 && self.targets.iter().all(over)
    }

    /// The question before it.
    pub fn question(&self) -> String {
        let n = counted(self.n_nodes(), "running node");
        match (&self.scope, self.targets.as_slice()) {
            (Scope::Nodes(..), [one]) => format!("Kill {n} of ‘{}’?", one.title),
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

    /// What has become of it.
    pub fn news(&self, board: &Board) -> Notice {
        let mut ended: Vec<&str> = Vec::new();
        let mut n_before = 0;
        for target in &self.targets {
            for (id, name) in &target.nodes {
                match status_of(board, target, id) {
                    Some(NodeStatus::Ran | NodeStatus::Failed) => n_before += 1,
                    _ => ended.push(name),
                }
            }
        }
        let of = match self.targets.as_slice() {
            [one] => format!(" of ‘{}’", one.title),
            all => format!(" of {} flows", all.len()),
        };
        let what = match ended.len() {
            0 => format!("The run{of} has ended; no node had to be killed."),
            n => {
                let names = named(ended.iter().copied());
                format!("Killed {}{of}: {names}.", counted(n, "node"))
            }
        };
        let hint = match n_before {
            0 => String::new(),
            1 => "One had come to its end by itself.".to_owned(),
            n => format!("{n} had come to their end by themselves."),
        };
        Notice::new(crate::model::Level::Info, what, hint)
    }

    /// What is asked of the runtime.
    pub fn orders(&self) -> Vec<Order> {
        let order = |target: &Target| Order::Stop {
            flow: target.flow.clone(),
            nodes: (!target.whole).then(|| target.nodes.iter().map(|(id, _)| id.clone()).collect()),
            at_once: true,
        };
        self.targets.iter().map(order).collect()
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

/// `1 node`, `3 nodes`.
fn counted(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
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

    fn told(scope: Scope, flows: &[&str]) -> String {
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
            told(Scope::Everything, &flows),
            "Kill all 2 runs? ‘a’, 2 nodes: x, y; ‘b’, 1 node: u"
        );
        assert_eq!(
            told(Scope::Run(flow("a")), &flows),
            "Kill the run of ‘a’? x, y"
        );
        let one = Scope::Nodes(flow("a"), vec!["y".into(), "z".into()]);
        assert_eq!(told(one, &flows), "Kill 1 running node of ‘a’? y");
        assert_eq!(told(Scope::Run(flow("c")), &flows), "nothing");
        let waits = Scope::Nodes(flow("a"), vec!["z".into()]);
        assert_eq!(told(waits, &flows), "nothing");
    }

    #[test]
    fn item_72_one_run_or_node_is_killed_alone() {
        let flows = ["a: x=running y=running", "b: u=running"];
        let kill = |scope| {
            Kill::of(scope, &board(&flows), &Plain)
                .expect("runs")
                .orders()
        };
        let asked = kill(Scope::Nodes(flow("a"), vec!["y".into()]));
        assert!(matches!(
            asked.as_slice(),
            [Order::Stop { flow: of, nodes: Some(nodes), at_once: true }]
                if *of == flow("a") && *nodes == ["y".into()]
        ));
        let asked = kill(Scope::Run(flow("b")));
        assert!(matches!(
            asked.as_slice(),
            [Order::Stop { flow: of, nodes: None, at_once: true }] if *of == flow("b")
        ));
        assert_eq!(kill(Scope::Everything).len(), 2);
    }

    #[test]
    fn it_is_over_when_nothing_of_it_runs_and_tells_what_was_ended() {
        let kill = Kill::of(
            Scope::Run(flow("a")),
            &board(&["a: x=running y=running z=running"]),
            &Plain,
        )
        .expect("runs");
        let meanwhile = board(&["a: x=stopped y=running z=ran"]);
        assert_eq!((kill.n_nodes(), kill.n_left(&meanwhile)), (3, 1));
        assert!(!kill.is_over(&meanwhile));
        // The last process is gone, the end of the run is still being recorded.
        assert!(!kill.is_over(&board(&["a: x=stopped y=stopped z=ran"])));
        let after = board(&["a!: x=stopped y=stopped z=ran"]);
        assert!(kill.is_over(&after));
        let news = kill.news(&after);
        assert_eq!(&*news.what, "Killed 2 nodes of ‘a’: x, y.");
        assert_eq!(&*news.hint, "One had come to its end by itself.");
    }

    #[test]
    fn many_names_are_counted() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(named(names.into_iter()), "a, b, c, d, e and 2 more");
        assert_eq!(named(names[..5].iter().copied()), "a, b, c, d, e");
    }
}

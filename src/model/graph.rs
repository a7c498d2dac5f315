//! Nodes and the edges between them. petgraph does the graph work; its indices stay inside.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use petgraph::Direction;
use petgraph::stable_graph::{EdgeIndex, NodeIndex, StableDiGraph};
use petgraph::visit::{EdgeRef, IntoEdgeReferences};

use super::{EdgeId, Env, NodeId, Point, ResourceName};

/// How an edge makes its target wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EdgeKind {
    /// The target waits until all its blocking sources have succeeded.
    #[default]
    Blocking,
    /// Each success of the source starts the target anew.
    NonBlocking,
}

/// One shell command and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// As the workfile names it.
    pub id: NodeId,
    /// Author's title; empty means the first line of the command serves.
    pub title: String,
    /// The shell line or lines. Blank succeeds without a process.
    pub command: String,
    /// Top left corner.
    pub pos: Point,
    /// Muted: passed through as a success without running.
    pub disabled: bool,
    /// Working folder, relative to the flow's; empty means the flow's.
    pub cwd: String,
    /// Environment set for this node only.
    pub env: Env,
    /// Names of the resources that it finds in its environment, and no other node does.
    pub resources: Vec<ResourceName>,
    /// Longest time one attempt may take.
    pub timeout: Option<Duration>,
    /// Attempts after the first failure.
    pub retries: u32,
    /// Wait before each retry.
    pub retry_delay: Duration,
}

impl Node {
    /// A node with a command at a place and nothing else said.
    pub fn new(id: impl Into<NodeId>, command: impl Into<String>, pos: Point) -> Self {
        Self {
            id: id.into(),
            title: String::new(),
            command: command.into(),
            pos,
            disabled: false,
            cwd: String::new(),
            env: Env::default(),
            resources: Vec::new(),
            timeout: None,
            retries: 0,
            retry_delay: Duration::ZERO,
        }
    }

    /// What a person calls this node: its title, else its first command line, else its id.
    pub fn name(&self) -> &str {
        let title = self.title.trim();
        if !title.is_empty() {
            return title;
        }
        let line = self
            .command
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty());
        line.unwrap_or_else(|| self.id.as_str())
    }
}

/// What joins two nodes, apart from which two.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// As the workfile names it, else made from its ends.
    pub id: EdgeId,
    /// How the target waits.
    pub kind: EdgeKind,
}

/// An edge with its ends, as edits and files carry it.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeSpec {
    /// The edge.
    pub edge: Edge,
    /// Where it starts.
    pub source: NodeId,
    /// Where it ends.
    pub target: NodeId,
}

/// Place of a node in [`Graph::nodes`] order of one frozen flow: `0..n_nodes`. Runs count by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeIdx(pub u32);

/// Why a change to the graph was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// A node of this id is there already.
    #[error("node id ‘{0}’ is already taken")]
    DuplicateNode(NodeId),
    /// An edge of this id is there already.
    #[error("edge id ‘{0}’ is already taken")]
    DuplicateEdge(EdgeId),
    /// No such node.
    #[error("no node ‘{0}’")]
    NoNode(NodeId),
    /// No such edge.
    #[error("no edge ‘{0}’")]
    NoEdge(EdgeId),
}

/// A directed multigraph of nodes. Cheap to clone: nodes are shared until edited.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    inner: StableDiGraph<Arc<Node>, Edge>,
    node_at: HashMap<NodeId, NodeIndex>,
    edge_at: HashMap<EdgeId, EdgeIndex>,
}

impl PartialEq for Graph {
    /// Same nodes and same edges by id, whatever the order they were added in.
    fn eq(&self, other: &Self) -> bool {
        self.n_nodes() == other.n_nodes()
            && self.n_edges() == other.n_edges()
            && self.nodes().all(|node| other.node(&node.id) == Some(node))
            && self.edges().all(|(source, target, edge)| {
                other
                    .edge(&edge.id)
                    .is_some_and(|(s, t, e)| e == edge && s.id == source.id && t.id == target.id)
            })
    }
}

impl Graph {
    /// Number of nodes.
    pub fn n_nodes(&self) -> usize {
        self.inner.node_count()
    }

    /// Number of edges, parallel ones each counted.
    pub fn n_edges(&self) -> usize {
        self.inner.edge_count()
    }

    /// All nodes, in the order they were added (a freed place may be taken again).
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.inner.node_weights().map(AsRef::as_ref)
    }

    /// All nodes as shared pointers, in the same order.
    pub fn shared_nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.inner.node_weights()
    }

    /// All edges with their ends: source, target, edge.
    pub fn edges(&self) -> impl Iterator<Item = (&Node, &Node, &Edge)> {
        self.inner.edge_references().map(|e| {
            (
                &*self.inner[e.source()],
                &*self.inner[e.target()],
                e.weight(),
            )
        })
    }

    /// The node of this id.
    pub fn node(&self, id: &NodeId) -> Option<&Node> {
        self.node_at.get(id).map(|&at| &*self.inner[at])
    }

    /// The edge of this id with its ends: source, target, edge.
    pub fn edge(&self, id: &EdgeId) -> Option<(&Node, &Node, &Edge)> {
        let &at = self.edge_at.get(id)?;
        let (source, target) = self.inner.edge_endpoints(at)?;
        Some((&self.inner[source], &self.inner[target], &self.inner[at]))
    }

    /// True when there is such a node.
    pub fn contains(&self, id: &NodeId) -> bool {
        self.node_at.contains_key(id)
    }

    /// Edges that start at `id`: (target, edge).
    pub fn outgoing(&self, id: &NodeId) -> impl Iterator<Item = (&Node, &Edge)> {
        self.incident(id, Direction::Outgoing)
    }

    /// Edges that end at `id`: (source, edge).
    pub fn incoming(&self, id: &NodeId) -> impl Iterator<Item = (&Node, &Edge)> {
        self.incident(id, Direction::Incoming)
    }

    fn incident(&self, id: &NodeId, way: Direction) -> impl Iterator<Item = (&Node, &Edge)> {
        self.node_at.get(id).into_iter().flat_map(move |&at| {
            self.inner.edges_directed(at, way).map(move |e| {
                let other = if way == Direction::Outgoing {
                    e.target()
                } else {
                    e.source()
                };
                (&*self.inner[other], e.weight())
            })
        })
    }

    /// Edges of one cycle of blocking edges, on which nothing could ever start; `None` when there is
    /// none. Of several cycles always the same one is given, whatever the order of nodes and edges.
    pub fn blocking_cycle(&self) -> Option<Vec<EdgeId>> {
        let blocking = |at, way| {
            let edges = self.inner.edges_directed(at, way);
            edges.filter(|edge| edge.weight().kind == EdgeKind::Blocking)
        };
        // Whatever nothing leads to is on no cycle; taken away again and again.
        let mut n_before: HashMap<NodeIndex, usize> = HashMap::with_capacity(self.n_nodes());
        let mut free = Vec::new();
        for at in self.inner.node_indices() {
            let n = blocking(at, Direction::Incoming).count();
            n_before.insert(at, n);
            if n == 0 {
                free.push(at);
            }
        }
        let mut n_left = self.n_nodes();
        while let Some(at) = free.pop() {
            n_left -= 1;
            for edge in blocking(at, Direction::Outgoing) {
                let n = n_before.entry(edge.target()).or_default();
                *n -= 1;
                if *n == 0 {
                    free.push(edge.target());
                }
            }
        }
        if n_left == 0 {
            return None;
        }
        // What is left has a way in that is left too; backwards we must come round.
        let is_left = |at: &NodeIndex| n_before.get(at).is_some_and(|n| *n > 0);
        let left = self.inner.node_indices().filter(|at| is_left(at));
        let mut at = left.min_by_key(|at| &self.inner[*at].id)?;
        let mut way: Vec<(NodeIndex, EdgeId)> = Vec::new();
        loop {
            if let Some(from) = way.iter().position(|(node, _)| *node == at) {
                let cycle = way.split_off(from).into_iter().map(|(_, edge)| edge);
                return Some(cycle.rev().collect());
            }
            let edges = blocking(at, Direction::Incoming).filter(|edge| is_left(&edge.source()));
            let edge = edges.min_by_key(|edge| &edge.weight().id)?;
            way.push((at, edge.weight().id.clone()));
            at = edge.source();
        }
    }

    /// Adds a node.
    pub fn add_node(&mut self, node: Node) -> Result<(), GraphError> {
        if self.contains(&node.id) {
            return Err(GraphError::DuplicateNode(node.id));
        }
        let id = node.id.clone();
        let at = self.inner.add_node(Arc::new(node));
        self.node_at.insert(id, at);
        Ok(())
    }

    /// Adds an edge between nodes that are there. Parallel edges and self-loops are kept.
    pub fn add_edge(&mut self, spec: EdgeSpec) -> Result<(), GraphError> {
        if self.edge_at.contains_key(&spec.edge.id) {
            return Err(GraphError::DuplicateEdge(spec.edge.id));
        }
        let Some(&source) = self.node_at.get(&spec.source) else {
            return Err(GraphError::NoNode(spec.source));
        };
        let Some(&target) = self.node_at.get(&spec.target) else {
            return Err(GraphError::NoNode(spec.target));
        };
        let id = spec.edge.id.clone();
        let at = self.inner.add_edge(source, target, spec.edge);
        self.edge_at.insert(id, at);
        Ok(())
    }

    /// Takes a node out with all its edges; gives both back for the undo.
    pub fn remove_node(&mut self, id: &NodeId) -> Result<(Node, Vec<EdgeSpec>), GraphError> {
        let Some(&at) = self.node_at.get(id) else {
            return Err(GraphError::NoNode(id.clone()));
        };
        let mut incident: Vec<EdgeId> = [Direction::Outgoing, Direction::Incoming]
            .into_iter()
            .flat_map(|way| {
                self.inner
                    .edges_directed(at, way)
                    .map(|e| e.weight().id.clone())
            })
            .collect();
        incident.dedup();
        let mut edges = Vec::with_capacity(incident.len());
        for edge in incident {
            // A self-loop is met from both sides; the second time it is gone.
            if let Ok(spec) = self.remove_edge(&edge) {
                edges.push(spec);
            }
        }
        self.node_at.remove(id);
        match self.inner.remove_node(at) {
            Some(node) => Ok((Arc::unwrap_or_clone(node), edges)),
            None => Err(GraphError::NoNode(id.clone())),
        }
    }

    /// Takes an edge out; gives it back for the undo.
    pub fn remove_edge(&mut self, id: &EdgeId) -> Result<EdgeSpec, GraphError> {
        let gone = || GraphError::NoEdge(id.clone());
        let at = self.edge_at.remove(id).ok_or_else(gone)?;
        let (source, target) = self.inner.edge_endpoints(at).ok_or_else(gone)?;
        let (source, target) = (self.inner[source].id.clone(), self.inner[target].id.clone());
        let edge = self.inner.remove_edge(at).ok_or_else(gone)?;
        Ok(EdgeSpec {
            edge,
            source,
            target,
        })
    }

    /// A node to change in place; its id must stay.
    pub fn node_mut(&mut self, id: &NodeId) -> Result<&mut Node, GraphError> {
        match self.node_at.get(id) {
            Some(&at) => Ok(Arc::make_mut(&mut self.inner[at])),
            None => Err(GraphError::NoNode(id.clone())),
        }
    }

    /// Sets the kind of an edge; gives back the kind it had.
    pub fn set_edge_kind(&mut self, id: &EdgeId, kind: EdgeKind) -> Result<EdgeKind, GraphError> {
        match self.edge_at.get(id) {
            Some(&at) => Ok(std::mem::replace(&mut self.inner[at].kind, kind)),
            None => Err(GraphError::NoEdge(id.clone())),
        }
    }

    /// An edge id that is free: the ends, with a number when the plain form is taken.
    pub fn free_edge_id(&self, source: &NodeId, target: &NodeId) -> EdgeId {
        let plain = EdgeId::new(format!("{source}->{target}"));
        if !self.edge_at.contains_key(&plain) {
            return plain;
        }
        (2u32..)
            .map(|n| EdgeId::new(format!("{source}->{target}#{n}")))
            .find(|id| !self.edge_at.contains_key(id))
            .unwrap_or(plain)
    }

    /// A node id that is free: `n1`, `n2`, … beyond what is taken.
    pub fn free_node_id(&self) -> NodeId {
        let start = self.n_nodes() + 1;
        (start..)
            .map(|n| NodeId::new(format!("n{n}")))
            .find(|id| !self.contains(id))
            .unwrap_or_else(|| NodeId::new("n"))
    }
}

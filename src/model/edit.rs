//! One change to a flow, as a value whose application gives back the change that undoes it.

use super::{
    EdgeId, EdgeKind, EdgeSpec, Env, Flow, Frame, GraphError, Node, NodeId, Point, ResourceName,
    Trigger, Wrapper,
};
use std::time::Duration;

/// Why an edit was refused; the flow is then as it was.
pub type EditError = GraphError;

/// One field of a node, with the value to give it.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeField {
    /// Its title.
    Title(String),
    /// Its shell line.
    Command(String),
    /// Muted or not.
    Disabled(bool),
    /// Its working folder.
    Cwd(String),
    /// Its environment.
    Env(Env),
    /// The names of its resources.
    Resources(Vec<ResourceName>),
    /// Longest time of an attempt.
    Timeout(Option<Duration>),
    /// Attempts after the first failure.
    Retries(u32),
    /// Wait before each retry.
    RetryDelay(Duration),
}

/// One field of the flow, with the value to give it.
#[derive(Clone, Debug, PartialEq)]
pub enum FlowField {
    /// Its title.
    Title(String),
    /// Its heading in the sidebar.
    Group(String),
    /// What starts it.
    Trigger(Trigger),
    /// Text set round each command.
    Wrapper(Option<Wrapper>),
    /// The shell that runs commands.
    Shell(String),
    /// Its working folder.
    Cwd(String),
    /// Environment of every node.
    Env(Env),
    /// Passes after which a loop is ended.
    MaxPasses(Option<u32>),
    /// Nodes at once.
    JobsMax(Option<u32>),
    /// All frames and notes.
    Frames(Vec<Frame>),
}

/// One change to a flow. [`Edit::apply`] gives back its inverse, which is an edit too.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Adds nodes, then edges (a new node, a paste, an undone removal).
    Add {
        /// Nodes to add.
        nodes: Vec<Node>,
        /// Edges to add, between new or existing nodes.
        edges: Vec<EdgeSpec>,
    },
    /// Takes out edges, then nodes with whatever edges they still have.
    Remove {
        /// Nodes to take out.
        nodes: Vec<NodeId>,
        /// Edges to take out.
        edges: Vec<EdgeId>,
    },
    /// Puts nodes at new places.
    Move(Vec<(NodeId, Point)>),
    /// Sets one field of one node.
    SetNode {
        /// Which node.
        id: NodeId,
        /// The field and its new value.
        field: NodeField,
    },
    /// Sets kinds of edges.
    SetEdgeKind(Vec<(EdgeId, EdgeKind)>),
    /// Sets one field of the flow.
    SetFlow(FlowField),
    /// Several edits as one step, applied in order.
    Batch(Vec<Self>),
}

impl Edit {
    /// Nodes, edges and fields that it names: what applying it costs.
    pub fn n_things(&self) -> usize {
        match self {
            Self::Add { nodes, edges } => nodes.len() + edges.len(),
            Self::Remove { nodes, edges } => nodes.len() + edges.len(),
            Self::Move(moves) => moves.len(),
            Self::SetEdgeKind(kinds) => kinds.len(),
            Self::SetNode { .. } | Self::SetFlow(_) => 1,
            Self::Batch(edits) => edits.iter().map(Self::n_things).sum(),
        }
    }

    /// Applies the edit and gives back its inverse. When refused, `flow` is unchanged.
    pub fn apply(self, flow: &mut Flow) -> Result<Self, EditError> {
        match self {
            Self::Add { nodes, edges } => add(flow, nodes, edges),
            Self::Remove { nodes, edges } => remove(flow, &nodes, &edges),
            Self::Move(moves) => {
                if let Some((id, _)) = moves.iter().find(|(id, _)| !flow.graph.contains(id)) {
                    return Err(GraphError::NoNode(id.clone()));
                }
                let mut back = Vec::with_capacity(moves.len());
                for (id, to) in moves {
                    let node = flow.graph.node_mut(&id)?;
                    back.push((id, std::mem::replace(&mut node.pos, to)));
                }
                // The same node twice in one edit must go back to its first place last.
                back.reverse();
                Ok(Self::Move(back))
            }
            Self::SetNode { id, field } => {
                let field = set_node(flow.graph.node_mut(&id)?, field);
                Ok(Self::SetNode { id, field })
            }
            Self::SetEdgeKind(kinds) => {
                if let Some((id, _)) = kinds.iter().find(|(id, _)| flow.graph.edge(id).is_none()) {
                    return Err(GraphError::NoEdge(id.clone()));
                }
                let mut back = Vec::with_capacity(kinds.len());
                for (id, kind) in kinds {
                    let was = flow.graph.set_edge_kind(&id, kind)?;
                    back.push((id, was));
                }
                back.reverse();
                Ok(Self::SetEdgeKind(back))
            }
            Self::SetFlow(field) => Ok(Self::SetFlow(set_flow(flow, field))),
            Self::Batch(edits) => {
                let mut back = Vec::with_capacity(edits.len());
                for edit in edits {
                    match edit.apply(flow) {
                        Ok(inverse) => back.push(inverse),
                        Err(why) => {
                            for inverse in back.into_iter().rev() {
                                inverse.apply(flow)?;
                            }
                            return Err(why);
                        }
                    }
                }
                back.reverse();
                Ok(Self::Batch(back))
            }
        }
    }
}

fn add(flow: &mut Flow, nodes: Vec<Node>, edges: Vec<EdgeSpec>) -> Result<Edit, EditError> {
    let mut done = (
        Vec::with_capacity(nodes.len()),
        Vec::with_capacity(edges.len()),
    );
    let mut refused = None;
    for node in nodes {
        let id = node.id.clone();
        match flow.graph.add_node(node) {
            Ok(()) => done.0.push(id),
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    for spec in edges {
        let id = spec.edge.id.clone();
        match flow.graph.add_edge(spec) {
            Ok(()) => done.1.push(id),
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    let inverse = Edit::Remove {
        nodes: done.0,
        edges: done.1,
    };
    match refused {
        None => Ok(inverse),
        Some(why) => {
            inverse.apply(flow)?;
            Err(why)
        }
    }
}

fn remove(flow: &mut Flow, nodes: &[NodeId], edges: &[EdgeId]) -> Result<Edit, EditError> {
    if let Some(id) = nodes.iter().find(|id| !flow.graph.contains(id)) {
        return Err(GraphError::NoNode(id.clone()));
    }
    if let Some(id) = edges.iter().find(|id| flow.graph.edge(id).is_none()) {
        return Err(GraphError::NoEdge(id.clone()));
    }
    let mut back_nodes = Vec::with_capacity(nodes.len());
    let mut back_edges = Vec::new();
    for id in edges {
        // Named twice: the second time it is gone, which is what was asked.
        if let Ok(spec) = flow.graph.remove_edge(id) {
            back_edges.push(spec);
        }
    }
    for id in nodes {
        if let Ok((node, specs)) = flow.graph.remove_node(id) {
            back_nodes.push(node);
            back_edges.extend(specs);
        }
    }
    back_nodes.reverse();
    Ok(Edit::Add {
        nodes: back_nodes,
        edges: back_edges,
    })
}

fn set_node(node: &mut Node, field: NodeField) -> NodeField {
    use std::mem::replace;
    match field {
        NodeField::Title(new) => NodeField::Title(replace(&mut node.title, new)),
        NodeField::Command(new) => NodeField::Command(replace(&mut node.command, new)),
        NodeField::Disabled(new) => NodeField::Disabled(replace(&mut node.disabled, new)),
        NodeField::Cwd(new) => NodeField::Cwd(replace(&mut node.cwd, new)),
        NodeField::Env(new) => NodeField::Env(replace(&mut node.env, new)),
        NodeField::Resources(new) => NodeField::Resources(replace(&mut node.resources, new)),
        NodeField::Timeout(new) => NodeField::Timeout(replace(&mut node.timeout, new)),
        NodeField::Retries(new) => NodeField::Retries(replace(&mut node.retries, new)),
        NodeField::RetryDelay(new) => NodeField::RetryDelay(replace(&mut node.retry_delay, new)),
    }
}

fn set_flow(flow: &mut Flow, field: FlowField) -> FlowField {
    use std::mem::replace;
    match field {
        FlowField::Title(new) => FlowField::Title(replace(&mut flow.title, new)),
        FlowField::Group(new) => FlowField::Group(replace(&mut flow.group, new)),
        FlowField::Trigger(new) => FlowField::Trigger(replace(&mut flow.trigger, new)),
        FlowField::Wrapper(new) => FlowField::Wrapper(replace(&mut flow.wrapper, new)),
        FlowField::Shell(new) => FlowField::Shell(replace(&mut flow.shell, new)),
        FlowField::Cwd(new) => FlowField::Cwd(replace(&mut flow.cwd, new)),
        FlowField::Env(new) => FlowField::Env(replace(&mut flow.env, new)),
        FlowField::MaxPasses(new) => FlowField::MaxPasses(replace(&mut flow.max_passes, new)),
        FlowField::JobsMax(new) => FlowField::JobsMax(replace(&mut flow.jobs_max, new)),
        FlowField::Frames(new) => FlowField::Frames(replace(&mut flow.frames, new)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Edge;

    fn edge(id: &str, source: &str, target: &str) -> EdgeSpec {
        EdgeSpec {
            edge: Edge {
                id: id.into(),
                kind: EdgeKind::Blocking,
            },
            source: source.into(),
            target: target.into(),
        }
    }

    fn sample() -> Flow {
        let mut flow = Flow::default();
        let nodes = ["a", "b", "c"].map(|id| Node::new(id, format!("echo {id}"), Point::default()));
        let edges = vec![
            edge("1", "a", "b"),
            edge("2", "b", "c"),
            edge("3", "b", "b"),
            edge("4", "a", "b"),
        ];
        Edit::Add {
            nodes: nodes.into(),
            edges,
        }
        .apply(&mut flow)
        .expect("fresh ids");
        flow
    }

    #[test]
    fn every_edit_is_undone_by_what_apply_gives_back() {
        let before = sample();
        let edits = [
            Edit::Remove {
                nodes: vec!["b".into()],
                edges: vec!["1".into()],
            },
            Edit::Remove {
                nodes: vec!["a".into(), "b".into(), "c".into()],
                edges: vec![],
            },
            Edit::Move(vec![
                ("a".into(), Point { x: 1.0, y: 2.0 }),
                ("a".into(), Point { x: 3.0, y: 4.0 }),
            ]),
            Edit::SetNode {
                id: "a".into(),
                field: NodeField::Command("true".into()),
            },
            Edit::SetEdgeKind(vec![("1".into(), EdgeKind::NonBlocking)]),
            Edit::SetFlow(FlowField::Title("t".into())),
            Edit::Batch(vec![
                Edit::SetFlow(FlowField::Title("t".into())),
                Edit::Remove {
                    nodes: vec!["c".into()],
                    edges: vec![],
                },
            ]),
        ];
        for edit in edits {
            let mut flow = before.clone();
            let name = format!("{edit:?}");
            let undo = edit.clone().apply(&mut flow).expect("applies");
            assert_ne!(flow, before, "{name} changed nothing");
            let redo = undo.apply(&mut flow).expect("undoes");
            assert_eq!(flow, before, "{name}");
            redo.apply(&mut flow).expect("redoes");
            assert_ne!(flow, before, "{name} redone");
        }
    }

    #[test]
    fn a_refused_edit_leaves_the_flow_as_it_was() {
        let before = sample();
        let refused = [
            Edit::Add {
                nodes: vec![
                    Node::new("d", "", Point::default()),
                    Node::new("a", "", Point::default()),
                ],
                edges: vec![],
            },
            Edit::Add {
                nodes: vec![],
                edges: vec![edge("5", "a", "c"), edge("6", "a", "nowhere")],
            },
            Edit::Move(vec![
                ("a".into(), Point { x: 9.0, y: 9.0 }),
                ("z".into(), Point::default()),
            ]),
            Edit::Batch(vec![
                Edit::SetFlow(FlowField::Title("t".into())),
                Edit::Remove {
                    nodes: vec!["z".into()],
                    edges: vec![],
                },
            ]),
        ];
        for edit in refused {
            let mut flow = before.clone();
            let name = format!("{edit:?}");
            edit.apply(&mut flow).expect_err("refused");
            assert_eq!(flow, before, "{name}");
        }
    }
}

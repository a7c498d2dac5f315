//! The edit that makes one flow into another.
//!
//! With it a reload is a step like any other: it can be undone, and what was undone before it is
//! still there. Nodes and edges are the same when their ids are.

use crate::model::{Edge, EdgeSpec, Edit, Flow, FlowField, Node, NodeField};

/// The edit after which `from` equals `to`; an empty batch when it does already.
pub fn difference(from: &Flow, to: &Flow) -> Edit {
    let mut edits = Vec::new();
    edits.extend(removals(from, to));
    edits.extend(additions(from, to));
    let mut moves = Vec::new();
    for new in to.graph.nodes() {
        let Some(old) = from.graph.node(&new.id) else {
            continue;
        };
        if old.pos != new.pos {
            moves.push((new.id.clone(), new.pos));
        }
        edits.extend(node_fields(old, new));
    }
    if !moves.is_empty() {
        edits.push(Edit::Move(moves));
    }
    let kinds: Vec<_> = to
        .graph
        .edges()
        .filter(|(source, target, edge)| {
            kept(from, source, target, edge).is_some_and(|old| old.kind != edge.kind)
        })
        .map(|(_, _, edge)| (edge.id.clone(), edge.kind))
        .collect();
    if !kinds.is_empty() {
        edits.push(Edit::SetEdgeKind(kinds));
    }
    edits.extend(flow_fields(from, to));
    Edit::Batch(edits)
}

/// The edge of the same id between the same nodes in `flow`. One that goes elsewhere is another.
fn kept<'a>(flow: &'a Flow, source: &Node, target: &Node, edge: &Edge) -> Option<&'a Edge> {
    let (s, t, old) = flow.graph.edge(&edge.id)?;
    (s.id == source.id && t.id == target.id).then_some(old)
}

fn removals(from: &Flow, to: &Flow) -> Option<Edit> {
    let nodes: Vec<_> = from
        .graph
        .nodes()
        .filter(|node| !to.graph.contains(&node.id))
        .map(|node| node.id.clone())
        .collect();
    let edges: Vec<_> = from
        .graph
        .edges()
        .filter(|(source, target, edge)| kept(to, source, target, edge).is_none())
        .map(|(_, _, edge)| edge.id.clone())
        .collect();
    (!nodes.is_empty() || !edges.is_empty()).then_some(Edit::Remove { nodes, edges })
}

fn additions(from: &Flow, to: &Flow) -> Option<Edit> {
    let nodes: Vec<_> = to
        .graph
        .nodes()
        .filter(|node| !from.graph.contains(&node.id))
        .cloned()
        .collect();
    let edges: Vec<_> = to
        .graph
        .edges()
        .filter(|(source, target, edge)| kept(from, source, target, edge).is_none())
        .map(|(source, target, edge)| EdgeSpec {
            edge: edge.clone(),
            source: source.id.clone(),
            target: target.id.clone(),
        })
        .collect();
    (!nodes.is_empty() || !edges.is_empty()).then_some(Edit::Add { nodes, edges })
}

fn node_fields(old: &Node, new: &Node) -> Vec<Edit> {
    // Taken apart by name, so that a field added to Node is not forgotten here.
    let Node {
        id,
        title,
        command,
        pos: _,
        disabled,
        cwd,
        env,
        resources,
        timeout,
        retries,
        retry_delay,
    } = new.clone();
    let fields = [
        (old.title != title).then_some(NodeField::Title(title)),
        (old.command != command).then_some(NodeField::Command(command)),
        (old.disabled != disabled).then_some(NodeField::Disabled(disabled)),
        (old.cwd != cwd).then_some(NodeField::Cwd(cwd)),
        (old.env != env).then_some(NodeField::Env(env)),
        (old.resources != resources).then_some(NodeField::Resources(resources)),
        (old.timeout != timeout).then_some(NodeField::Timeout(timeout)),
        (old.retries != retries).then_some(NodeField::Retries(retries)),
        (old.retry_delay != retry_delay).then_some(NodeField::RetryDelay(retry_delay)),
    ];
    let set = |field| Edit::SetNode {
        id: id.clone(),
        field,
    };
    fields.into_iter().flatten().map(set).collect()
}

fn flow_fields(old: &Flow, new: &Flow) -> Vec<Edit> {
    let Flow {
        title,
        group,
        trigger,
        wrapper,
        shell,
        cwd,
        env,
        max_passes,
        jobs_max,
        graph: _,
        frames,
    } = new;
    let fields = [
        (old.title != *title).then(|| FlowField::Title(title.clone())),
        (old.group != *group).then(|| FlowField::Group(group.clone())),
        (old.trigger != *trigger).then_some(FlowField::Trigger(*trigger)),
        (old.wrapper != *wrapper).then(|| FlowField::Wrapper(wrapper.clone())),
        (old.shell != *shell).then(|| FlowField::Shell(shell.clone())),
        (old.cwd != *cwd).then(|| FlowField::Cwd(cwd.clone())),
        (old.env != *env).then(|| FlowField::Env(env.clone())),
        (old.max_passes != *max_passes).then_some(FlowField::MaxPasses(*max_passes)),
        (old.jobs_max != *jobs_max).then_some(FlowField::JobsMax(*jobs_max)),
        (old.frames != *frames).then(|| FlowField::Frames(frames.clone())),
    ];
    fields.into_iter().flatten().map(Edit::SetFlow).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        EdgeKind, Env, Frame, FrameId, Point, Rect, ResourceName, Trigger, Wrapper, seeds,
    };
    use std::time::Duration;

    /// Any flow, small enough that two of them share ids, edges and values often.
    fn any_flow(random: &mut fastrand::Rng) -> Flow {
        let text = |random: &mut fastrand::Rng| ["", "a", "b"][random.usize(..3)].to_owned();
        let env = |random: &mut fastrand::Rng| Env::parse(["", "A=1"][random.usize(..2)]).0;
        let mut flow = Flow {
            title: text(random),
            group: text(random),
            trigger: Trigger::ALL[random.usize(..3)],
            wrapper: random.bool().then(|| Wrapper::new("x {}")),
            shell: text(random),
            cwd: text(random),
            env: env(random),
            max_passes: random.bool().then_some(3),
            jobs_max: random.bool().then_some(2),
            ..Flow::default()
        };
        if random.bool() {
            flow.frames.push(Frame {
                id: FrameId("f".into()),
                rect: Rect::default(),
                title: text(random),
                text: text(random),
            });
        }
        let ids = ["1", "2", "3", "4"];
        for id in ids {
            if random.u8(..3) == 0 {
                continue;
            }
            let at = Point {
                x: f64::from(random.u8(..2)),
                y: 0.0,
            };
            let mut node = Node::new(id, text(random), at);
            node.title = text(random);
            node.disabled = random.bool();
            node.cwd = text(random);
            node.env = env(random);
            if random.bool() {
                node.resources = vec![ResourceName::new("R").expect("a name")];
            }
            node.timeout = random.bool().then_some(Duration::from_secs(1));
            node.retries = random.u32(..2);
            node.retry_delay = Duration::from_secs(random.u64(..2));
            flow.graph.add_node(node).expect("fresh id");
        }
        for id in ["x", "y", "z"] {
            let spec = EdgeSpec {
                edge: Edge {
                    id: id.into(),
                    kind: [EdgeKind::Blocking, EdgeKind::NonBlocking][random.usize(..2)],
                },
                source: ids[random.usize(..4)].into(),
                target: ids[random.usize(..4)].into(),
            };
            // Refused when an end is missing, which is as well.
            flow.graph.add_edge(spec).ok();
        }
        flow
    }

    #[test]
    fn any_flow_becomes_any_other_and_back() {
        seeds::each(seeds::drawn(3_000), |random| {
            let (from, to) = (any_flow(random), any_flow(random));
            let mut flow = from.clone();
            let back = difference(&from, &to).apply(&mut flow);
            let back = back.expect("a difference applies");
            assert_eq!(flow, to);
            back.apply(&mut flow).expect("an inverse applies");
            assert_eq!(flow, from);
            assert_eq!(difference(&from, &from), Edit::Batch(vec![]));
        });
    }
}

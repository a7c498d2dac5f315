//! A base for two versions of which nobody knows what they grew from.

use super::edges::{join, spec_of};
use super::nodes::add;
use crate::model::{Env, Flow, Frame, Graph, Node, Trigger, Wrapper};

/// The base of two versions that share none: what both hold alike is old, what only one
/// holds is new, and what they hold differently was something else before, so that it is a conflict.
pub fn unknown_base(ours: &Flow, theirs: &Flow) -> Flow {
    const UNKNOWN: &str = "\u{fffd}";
    let text = |a: &str, b: &str| if a == b { a } else { UNKNOWN }.to_owned();
    let env = |a: &Env, b: &Env| match a == b {
        true => a.clone(),
        false => Env(vec![(UNKNOWN.to_owned(), String::new())]),
    };
    let count = |a: Option<u32>, b| if a == b { a } else { Some(u32::MAX) };
    let alike = ours.trigger == theirs.trigger;
    let fits = |of: &Trigger| match alike {
        true => *of == ours.trigger,
        false => *of != ours.trigger && *of != theirs.trigger,
    };
    let trigger = Trigger::ALL.into_iter().find(fits).unwrap_or_default();
    let mut base = Flow {
        title: text(&ours.title, &theirs.title),
        group: text(&ours.group, &theirs.group),
        trigger,
        wrapper: match ours.wrapper == theirs.wrapper {
            true => ours.wrapper.clone(),
            false => Some(Wrapper::new(UNKNOWN)),
        },
        shell: text(&ours.shell, &theirs.shell),
        cwd: text(&ours.cwd, &theirs.cwd),
        env: env(&ours.env, &theirs.env),
        max_passes: count(ours.max_passes, theirs.max_passes),
        jobs_max: count(ours.jobs_max, theirs.jobs_max),
        graph: Graph::default(),
        frames: Vec::new(),
    };
    for our in ours.graph.nodes() {
        let Some(their) = theirs.graph.node(&our.id) else {
            continue;
        };
        let node = Node {
            title: text(&our.title, &their.title),
            command: text(&our.command, &their.command),
            cwd: text(&our.cwd, &their.cwd),
            env: env(&our.env, &their.env),
            ..their.clone()
        };
        add(&mut base.graph, Some(node));
    }
    for (source, target, edge) in ours.graph.edges() {
        if theirs.graph.edge(&edge.id).is_some() {
            join(&mut base.graph, Some(spec_of(source, target, edge)));
        }
    }
    for our in &ours.frames {
        if let Some(their) = theirs.frames.iter().find(|frame| frame.id == our.id) {
            base.frames.push(Frame {
                title: text(&our.title, &their.title),
                text: text(&our.text, &their.text),
                ..their.clone()
            });
        }
    }
    base
}

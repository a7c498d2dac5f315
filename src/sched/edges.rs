//! How the edges of a flow stood when its last run ended, for showing it.
//!
//! Goes through the same replay as a resume, so that what is lit is what a resume would find.
//! Unaware of windows; called by the runtime when a flow is opened.

use std::collections::HashSet;

use super::resume::replay;
use super::topology::Topology;
use crate::model::{EdgeId, Flow, NodeId, NodeStatus, Past, What};

/// Edges as the last run left them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EdgesAfter {
    /// Those that fired.
    pub fired: HashSet<EdgeId>,
    /// Those whose mark is set: their source succeeded and their target has not used it.
    pub marked: HashSet<EdgeId>,
}

impl EdgesAfter {
    /// Reads them from what is known of the flow.
    pub fn of(flow: &Flow, past: &Past) -> Self {
        let Some(last) = &past.last else {
            return Self::default();
        };
        let topology = Topology::new(&flow.graph);
        let tokens = replay(&topology, last).tokens;
        let of_base = last.base.iter().flat_map(|base| &base.statuses);
        let of_base = of_base.filter(|(_, status)| **status == NodeStatus::Ran);
        let of_facts = last.facts.iter();
        let of_facts = of_facts.filter(|fact| fact.what == What::Ended(NodeStatus::Ran));
        let ran: HashSet<&NodeId> = of_base
            .map(|(id, _)| id)
            .chain(of_facts.filter_map(|fact| fact.node.as_ref()))
            .collect();
        let fired = (0u32..).map(super::topology::EdgeIdx).zip(&topology.edges);
        let fired = fired.filter(|(at, link)| {
            tokens.is_edge_inside(&topology, *at) && ran.contains(&topology.node(link.source).id)
        });
        Self {
            fired: fired.map(|(_, link)| link.id.clone()).collect(),
            marked: tokens
                .marks()
                .map(|at| topology.edge(at).id.clone())
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Base, Edge, EdgeKind, EdgeSpec, Fact, Node, PastRun, Point};

    /// `a -> c`, `b -> c`, `c -> d`; each edge is called by its ends.
    fn flow() -> Flow {
        let mut flow = Flow::default();
        for id in ["a", "b", "c", "d"] {
            let node = Node::new(id, "true", Point::default());
            flow.graph.add_node(node).expect("fresh id");
        }
        for (source, target) in [("a", "c"), ("b", "c"), ("c", "d")] {
            let spec = EdgeSpec {
                edge: Edge {
                    id: format!("{source}{target}").as_str().into(),
                    kind: EdgeKind::Blocking,
                },
                source: source.into(),
                target: target.into(),
            };
            flow.graph.add_edge(spec).expect("fresh id");
        }
        flow
    }

    fn names(edges: &HashSet<EdgeId>) -> Vec<&str> {
        let mut names: Vec<&str> = edges.iter().map(EdgeId::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_source_that_succeeded_lights_its_edge_and_marks_it_until_the_target_starts() {
        let fact = |node: &str, what| Fact {
            node: Some(node.into()),
            what,
        };
        let mut last = PastRun {
            run: Some("r1".into()),
            facts: vec![
                fact("a", What::Started),
                fact("a", What::Ended(NodeStatus::Ran)),
                fact("b", What::Started),
                fact("b", What::Ended(NodeStatus::Failed)),
            ],
            ..PastRun::default()
        };
        let after = |last: &PastRun| {
            let past = Past {
                last: Some(last.clone()),
                ..Past::default()
            };
            EdgesAfter::of(&flow(), &past)
        };
        let failed = after(&last);
        assert_eq!(names(&failed.fired), ["ac"]);
        assert_eq!(names(&failed.marked), ["ac"]);
        last.facts[3] = fact("b", What::Ended(NodeStatus::Ran));
        last.facts.push(fact("c", What::Started));
        let going_on = after(&last);
        assert_eq!(names(&going_on.fired), ["ac", "bc"]);
        assert!(going_on.marked.is_empty());
    }

    #[test]
    fn marks_of_an_imported_file_are_lit() {
        let base = Base {
            statuses: [("a".into(), NodeStatus::Ran)].into(),
            marks: vec!["ac".into()],
        };
        let past = Past {
            last: Some(PastRun {
                base: Some(base),
                ..PastRun::default()
            }),
            ..Past::default()
        };
        let after = EdgesAfter::of(&flow(), &past);
        assert_eq!(names(&after.fired), ["ac"]);
        assert_eq!(names(&after.marked), ["ac"]);
    }
}

//! Edges of a merge.

use std::collections::HashMap;

use super::{Merger, Side, numbered};
use crate::model::change::of_edge;
use crate::model::fields::OF_EDGE;
use crate::model::{Edge, EdgeId, EdgeSpec, Graph, Node, NodeId, Subject};

impl Merger<'_> {
    /// Fills the edges; gives the ids that ours have in the result.
    pub(super) fn edges(
        &mut self,
        into: &mut Graph,
        new_ids: &HashMap<NodeId, NodeId>,
    ) -> HashMap<EdgeId, EdgeId> {
        let (base, ours, theirs) = (self.base, self.ours, self.theirs);
        let our_spec = |id: &EdgeId| {
            let mut spec = spec(&ours.graph, id)?;
            // Only what is ours alone can be joined to a node that was renamed.
            for end in [&mut spec.source, &mut spec.target] {
                if let Some(new) = new_ids.get(end) {
                    end.clone_from(new);
                }
            }
            Some(spec)
        };
        let mut late = Vec::new();
        for (source, target, edge) in theirs.graph.edges() {
            let their = spec_of(source, target, edge);
            let kept = match (spec(&base.graph, &edge.id), our_spec(&edge.id)) {
                (Some(old), Some(our)) => Some(self.edge(&old, &our, &their)),
                (None, None) => Some(their),
                (None, Some(our)) if our == their => Some(our),
                (None, Some(our)) => {
                    late.push(our);
                    Some(their)
                }
                (Some(old), None) => {
                    let subject = || of_edge(source, target, edge);
                    self.edge_of_one(&old, their, Side::Theirs, into, subject)
                }
            };
            join(into, kept);
        }
        for (source, target, edge) in ours.graph.edges() {
            if theirs.graph.edge(&edge.id).is_some() {
                continue;
            }
            let Some(our) = our_spec(&edge.id) else {
                continue;
            };
            let kept = match spec(&base.graph, &edge.id) {
                None => Some(our),
                Some(old) => {
                    let subject = || of_edge(source, target, edge);
                    self.edge_of_one(&old, our, Side::Ours, into, subject)
                }
            };
            join(into, kept);
        }
        let mut edge_ids = HashMap::new();
        for our in late {
            let is_free = |id: &EdgeId| {
                into.edge(id).is_none()
                    && ours.graph.edge(id).is_none()
                    && base.graph.edge(id).is_none()
            };
            let Some(id) = numbered(our.edge.id.as_str())
                .map(EdgeId::new)
                .find(|id| is_free(id))
            else {
                continue;
            };
            self.note_rename(our.edge.id.as_str(), id.as_str());
            edge_ids.insert(our.edge.id.clone(), id.clone());
            let edge = Edge { id, ..our.edge };
            join(into, Some(EdgeSpec { edge, ..our }));
        }
        edge_ids
    }

    /// An edge that all three have.
    fn edge(&mut self, base: &EdgeSpec, ours: &EdgeSpec, theirs: &EdgeSpec) -> EdgeSpec {
        let mut spec = ours.clone();
        let id = theirs.edge.id.as_str().to_owned();
        let subject = self.subject_of(&self.ours.graph, &ours.edge.id);
        let ends = |spec: &EdgeSpec| (spec.source.clone(), spec.target.clone());
        let (b, o, t) = (ends(base), ends(ours), ends(theirs));
        let take_theirs = t != b
            && t != o
            && (o == b || {
                let text = |(from, to): &(NodeId, NodeId)| format!("{from} → {to}");
                let values = (Some(text(&o)), Some(text(&t)));
                let what = ("edge", id.as_str(), "ends");
                self.conflict(what, subject.clone(), values, Side::Ours) == Side::Theirs
            });
        if take_theirs {
            (spec.source, spec.target) = t;
        }
        let three = (&base.edge, &ours.edge, &theirs.edge);
        self.fields(OF_EDGE, three, &mut spec.edge, ("edge", &id), || {
            subject.clone()
        });
        spec
    }

    /// An edge of the base that one side has no longer.
    fn edge_of_one(
        &mut self,
        old: &EdgeSpec,
        kept: EdgeSpec,
        by: Side,
        into: &Graph,
        subject: impl Fn() -> Subject,
    ) -> Option<EdgeSpec> {
        let other = match by {
            Side::Ours => self.theirs,
            Side::Theirs => self.ours,
        };
        let went_with_its_node =
            !other.graph.contains(&old.source) || !other.graph.contains(&old.target);
        if went_with_its_node {
            // Then it stands as long as both its nodes do.
            let stands = into.contains(&kept.source) && into.contains(&kept.target);
            return stands.then_some(kept);
        }
        if *old == kept {
            return None;
        }
        let text = Some((OF_EDGE[0].text)(&kept.edge));
        let values = match by {
            Side::Ours => (text, None),
            Side::Theirs => (None, text),
        };
        let what = ("edge", kept.edge.id.as_str(), "");
        (self.conflict(what, subject(), values, by) == by).then_some(kept)
    }

    fn subject_of(&self, graph: &Graph, id: &EdgeId) -> Subject {
        match graph.edge(id) {
            Some((source, target, edge)) => of_edge(source, target, edge),
            None => Subject::Edge(id.clone(), String::new(), String::new()),
        }
    }
}

fn spec(graph: &Graph, id: &EdgeId) -> Option<EdgeSpec> {
    let (source, target, edge) = graph.edge(id)?;
    Some(spec_of(source, target, edge))
}

pub(super) fn spec_of(source: &Node, target: &Node, edge: &Edge) -> EdgeSpec {
    EdgeSpec {
        edge: edge.clone(),
        source: source.id.clone(),
        target: target.id.clone(),
    }
}

/// An edge whose node went away goes with it; that node was a conflict when the edge was new.
pub(super) fn join(into: &mut Graph, spec: Option<EdgeSpec>) {
    if let Some(spec) = spec {
        into.add_edge(spec).ok();
    }
}

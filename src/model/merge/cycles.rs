//! Blocking edges of both sides that together form a cycle.

use std::collections::HashMap;

use super::{Merger, Side};
use crate::model::{EdgeId, EdgeKind, Flow, Graph, Subject};

impl Merger<'_> {
    /// Edges of both that together block each other in a cycle, which neither had alone.
    pub(super) fn break_cycles(&mut self, graph: &mut Graph, our_ids: &HashMap<EdgeId, EdgeId>) {
        let had = |flow: &Flow| flow.graph.blocking_cycle().is_some();
        if had(self.ours) || had(self.theirs) {
            // Somebody drew one on purpose; a run says so.
            return;
        }
        let our_ids: HashMap<&EdgeId, &EdgeId> =
            our_ids.iter().map(|(was, is)| (is, was)).collect();
        while let Some(cycle) = graph.blocking_cycle() {
            let ends = |id: &EdgeId| {
                let (source, target, _) = graph.edge(id)?;
                Some((source.id.clone(), target.id.clone()))
            };
            let is_of = |side: &Graph, known_as: &EdgeId, id: &EdgeId| {
                side.edge(known_as).is_some_and(|(source, target, edge)| {
                    edge.kind == EdgeKind::Blocking
                        && ends(id).is_some_and(|(s, t)| s == source.id && t == target.id)
                })
            };
            let ours_only =
                |id: &&EdgeId| our_ids.contains_key(*id) || !is_of(&self.theirs.graph, id, id);
            let theirs_only =
                |id: &&EdgeId| !our_ids.contains_key(*id) && !is_of(&self.ours.graph, id, id);
            let mine: Vec<EdgeId> = cycle.iter().filter(ours_only).cloned().collect();
            let others: Vec<EdgeId> = cycle.iter().filter(theirs_only).cloned().collect();
            let words = |ids: &[EdgeId]| {
                let ways = ids.iter().filter_map(ends);
                let words: Vec<String> = ways.map(|(from, to)| format!("{from} → {to}")).collect();
                Some(words.join(", "))
            };
            let mut names: Vec<String> = cycle
                .iter()
                .filter_map(|id| {
                    graph
                        .edge(id)
                        .map(|(source, _, _)| source.name().to_owned())
                })
                .collect();
            names.extend(names.first().cloned());
            let mut ids: Vec<&str> = cycle.iter().map(EdgeId::as_str).collect();
            ids.sort_unstable();
            let (id, values) = (ids.join("\n"), (words(&mine), words(&others)));
            let what = ("cycle", id.as_str(), "edges");
            let pick = self.conflict(what, Subject::Cycle(names), values, Side::Ours);
            let loser = match pick {
                Side::Ours => others,
                Side::Theirs => mine,
            };
            // A cycle that neither had alone has an edge of each; should that ever be wrong, all of
            // it goes rather than this never ending.
            let loser = if loser.is_empty() { cycle } else { loser };
            for id in loser {
                graph.remove_edge(&id).ok();
            }
        }
    }
}

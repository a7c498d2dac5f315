//! What to do with each `<edge>` of the base, and which new ones to write.

use std::collections::{BTreeMap, HashSet};

use super::change::{Change, check_text, kind_change};
use super::edge_ids::{Ends, edge_ids};
use super::element::Layout;
use super::error::WriteError;
use super::escape::escape_attribute;
use super::keys::Field;
use super::patch::Patches;
use super::source::Inner;
use super::style::Style;
use super::write::data_texts;
use crate::model::{Edge, EdgeId, EdgeKind, Flow, NodeId};

/// Everything about edges that differs from the base.
#[derive(Default)]
pub(super) struct EdgePlan<'a> {
    /// By place in the layout.
    changed: BTreeMap<usize, Vec<Change>>,
    removed: Vec<usize>,
    new: Vec<NewEdge<'a>>,
    /// Edges that must say an id of their own from now on.
    named: Vec<(usize, EdgeId)>,
    /// Undirected edges become directed ones.
    directed: bool,
}

struct NewEdge<'a> {
    source: &'a NodeId,
    target: &'a NodeId,
    edge: &'a Edge,
    data: Vec<Change>,
}

/// An element that stays, with what the next reading must make of it.
struct Kept<'a> {
    place: usize,
    forward: &'a EdgeId,
    back: Option<&'a EdgeId>,
}

impl<'a> EdgePlan<'a> {
    pub(super) fn new(base: &'a Inner, flow: &'a Flow, style: &Style) -> Result<Self, WriteError> {
        let layout = &base.layout;
        let mut plan = Self {
            directed: becomes_directed(base, flow),
            ..Self::default()
        };
        let mut kept: Vec<Kept<'_>> = Vec::with_capacity(layout.edges.len());
        let mut matched: HashSet<&EdgeId> = HashSet::with_capacity(layout.edges.len());
        for (place, (element, ids)) in layout.edges.iter().zip(&base.edge_ids).enumerate() {
            let Some(forward) = &ids.forward else {
                // Left out because a node was missing. Were it there now, the file would say an
                // edge that the screen does not show.
                if [&element.source, &element.target]
                    .iter()
                    .all(|id| flow.graph.contains(id))
                {
                    plan.removed.push(place);
                }
                continue;
            };
            let Some(edge) = find(flow, forward, &element.source, &element.target) else {
                plan.removed.push(place);
                continue;
            };
            matched.insert(forward);
            let back = ids.back.as_ref().filter(|_| !plan.directed);
            matched.extend(back);
            kept.push(Kept {
                place,
                forward,
                back,
            });
            let was = base.flow.graph.edge(forward).map(|e| e.2.kind);
            if was != Some(edge.kind) {
                plan.changed.insert(place, vec![kind_change(edge)]);
            }
        }
        let kind_has_default = layout
            .key(Field::EdgeType)
            .is_some_and(|k| k.default.is_some());
        for (source, target, edge) in flow.graph.edges() {
            if matched.contains(&edge.id) {
                continue;
            }
            check_text(edge.id.as_str(), || "id of an edge".to_owned())?;
            let mut data = Vec::new();
            if style.edge_id_is_data {
                data.push((Field::EdgeId, Some(edge.id.to_string())));
            }
            if style.edge_type_is_said || kind_has_default || edge.kind != EdgeKind::Blocking {
                data.push(kind_change(edge));
            }
            plan.new.push(NewEdge {
                source: &source.id,
                target: &target.id,
                edge,
                data,
            });
        }
        if plan.directed || !plan.removed.is_empty() || !plan.new.is_empty() {
            plan.name_edges(base, &kept, style);
        }
        Ok(plan)
    }

    /// Ids made from the ends depend on the other edges. Those that the next reading would name
    /// differently get their id written down.
    fn name_edges(&mut self, base: &Inner, kept: &[Kept<'_>], style: &Style) {
        let layout = &base.layout;
        let mut explicit: Vec<Option<String>> = kept
            .iter()
            .map(|kept| layout.own_id(&base.text, &layout.edges[kept.place]))
            .collect();
        let mut written = vec![false; kept.len()];
        // Each round names some; a file that is still not settled after a few gets all written.
        const ROUNDS: usize = 4;
        for round in 0..=ROUNDS {
            let mut ends: Vec<Ends<'_>> = Vec::with_capacity(kept.len() + self.new.len());
            for (kept, explicit) in kept.iter().zip(&explicit) {
                let element = &layout.edges[kept.place];
                ends.push(Ends {
                    explicit: explicit.as_deref(),
                    source: &element.source,
                    target: &element.target,
                    both: kept.back.is_some(),
                });
            }
            ends.extend(self.new.iter().map(|new| Ends {
                explicit: Some(new.edge.id.as_str()),
                source: new.source,
                target: new.target,
                both: false,
            }));
            let (ids, _) = edge_ids(&ends);
            let mut settled = true;
            let mut wanted: Vec<usize> = Vec::new();
            for (i, (kept, ids)) in kept.iter().zip(&ids).enumerate() {
                if ids.forward.as_ref() != Some(kept.forward) || round == ROUNDS {
                    wanted.push(i);
                    settled = false;
                }
            }
            for i in wanted {
                explicit[i] = Some(kept[i].forward.to_string());
                written[i] = true;
            }
            if settled {
                break;
            }
        }
        for (kept, _) in kept.iter().zip(written).filter(|pair| pair.1) {
            let own = layout.own_id(&base.text, &layout.edges[kept.place]);
            if own.as_deref() != Some(kept.forward.as_str()) {
                self.name_edge(layout, kept.place, kept.forward, style);
            }
        }
    }

    /// Plans an id for an edge, where its file has ids.
    fn name_edge(&mut self, layout: &Layout, place: usize, id: &EdgeId, style: &Style) {
        let edge = &layout.edges[place];
        let in_data = Layout::find(layout.data_of(edge.data), Field::EdgeId).is_some();
        if edge.id.is_some() || !(style.edge_id_is_data || in_data) {
            self.named.push((place, id.clone()));
            return;
        }
        let change = (Field::EdgeId, Some(id.to_string()));
        self.changed.entry(place).or_default().push(change);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty()
            && self.removed.is_empty()
            && self.new.is_empty()
            && self.named.is_empty()
            && !self.directed
    }

    /// All data that will be set.
    pub(super) fn changes(&self) -> impl Iterator<Item = &Change> {
        let changed = self.changed.values().flatten();
        changed.chain(self.new.iter().flat_map(|edge| &edge.data))
    }

    /// Changes the elements that are there.
    pub(super) fn patch(
        &self,
        base: &Inner,
        style: &Style,
        key: &dyn Fn(Field) -> (String, bool),
        patches: &mut Patches<'_>,
    ) {
        let layout = &base.layout;
        // Attributes before data: both may stand at the end of the same start tag.
        for (place, id) in &self.named {
            let edge = &layout.edges[*place];
            let id = escape_attribute(id.as_str());
            match edge.id {
                Some(span) => patches.replace(span, id),
                None => patches.add_attribute(&edge.element, &format!("id=\"{id}\"")),
            }
        }
        for (place, changes) in &self.changed {
            let edge = &layout.edges[*place];
            let data = layout.data_of(edge.data);
            patches.change_data(("edge", &edge.element), data, changes, &style.edge, key);
        }
        for place in &self.removed {
            patches.remove(layout.edges[*place].element.span);
        }
        if self.directed {
            if let Some(span) = layout.graph.undirected {
                patches.replace(span, "directed");
            }
            let removed: HashSet<usize> = self.removed.iter().copied().collect();
            for (place, edge) in layout.edges.iter().enumerate() {
                if let Some((false, span)) = edge.directed
                    && !removed.contains(&place)
                {
                    patches.replace(span, "true");
                }
            }
        }
    }

    /// The elements of new edges.
    pub(super) fn new_elements(
        &self,
        style: &Style,
        key: &dyn Fn(Field) -> (String, bool),
    ) -> String {
        let mut out = String::new();
        for new in &self.new {
            let [source, target, id] = [
                new.source.as_str(),
                new.target.as_str(),
                new.edge.id.as_str(),
            ]
            .map(escape_attribute);
            let mut start = format!("edge source=\"{source}\" target=\"{target}\"");
            if !style.edge_id_is_data {
                start.push_str(&format!(" id=\"{id}\""));
            }
            let data = data_texts(&new.data, style, key);
            out.push_str(&style.element("edge", &start, &data, &style.edge));
        }
        out
    }
}

/// The flow's edge of this id, when it still joins these nodes.
fn find<'f>(flow: &'f Flow, id: &EdgeId, source: &NodeId, target: &NodeId) -> Option<&'f Edge> {
    let (s, t, edge) = flow.graph.edge(id)?;
    (s.id == *source && t.id == *target).then_some(edge)
}

/// An undirected edge can only say that both directions are there and alike. Any edit of edges in
/// such a file ends that.
fn becomes_directed(base: &Inner, flow: &Flow) -> bool {
    let layout = &base.layout;
    if !layout.edges.iter().any(|edge| layout.is_both(edge)) && layout.graph.undirected.is_none() {
        return false;
    }
    let was = &base.flow.graph;
    was.n_edges() != flow.graph.n_edges()
        || was.edges().any(|(source, target, edge)| {
            find(flow, &edge.id, &source.id, &target.id).is_none_or(|is| is.kind != edge.kind)
        })
}

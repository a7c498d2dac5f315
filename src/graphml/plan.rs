//! How a flow differs from the text it was read from: found before a byte of it is changed.

use std::collections::{HashMap, HashSet};

use super::change::{Change, check_text, flow_changes, node_changes};
use super::edge_plan::EdgePlan;
use super::element::Layout;
use super::error::WriteError;
use super::keys::Field;
use super::number::position_text;
use super::source::Inner;
use super::style::Style;
use crate::model::{Flow, Node, NodeId};

/// Everything that differs from the base.
#[derive(Default)]
pub(super) struct Plan<'a> {
    /// Data of the graph itself.
    pub(super) graph: Vec<Change>,
    /// By place in the layout.
    pub(super) nodes: Vec<(usize, Vec<Change>)>,
    /// The same.
    pub(super) removed_nodes: Vec<usize>,
    pub(super) new_nodes: Vec<(&'a Node, Vec<Change>)>,
    pub(super) edges: EdgePlan<'a>,
}

impl<'a> Plan<'a> {
    /// What makes `base` say `flow`.
    pub(super) fn new(base: &'a Inner, flow: &'a Flow, style: &Style) -> Result<Self, WriteError> {
        let layout = &base.layout;
        let has_wrapper = [Field::Wrapper, Field::Prefix, Field::Suffix]
            .into_iter()
            .any(|field| Layout::find(&layout.graph_data, field).is_some());
        let mut plan = Self {
            graph: flow_changes(&base.flow, flow, has_wrapper)?,
            edges: EdgePlan::new(base, flow, style)?,
            ..Self::default()
        };
        let mut known: HashSet<&NodeId> = HashSet::with_capacity(layout.nodes.len());
        let mut moved = false;
        for (place, element) in layout.nodes.iter().enumerate() {
            known.insert(&element.id);
            match (
                base.flow.graph.node(&element.id),
                flow.graph.node(&element.id),
            ) {
                (Some(was), Some(is)) => {
                    moved |= was.pos != is.pos;
                    // Most nodes were not touched and are still the same allocation.
                    if std::ptr::eq(was, is) {
                        continue;
                    }
                    let changes = node_changes(was, is, false)?;
                    if !changes.is_empty() {
                        plan.nodes.push((place, changes));
                    }
                }
                _ => plan.removed_nodes.push(place),
            }
        }
        for node in flow.graph.nodes() {
            if !known.contains(&node.id) {
                check_text(node.id.as_str(), || "id of a node".to_owned())?;
                let blank = Node::new(node.id.clone(), "", node.pos);
                plan.new_nodes
                    .push((node, node_changes(&blank, node, true)?));
            }
        }
        let reshaped = moved
            || !plan.removed_nodes.is_empty()
            || !plan.new_nodes.is_empty()
            || !plan.edges.is_empty();
        if reshaped && !base.placed.is_empty() {
            plan.pin_places(base, flow);
        }
        Ok(plan)
    }

    /// True when nothing differs.
    pub(super) fn is_empty(&self) -> bool {
        self.graph.is_empty()
            && self.nodes.is_empty()
            && self.removed_nodes.is_empty()
            && self.new_nodes.is_empty()
            && self.edges.is_empty()
    }

    /// All data that will be set.
    pub(super) fn changes(&self) -> impl Iterator<Item = &Change> {
        let nodes = self.nodes.iter().flat_map(|n| &n.1);
        let new_nodes = self.new_nodes.iter().flat_map(|n| &n.1);
        (self.graph.iter().chain(nodes).chain(new_nodes)).chain(self.edges.changes())
    }

    /// Writes the places that were made at reading: in the changed graph others would be made, and
    /// nodes would jump at the next opening.
    fn pin_places(&mut self, base: &Inner, flow: &Flow) {
        let placed: HashSet<&NodeId> = base.placed.iter().collect();
        let mut at: HashMap<usize, usize> = HashMap::new();
        for (i, (place, _)) in self.nodes.iter().enumerate() {
            at.insert(*place, i);
        }
        for (place, element) in base.layout.nodes.iter().enumerate() {
            let node = flow.graph.node(&element.id);
            let Some(node) = node.filter(|n| placed.contains(&n.id)) else {
                continue;
            };
            let i = *at.entry(place).or_insert_with(|| {
                self.nodes.push((place, Vec::new()));
                self.nodes.len() - 1
            });
            let changes = &mut self.nodes[i].1;
            for (field, value) in [(Field::X, node.pos.x), (Field::Y, node.pos.y)] {
                if !changes.iter().any(|change| change.0 == field) {
                    changes.push((field, Some(position_text(value))));
                }
            }
        }
    }
}

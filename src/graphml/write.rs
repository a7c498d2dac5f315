//! Flow to text: what differs from the text it was read from, and nothing else.

use super::change::Change;
use super::decode::{Encoding, declared_label, encode};
use super::element::Layout;
use super::error::WriteError;
use super::escape::{escape_attribute, forbidden_references, with_pictures};
use super::key_plan::KeyPlan;
use super::keys::Field;
use super::limits::{EDGES_MAX, FILE_BYTES_MAX, NODES_MAX};
use super::patch::Patches;
use super::plan::Plan;
use super::read::read_text;
use super::source::{Inner, Source};
use super::style::Style;
use crate::model::Flow;

const NEW_FILE: &str = "<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">
  <graph edgedefault=\"directed\" />
</graphml>
";

/// The bytes of a workfile that says `flow`. With a base, its text with only the differences
/// changed; a flow that was not edited gives the very bytes that were read. Results in the base
/// stay as they are. Positions that moved are written with two decimals: compare what was written
/// by [`super::same_meaning`].
pub fn write(flow: &Flow, base: Option<&Source>) -> Result<Vec<u8>, WriteError> {
    let new;
    let base = match base {
        Some(base) => base,
        None => {
            new = read_text(NEW_FILE).map_err(WriteError::Form)?.source;
            &new
        }
    };
    let bytes = Writing::new(&base.0, flow).write()?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(WriteError::TooLarge);
    }
    Ok(bytes)
}

/// The text of the base with other data at these places of its nodes, and else as it is.
pub(super) fn write_node_data(
    base: &Source,
    nodes: Vec<(usize, Vec<Change>)>,
) -> Result<Vec<u8>, WriteError> {
    let plan = Plan {
        nodes,
        ..Plan::default()
    };
    let bytes = Writing::new(&base.0, &base.0.flow).written(&plan)?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(WriteError::TooLarge);
    }
    Ok(bytes)
}

struct Writing<'a> {
    base: &'a Inner,
    flow: &'a Flow,
    style: Style,
}

impl<'a> Writing<'a> {
    fn new(base: &'a Inner, flow: &'a Flow) -> Self {
        let style = Style::of(&base.text, &base.layout);
        Self { base, flow, style }
    }

    fn write(&self) -> Result<Vec<u8>, WriteError> {
        self.written(&Plan::new(self.base, self.flow, &self.style)?)
    }

    fn written(&self, plan: &Plan<'a>) -> Result<Vec<u8>, WriteError> {
        let Inner {
            text,
            raw,
            encoding,
            bom,
            damaged,
            ..
        } = self.base;
        if plan.is_empty() {
            let same = raw.clone().or_else(|| encode(text, *encoding, *bom));
            return Ok(same.unwrap_or_else(|| text.clone().into_bytes()));
        }
        if *damaged {
            return Err(WriteError::Damaged);
        }
        let (nodes, edges) = (self.flow.graph.n_nodes(), self.flow.graph.n_edges());
        if nodes > NODES_MAX || edges > EDGES_MAX {
            return Err(WriteError::TooMany);
        }
        let mut out = healed(self.patched(plan));
        if let Some(bytes) = encode(&out, *encoding, *bom) {
            return Ok(bytes);
        }
        if let Some(label) = declared_label(&out) {
            out.replace_range(label, "utf-8");
        }
        encode(&out, Encoding::Utf8, false).ok_or(WriteError::TooLarge)
    }

    fn patched(&self, plan: &Plan<'a>) -> String {
        let Inner { text, layout, .. } = self.base;
        let keys = KeyPlan::new(self.base, plan);
        let key = |field| keys.of(field);
        let style = &self.style;
        let mut patches = Patches::new(text, style);
        keys.declare(self.base, style, &mut patches);

        for (place, changes) in &plan.nodes {
            let node = &layout.nodes[*place];
            let data = layout.data_of(node.data);
            patches.change_data(("node", &node.element), data, changes, &style.node, &key);
        }
        for place in &plan.removed_nodes {
            patches.remove(layout.nodes[*place].element.span);
        }
        plan.edges.patch(self.base, style, &key, &mut patches);

        // What is new in the graph: its own data, then nodes, then edges.
        let graph = &layout.graph.element;
        let new_data = self.new_graph_data(plan, &key, &mut patches);
        let mut new_nodes = String::new();
        for (node, changes) in &plan.new_nodes {
            let start = format!("node id=\"{}\"", escape_attribute(node.id.as_str()));
            new_nodes.push_str(&style.element(
                "node",
                &start,
                &data_texts(changes, style, &key),
                &style.node,
            ));
        }
        let new_edges = plan.edges.new_elements(style, &key);
        let last_data = layout.graph_data.last().map(|d| d.element.span);
        let last_node = layout.nodes.last().map(|n| n.element.span);
        let last_edge = layout.edges.last().map(|e| e.element.span);
        // Data at the end of the graph is how the newest files have it: nodes go before it.
        let before_nodes =
            last_data.filter(|d| last_edge.or(last_node).is_none_or(|l| l.start > d.start));
        let data_at = last_data;
        let node_at = last_node.or(before_nodes);
        let edge_at = last_edge.or(node_at);
        if data_at.is_none() && node_at.is_none() && edge_at.is_none() {
            let all = new_data + &new_nodes + &new_edges;
            if !all.is_empty() {
                patches.add_child(graph, None, &all, &style.graph, "graph");
            }
        } else {
            for (at, new) in [
                (data_at, new_data),
                (node_at, new_nodes),
                (edge_at, new_edges),
            ] {
                if !new.is_empty() {
                    patches.add_child(graph, at, &new, &style.graph, "graph");
                }
            }
        }
        patches.apply()
    }

    /// Changes the graph's own data in place; gives back what is to be added.
    fn new_graph_data(
        &self,
        plan: &Plan<'a>,
        key: &dyn Fn(Field) -> (String, bool),
        patches: &mut Patches<'_>,
    ) -> String {
        let layout = &self.base.layout;
        let there = |field: &Field| Layout::find(&layout.graph_data, *field).is_some();
        let (change, add): (Vec<Change>, Vec<Change>) = plan
            .graph
            .iter()
            .cloned()
            .partition(|change| there(&change.0));
        let graph = ("graph", &layout.graph.element);
        patches.change_data(graph, &layout.graph_data, &change, &self.style.graph, key);
        let texts = data_texts(&add, &self.style, key);
        texts.iter().fold(String::new(), |out, text| {
            out + &self.style.graph.data + text
        })
    }
}

/// A text that other programs can open: what XML does not allow becomes visible signs.
fn healed(text: String) -> String {
    let text = match with_pictures(&text) {
        std::borrow::Cow::Borrowed(_) => text,
        std::borrow::Cow::Owned(healed) => healed,
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, sign) in forbidden_references(&text) {
        out.push_str(&text[at..range.start]);
        out.push(sign);
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// The data elements of a new element.
pub(super) fn data_texts(
    changes: &[Change],
    style: &Style,
    key: &dyn Fn(Field) -> (String, bool),
) -> Vec<String> {
    let text = |(field, value): &Change| {
        let (key, has_default) = key(*field);
        match value {
            Some(value) => Some(style.data(&key, value)),
            None => has_default.then(|| style.data(&key, field.nothing())),
        }
    };
    changes.iter().filter_map(text).collect()
}

//! Flow to text: what differs from the text it was read from, and nothing else.

use std::collections::{HashMap, HashSet};

use super::decode::{Encoding, declared_label, encode};
use super::edge_plan::EdgePlan;
use super::element::Layout;
use super::escape::{escape_attribute, forbidden_in, forbidden_references, with_pictures};
use super::frames::frames_text;
use super::keys::{Domain, Field};
use super::limits::{EDGES_MAX, FILE_BYTES_MAX, NODES_MAX, TEXT_BYTES_MAX};
use super::number::{position_text, rounded, seconds_text};
use super::patch::{Change, Patches};
use super::read::{ReadError, defaults, read_text};
use super::source::{Inner, Source};
use super::style::Style;
use super::warning::shown;
use crate::model::{
    Edge, EdgeKind, EdgeSpec, Env, Flow, Frame, Node, NodeId, Point, Rect, Trigger, Wrapper,
};

/// Why a flow cannot be written; what it was read from is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what the variant is")]
pub enum WriteError {
    #[error(
        "the {what} holds the control character U+{code:04X}, which XML cannot hold; take it out"
    )]
    Character { what: String, code: u32 },
    #[error("the {what} is longer than 16 MiB; shorten it")]
    TooLong { what: String },
    #[error("the {what} has a name or value that is not one line of NAME=value; mend it")]
    Env { what: String },
    #[error("more than 200 000 nodes or 1 000 000 edges; split the flow")]
    TooMany,
    #[error("the workfile would be larger than 64 MiB; take logs and other results out of it")]
    TooLarge,
    #[error("the workfile is damaged, and saving would make that final; save as a new file")]
    Damaged,
    #[error("the form of a new file cannot be read: {0}")]
    Form(ReadError),
}

const NEW_FILE: &str = "<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">
  <graph edgedefault=\"directed\" />
</graphml>
";

/// The bytes of a workfile that says `flow`. With a base, its text with only the differences
/// changed; a flow that was not edited gives the very bytes that were read. Results in the base
/// stay as they are. Positions that moved are written with two decimals: compare what was written
/// by [`same_meaning`].
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

/// The chosen nodes and the edges between them as GraphML text, for the clipboard. What XML cannot
/// hold is shown by visible signs.
pub fn subgraph_text(flow: &Flow, nodes: &[NodeId]) -> String {
    let mut part = Flow::default();
    for id in nodes {
        if let Some(node) = flow.graph.node(id) {
            let mut node = node.clone();
            for text in [&mut node.title, &mut node.command, &mut node.cwd] {
                *text = with_pictures(text).into_owned();
            }
            node.env = Env::parse(&with_pictures(&node.env.to_text())).0;
            // A node named twice is copied once.
            part.graph.add_node(node).unwrap_or_default();
        }
    }
    for (source, target, edge) in flow.graph.edges() {
        if part.graph.contains(&source.id) && part.graph.contains(&target.id) {
            let spec = EdgeSpec {
                edge: edge.clone(),
                source: source.id.clone(),
                target: target.id.clone(),
            };
            part.graph.add_edge(spec).unwrap_or_default();
        }
    }
    let bytes = write(&part, None).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// True when two flows say the same as far as a file can: positions to two decimals, and no
/// wrapper, an empty one and `{}` being one thing.
pub fn same_meaning(a: &Flow, b: &Flow) -> bool {
    plain(a) == plain(b)
}

fn plain(flow: &Flow) -> Flow {
    let point = |p: Point| Point {
        x: rounded(p.x),
        y: rounded(p.y),
    };
    let mut out = flow.clone();
    out.wrapper = template(flow).map(Wrapper::new);
    for frame in &mut out.frames {
        let Rect { x, y, w, h } = frame.rect;
        let [x, y, w, h] = [x, y, w, h].map(rounded);
        frame.rect = Rect { x, y, w, h };
    }
    for node in flow.graph.nodes() {
        if let Ok(node) = out.graph.node_mut(&node.id) {
            node.pos = point(node.pos);
            node.timeout = node.timeout.filter(|t| !t.is_zero());
        }
    }
    out
}

fn template(flow: &Flow) -> Option<&str> {
    let template = flow.wrapper.as_ref().map(Wrapper::template);
    template.filter(|text| !matches!(*text, "" | "{}"))
}

/// Everything that differs from the base.
#[derive(Default)]
struct Plan<'a> {
    graph: Vec<Change>,
    /// By place in the layout.
    nodes: Vec<(usize, Vec<Change>)>,
    removed_nodes: Vec<usize>,
    new_nodes: Vec<(&'a Node, Vec<Change>)>,
    edges: EdgePlan<'a>,
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
        let Inner {
            text,
            raw,
            encoding,
            bom,
            damaged,
            ..
        } = self.base;
        let plan = self.plan()?;
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
        let mut out = healed(self.patched(&plan));
        if let Some(bytes) = encode(&out, *encoding, *bom) {
            return Ok(bytes);
        }
        if let Some(label) = declared_label(&out) {
            out.replace_range(label, "utf-8");
        }
        encode(&out, Encoding::Utf8, false).ok_or(WriteError::TooLarge)
    }

    fn plan(&self) -> Result<Plan<'a>, WriteError> {
        let layout = &self.base.layout;
        let mut plan = Plan {
            graph: self.graph_changes()?,
            edges: EdgePlan::new(self.base, self.flow, &self.style)?,
            ..Plan::default()
        };
        let mut known: HashSet<&NodeId> = HashSet::with_capacity(layout.nodes.len());
        let mut moved = false;
        for (place, element) in layout.nodes.iter().enumerate() {
            known.insert(&element.id);
            match (
                self.base.flow.graph.node(&element.id),
                self.flow.graph.node(&element.id),
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
        for node in self.flow.graph.nodes() {
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
        if reshaped && !self.base.placed.is_empty() {
            self.pin_places(&mut plan);
        }
        Ok(plan)
    }

    /// Writes the places that were made at reading: in the changed graph others would be made, and
    /// nodes would jump at the next opening.
    fn pin_places(&self, plan: &mut Plan<'a>) {
        let placed: HashSet<&NodeId> = self.base.placed.iter().collect();
        let mut at: HashMap<usize, usize> = HashMap::new();
        for (i, (place, _)) in plan.nodes.iter().enumerate() {
            at.insert(*place, i);
        }
        for (place, element) in self.base.layout.nodes.iter().enumerate() {
            let node = self.flow.graph.node(&element.id);
            let Some(node) = node.filter(|n| placed.contains(&n.id)) else {
                continue;
            };
            let i = *at.entry(place).or_insert_with(|| {
                plan.nodes.push((place, Vec::new()));
                plan.nodes.len() - 1
            });
            let changes = &mut plan.nodes[i].1;
            for (field, value) in [(Field::X, node.pos.x), (Field::Y, node.pos.y)] {
                if !changes.iter().any(|change| change.0 == field) {
                    changes.push((field, Some(position_text(value))));
                }
            }
        }
    }

    fn graph_changes(&self) -> Result<Vec<Change>, WriteError> {
        let (was, is) = (&self.base.flow, self.flow);
        let mut changes = Vec::new();
        for (field, was, is) in [
            (Field::FlowTitle, &was.title, &is.title),
            (Field::Group, &was.group, &is.group),
        ] {
            text_change(&mut changes, field, was, is, || {
                format!("{} of the flow", field.name())
            })?;
        }
        if was.trigger != is.trigger {
            // By hand is what the absence says.
            let word = (is.trigger != Trigger::default()).then(|| is.trigger.word().to_owned());
            changes.push((Field::Trigger, word));
        }
        if template(was) != template(is) {
            let there = [Field::Wrapper, Field::Prefix, Field::Suffix]
                .iter()
                .any(|field| Layout::find(&self.base.layout.graph_data, *field).is_some());
            // Leaving it out would bring an older prefix back.
            let new = template(is).or(there.then_some("{}"));
            if let Some(new) = new {
                check_text(new, || "wrapper of the flow".to_owned())?;
            }
            changes.push((Field::Wrapper, new.map(str::to_owned)));
        }
        for (field, was, is) in [
            (Field::Shell, &was.shell, &is.shell),
            (Field::FlowCwd, &was.cwd, &is.cwd),
        ] {
            text_change(&mut changes, field, was, is, || {
                format!("{} of the flow", field.name())
            })?;
        }
        env_change(&mut changes, Field::FlowEnv, &was.env, &is.env, || {
            "env of the flow".to_owned()
        })?;
        for (field, was, is) in [
            (Field::MaxPasses, was.max_passes, is.max_passes),
            (Field::JobsMax, was.jobs_max, is.jobs_max),
        ] {
            if was != is {
                changes.push((field, is.map(|n| n.to_string())));
            }
        }
        if !same_frames(&was.frames, &is.frames) {
            let text = frames_text(&is.frames);
            check_text(&text, || "text of a frame".to_owned())?;
            changes.push((Field::Frames, Some(text).filter(|text| !text.is_empty())));
        }
        Ok(changes)
    }

    fn patched(&self, plan: &Plan<'a>) -> String {
        let Inner { text, layout, .. } = self.base;
        let keys = Keys::new(self.base, plan);
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

impl Plan<'_> {
    fn is_empty(&self) -> bool {
        self.graph.is_empty()
            && self.nodes.is_empty()
            && self.removed_nodes.is_empty()
            && self.new_nodes.is_empty()
            && self.edges.is_empty()
    }

    /// All data that will be set, with their domain.
    fn changes(&self) -> impl Iterator<Item = &Change> {
        let nodes = self.nodes.iter().flat_map(|n| &n.1);
        let new_nodes = self.new_nodes.iter().flat_map(|n| &n.1);
        (self.graph.iter().chain(nodes).chain(new_nodes)).chain(self.edges.changes())
    }
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

/// Keys of the base and those it lacks.
struct Keys {
    ids: HashMap<Field, (String, bool)>,
    new: Vec<(Field, String)>,
    /// Keys whose declared type does not admit a new value: place in the layout, wider type.
    widened: Vec<(usize, &'static str)>,
}

impl Keys {
    fn new(base: &Inner, plan: &Plan<'_>) -> Self {
        let layout = &base.layout;
        let mut keys = Self {
            ids: HashMap::new(),
            new: Vec::new(),
            widened: Vec::new(),
        };
        let mut places: HashMap<Field, Vec<usize>> = HashMap::new();
        for domain in [Domain::Graph, Domain::Node, Domain::Edge] {
            let defaults = defaults(layout, domain);
            for (place, key) in layout.keys.iter().enumerate() {
                if let Some(field) = key.field(domain) {
                    places.entry(field).or_default().push(place);
                    let has_default = defaults.iter().any(|d| d.0 == field);
                    keys.ids
                        .entry(field)
                        .or_insert_with(|| (key.id.clone(), has_default));
                }
            }
        }
        let mut missing: Vec<Field> = Vec::new();
        let mut kinds: HashMap<usize, &'static str> = HashMap::new();
        for (field, value) in plan.changes() {
            let Some(value) = value else { continue };
            if !keys.ids.contains_key(field) {
                missing.push(*field);
                keys.ids.insert(*field, (String::new(), false));
                continue;
            }
            for &place in places.get(field).map_or(&[][..], Vec::as_slice) {
                let Some((kind, _)) = &layout.keys[place].kind else {
                    continue;
                };
                let kind = kinds.get(&place).copied().unwrap_or(kind);
                if let Some(wider) = wider_type(kind, value) {
                    kinds.insert(place, wider);
                }
            }
        }
        keys.widened = kinds.into_iter().collect();
        keys.widened.sort_unstable();
        missing.sort_unstable();
        let taken: HashSet<&str> = layout.keys.iter().map(|k| k.id.as_str()).collect();
        let mut n = 0_u32;
        for field in missing {
            let id = loop {
                let id = format!("d{n}");
                n += 1;
                if !taken.contains(id.as_str()) {
                    break id;
                }
            };
            keys.ids.insert(field, (id.clone(), false));
            keys.new.push((field, id));
        }
        keys
    }

    fn of(&self, field: Field) -> (String, bool) {
        self.ids.get(&field).cloned().unwrap_or_default()
    }

    fn declare(&self, base: &Inner, style: &Style, patches: &mut Patches<'_>) {
        let layout = &base.layout;
        for (place, wider) in &self.widened {
            if let Some((_, span)) = &layout.keys[*place].kind {
                patches.replace(*span, *wider);
            }
        }
        let mut new = String::new();
        for (field, id) in &self.new {
            new.push_str(&style.key_lead);
            new.push_str(&style.key(id, *field));
        }
        if !new.is_empty() {
            let last = layout.keys.last().map(|k| k.element.span);
            patches.add_child(&layout.root, last, &new, &style.graph, "graphml");
        }
    }
}

/// The type a key must have to admit `value`, when its own does not: NetworkX fails on a file that
/// declares `long` and says `1.5`.
fn wider_type(kind: &str, value: &str) -> Option<&'static str> {
    let value = value.trim();
    let is_float = value.parse::<f64>().is_ok();
    match kind {
        "int" | "integer" | "long" if value.parse::<i64>().is_ok() => None,
        "int" | "integer" | "long" if is_float => Some("double"),
        "float" | "double" if is_float => None,
        "boolean" if matches!(value, "true" | "false" | "0" | "1") => None,
        "int" | "integer" | "long" | "float" | "double" | "boolean" => Some("string"),
        _ => None,
    }
}

/// What to set on a node's element. A new one says its command and place in any case.
fn node_changes(was: &Node, is: &Node, new: bool) -> Result<Vec<Change>, WriteError> {
    let mut changes: Vec<Change> = Vec::new();
    let what = |name: &str| format!("{name} of node {}", shown(is.id.as_str()));
    if new || was.command != is.command {
        check_text(&is.command, || what("command"))?;
        changes.push((Field::Label, Some(is.command.clone())));
    }
    for (field, was, is) in [
        (Field::X, was.pos.x, is.pos.x),
        (Field::Y, was.pos.y, is.pos.y),
    ] {
        #[expect(
            clippy::float_cmp,
            reason = "a value is unchanged only when it is the same value"
        )]
        if new || (was != is && was != rounded(is)) {
            changes.push((field, Some(position_text(is))));
        }
    }
    text_change(&mut changes, Field::Title, &was.title, &is.title, || {
        what("title")
    })?;
    if was.disabled != is.disabled {
        changes.push((Field::Disabled, is.disabled.then(|| "true".to_owned())));
    }
    text_change(&mut changes, Field::Cwd, &was.cwd, &is.cwd, || what("cwd"))?;
    env_change(&mut changes, Field::Env, &was.env, &is.env, || what("env"))?;
    let timeout = |node: &Node| node.timeout.filter(|t| !t.is_zero());
    if timeout(was) != timeout(is) {
        changes.push((Field::Timeout, timeout(is).map(seconds_text)));
    }
    if was.retries != is.retries {
        let retries = (is.retries > 0).then(|| is.retries.to_string());
        changes.push((Field::Retries, retries));
    }
    if was.retry_delay != is.retry_delay {
        let delay = (!is.retry_delay.is_zero()).then(|| seconds_text(is.retry_delay));
        changes.push((Field::RetryDelay, delay));
    }
    Ok(changes)
}

fn text_change(
    changes: &mut Vec<Change>,
    field: Field,
    was: &str,
    is: &str,
    what: impl Fn() -> String,
) -> Result<(), WriteError> {
    if was != is {
        check_text(is, what)?;
        changes.push((field, (!is.is_empty()).then(|| is.to_owned())));
    }
    Ok(())
}

fn env_change(
    changes: &mut Vec<Change>,
    field: Field,
    was: &Env,
    is: &Env,
    what: impl Fn() -> String,
) -> Result<(), WriteError> {
    if was != is {
        let text = is.to_text();
        check_text(&text, &what)?;
        if Env::parse(&text) != (is.clone(), Vec::new()) {
            return Err(WriteError::Env { what: what() });
        }
        changes.push((field, (!text.is_empty()).then_some(text)));
    }
    Ok(())
}

/// Refuses what would not be read back: never write what we cannot read.
pub(super) fn check_text(text: &str, what: impl Fn() -> String) -> Result<(), WriteError> {
    if let Some((at, _)) = forbidden_in(text) {
        let code = text[at..].chars().next().map_or(0, u32::from);
        return Err(WriteError::Character { what: what(), code });
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(WriteError::TooLong { what: what() });
    }
    Ok(())
}

fn same_frames(a: &[Frame], b: &[Frame]) -> bool {
    a == b || frames_text(a) == frames_text(b)
}

/// A text that other programs can open: what XML does not allow becomes visible signs.
fn healed(text: String) -> String {
    let text = match with_pictures(&text) {
        std::borrow::Cow::Borrowed(_) => text,
        std::borrow::Cow::Owned(healed) => healed,
    };
    // Inside CDATA a reference is plain text and must stay.
    if text.contains("<![CDATA[") {
        return text;
    }
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

/// The word of an edge's kind.
pub(super) fn kind_word(edge: &Edge) -> &'static str {
    match edge.kind {
        EdgeKind::Blocking => "blocking",
        EdgeKind::NonBlocking => "non-blocking",
    }
}

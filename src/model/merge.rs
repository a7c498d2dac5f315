//! Two versions of a flow that grew from one, made into one (three-way merge).
//!
//! Pure and total: whatever the three flows are, the result is a flow in which every edge has its ends.
//! The rules:
//! - what one side changed is taken, whichever side it was;
//! - the same field changed on both sides is a conflict, ours until somebody picks;
//! - removed here and edited there is a conflict, the edited one until somebody picks. An edge that was joined
//!   to a node counts as an edit of it; a move does not;
//! - places are never a conflict: where both moved a thing, ours holds;
//! - an id that both gave to different new things stays with theirs, ours becomes `id~2`;
//! - blocking edges of both that together form a circle are a conflict;
//! - the order of nodes, edges and frames is theirs.
//!
//! The window merges what another program wrote into what is on the screen, and restored edits into a file that
//! moved on; the command line is a merge driver for git. Edges without an id of their own have one made from
//! their ends (`graphml`), so the id is the key for them too.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::change::{near, near_rect, of_edge, of_frame, of_node};
use super::fields::{Field, OF_EDGE, OF_FLOW, OF_FRAME, OF_NODE};
use super::{
    Change, Edge, EdgeId, EdgeKind, EdgeSpec, Env, Flow, Frame, FrameId, Graph, Node, NodeId,
    Subject, changes,
};

/// One of the two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// What is here: on the screen, on this branch.
    Ours,
    /// What came: from the disk, from the other branch.
    Theirs,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Ours => Self::Theirs,
            Self::Theirs => Self::Ours,
        }
    }
}

/// Which conflict, the same each time the same three flows are merged.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    kind: &'static str,
    id: String,
    field: &'static str,
}

/// What somebody picked; a conflict that is not named takes its default.
pub type Picks = BTreeMap<Key, Side>;

/// Something on which both versions differ from the base, each in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Which.
    pub key: Key,
    /// What it is about.
    pub subject: Subject,
    /// Which field; empty when one side removed the whole thing.
    pub field: &'static str,
    /// What it is with us; `None` when we removed it.
    pub ours: Option<String>,
    /// What it is with them; `None` when they removed it.
    pub theirs: Option<String>,
    /// Which of them the result holds.
    pub pick: Side,
}

/// A thing of ours that got another id because theirs has it too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// As it was called.
    pub from: String,
    /// As it is called in the result.
    pub to: String,
}

/// What came of a merge.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The flow of both.
    pub flow: Flow,
    /// What had to be picked, in the order of the flow.
    pub conflicts: Vec<Conflict>,
    /// Our things that got another id.
    pub renamed: Vec<Renamed>,
}

impl Merged {
    /// What the merge brought to `ours`, for a person.
    pub fn came(&self, ours: &Flow) -> Vec<Change> {
        changes(ours, &self.flow)
    }
}

/// Merges with the default of each conflict.
pub fn merge(base: &Flow, ours: &Flow, theirs: &Flow) -> Merged {
    merge_with(base, ours, theirs, &Picks::new())
}

/// Merges with what somebody picked.
pub fn merge_with(base: &Flow, ours: &Flow, theirs: &Flow, picks: &Picks) -> Merged {
    let mut merger = Merger {
        base,
        ours,
        theirs,
        picks,
        conflicts: Vec::new(),
        renamed: Vec::new(),
    };
    let mut flow = merger.flow_fields();
    let new_ids = merger.nodes(&mut flow.graph);
    let edge_ids = merger.edges(&mut flow.graph, &new_ids);
    merger.break_circles(&mut flow.graph, &edge_ids);
    flow.frames = merger.frames();
    Merged {
        flow,
        conflicts: merger.conflicts,
        renamed: merger.renamed,
    }
}

/// A base for two versions of which nobody knows what they grew from: what both hold alike is old, what only one
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
    let fits = |of: &super::Trigger| match alike {
        true => *of == ours.trigger,
        false => *of != ours.trigger && *of != theirs.trigger,
    };
    let trigger = super::Trigger::ALL
        .into_iter()
        .find(fits)
        .unwrap_or_default();
    let mut base = Flow {
        title: text(&ours.title, &theirs.title),
        group: text(&ours.group, &theirs.group),
        trigger,
        wrapper: match ours.wrapper == theirs.wrapper {
            true => ours.wrapper.clone(),
            false => Some(super::Wrapper::new(UNKNOWN)),
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

struct Merger<'a> {
    base: &'a Flow,
    ours: &'a Flow,
    theirs: &'a Flow,
    picks: &'a Picks,
    conflicts: Vec<Conflict>,
    renamed: Vec<Renamed>,
}

impl<'a> Merger<'a> {
    /// A conflict; gives the side that the result holds.
    fn conflict(
        &mut self,
        (kind, id, field): (&'static str, &str, &'static str),
        subject: Subject,
        (ours, theirs): (Option<String>, Option<String>),
        default: Side,
    ) -> Side {
        let id = id.to_owned();
        let key = Key { kind, id, field };
        let pick = self.picks.get(&key).copied().unwrap_or(default);
        self.conflicts.push(Conflict {
            key,
            subject,
            field,
            ours,
            theirs,
            pick,
        });
        pick
    }

    /// Each field of the table: whoever changed it, else a conflict. `into` begins as ours.
    fn fields<T>(
        &mut self,
        table: &[Field<T>],
        (base, ours, theirs): (&T, &T, &T),
        into: &mut T,
        (kind, id): (&'static str, &str),
        subject: impl Fn() -> Subject,
    ) {
        for field in table {
            let unchanged = (field.same)(theirs, base) || (field.same)(theirs, ours);
            let take_theirs = !unchanged
                && ((field.same)(ours, base) || {
                    let values = (Some((field.text)(ours)), Some((field.text)(theirs)));
                    let what = (kind, id, field.name);
                    self.conflict(what, subject(), values, Side::Ours) == Side::Theirs
                });
            if take_theirs {
                (field.copy)(into, theirs);
            }
        }
    }

    fn flow_fields(&mut self) -> Flow {
        let (base, ours, theirs) = (self.base, self.ours, self.theirs);
        let mut flow = Flow {
            graph: Graph::default(),
            frames: Vec::new(),
            // Copied without its graph, which may be large.
            title: ours.title.clone(),
            group: ours.group.clone(),
            trigger: ours.trigger,
            wrapper: ours.wrapper.clone(),
            shell: ours.shell.clone(),
            cwd: ours.cwd.clone(),
            env: ours.env.clone(),
            max_passes: ours.max_passes,
            jobs_max: ours.jobs_max,
        };
        let what = ("flow", "");
        let three = (base, ours, theirs);
        self.fields(OF_FLOW, three, &mut flow, what, || Subject::Flow);
        flow
    }

    /// Fills the nodes; gives the new ids of ours that had to be renamed.
    fn nodes(&mut self, into: &mut Graph) -> HashMap<NodeId, NodeId> {
        let (base, ours, theirs) = (self.base, self.ours, self.theirs);
        let (we_joined, they_joined) = (joined(base, ours), joined(base, theirs));
        let mut new_ids = HashMap::new();
        let mut late = Vec::new();
        for their in theirs.graph.nodes() {
            let id = &their.id;
            let node = match (base.graph.node(id), ours.graph.node(id)) {
                (Some(old), Some(our)) => Some(self.node(old, our, their)),
                (None, None) => Some(their.clone()),
                (None, Some(our)) if same_but_place(our, their) => Some(our.clone()),
                (None, Some(our)) => {
                    late.push(our);
                    Some(their.clone())
                }
                (Some(old), None) => {
                    let edited = !same_but_place(old, their) || they_joined.contains(id);
                    let keep = edited && {
                        let values = (None, Some(their.command.clone()));
                        let what = ("node", id.as_str(), "");
                        self.conflict(what, of_node(their), values, Side::Theirs) == Side::Theirs
                    };
                    keep.then(|| their.clone())
                }
            };
            add(into, node);
        }
        for our in ours.graph.nodes() {
            if theirs.graph.contains(&our.id) {
                continue;
            }
            let node = match base.graph.node(&our.id) {
                None => Some(our.clone()),
                Some(old) => {
                    let edited = !same_but_place(old, our) || we_joined.contains(&our.id);
                    let keep = edited && {
                        let values = (Some(our.command.clone()), None);
                        let what = ("node", our.id.as_str(), "");
                        self.conflict(what, of_node(our), values, Side::Ours) == Side::Ours
                    };
                    keep.then(|| our.clone())
                }
            };
            add(into, node);
        }
        // When all other names are known.
        for our in late {
            let is_free = |id: &NodeId| {
                !into.contains(id) && !ours.graph.contains(id) && !base.graph.contains(id)
            };
            let Some(id) = numbered(our.id.as_str())
                .map(NodeId::new)
                .find(|id| is_free(id))
            else {
                continue;
            };
            self.note_rename(our.id.as_str(), id.as_str());
            let node = Node {
                id: id.clone(),
                ..our.clone()
            };
            add(into, Some(node));
            new_ids.insert(our.id.clone(), id);
        }
        new_ids
    }

    fn note_rename(&mut self, from: &str, to: &str) {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.renamed.push(Renamed { from, to });
    }

    /// A node that all three have.
    fn node(&mut self, base: &Node, ours: &Node, theirs: &Node) -> Node {
        let mut node = ours.clone();
        let what = ("node", theirs.id.as_str());
        let subject = || of_node(ours);
        self.fields(OF_NODE, (base, ours, theirs), &mut node, what, subject);
        if takes_theirs(&base.pos, &ours.pos, &theirs.pos, |a, b| near(*a, *b)) {
            node.pos = theirs.pos;
        }
        node
    }

    /// Fills the edges; gives the ids that ours have in the result.
    fn edges(
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

    /// Edges of both that together block each other in a circle, which neither had alone.
    fn break_circles(&mut self, graph: &mut Graph, our_ids: &HashMap<EdgeId, EdgeId>) {
        let had = |flow: &Flow| flow.graph.blocking_circle().is_some();
        if had(self.ours) || had(self.theirs) {
            // Somebody drew one on purpose; a run says so.
            return;
        }
        let our_ids: HashMap<&EdgeId, &EdgeId> =
            our_ids.iter().map(|(was, is)| (is, was)).collect();
        while let Some(circle) = graph.blocking_circle() {
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
            let mine: Vec<EdgeId> = circle.iter().filter(ours_only).cloned().collect();
            let others: Vec<EdgeId> = circle.iter().filter(theirs_only).cloned().collect();
            let words = |ids: &[EdgeId]| {
                let ways = ids.iter().filter_map(ends);
                let words: Vec<String> = ways.map(|(from, to)| format!("{from} → {to}")).collect();
                Some(words.join(", "))
            };
            let mut names: Vec<String> = circle
                .iter()
                .filter_map(|id| {
                    graph
                        .edge(id)
                        .map(|(source, _, _)| source.name().to_owned())
                })
                .collect();
            names.extend(names.first().cloned());
            let mut ids: Vec<&str> = circle.iter().map(EdgeId::as_str).collect();
            ids.sort_unstable();
            let (id, values) = (ids.join("\n"), (words(&mine), words(&others)));
            let what = ("circle", id.as_str(), "edges");
            let pick = self.conflict(what, Subject::Circle(names), values, Side::Ours);
            let loser = match pick {
                Side::Ours => others,
                Side::Theirs => mine,
            };
            // A circle that neither had alone has an edge of each; should that ever be wrong, all of
            // it goes rather than this never ending.
            let loser = if loser.is_empty() { circle } else { loser };
            for id in loser {
                graph.remove_edge(&id).ok();
            }
        }
    }

    fn frames(&mut self) -> Vec<Frame> {
        let (base, ours, theirs) = (self.base, self.ours, self.theirs);
        let in_theirs = by_id(&theirs.frames);
        let (in_base, in_ours) = (by_id(&base.frames), by_id(&ours.frames));
        let ids = |flow: &'a Flow| flow.frames.iter().map(|frame| &frame.id);
        // Back to front is theirs, unless they left it alone.
        let order: Vec<&FrameId> = if ids(theirs).eq(ids(base)) {
            ids(ours).chain(ids(theirs)).collect()
        } else {
            ids(theirs).chain(ids(ours)).collect()
        };
        let mut seen = HashSet::new();
        let mut frames: Vec<Frame> = Vec::new();
        let mut late = Vec::new();
        for id in order {
            if !seen.insert(id) {
                continue;
            }
            let three = (in_base.get(id), in_ours.get(id), in_theirs.get(id));
            let text = |frame: &Frame| Some(format!("{} {}", frame.title, frame.text));
            let what = ("frame", id.0.as_str(), "");
            let frame = match three {
                (Some(old), Some(our), Some(their)) => Some(self.frame(old, our, their)),
                (None, Some(one), None) | (None, None, Some(one)) => Some((*one).clone()),
                (None, Some(our), Some(their)) => {
                    if !same_frame(our, their) {
                        late.push(*our);
                        Some((*their).clone())
                    } else {
                        Some((*our).clone())
                    }
                }
                (Some(old), Some(our), None) => {
                    let keep = !same_frame(old, our)
                        && self.conflict(what, of_frame(our), (text(our), None), Side::Ours)
                            == Side::Ours;
                    keep.then(|| (*our).clone())
                }
                (Some(old), None, Some(their)) => {
                    let keep = !same_frame(old, their)
                        && self.conflict(what, of_frame(their), (None, text(their)), Side::Theirs)
                            == Side::Theirs;
                    keep.then(|| (*their).clone())
                }
                (_, None, None) => None,
            };
            frames.extend(frame);
        }
        for our in late {
            let taken = |id: &FrameId| {
                frames.iter().any(|frame| frame.id == *id)
                    || in_ours.contains_key(id)
                    || in_base.contains_key(id)
            };
            let Some(id) = numbered(&our.id.0).map(FrameId).find(|id| !taken(id)) else {
                continue;
            };
            self.note_rename(&our.id.0, &id.0);
            frames.push(Frame { id, ..our.clone() });
        }
        frames
    }

    fn frame(&mut self, base: &Frame, ours: &Frame, theirs: &Frame) -> Frame {
        let mut frame = ours.clone();
        let what = ("frame", theirs.id.0.as_str());
        let subject = || of_frame(ours);
        self.fields(OF_FRAME, (base, ours, theirs), &mut frame, what, subject);
        if takes_theirs(&base.rect, &ours.rect, &theirs.rect, |a, b| {
            near_rect(*a, *b)
        }) {
            frame.rect = theirs.rect;
        }
        frame
    }
}

/// Whether a place is theirs. What lies nearer than a file can tell has not moved.
fn takes_theirs<T: PartialEq>(base: &T, ours: &T, theirs: &T, near: fn(&T, &T) -> bool) -> bool {
    match (near(base, ours), near(base, theirs)) {
        (false, _) => false,
        (true, false) => true,
        (true, true) => ours == base,
    }
}

/// Nodes that an edge was joined to: a new one, or one that changed.
fn joined<'a>(base: &Flow, side: &'a Flow) -> HashSet<&'a NodeId> {
    let mut nodes = HashSet::new();
    for (source, target, edge) in side.graph.edges() {
        let is_old = base.graph.edge(&edge.id).is_some_and(|(s, t, old)| {
            s.id == source.id && t.id == target.id && old.kind == edge.kind
        });
        if !is_old {
            nodes.extend([&source.id, &target.id]);
        }
    }
    nodes
}

fn same_but_place(a: &Node, b: &Node) -> bool {
    OF_NODE.iter().all(|field| (field.same)(a, b))
}

fn same_frame(a: &Frame, b: &Frame) -> bool {
    OF_FRAME.iter().all(|field| (field.same)(a, b))
}

fn by_id(frames: &[Frame]) -> HashMap<&FrameId, &Frame> {
    frames.iter().map(|frame| (&frame.id, frame)).collect()
}

/// `id~2`, `id~3`, …
fn numbered(id: &str) -> impl Iterator<Item = String> + '_ {
    (2u32..).map(move |n| format!("{id}~{n}"))
}

fn spec(graph: &Graph, id: &EdgeId) -> Option<EdgeSpec> {
    let (source, target, edge) = graph.edge(id)?;
    Some(spec_of(source, target, edge))
}

fn spec_of(source: &Node, target: &Node, edge: &Edge) -> EdgeSpec {
    EdgeSpec {
        edge: edge.clone(),
        source: source.id.clone(),
        target: target.id.clone(),
    }
}

fn add(into: &mut Graph, node: Option<Node>) {
    if let Some(node) = node {
        let added = into.add_node(node);
        debug_assert!(added.is_ok(), "each id is met once");
    }
}

/// An edge whose node went away goes with it; that node was a conflict when the edge was new.
fn join(into: &mut Graph, spec: Option<EdgeSpec>) {
    if let Some(spec) = spec {
        into.add_edge(spec).ok();
    }
}

#[cfg(test)]
mod tests;

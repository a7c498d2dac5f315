//! The rules of a run said as plainly as possible, without any care for speed. A different piece
//! of code from the scheduler on purpose: the random runs compare the two.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{EdgeKind, Flow, NodeStatus};

/// Edge as (position in the list, source, target, blocking).
type E = (usize, String, String, bool);

/// One chain of runs, from its start through any number of resumes.
pub(super) struct Naive {
    edges: Vec<E>,
    pub(super) subset: BTreeSet<String>,
    marks: BTreeSet<usize>,
    /// Triggers that no pass has used yet.
    pub(super) due: BTreeMap<String, u32>,
    pub(super) status: BTreeMap<String, NodeStatus>,
    pub(super) stopping: bool,
}

impl Naive {
    /// A fresh run of `subset`.
    pub(super) fn start(flow: &Flow, subset: BTreeSet<String>, explicit: bool) -> Option<Self> {
        let edges: Vec<E> = flow
            .graph
            .edges()
            .enumerate()
            .map(|(at, (s, t, e))| {
                (
                    at,
                    s.id.to_string(),
                    t.id.to_string(),
                    e.kind == EdgeKind::Blocking,
                )
            })
            .filter(|(_, s, t, _)| subset.contains(s) && subset.contains(t))
            .collect();
        if has_blocking_cycle(&subset, &edges) {
            return None;
        }
        let mut roots: BTreeSet<String> = subset
            .iter()
            .filter(|n| !edges.iter().any(|(_, _, t, _)| t == *n))
            .cloned()
            .collect();
        if roots.is_empty() {
            if !explicit {
                return None;
            }
            roots = subset.clone();
        }
        let due = roots.into_iter().map(|n| (n, 1)).collect();
        Some(Self {
            edges,
            subset,
            marks: BTreeSet::new(),
            due,
            status: BTreeMap::new(),
            stopping: false,
        })
    }

    /// A pass of `node` begins.
    pub(super) fn begin(&mut self, node: &str) {
        let due = self
            .due
            .get_mut(node)
            .unwrap_or_else(|| panic!("{node} starts without a trigger"));
        *due -= 1;
        if *due == 0 {
            self.due.remove(node);
        }
        assert!(self.subset.contains(node), "{node} is outside the subset");
        assert!(!self.stopping, "{node} starts after a stop");
        assert_ne!(
            self.status.get(node),
            Some(&NodeStatus::Running),
            "{node} overlaps itself"
        );
        self.status.insert(node.to_owned(), NodeStatus::Running);
    }

    /// A pass of `node` ended.
    pub(super) fn end(&mut self, node: &str, status: NodeStatus) {
        self.status.insert(node.to_owned(), status);
        if status != NodeStatus::Ran {
            return;
        }
        for (at, source, target, blocking) in self.edges.clone() {
            if source != node {
                continue;
            }
            if !blocking {
                *self.due.entry(target).or_default() += 1;
                continue;
            }
            self.marks.insert(at);
            let needed: BTreeSet<usize> = self
                .edges
                .iter()
                .filter(|(_, _, t, b)| *t == target && *b)
                .map(|(at, ..)| *at)
                .collect();
            if needed.is_subset(&self.marks) {
                self.marks = self.marks.difference(&needed).copied().collect();
                *self.due.entry(target).or_default() += 1;
            }
        }
    }

    /// Nodes that may begin now, were there slots enough.
    pub(super) fn can_begin(&self) -> BTreeSet<String> {
        if self.stopping {
            return BTreeSet::new();
        }
        self.due
            .keys()
            .filter(|n| self.status.get(*n) != Some(&NodeStatus::Running))
            .cloned()
            .collect()
    }

    /// The run ended, was stopped, or died; a resume of it begins. False: there is nothing to resume.
    pub(super) fn resume(&mut self) -> bool {
        self.stopping = false;
        for (node, status) in &mut self.status {
            if matches!(
                status,
                NodeStatus::Failed
                    | NodeStatus::Stopped
                    | NodeStatus::Interrupted
                    | NodeStatus::Running
            ) {
                *status = NodeStatus::Waiting;
                *self.due.entry(node.clone()).or_default() += 1;
            }
        }
        !self.due.is_empty()
    }
}

fn has_blocking_cycle(subset: &BTreeSet<String>, edges: &[E]) -> bool {
    // Take away nodes without blocking sources until none is left, or none can be taken.
    let mut left = subset.clone();
    loop {
        let free: Vec<String> = left
            .iter()
            .filter(|n| {
                !edges
                    .iter()
                    .any(|(_, s, t, b)| *b && t == *n && left.contains(s))
            })
            .cloned()
            .collect();
        if free.is_empty() {
            return !left.is_empty();
        }
        for node in free {
            left.remove(&node);
        }
    }
}

//! What a person asks of the list of past runs; each flow keeps its own.

use std::collections::HashMap;

use crate::editor::Document;
use crate::model::{FlowRef, HistoryFilter, NodeId, Outcome, RunId, Timestamp};
use crate::runtime::{CompareAsk, HISTORY_MAX, HistoryAsk, SHOWN_RUNS_MAX};

use super::search::Search;

/// What a person does with the lists of past runs.
#[derive(Default)]
pub struct HistoryView {
    /// Whose flow `asked` is about.
    flow: Option<FlowRef>,
    /// What is asked of the flow in front.
    pub(super) asked: Asked,
    /// What was asked of others when they gave way.
    others: HashMap<FlowRef, Asked>,
}

/// What is asked of one flow.
#[derive(Default)]
pub(super) struct Asked {
    /// The line that runs are looked for by.
    pub line: String,
    /// What it means; the last line that made sense where this one does not.
    pub search: Search,
    /// Why the line makes no sense, as a sentence; empty when it does.
    pub flaw: String,
    /// Only runs that failed.
    pub failed: bool,
    /// Runs asked for.
    pub n: usize,
    /// Clicks pick runs to compare.
    pub picking: bool,
    /// The first of them.
    pub picked: Option<RunId>,
    /// These are beside each other.
    pub compared: Option<(RunId, RunId)>,
    /// Nodes whose name holds the text, worked out once per text and revision.
    named: (String, u64, Vec<NodeId>),
}

impl HistoryView {
    /// What the board is to hold for the pane as it is now.
    pub fn ask(&mut self, doc: &Document, now: Timestamp, zone: &jiff::tz::TimeZone) -> HistoryAsk {
        self.about(&doc.flow_ref);
        let asked = &mut self.asked;
        asked.read_line(now, zone);
        let text = &asked.search.text;
        if (&asked.named.0, asked.named.1) != (text, doc.revision()) {
            let lower = text.to_lowercase();
            // Nobody waits for a hundred thousand names when nothing is looked for.
            let nodes = doc.flow().graph.nodes().take_while(|_| !lower.is_empty());
            let nodes = nodes.filter(|node| node.name().to_lowercase().contains(&lower));
            let nodes = nodes.map(|node| node.id.clone()).collect();
            asked.named = (text.clone(), doc.revision(), nodes);
        }
        HistoryAsk {
            flow: doc.flow_ref.clone(),
            filter: HistoryFilter {
                text: asked.search.text.clone(),
                nodes: asked.named.2.clone(),
                outcomes: match asked.failed {
                    true => vec![Outcome::Failed],
                    false => Vec::new(),
                },
                since: asked.search.since,
                until: asked.search.until,
            },
            n: asked.n.clamp(HISTORY_MAX, SHOWN_RUNS_MAX),
        }
    }

    /// The comparison that the pane shows now.
    pub fn compare_ask(&self) -> Option<CompareAsk> {
        let (a, b) = self.asked.compared.clone()?;
        Some(CompareAsk {
            flow: self.flow.clone()?,
            a,
            b,
        })
    }

    /// Back from the comparison to the list.
    pub fn leave_comparison(&mut self) {
        self.asked.leave_comparison();
    }

    /// Another flow is in front: it has what was asked of it before, or nothing yet.
    pub(super) fn about(&mut self, flow: &FlowRef) {
        if self.flow.as_ref() == Some(flow) {
            return;
        }
        let next = self.others.remove(flow).unwrap_or_default();
        let asked = std::mem::replace(&mut self.asked, next);
        if let Some(was) = self.flow.replace(flow.clone()) {
            self.others.insert(was, asked);
        }
    }
}

impl Asked {
    /// Nothing is looked for: every run is listed.
    pub fn is_all(&self) -> bool {
        self.line.trim().is_empty() && !self.failed
    }

    pub fn leave_comparison(&mut self) {
        self.compared = None;
        self.picking = false;
        self.picked = None;
    }

    /// A run was picked; with the second they are put beside each other, the older first.
    pub fn pick(&mut self, run: RunId) {
        match self.picked.take() {
            Some(other) if other == run => {}
            Some(other) => {
                // Ids begin with their time.
                self.compared = Some((other.clone().min(run.clone()), other.max(run)));
                self.picking = false;
            }
            None => self.picked = Some(run),
        }
    }

    /// Reads the line again. Spans go back from the minute that is now, so that the same question is asked for so
    /// long.
    fn read_line(&mut self, now: Timestamp, zone: &jiff::tz::TimeZone) {
        const MINUTE_US: i64 = 60_000_000;
        let now = Timestamp(now.0 - now.0.rem_euclid(MINUTE_US));
        match Search::read(&self.line, now, zone) {
            Ok(search) => {
                self.search = search;
                self.flaw.clear();
            }
            Err(flaw) => self.flaw = flaw,
        }
    }
}

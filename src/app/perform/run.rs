//! Starting, stopping, forgetting: verbs that become orders.

use std::sync::Arc;

use crate::model::{Choice, NodeId};
use crate::runtime::Order;

use crate::app::action::Verb;
use crate::app::dialog::Give;
use crate::app::window::App;

/// What a verb would run, with these nodes selected; `None` for verbs that run nothing.
pub fn choice_of(verb: Verb, selected: &[NodeId]) -> Option<Choice> {
    Some(match verb {
        Verb::Run if selected.is_empty() => Choice::Auto,
        Verb::Run => Choice::Selection(selected.to_vec()),
        Verb::Resume => Choice::Resume,
        Verb::RunAll => Choice::Full,
        Verb::RunFromHere => Choice::From(selected.to_vec()),
        Verb::RunUpToHere => Choice::UpTo(selected.to_vec()),
        _ => return None,
    })
}

impl App {
    /// Starts the run that was refused for want of resources, with the values that were typed for it.
    pub(super) fn run_with(&mut self, give: Give) {
        let (Some(doc), Some(secrets)) = (self.view.doc(), give.secrets) else {
            return;
        };
        let wanting = give.wanting;
        if doc.flow_ref != wanting.flow {
            return;
        }
        let frozen = doc.flow().clone();
        let flow = wanting.flow.clone();
        self.engine.send(Order::Give {
            flow: flow.clone(),
            secrets,
        });
        self.engine.send(Order::StartRun {
            flow,
            frozen,
            choice: wanting.choice.clone(),
            jobs_max: None,
        });
    }

    pub(super) fn run_verb(&mut self, verb: Verb) {
        if self.asks_to_trust(verb) {
            return;
        }
        let Some(tab) = self.view.tab() else {
            return;
        };
        let Some(doc) = tab.doc() else {
            return;
        };
        let facts = self.view.context(&self.board);
        let flow = doc.flow_ref.clone();
        let selected = tab.selection.nodes().to_vec();
        let start = |choice| Order::StartRun {
            flow: flow.clone(),
            frozen: doc.flow().clone(),
            choice,
            jobs_max: None,
        };
        let order = match verb {
            Verb::Run | Verb::Retry if facts.n_sel_retry > 0 => {
                let Some(live) = self.board.flow(&flow).and_then(|board| board.live.as_ref())
                else {
                    return;
                };
                let graph = &doc.flow().graph;
                let nodes = selected.iter().filter_map(|id| graph.node(id));
                Order::Retry {
                    run: live.id.clone(),
                    nodes: nodes.map(|node| Arc::new(node.clone())).collect(),
                    flow,
                }
            }
            // Nothing of ours runs: what a dead Handmill left is to end.
            Verb::Stop
                if self.board.flow(&flow).is_some_and(|board| {
                    let idle = board.live.is_none() && !board.starting;
                    idle && board.runner.is_none() && !board.orphans.is_empty()
                }) =>
            {
                Order::StopOrphans(flow)
            }
            Verb::Stop => {
                let board = self.board.flow(&flow);
                let stopping = board.is_some_and(|board| board.stopping);
                // A selection without anything alive in it means the run.
                let live = selected.iter().any(|id| {
                    board.is_some_and(|b| b.nodes.get(id).is_some_and(|n| n.status.is_live()))
                });
                let again = self.stop_asked.as_ref() == Some(&flow);
                self.stop_asked = Some(flow.clone());
                Order::Stop {
                    flow,
                    nodes: (live && !stopping).then_some(selected),
                    at_once: stopping || again,
                }
            }
            Verb::ClearStatus => Order::ClearStatus {
                flow,
                nodes: Some(selected),
            },
            Verb::ClearAllStatus => Order::ClearStatus { flow, nodes: None },
            _ => match choice_of(verb, &selected) {
                Some(choice) => start(choice),
                None => return,
            },
        };
        if matches!(order, Order::StartRun { .. }) {
            self.stop_asked = None;
        }
        self.engine.send(order);
    }
}

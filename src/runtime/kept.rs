//! Results of a run that has ended, into its workfile: where the operator wants them there, too.
//!
//! Done on the pool while the run's lock is held, so that the results of two runs cannot overtake
//! each other. Unaware of the editor: to it the file changed outside, in nothing that it holds.

use std::collections::HashMap;

use crate::model::{FileResult, FlowRef, NodeId, Notice, RunId};
use crate::store;

use super::clock;
use super::loading::hash_of;
use super::workspace::Workspace;

/// Writes them; what the operator has to hear, if anything.
pub fn keep_results(workspace: &Workspace, flow: &FlowRef, run: &RunId) -> Option<Notice> {
    let told = |why: String, hint: &str| {
        let what =
            format!("The results of the run were not written into its workfile: failed to {why}");
        Some(Notice::warning(what, hint))
    };
    let states = match workspace.ledger.states_of_run(flow, run) {
        Ok(states) => states,
        Err(why) => return told(why.to_string(), "They are in the history."),
    };
    let results: HashMap<NodeId, FileResult> = states
        .iter()
        .map(|(id, state)| (id.clone(), FileResult::of(state)))
        .collect();
    match store::keep_results(&flow.path(), &results) {
        Ok(Some(all)) => {
            let hash = hash_of(&all);
            workspace
                .ledger
                .record_kept(flow, run.clone(), hash, clock::now());
            workspace
                .ledger
                .flush()
                .err()
                .and_then(|why| told(why.to_string(), ""))
        }
        // There is no file any more, or there never was one.
        Ok(None) => None,
        Err(why) => told(
            why.to_string(),
            "They are in the history; the file is as it was.",
        ),
    }
}

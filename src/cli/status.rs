//! `status`: how each node of a flow stands.

use serde_json::json;

use crate::model::{NodeState, NodeStatus, human_duration};
use crate::runtime::query;
use crate::store::{self, Home};

use super::ExitCode;
use super::args::StatusArgs;
use super::exit::Refused;
use super::print;

/// Carries out `status`.
pub fn status(home: &Home, args: &StatusArgs) -> Result<ExitCode, Refused> {
    let flow = store::locate(&args.flow)?;
    let loaded = store::load(&args.flow)?;
    let workspace = super::open(home, &flow)?;
    let record = query::record(home, &workspace, &flow, 1)
        .map_err(|why| Refused::new(format!("failed to {why}"), ""))?;
    let now = crate::runtime::now();
    let state = |id| {
        record
            .past
            .nodes
            .get(id)
            .cloned()
            .unwrap_or_else(|| imported(&loaded, id))
    };
    let run = record.history.first();
    if args.json {
        let nodes: Vec<_> = loaded
            .flow
            .graph
            .nodes()
            .map(|node| {
                let state = state(&node.id);
                json!({
                    "id": node.id.as_str(), "name": node.name(), "status": state.status.word(), "pass": state.pass,
                    "attempt": state.attempt, "run": state.run.as_ref().map(|run| run.as_str()),
                    "exit": state.exit.as_ref().map(print::exit_value), "why": state.exit.as_ref().map(ToString::to_string),
                    "started": state.started.map(print::seconds), "ended": state.ended.map(print::seconds),
                    "duration_ms": state.duration(now).map(|time| time.as_secs_f64() * 1e3),
                })
            })
            .collect();
        let object = json!({
            "flow": flow.path().to_string_lossy(), "workspace": flow.workspace.as_str(),
            "runner": record.runner.as_ref().map(|runner| json!({"pid": runner.pid, "face": runner.face.as_ref()})),
            "run": run.map(|run| json!({
                "id": run.id.as_str(), "choice": run.choice.as_ref(), "outcome": run.outcome.map(|outcome| outcome.word()),
                "started": print::seconds(run.started), "ended": run.ended.map(print::seconds),
                "counts": print::counts_value(run.counts), "ran_on": run.ran_on.as_deref(),
            })),
            "nodes": nodes,
        });
        print::line(&object.to_string());
        return Ok(ExitCode::Done);
    }
    match run {
        None => print::line("never run"),
        Some(run) => {
            let outcome = run.outcome.map_or("running", |outcome| outcome.word());
            print::line(&format!(
                "run {} · {} · {outcome} · {}{}",
                run.id,
                run.choice,
                print::told(run.counts),
                print::ran_on(run)
            ));
        }
    }
    if let Some(runner) = &record.runner {
        print::line(&format!(
            "running now · {} · process {}",
            runner.face, runner.pid
        ));
    }
    for node in loaded.flow.graph.nodes() {
        let state = state(&node.id);
        let time = state.duration(now).map(human_duration).unwrap_or_default();
        let why = match (&state.exit, state.status) {
            (Some(exit), NodeStatus::Failed | NodeStatus::Stopped) => format!("  {exit}"),
            _ => String::new(),
        };
        print::line(&format!(
            "{:<11} {time:>6}  {}{why}",
            state.status.word(),
            print::one_line(node.name())
        ));
    }
    Ok(ExitCode::Done)
}

/// A flow that was never run here shows what its file says.
fn imported(loaded: &store::Loaded, id: &crate::model::NodeId) -> NodeState {
    let status = loaded
        .results
        .nodes
        .get(id)
        .map(|result| result.status)
        .unwrap_or_default();
    NodeState {
        status,
        ..NodeState::default()
    }
}

//! `compare`: two runs of a flow beside each other.

use serde_json::{Value, json};

use crate::model::{
    DiffSide, Flow, FlowRef, NodeId, NodeInRun, NodePair, Outcome, RunComparison, RunId,
    command_diff, human_duration,
};
use crate::runtime::{Workspace, query};
use crate::store::{self, Home};

use super::ExitCode;
use super::args::CompareArgs;
use super::exit::Refused;
use super::history::{time, when};
use super::print;

/// Where the facts of a node stand, in columns.
const INDENT: usize = 22;

/// Carries out `compare`.
pub fn compare(home: &Home, args: &CompareArgs) -> Result<ExitCode, Refused> {
    let flow = store::locate(&args.flow)?;
    let frozen = store::load(&args.flow)
        .map(|loaded| loaded.flow)
        .unwrap_or_default();
    let workspace = super::open(home, &flow)?;
    let (a, b) = (
        named(&workspace, &flow, &args.a)?,
        named(&workspace, &flow, &args.b)?,
    );
    if a == b {
        let what = format!("both are run {a}");
        return Err(Refused::new(
            what,
            "`handmill history FLOW` lists the runs.",
        ));
    }
    let comparison = query::compare(&workspace, &flow, &a, &b)
        .map_err(|why| Refused::new(why, "`handmill history FLOW` lists the runs."))?;
    if args.json {
        print::line(&as_json(&comparison).to_string());
    } else {
        table(&comparison, &frozen);
    }
    Ok(ExitCode::Done)
}

/// The run of a word: an id, `last` or `prev`.
fn named(workspace: &Workspace, flow: &FlowRef, word: &str) -> Result<RunId, Refused> {
    let back = match word {
        "last" => 0,
        "prev" => 1,
        id => return Ok(RunId::from(id)),
    };
    let newest = workspace
        .ledger
        .history(flow, 2, None)
        .map_err(|why| Refused::new(format!("failed to {why}"), ""))?;
    newest.get(back).map(|run| run.id.clone()).ok_or_else(|| {
        let n = print::count(newest.len(), "run");
        Refused::new(format!("this flow has {n} in its history"), "Run it first.")
    })
}

fn table(comparison: &RunComparison, flow: &Flow) {
    let (a, b) = (&comparison.a, &comparison.b);
    let row = |what: &str, a: &str, b: &str| {
        print::line(format!("{what:<9} {a:<34} {b}").trim_end());
    };
    let outcome = |outcome: Option<Outcome>| outcome.map_or("running", Outcome::word);
    row("run", a.id.as_str(), b.id.as_str());
    row("started", &when(a.started), &when(b.started));
    row("choice", &a.choice, &b.choice);
    row("outcome", outcome(a.outcome), outcome(b.outcome));
    row("time", &time(a), &time(b));
    row("nodes", &print::told(a.counts), &print::told(b.counts));
    let n = comparison.nodes.len();
    print::line("");
    match comparison.n_changed {
        0 => print::line(&format!("no difference in {}", print::count(n, "node"))),
        changed => print::line(&format!("{changed} of {} differ", print::count(n, "node"))),
    }
    for pair in comparison.nodes.iter().filter(|pair| pair.changed.any()) {
        node(pair, flow);
    }
}

fn node(pair: &NodePair, flow: &Flow) {
    let name = flow
        .graph
        .node(&pair.node)
        .map_or(pair.node.as_str(), |node| node.name());
    let word = |side: &Option<NodeInRun>| side.as_ref().map_or("absent", status_word);
    let (a, b) = (word(&pair.a), word(&pair.b));
    let status = match a == b {
        true => a.to_owned(),
        false => format!("{a} → {b}"),
    };
    print::line(&format!("{status:<INDENT$} {}", print::one_line(name)));
    let (Some(a), Some(b)) = (&pair.a, &pair.b) else {
        return;
    };
    let mut facts = Vec::new();
    if pair.changed.exit {
        facts.push(format!("{} → {}", exit_word(a), exit_word(b)));
    }
    if pair.changed.attempts {
        let n = |n: u32, m: u32, what: &str| (n != m).then(|| format!("{what} {n} → {m}"));
        facts.extend(n(a.passes, b.passes, "passes"));
        facts.extend(n(a.attempts, b.attempts, "attempts"));
    }
    if let Some((a, b)) = a
        .time
        .zip(b.time)
        .filter(|_| a.attempts > 0 && b.attempts > 0)
    {
        facts.push(format!("{} → {}", human_duration(a), human_duration(b)));
    }
    if !facts.is_empty() {
        print::line(&format!("{:INDENT$} {}", "", facts.join(" · ")));
    }
    if pair.changed.command {
        for line in command_diff(&a.command, &b.command) {
            let sign = match line.side {
                DiffSide::Both => ' ',
                DiffSide::First => '-',
                DiffSide::Second => '+',
            };
            let text: String = line.parts.iter().map(|(_, text)| text.as_str()).collect();
            let text = print::one_line(&text);
            print::line(format!("{:INDENT$} {sign} {text}", "").trim_end());
        }
    }
}

fn status_word(node: &NodeInRun) -> &'static str {
    match node.kept {
        true => "kept",
        false => node.status.word(),
    }
}

fn exit_word(node: &NodeInRun) -> String {
    let exit = node.exit.as_ref();
    exit.map_or_else(|| "no exit".to_owned(), ToString::to_string)
}

fn as_json(comparison: &RunComparison) -> Value {
    let run = |run: &crate::model::RunSummary| {
        json!({
            "id": run.id.as_str(), "choice": &*run.choice, "outcome": run.outcome.map(Outcome::word),
            "started": print::seconds(run.started), "ended": run.ended.map(print::seconds),
            "counts": print::counts_value(run.counts),
        })
    };
    let side = |node: &Option<NodeInRun>| {
        node.as_ref().map(|node| {
            json!({
                "status": status_word(node), "duration_ms": node.time.map(|time| time.as_secs_f64() * 1e3),
                "passes": node.passes, "attempts": node.attempts,
                "exit": node.exit.as_ref().map(print::exit_value), "why": node.exit.as_ref().map(ToString::to_string),
                "command": &*node.command,
            })
        })
    };
    let nodes: Vec<Value> = comparison
        .nodes
        .iter()
        .map(|pair| {
            let all = [
                (pair.changed.presence, "presence"),
                (pair.changed.status, "status"),
                (pair.changed.exit, "exit"),
                (pair.changed.command, "command"),
                (pair.changed.attempts, "attempts"),
                (pair.changed.time, "time"),
            ];
            let changed: Vec<&str> = all.iter().filter(|(on, _)| *on).map(|(_, w)| *w).collect();
            json!({"id": NodeId::as_str(&pair.node), "changed": changed, "a": side(&pair.a), "b": side(&pair.b)})
        })
        .collect();
    json!({"a": run(&comparison.a), "b": run(&comparison.b), "n_changed": comparison.n_changed, "nodes": nodes})
}

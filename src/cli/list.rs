//! `ls`: workspaces and flows of a collection, or the nodes of one flow.

use std::path::Path;

use serde_json::json;

use crate::model::{Catalog, WorkspaceEntry};
use crate::runtime::query;
use crate::store::{self, Collection, Home, Settings};

use super::ExitCode;
use super::args::LsArgs;
use super::exit::Refused;
use super::print;

/// Carries out `ls`.
pub fn ls(home: &Home, args: &LsArgs) -> Result<ExitCode, Refused> {
    let path = match (&args.path, &args.collection) {
        (Some(path), _) => path.clone(),
        // The collection that a window would open is not what a person who stands elsewhere asks for.
        (None, flag) => {
            let named = Collection::of_process(flag.as_deref(), &Settings::default());
            named.map_or_else(|| ".".into(), |collection| collection.root)
        }
    };
    if path.is_file() {
        return nodes(&path, args.json);
    }
    let catalog = store::scan(&path);
    if !catalog.trouble.is_empty() {
        return Err(Refused::new(catalog.trouble, ""));
    }
    if catalog.workspaces.is_empty() && catalog.rejected.is_empty() {
        let what = format!("no workspace here: {}", path.display());
        return Err(Refused::new(
            what,
            "A workspace is a folder with flow_modules/ in it.",
        ));
    }
    if args.json {
        print::line(&as_json(home, &catalog).to_string());
        return Ok(ExitCode::Done);
    }
    for workspace in &catalog.workspaces {
        print::line(&workspace.name);
        let outcomes = outcomes(home, workspace);
        for (flow, outcome) in workspace.flows.iter().zip(outcomes) {
            let state = flow.problem.clone().unwrap_or(outcome);
            let group = if flow.group.is_empty() {
                String::new()
            } else {
                format!("{} / ", flow.group)
            };
            print::line(&format!(
                "  {:<44} {:>6} nodes  {state}",
                format!("{group}{}", flow.title),
                flow.n_nodes
            ));
            print::line(&format!("    {}", flow.flow.file));
        }
        for module in &workspace.modules {
            print::line(&format!("  {:<44} module, not run yet", module.name()));
            print::line(&format!("    {}", module.file));
        }
    }
    for rejected in &catalog.rejected {
        let name = print::one_line(&rejected.name);
        print::line(&format!("{name}: not a workspace. {}.", rejected.why));
    }
    Ok(ExitCode::Done)
}

/// How each flow's last run ended; a workspace that was never run has no ledger and gets none.
fn outcomes(home: &Home, workspace: &WorkspaceEntry) -> Vec<String> {
    let open = workspace
        .flows
        .first()
        .filter(|_| home.workspace_dir(&workspace.id).exists())
        .and_then(|flow| super::open(home, &flow.flow).ok());
    let outcome = |flow| {
        let Some(open) = &open else {
            return "never run".to_owned();
        };
        match query::record(home, open, flow, 1) {
            Err(why) => why,
            Ok(record) if record.runner.is_some() => "running".to_owned(),
            Ok(record) => match record.history.first() {
                None => "never run".to_owned(),
                Some(run) => run
                    .outcome
                    .map_or("running", |outcome| outcome.word())
                    .to_owned(),
            },
        }
    };
    workspace
        .flows
        .iter()
        .map(|entry| outcome(&entry.flow))
        .collect()
}

fn as_json(home: &Home, catalog: &Catalog) -> serde_json::Value {
    let workspaces: Vec<_> = catalog
        .workspaces
        .iter()
        .map(|workspace| {
            let flows: Vec<_> = workspace
                .flows
                .iter()
                .zip(outcomes(home, workspace))
                .map(|(flow, outcome)| {
                    json!({
                        "file": flow.flow.path().to_string_lossy(), "title": flow.title, "group": flow.group,
                        "heading": flow.heading(), "trigger": flow.trigger.word(), "nodes": flow.n_nodes,
                        "problem": flow.problem, "last": outcome,
                    })
                })
                .collect();
            let modules: Vec<_> = workspace
                .modules
                .iter()
                .map(|module| workspace.root.join(&*module.file).to_string_lossy().into_owned())
                .collect();
            json!({
                "name": workspace.name, "root": workspace.root.to_string_lossy(), "flows": flows,
                "modules": modules,
            })
        })
        .collect();
    let rejected: Vec<_> = catalog
        .rejected
        .iter()
        .map(|rejected| json!({"name": rejected.name, "why": rejected.why}))
        .collect();
    json!({ "workspaces": workspaces, "rejected": rejected })
}

fn nodes(path: &Path, as_json: bool) -> Result<ExitCode, Refused> {
    let loaded = store::load(path)?;
    let graph = &loaded.flow.graph;
    if as_json {
        let nodes: Vec<_> = graph
            .nodes()
            .map(|node| json!({"id": node.id.as_str(), "name": node.name(), "command": node.command, "disabled": node.disabled}))
            .collect();
        print::line(&json!({ "nodes": nodes }).to_string());
    } else {
        for node in graph.nodes() {
            print::line(&format!(
                "{:<40} {}",
                print::one_line(node.id.as_str()),
                print::one_line(node.name())
            ));
        }
    }
    Ok(ExitCode::Done)
}

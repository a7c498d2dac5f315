//! `history`: past runs as a table, and what retention takes of them.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::model::{
    FlowRef, HistoryFilter, HistoryRun, NodeId, Outcome, RunId, RunSummary, Timestamp,
    human_duration, parse_when,
};
use crate::runtime::{Workspace, query};
use crate::store::{self, Home, Settings};

use super::ExitCode;
use super::args::HistoryArgs;
use super::exit::Refused;
use super::print;

/// Carries out `history`.
pub fn history(home: &Home, args: &HistoryArgs) -> Result<ExitCode, Refused> {
    let filter = filter(args)?;
    let places = places(home, args)?;
    if let Some(run) = args.pin.as_ref().or(args.unpin.as_ref()) {
        return pin(&places, run, args.pin.is_some());
    }
    if args.prune {
        return prune(home, &places, args);
    }
    let mut runs: Vec<Listed> = Vec::new();
    let mut more = false;
    for place in &places {
        more |= place.list(&filter, args.limit as usize, &mut runs)?;
    }
    // Of several workspaces the newest of all.
    runs.sort_by(|a, b| {
        let key = |listed: &Listed| (listed.run.summary.started, listed.run.summary.id.clone());
        key(b).cmp(&key(a))
    });
    more |= runs.len() > args.limit as usize;
    runs.truncate(args.limit as usize);
    if args.json {
        let listed: Vec<Value> = runs.iter().map(Listed::as_json).collect();
        print::line(&json!({ "runs": listed, "more": more }).to_string());
        return Ok(ExitCode::Done);
    }
    if runs.is_empty() {
        print::line(match filter.is_all() {
            true => "never run",
            false => "no such run",
        });
        return Ok(ExitCode::Done);
    }
    let columns = columns();
    let one_flow = places.iter().all(|place| place.only.is_some());
    for listed in &runs {
        let line = listed.as_line(one_flow);
        print::line(&columns.map_or(line.clone(), |columns| cut(&line, columns)));
    }
    if more {
        let n = args.limit;
        print::line(&format!(
            "… more; --limit {} shows them",
            n.saturating_mul(4)
        ));
    }
    Ok(ExitCode::Done)
}

/// A workspace that is asked, or one flow of it.
struct Place {
    workspace: Arc<Workspace>,
    /// The only flow that is asked for.
    only: Option<FlowRef>,
    /// Titles of its flows by file.
    titles: HashMap<Arc<str>, String>,
    /// Nodes of the only flow with their names.
    nodes: Vec<(NodeId, String)>,
}

fn places(home: &Home, args: &HistoryArgs) -> Result<Vec<Place>, Refused> {
    if !args.path.is_dir() {
        let flow = store::locate(&args.path)?;
        // A workfile that is gone or broken still has its history.
        let loaded = store::load(&args.path).ok();
        let nodes = loaded.iter().flat_map(|loaded| loaded.flow.graph.nodes());
        let nodes = nodes.map(|node| (node.id.clone(), node.name().to_owned()));
        if loaded.is_none() && !Workspace::has_ledger(home, &flow.workspace) {
            store::load(&args.path)?;
        }
        return Ok(vec![Place {
            workspace: super::open(home, &flow)?,
            nodes: nodes.collect(),
            titles: HashMap::new(),
            only: Some(flow),
        }]);
    }
    let catalog = store::scan(&args.path);
    if !catalog.trouble.is_empty() {
        return Err(Refused::new(catalog.trouble, ""));
    }
    if catalog.workspaces.is_empty() {
        let what = format!("no workspace here: {}", args.path.display());
        let hint = "Name a workfile, or a folder with flow_modules/ in it.";
        return Err(Refused::new(what, hint));
    }
    let mut places = Vec::new();
    for workspace in &catalog.workspaces {
        // One where nothing ever ran gets no ledger by being asked.
        let first = workspace.flows.first();
        let Some(first) = first.filter(|_| Workspace::has_ledger(home, &workspace.id)) else {
            continue;
        };
        let titles = workspace.flows.iter();
        places.push(Place {
            workspace: super::open(home, &first.flow)?,
            only: None,
            titles: titles
                .map(|flow| (flow.flow.file.clone(), flow.title.clone()))
                .collect(),
            nodes: Vec::new(),
        });
    }
    Ok(places)
}

impl Place {
    /// Adds what is asked for; true when there is more.
    fn list(
        &self,
        filter: &HistoryFilter,
        limit: usize,
        into: &mut Vec<Listed>,
    ) -> Result<bool, Refused> {
        let lower = filter.text.to_lowercase();
        let named = self
            .nodes
            .iter()
            .filter(|(_, name)| !lower.is_empty() && name.to_lowercase().contains(&lower));
        let filter = HistoryFilter {
            nodes: named.map(|(id, _)| id.clone()).collect(),
            ..filter.clone()
        };
        let search = |of: Option<&FlowRef>, filter: &HistoryFilter| {
            self.workspace
                .ledger
                .search(of, filter, limit, None)
                .map_err(|why| Refused::new(format!("failed to {why}"), ""))
        };
        let page = search(self.only.as_ref(), &filter)?;
        let mut more = page.more;
        let mut runs = page.runs;
        // Titles are in the workfiles: of a flow whose title holds the text every run is meant.
        let titled: Vec<&Arc<str>> = self
            .titles
            .iter()
            .filter(|(_, title)| !lower.is_empty() && title.to_lowercase().contains(&lower))
            .map(|(file, _)| file)
            .collect();
        if !titled.is_empty() {
            let all = HistoryFilter {
                text: String::new(),
                nodes: Vec::new(),
                ..filter
            };
            let root: Arc<std::path::Path> = Arc::from(std::path::Path::new(""));
            for file in titled {
                let flow = FlowRef {
                    workspace: crate::model::WorkspaceId::new(""),
                    root: root.clone(),
                    file: file.clone(),
                };
                let page = search(Some(&flow), &all)?;
                more |= page.more;
                for run in page.runs {
                    if !runs.iter().any(|known| known.summary.id == run.summary.id) {
                        runs.push(run);
                    }
                }
            }
        }
        into.extend(runs.into_iter().map(|run| Listed {
            title: self.titles.get(&run.file).cloned(),
            run,
        }));
        Ok(more)
    }
}

/// A run in the list.
struct Listed {
    run: HistoryRun,
    title: Option<String>,
}

impl Listed {
    fn as_line(&self, one_flow: bool) -> String {
        let run = &self.run.summary;
        let pin = if self.run.pinned { " · pinned" } else { "" };
        let on = print::ran_on(run);
        let what = match one_flow {
            true => format!("{}{on}{pin}", detail(run)),
            false => {
                let title = self.title.as_deref().unwrap_or(&self.run.file);
                format!("{} · {}{on}{pin}", print::one_line(title), detail(run))
            }
        };
        let outcome = run.outcome.map_or("running", Outcome::word);
        let line = format!(
            "{} {:<12} {outcome:<11} {:>6} {what}",
            run.id,
            when(run.started),
            time(run)
        );
        line.trim_end().to_owned()
    }

    fn as_json(&self) -> Value {
        let run = &self.run.summary;
        let time = run.ended.map(|ended| ended.since(run.started));
        json!({
            "id": run.id.as_str(), "flow": &*self.run.file, "choice": &*run.choice,
            "resumes": run.resumes.as_ref().map(RunId::as_str), "outcome": run.outcome.map(Outcome::word),
            "started": print::seconds(run.started), "ended": run.ended.map(print::seconds),
            "duration_ms": time.map(|time| time.as_secs_f64() * 1e3), "counts": print::counts_value(run.counts),
            "pinned": self.run.pinned, "log_bytes": self.run.log_bytes, "note": run.outcome.map(Outcome::remark),
            "ran_on": run.ran_on.as_deref(),
        })
    }
}

/// How long a run took; nothing where that is not known.
pub(super) fn time(run: &RunSummary) -> String {
    match (run.ended, run.outcome) {
        (_, Some(Outcome::Interrupted)) | (None, _) => String::new(),
        _ if &*run.choice == "imported" => String::new(),
        (Some(ended), _) => human_duration(ended.since(run.started)),
    }
}

fn detail(run: &RunSummary) -> String {
    let counts = &run.counts;
    let nodes = match run.outcome {
        Some(Outcome::Failed) => format!("{} of {} failed", counts.failed, counts.subset),
        Some(Outcome::Succeeded) => print::count(counts.subset as usize, "node"),
        _ => format!("{} of {} ran", counts.ran, counts.subset),
    };
    match &*run.choice {
        "full" => nodes,
        choice => format!("{choice}, {nodes}"),
    }
}

/// `21 Nov 14:35`, or `21 Nov 2024` when that is long ago.
pub(super) fn when(at: Timestamp) -> String {
    let zone = TimeZone::system();
    let local = |at: Timestamp| {
        let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
        at.to_zoned(zone.clone())
    };
    let then = local(at);
    let form = match then.year() == local(crate::runtime::now()).year() {
        true => "%-d %b %H:%M",
        false => "%-d %b %Y",
    };
    then.strftime(form).to_string()
}

/// How wide the terminal is; `None` for a file or a pipe, which get lines whole.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns >= 40)
}

/// The first characters of a line, with an ellipsis when there were more.
fn cut(line: &str, columns: usize) -> String {
    match line.char_indices().nth(columns) {
        None => line.to_owned(),
        Some(_) => line.chars().take(columns - 1).chain(['…']).collect(),
    }
}

fn filter(args: &HistoryArgs) -> Result<HistoryFilter, Refused> {
    let moment = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => parse_when(text, crate::runtime::now(), &TimeZone::system())
            .map(Some)
            .ok_or_else(|| {
                let what = format!("‘{}’ is no time", print::one_line(text));
                Refused::new(
                    what,
                    "Give 90m, 12h, 7d, today, or a date such as 2026-11-21.",
                )
            }),
    };
    Ok(HistoryFilter {
        text: args.search.clone().unwrap_or_default().trim().to_owned(),
        nodes: Vec::new(),
        outcomes: match args.failed {
            true => vec![Outcome::Failed],
            false => Vec::new(),
        },
        since: moment(&args.since)?,
        until: moment(&args.until)?,
    })
}

fn pin(places: &[Place], run: &str, pinned: bool) -> Result<ExitCode, Refused> {
    let id = RunId::from(run);
    for place in places {
        let ledger = &place.workspace.ledger;
        let failed = |why: &dyn std::fmt::Display| Refused::new(format!("failed to {why}"), "");
        let runs = ledger.kept_runs().map_err(|why| failed(&why))?;
        if runs.iter().any(|kept| kept.run == id) {
            ledger.pin(&id, pinned).map_err(|why| failed(&why))?;
            return Ok(ExitCode::Done);
        }
    }
    Err(Refused::new(
        format!("run ‘{}’ is not in the history", print::one_line(run)),
        "`handmill history` lists the runs.",
    ))
}

fn prune(home: &Home, places: &[Place], args: &HistoryArgs) -> Result<ExitCode, Refused> {
    let loading = Settings::load(home);
    let rule = loading.settings.retention();
    let (mut runs, mut logs, mut bytes) = (Vec::new(), Vec::new(), 0);
    for place in places {
        let taken = query::prune(&place.workspace, &rule, args.dry_run)
            .map_err(|why| Refused::new(format!("failed to {why}"), ""))?;
        runs.extend(taken.runs);
        logs.extend(taken.logs);
        bytes += taken.bytes;
    }
    if args.json {
        let ids = |runs: &[RunId]| {
            runs.iter()
                .map(|r| r.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        let object = json!({
            "dry_run": args.dry_run, "runs": ids(&runs), "logs": ids(&logs), "log_bytes": bytes,
            "retention_days": rule.days, "log_bytes_max": rule.log_bytes_max,
        });
        print::line(&object.to_string());
        return Ok(ExitCode::Done);
    }
    for run in &runs {
        print::line(&format!("{run} run and logs"));
    }
    for run in &logs {
        print::line(&format!("{run} logs"));
    }
    let verb = if args.dry_run { "would go" } else { "removed" };
    print::line(&format!(
        "{} and the logs of {} more {verb} · {}",
        print::count(runs.len(), "run"),
        logs.len(),
        size(bytes)
    ));
    Ok(ExitCode::Done)
}

/// Bytes as people say them: `640 B`, `1.2 MB`.
fn size(bytes: u64) -> String {
    let (unit, word) = match bytes {
        0..1_000 => return format!("{bytes} B"),
        1_000..1_000_000 => (1e3, "kB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    format!("{:.1} {word}", bytes as f64 / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_the_width_of_a_terminal() {
        assert_eq!(cut("äbc", 3), "äbc");
        assert_eq!(cut("äbcd", 3), "äb…");
    }

    #[test]
    fn sizes_read_as_people_say_them() {
        assert_eq!(size(640), "640 B");
        assert_eq!(size(1_250_000), "1.2 MB");
        assert_eq!(size(21_474_836_480), "21.5 GB");
    }
}

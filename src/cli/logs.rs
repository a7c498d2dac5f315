//! `logs`: what nodes wrote, to the same stream they wrote it to.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::model::{NodeId, RunId, Stream};
use crate::runtime::query::{self, LogFiles};
use crate::store::{self, Home};

use super::ExitCode;
use super::args::LogsArgs;
use super::exit::Refused;
use super::print;
use super::run::named;

/// Carries out `logs`.
pub fn logs(home: &Home, args: &LogsArgs) -> Result<ExitCode, Refused> {
    let flow = store::locate(&args.flow)?;
    let loaded = store::load(&args.flow)?;
    let node = match &args.node {
        Some(word) => named(&loaded.flow, std::slice::from_ref(word))?.pop(),
        None => None,
    };
    let run = args.run.as_deref().map(RunId::from);
    let workspace = super::open(home, &flow)?;
    let find = || {
        query::log_files(&workspace, &flow, run.as_ref(), node.as_ref())
            .map_err(|why| Refused::new(format!("failed to {why}"), ""))
    };
    let mut shown = Shown {
        titled: node.is_none(),
        offsets: HashMap::new(),
        last: None,
        flow: &loaded.flow,
    };
    let files = find()?;
    let may_come = args.follow && store::holder(home, &flow).is_some();
    if files.is_empty() && !may_come {
        let what = match (&args.run, &args.node) {
            (Some(run), _) => format!("no log of run ‘{}’ is recorded", print::one_line(run)),
            (None, Some(node)) => format!("no log of node ‘{}’ is recorded", print::one_line(node)),
            (None, None) => "no log of this flow is recorded".to_owned(),
        };
        return Err(Refused::new(
            what,
            "Run it first; `handmill status FLOW` names the newest run.",
        ));
    }
    shown.print(&files);
    if !args.follow {
        return Ok(ExitCode::Done);
    }
    // The log folder tells of growth, the lock folder of the run's end.
    let (wake, woken) = std::sync::mpsc::channel();
    let mut watcher = query::watch(move |path: PathBuf| {
        wake.send(path).ok();
    })
    .map_err(|why| Refused::new(format!("failed to follow the log: {why}"), ""))?;
    watcher.watch(&home.locks_dir()).ok();
    watcher.watch(workspace.logs_dir()).ok();
    loop {
        let live = store::holder(home, &flow).is_some();
        let files = find()?;
        for folder in files.iter().filter_map(|file| file.stdout.parent()) {
            watcher.watch(folder).ok();
        }
        shown.print(&files);
        if !live {
            return Ok(ExitCode::Done);
        }
        if woken.recv().is_err() {
            return Ok(ExitCode::Done);
        }
        while woken.try_recv().is_ok() {}
    }
}

/// What was printed so far.
struct Shown<'a> {
    /// Each node's part begins with its name.
    titled: bool,
    /// How much of each log file was printed.
    offsets: HashMap<PathBuf, u64>,
    last: Option<NodeId>,
    flow: &'a crate::model::Flow,
}

impl Shown<'_> {
    fn print(&mut self, files: &[LogFiles]) {
        for file in files {
            if let Some((stdout, stderr)) = &file.imported {
                if self.offsets.insert(file.stdout.clone(), 0).is_none() {
                    self.part(&file.node, Stream::Out, stdout.as_bytes());
                    self.part(&file.node, Stream::Err, stderr.as_bytes());
                }
                continue;
            }
            self.rest(&file.node, Stream::Out, &file.stdout);
            self.rest(&file.node, Stream::Err, &file.stderr);
        }
        io::stdout().flush().ok();
    }

    /// Prints what a file holds beyond what was printed of it.
    fn rest(&mut self, node: &NodeId, stream: Stream, path: &Path) {
        let from = self.offsets.get(path).copied().unwrap_or(0);
        let to = query::read_from(path, from, |bytes| self.part(node, stream, bytes));
        self.offsets.insert(path.to_owned(), to);
    }

    fn part(&mut self, node: &NodeId, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.titled && self.last.as_ref() != Some(node) {
            let name = self
                .flow
                .graph
                .node(node)
                .map_or(node.as_str(), |node| node.name());
            print::line(&format!("── {}", print::one_line(name)));
            self.last = Some(node.clone());
        }
        // At a terminal what a node printed must not drive it; into a file or a pipe it goes as is.
        let write = |out: &mut dyn Write, terminal: bool| {
            if terminal {
                for line in query::shown_lines(bytes) {
                    writeln!(out, "{line}").ok();
                }
            } else {
                out.write_all(bytes).ok();
            }
        };
        match stream {
            Stream::Out => write(&mut io::stdout(), io::stdout().is_terminal()),
            Stream::Err => write(&mut io::stderr(), io::stderr().is_terminal()),
        }
    }
}

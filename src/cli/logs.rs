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
        files: HashMap::new(),
        last: None,
        flow: &loaded.flow,
        out: Out::new(io::stdout().lock()),
        err: Out::new(io::stderr().lock()),
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
    if let Some(gone) = files.iter().find(|file| file.removed)
        && files.iter().all(|file| file.removed)
    {
        return Err(Refused::new(
            format!("the log of run {} was removed by retention", gone.run),
            "`handmill history FLOW --pin RUN` keeps a run; the settings say how long others are kept.",
        ));
    }
    shown.print(&files, !args.follow);
    if !args.follow || shown.nobody_reads() {
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
        shown.print(&files, !live);
        if !live || shown.nobody_reads() {
            return Ok(ExitCode::Done);
        }
        if woken.recv().is_err() {
            return Ok(ExitCode::Done);
        }
        while woken.try_recv().is_ok() {}
    }
}

/// Bytes gathered before they are written: a write for each line is what makes a long log slow.
const GATHER: usize = 64 << 10;

/// What was printed so far.
struct Shown<'a> {
    /// Each node's part begins with its name.
    titled: bool,
    /// What was printed of each log file.
    files: HashMap<PathBuf, Progress>,
    last: Option<NodeId>,
    flow: &'a crate::model::Flow,
    out: Out<io::StdoutLock<'static>>,
    err: Out<io::StderrLock<'static>>,
}

/// How far one file was printed, and its unfinished line.
#[derive(Default)]
struct Progress {
    offset: u64,
    lines: query::Lines,
    whole: bool,
    /// It was said that it cannot be read.
    refused: bool,
}

impl Shown<'_> {
    /// Prints what is new; with `last`, unfinished lines too, as nothing more will come.
    fn print(&mut self, files: &[LogFiles], last: bool) {
        for file in files {
            if let Some((stdout, stderr)) = &file.imported {
                let mut known = self.files.remove(&file.stdout).unwrap_or_default();
                if !std::mem::replace(&mut known.whole, true) {
                    for (stream, text) in [(Stream::Out, stdout), (Stream::Err, stderr)] {
                        let mut once = Progress::default();
                        self.part(&file.node, stream, text.as_bytes(), &mut once);
                        self.end(stream, &mut once);
                    }
                }
                self.files.insert(file.stdout.clone(), known);
                continue;
            }
            let over = last || file.over;
            self.rest(&file.node, Stream::Out, &file.stdout, over);
            self.rest(&file.node, Stream::Err, &file.stderr, over);
        }
        self.out.flush();
        self.err.flush();
    }

    /// True when whoever read it has gone, as `head` does.
    fn nobody_reads(&self) -> bool {
        self.out.closed || self.err.closed
    }

    /// Prints what a file holds beyond what was printed of it.
    fn rest(&mut self, node: &NodeId, stream: Stream, path: &Path, over: bool) {
        if self.nobody_reads() {
            return;
        }
        let mut known = self.files.remove(path).unwrap_or_default();
        let mut offset = known.offset;
        let read = query::read_from(path, &mut offset, |bytes| {
            self.part(node, stream, bytes, &mut known);
            !self.nobody_reads()
        });
        known.offset = offset;
        if let Err(why) = read
            && !std::mem::replace(&mut known.refused, true)
        {
            let what = format!("warning: log not readable ({why}): {}\n", path.display());
            self.err.write(what.as_bytes());
        }
        if over {
            self.end(stream, &mut known);
        }
        self.files.insert(path.to_owned(), known);
    }

    fn part(&mut self, node: &NodeId, stream: Stream, bytes: &[u8], known: &mut Progress) {
        if bytes.is_empty() {
            return;
        }
        if self.titled && self.last.as_ref() != Some(node) {
            let name = self
                .flow
                .graph
                .node(node)
                .map_or(node.as_str(), |node| node.name());
            // What the one before printed stands above this, on whichever of the two.
            self.err.flush();
            self.out
                .write(format!("── {}\n", print::one_line(name)).as_bytes());
            self.out.flush();
            self.last = Some(node.clone());
        }
        match stream {
            Stream::Out => self.out.show(bytes, &mut known.lines),
            Stream::Err => {
                self.out.flush();
                self.err.show(bytes, &mut known.lines);
            }
        }
    }

    /// The unfinished line of a file that will not grow.
    fn end(&mut self, stream: Stream, known: &mut Progress) {
        let line = std::mem::take(&mut known.lines).partial();
        let Some(line) = line.map(|line| line + "\n") else {
            return;
        };
        match stream {
            Stream::Out => self.out.write(line.as_bytes()),
            Stream::Err => self.err.write(line.as_bytes()),
        }
    }
}

/// Standard output or error.
struct Out<W: Write> {
    to: io::BufWriter<W>,
    terminal: bool,
    /// Nobody reads it any more.
    closed: bool,
}

impl<W: Write + IsTerminal> Out<W> {
    fn new(to: W) -> Self {
        Self {
            terminal: to.is_terminal(),
            to: io::BufWriter::with_capacity(GATHER, to),
            closed: false,
        }
    }

    /// At a terminal what a node printed must not drive it; into a file or a pipe it goes as is.
    fn show(&mut self, bytes: &[u8], lines: &mut query::Lines) {
        if !self.terminal {
            return self.write(bytes);
        }
        lines.push(bytes, |mut line, _| {
            line.push('\n');
            self.write(line.as_bytes());
        });
    }

    fn write(&mut self, bytes: &[u8]) {
        self.closed |= self.to.write_all(bytes).is_err();
    }

    fn flush(&mut self) {
        self.closed |= self.to.flush().is_err();
    }
}

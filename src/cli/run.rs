//! `run` and `resume`: one run in this process, told as it happens.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::model::{Choice, Event, Flow, FlowRef, NodeId, Secret, Secrets, Wrapper};
use crate::runtime::control::Setup;
use crate::runtime::{Config, Manner, Order, Processes, Runtime, RuntimeHandle, query};
use crate::store::{self, Home, Loading, Settings};

use super::ExitCode;
use super::args::{HowArgs, ResumeArgs, RunArgs};
use super::exit::Refused;
use super::print::{self, Form, Printer};
use super::resource;

/// Carries out `run`.
pub fn run(home: &Home, args: RunArgs) -> Result<ExitCode, Refused> {
    let choice = |flow: &Flow| {
        Ok(if !args.nodes.is_empty() {
            Choice::Selection(named(flow, &args.nodes)?)
        } else if !args.from.is_empty() {
            Choice::From(named(flow, &args.from)?)
        } else if !args.to.is_empty() {
            Choice::UpTo(named(flow, &args.to)?)
        } else if args.full {
            Choice::Full
        } else {
            Choice::Auto
        })
    };
    start(home, &args.flow, &args.how, choice)
}

/// Carries out `resume`.
pub fn resume(home: &Home, args: ResumeArgs) -> Result<ExitCode, Refused> {
    start(home, &args.flow, &args.how, |_| Ok(Choice::Resume))
}

/// Node ids for what a person wrote: an id, else a name that one node has.
pub fn named(flow: &Flow, words: &[String]) -> Result<Vec<NodeId>, Refused> {
    let mut ids = Vec::new();
    let mut unknown = Vec::new();
    for word in words
        .iter()
        .map(|word| word.trim())
        .filter(|word| !word.is_empty())
    {
        let id = NodeId::from(word);
        if flow.graph.contains(&id) {
            ids.push(id);
            continue;
        }
        let same: Vec<&NodeId> = flow
            .graph
            .nodes()
            .filter(|node| node.name() == word)
            .map(|node| &node.id)
            .collect();
        match same[..] {
            [] => unknown.push(format!("‘{}’", print::one_line(word))),
            [one] => ids.push(one.clone()),
            _ => {
                let what = format!("{} nodes are named ‘{}’", same.len(), print::one_line(word));
                return Err(Refused::new(
                    what,
                    "Give the id instead; `handmill ls FLOW` lists them.",
                ));
            }
        }
    }
    if unknown.is_empty() {
        return Ok(ids);
    }
    let what = format!("the flow has no node {}", unknown.join(", "));
    Err(Refused::new(
        what,
        "`handmill ls FLOW` lists ids and names.",
    ))
}

fn start(
    home: &Home,
    path: &Path,
    how: &HowArgs,
    choice: impl FnOnce(&Flow) -> Result<Choice, Refused>,
) -> Result<ExitCode, Refused> {
    let flow = store::locate(path)?;
    let loaded = store::load(path)?;
    // Who names a file on the command line asks for it to be run; the window need not ask again.
    let untrusted = store::trust_file(home, &flow.path(), &loaded.flow).err();
    let mut frozen = loaded.flow;
    let choice = choice(&frozen)?;
    if let Some(wrapper) = &how.wrapper {
        frozen.wrapper = Some(Wrapper::new(wrapper.as_str()));
    }
    if let Some(shell) = &how.shell {
        frozen.shell.clone_from(shell);
    }
    let Some(secrets) = given(&how.resources)? else {
        return Ok(ExitCode::Stopped);
    };
    let mut printer = Printer::new(match how {
        HowArgs { json: true, .. } => Form::Json,
        HowArgs { quiet: true, .. } => Form::Quiet,
        _ => Form::Lines,
    });
    let Loading { settings, warnings } = Settings::load(home);
    let as_it_stands = how.wrapper.is_none() && how.shell.is_none();
    let follows = as_it_stands && choice.may_follow() && query::goes_on(home, &flow);
    let (sender, events) = channel();
    let (over, is_over) = channel();
    let config = Config {
        home: home.clone(),
        face: "command line",
        manner: Manner {
            slots: how.jobs.or(settings.slots),
            grace: Duration::from_secs(settings.grace_seconds.into()),
            retention: settings.retention(),
            keep_results: settings.keep_results,
            shell: settings.shell,
        },
        processes: processes(&flow, follows)?,
        control: Setup::default(),
        wake: None,
        events: Some(Box::new(move |event| {
            if is_told(event) {
                sender.send(event.clone()).ok();
            }
            if ends(event) {
                over.send(()).ok();
            }
        })),
    };
    let runtime = Runtime::start(config)
        .map_err(|why| Refused::new(format!("failed to start the runtime: {why}"), ""))?;
    let handle = runtime.handle();
    let untrusted = untrusted.map(|why| format!("Failed to {why}"));
    for warning in warnings.into_iter().chain(loaded.warnings).chain(untrusted) {
        printer.event(&Event::Told(crate::model::Notice::new(
            crate::model::Level::Warning,
            warning,
            "",
        )));
    }
    stop_on_signals(&runtime, &handle, &flow);
    let frozen = Arc::new(frozen);
    let results = Arc::new(loaded.results);
    handle.send(Order::OpenFlow {
        flow: flow.clone(),
        frozen: frozen.clone(),
        results,
    });
    if !secrets.is_empty() {
        handle.send(Order::Give {
            flow: flow.clone(),
            secrets,
        });
    }
    handle.send(Order::StartRun {
        flow,
        frozen,
        choice,
        jobs_max: None,
    });
    let code = tell(&mut printer, &events, &is_over);
    handle.send(Order::ShutDown);
    runtime.join();
    // Such as: the end of the run could not be written.
    for event in events
        .try_iter()
        .filter(|event| matches!(**event, Event::Told(_)))
    {
        printer.event(&event);
    }
    printer.flush();
    code
}

/// The values that were asked for by name on the command line, each from the environment, else from the terminal or
/// standard input; `None` when the person gave up.
fn given(names: &[String]) -> Result<Option<Secrets>, Refused> {
    let mut secrets = Secrets::default();
    let mut n_read = 0;
    for name in names {
        let name = resource::name_of(name)?;
        let secret = match std::env::var(name.as_str()) {
            Ok(text) => Secret::new(text.into())
                .map_err(|why| Refused::new(format!("environment variable {name}: {why}"), ""))?,
            Err(_) => {
                n_read += 1;
                if n_read > 1 && !std::io::stdin().is_terminal() {
                    let what = format!("standard input holds one value, and {name} is the second");
                    return Err(Refused::new(what, "Keep one with `handmill resource set`."));
                }
                match resource::read_value(&name)? {
                    Some(secret) => secret,
                    None => return Ok(None),
                }
            }
        };
        secrets.insert(name, secret);
    }
    Ok(Some(secrets))
}

/// Who holds the nodes. A file on its own runs in this process: it is small and ends with its run, and what a sitter
/// costs per node buys nothing. In a workspace that other machines may share, somebody must end the nodes in time when
/// this process hangs or dies. And a run that goes on without a face is the sitter's: with its help it is followed.
fn processes(flow: &FlowRef, follows: bool) -> Result<Processes, Refused> {
    if !follows && store::stands_alone(flow) {
        return Ok(Processes::Own);
    }
    let binary = std::env::current_exe()
        .map_err(|why| Refused::new(format!("failed to find this program: {why}"), ""))?;
    Ok(Processes::Sitter(binary))
}

/// What the printer says nothing about is not worth waking it.
fn is_told(event: &Event) -> bool {
    !matches!(
        event,
        Event::NodeTriggered { .. } | Event::NodeSpawned { .. } | Event::EdgesMarked { .. }
    )
}

/// Prints events until the run is over.
fn tell(
    printer: &mut Printer,
    events: &Receiver<Arc<Event>>,
    is_over: &Receiver<()>,
) -> Result<ExitCode, Refused> {
    loop {
        let Ok(first) = events.recv() else {
            return Err(Refused::new("the runtime ended before the run did", ""));
        };
        // Nobody reads faster than this, and a thousand nodes a second would wake us as often. The
        // end is told at once.
        if !ends(&first) {
            is_over.recv_timeout(GATHER).ok();
        }
        for event in std::iter::once(first).chain(events.try_iter()) {
            printer.event(&event);
            match &*event {
                Event::RunFinished { outcome, .. } => return Ok(print::code(*outcome)),
                Event::RunRefused { notice, .. } => {
                    return Err(Refused::new(notice.what.as_ref(), notice.hint.as_ref()));
                }
                _ => {}
            }
        }
        printer.flush();
    }
}

/// Events are printed this long after they came, together with those that came meanwhile; sooner
/// when the run is over.
const GATHER: Duration = Duration::from_millis(20);

fn ends(event: &Event) -> bool {
    matches!(event, Event::RunFinished { .. } | Event::RunRefused { .. })
}

/// Ctrl-C and a polite kill stop the run with its grace; the second one at once.
fn stop_on_signals(runtime: &Runtime, handle: &RuntimeHandle, flow: &crate::model::FlowRef) {
    let (handle, flow) = (handle.clone(), flow.clone());
    runtime.on_stop_signal(move || {
        handle.send(Order::Stop {
            flow: flow.clone(),
            nodes: None,
            at_once: false,
        });
    });
}

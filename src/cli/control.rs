//! `control`: who has control of a shared workspace, and what this machine wants of it.
//!
//! Where another Handmill of this machine keeps control (a window, a run), the wish is handed to it. Otherwise this
//! process keeps it, in the foreground, and gives it back when it ends.

mod log;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::{Event, WorkspaceId};
use crate::runtime::control::{
    self, Folder, Looker, Moment, Request, Setup, Stand, Status, When, Wish,
};
use crate::runtime::{Board, Config, Manner, Order, Processes, Runner, Runtime, RuntimeHandle};
use crate::store::{self, Home, Settings};

use super::ExitCode;
use super::args::{AnswerArgs, ControlOf, ControlVerb, GiveArgs, GiveWhen, WaitArgs};
use super::exit::Refused;
use super::print;

/// How long another process of this machine may take to do what is wished, where no other machine has to answer.
const HEARD_WITHIN: Duration = Duration::from_secs(15);

/// How often ages and counts are printed anew while somebody watches.
const TICK: Duration = Duration::from_secs(1);

/// Carries out `control`.
pub fn control(home: &Home, verb: ControlVerb) -> Result<ExitCode, Refused> {
    match verb {
        ControlVerb::Status(of) => status(home, &of),
        ControlVerb::Watch(of) => watch(home, &of),
        ControlVerb::Log(args) => log::log(home, &args),
        ControlVerb::Request(args) => gain(home, &args, false),
        ControlVerb::TakeOver(args) => gain(home, &args, true),
        ControlVerb::Release(args) => release(home, &args),
        ControlVerb::HandOver(args) => answer(home, &args, true),
        ControlVerb::Deny(args) => answer(home, &args, false),
        ControlVerb::Import(of) => import(home, &of),
    }
}

/// The workspace in a folder, or that of a workfile.
fn find(path: &Path) -> Result<(WorkspaceId, Arc<Path>), Refused> {
    if !path.exists() {
        let what = format!("no such workspace: {}", path.display());
        return Err(Refused::new(what, ""));
    }
    let (id, root): (_, Arc<Path>) = if path.is_dir() {
        let root = path.canonicalize().map_err(|why| {
            Refused::new(
                format!("failed to use folder: {why}: {}", path.display()),
                "",
            )
        })?;
        (store::workspace_id(&root), root.into())
    } else {
        let flow = store::locate(path)?;
        (flow.workspace, flow.root)
    };
    if store::is_controlled(&root).is_ok_and(|is_shared| !is_shared) {
        return Err(Refused::new(
            format!(
                "nobody shares this folder, so nobody controls it: {}",
                root.display()
            ),
            "Name a workspace: a folder with flow_modules/ in it.",
        ));
    }
    Ok((id, root))
}

/// The workspace that is meant.
struct Place {
    id: WorkspaceId,
    root: Arc<Path>,
    json: bool,
}

impl Place {
    fn of(home: &Home, args: &ControlOf) -> Result<Self, Refused> {
        let path = args.workspace.clone();
        let (id, root) = match control::within(&args.workspace, move || find(&path)) {
            Ok(found) => found?,
            Err(why) => {
                // What a process of this machine keeps there is known without the folder, under the name it was given.
                let absolute = std::path::absolute(&args.workspace);
                let root = absolute.unwrap_or_else(|_| args.workspace.clone());
                let id = store::workspace_id_of(&root);
                if !matches!(control::keeper_of(home, &id), Ok(Some(_))) {
                    return Err(Refused::new(why.trim_end_matches('.'), ""));
                }
                (id, root.into())
            }
        };
        Ok(Self {
            id,
            root,
            json: args.json,
        })
    }

    fn print(&self, status: &Status, held_by: Option<&Runner>) {
        if self.json {
            print::line(&as_json(self, status, held_by).to_string());
            return;
        }
        print::line(&status.text);
        if let Some(held) = held_by {
            print::line(&format!("kept by {} · process {}", held.face, held.pid));
        }
        // While control is free or on its way, why nothing starts just now is no news.
        let is_news = matches!(
            status.stand,
            Stand::Watching
                | Stand::Vanished
                | Stand::Stopping
                | Stand::Leaving { .. }
                | Stand::Refused
        );
        if let Some(why) = status.blocked.as_ref().filter(|_| is_news) {
            print::line(why);
        }
        for request in &status.requests {
            print::line(&format!("asked for by {}", asker(request)));
        }
        for banner in &status.banners {
            if Some(&banner.text) != status.blocked.as_ref() {
                print::line(&banner.text);
            }
        }
    }

    /// A line for people; with `--json` only states are printed.
    fn say(&self, what: &str) {
        if !self.json {
            print::line(what);
        }
    }
}

fn asker(request: &Request) -> String {
    let id: String = request.machine.0.chars().take(8).collect();
    let host = print::one_line(&request.host);
    // Where two hosts have one name, it comes with the beginning of the id.
    let host = match host.split_once(" (") {
        Some((name, part)) if id.starts_with(part.trim_end_matches(')')) => name.to_owned(),
        _ => host,
    };
    let ago = request.age.as_secs();
    match request.answered_in {
        Some(left) => format!(
            "{host} ({id}) · for {ago}s · answered by the policy in {}s",
            left.as_secs()
        ),
        None => format!("{host} ({id}) · for {ago}s"),
    }
}

/// Fields are stable: see docs/FORMATS.md.
fn as_json(place: &Place, status: &Status, held_by: Option<&Runner>) -> Value {
    let seconds = |time: Duration| time.as_secs_f64();
    let folder = status.folder.as_ref().map(|folder| match folder {
        Folder::Exclusive { is_slow: false } => "exclusive",
        Folder::Exclusive { is_slow: true } => "slow",
        Folder::Advisory { .. } => "advisory",
        Folder::Unfit(_) => "unfit",
        Folder::Vanished => "vanished",
    });
    json!({
        "workspace": place.root.to_string_lossy(),
        "at": print::seconds(crate::runtime::now()),
        "stand": stand_word(status.stand),
        "text": status.text,
        "has_control": has_control(status),
        "may_start_runs": status.may_start_runs,
        "blocked": status.blocked,
        "owner": status.owner.as_ref().map(|owner| json!({
            "host": owner.host, "machine": owner.machine.as_ref().map(|machine| &machine.0),
            "silent_s": seconds(owner.silent), "takeover_in_s": owner.takeover_in.map(seconds),
            "is_older_program": owner.is_seed,
        })),
        "requests": status.requests.iter().map(|request| json!({
            "host": request.host, "machine": request.machine.0, "age_s": seconds(request.age),
            "answered_in_s": request.answered_in.map(seconds),
        })).collect::<Vec<_>>(),
        "asked_s": status.asked.as_ref().map(|asked| seconds(asked.age)),
        "folder": folder,
        "seen_s": status.seen.map(seconds),
        "banners": status.banners.iter().map(|banner| &banner.text).collect::<Vec<_>>(),
        "kept_by": held_by.map(|held| json!({ "pid": held.pid, "face": &*held.face })),
    })
}

fn stand_word(stand: Stand) -> &'static str {
    match stand {
        Stand::Unknown => "unknown",
        Stand::Free => "free",
        Stand::Watching => "watching",
        Stand::Claiming => "claiming",
        Stand::Owner { .. } => "owner",
        Stand::Leaving { .. } => "leaving",
        Stand::Stopping => "stopping",
        Stand::Frozen => "frozen",
        Stand::Vanished => "vanished",
        Stand::Refused => "refused",
    }
}

fn has_control(status: &Status) -> bool {
    matches!(status.stand, Stand::Owner { .. }) && status.may_start_nodes
}

fn status(home: &Home, of: &ControlOf) -> Result<ExitCode, Refused> {
    let place = Place::of(home, of)?;
    match Looker::new(home, &place.id, &place.root).look() {
        Ok(Some(looked)) => {
            place.print(&looked.status, looked.held_by.as_ref());
            Ok(ExitCode::Done)
        }
        Ok(None) => Err(Refused::new("nobody shares this folder", "")),
        Err(why) => Ok(not_done(&why)),
    }
}

/// It was understood, and is not possible or was not granted.
fn not_done(why: &str) -> ExitCode {
    print::refused(&Refused::new(why.trim_end_matches('.'), ""));
    ExitCode::Failed
}

fn watch(home: &Home, of: &ControlOf) -> Result<ExitCode, Refused> {
    let place = Place::of(home, of)?;
    let mut looker = Looker::new(home, &place.id, &place.root);
    let mut last = None;
    loop {
        // A look claims nothing, whatever the policy says; and what another process keeps is read from there.
        let (status, held_by) = match looker.look() {
            Ok(Some(looked)) => (looked.status, looked.held_by),
            // A server that goes away may come back, and whoever watches wants to see it.
            Ok(None) => (
                Status::refused("Nobody shares this folder.".to_owned()),
                None,
            ),
            Err(why) => (Status::refused(why), None),
        };
        let now = Some((told(&status), held_by.clone()));
        if last != now {
            place.print(&status, held_by.as_ref());
        }
        last = now;
        std::thread::sleep(TICK);
    }
}

/// What of a status is worth a new line.
type Told = (Stand, String, Option<String>, usize, usize);

/// Everything but ages.
fn told(status: &Status) -> Told {
    let text = match status.stand {
        Stand::Refused => status.blocked.as_ref().unwrap_or(&status.text),
        _ => &status.text,
    };
    let text: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    (
        status.stand,
        text,
        // Names may differ by their numbers alone.
        status.owner.as_ref().map(|owner| owner.host.clone()),
        status.requests.len(),
        status.banners.len(),
    )
}

/// A runtime that has to do with control of one workspace.
struct Seat {
    runtime: Runtime,
    handle: RuntimeHandle,
    place: Place,
    changed: Receiver<Wake>,
}

/// Why a seat is to look again.
enum Wake {
    Board,
    Told(Arc<Event>),
    Stop,
}

impl Seat {
    fn take(home: &Home, place: Place) -> Result<Self, Refused> {
        let (wake, changed) = channel();
        let settings = Settings::load(home).settings;
        let binary = std::env::current_exe()
            .map_err(|why| Refused::new(format!("failed to find this program: {why}"), ""))?;
        let (board, told, stop) = (wake.clone(), wake.clone(), wake);
        let config = Config {
            home: home.clone(),
            face: "command line",
            manner: Manner {
                grace: Duration::from_secs(settings.grace_seconds.into()),
                retention: settings.retention(),
                ..Manner::default()
            },
            // Another process of this machine may run flows under the control that is kept here.
            processes: Processes::Sitter(binary),
            control: Setup::default(),
            wake: Some(Box::new(move || {
                board.send(Wake::Board).ok();
            })),
            events: Some(Box::new(move |event| {
                if matches!(**event, Event::Told(_)) {
                    told.send(Wake::Told(event.clone())).ok();
                }
            })),
        };
        let runtime = Runtime::start(config)
            .map_err(|why| Refused::new(format!("failed to start: {why}"), ""))?;
        runtime.on_stop_signal(move || {
            stop.send(Wake::Stop).ok();
        });
        let handle = runtime.handle();
        handle.send(Order::KeepControl {
            workspace: place.id.clone(),
            root: place.root.clone(),
        });
        Ok(Self {
            runtime,
            handle,
            place,
            changed,
        })
    }

    fn wish(&self, wish: Wish) {
        self.handle.send(Order::Control {
            workspace: self.place.id.clone(),
            wish,
        });
    }

    /// Prints what is told and gives each new status to `judge`, at least once a second, until that is satisfied, a
    /// person stops it (`None`) or the time has come (`Err`).
    fn until<T>(
        &self,
        by: Option<Moment>,
        mut judge: impl FnMut(&Status, Option<&Runner>) -> Option<T>,
    ) -> Result<Option<T>, ()> {
        let mut printer = print::Printer::new(print::Form::Quiet);
        loop {
            let now = crate::runtime::boot();
            if by.is_some_and(|by| by <= now) {
                return Err(());
            }
            let wait = by.map_or(TICK, |by| TICK.min(by.since(now)));
            match self.changed.recv_timeout(wait) {
                Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Ok(Wake::Told(event)) => printer.event(&event),
                Ok(Wake::Board) | Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some((status, held_by)) = seen(&self.handle.board(), &self.place.id)
                && let Some(judged) = judge(&status, held_by.as_ref())
            {
                return Ok(Some(judged));
            }
        }
    }

    /// Ends; control that this process has is given back.
    fn leave(self, code: ExitCode) -> ExitCode {
        self.handle.send(Order::ShutDown);
        self.runtime.join();
        code
    }
}

fn seen(board: &Board, id: &WorkspaceId) -> Option<(Status, Option<Runner>)> {
    let control = board.control.get(id)?;
    Some((
        control.status_at(crate::runtime::boot()),
        control.held_by.clone(),
    ))
}

/// What became of a wish to gain control.
enum Gained {
    /// This process has it.
    Here,
    /// Another process of this machine has it.
    There(Runner),
    /// Not. A sentence.
    Not(String),
}

fn gain(home: &Home, args: &WaitArgs, takes_over: bool) -> Result<ExitCode, Refused> {
    let seat = Seat::take(home, Place::of(home, &args.of)?)?;
    let by = crate::runtime::boot().plus(Duration::from_secs(args.wait));
    let (mut is_wished, mut was_asking) = (false, false);
    let mut last: Option<Told> = None;
    let came = seat.until(Some(by), |status, held_by| {
        // That the folder is being looked at needs no line.
        let is_news = last.replace(told(status)) != Some(told(status));
        if is_news && status.stand != Stand::Unknown {
            seat.place.print(status, held_by);
        }
        match status.stand {
            Stand::Owner { .. } if has_control(status) => {
                return Some(held_by.map_or(Gained::Here, |held| Gained::There(held.clone())));
            }
            Stand::Unknown | Stand::Claiming | Stand::Owner { .. } | Stand::Frozen => return None,
            Stand::Refused => return Some(Gained::Not(why_not(status))),
            _ => {}
        }
        was_asking |= status.asked.is_some();
        if was_asking && status.asked.is_none() && status.stand == Stand::Watching {
            let host = status
                .owner
                .as_ref()
                .map_or("The owner", |owner| &*owner.host);
            return Some(Gained::Not(format!("{host} keeps control.")));
        }
        if !is_wished {
            let wish = match status.stand {
                Stand::Watching if takes_over => match &status.can.take_over {
                    Ok(()) => Wish::TakeOver,
                    // It may fall silent yet.
                    Err(_) => return None,
                },
                Stand::Watching => Wish::Request {
                    client: "cli".to_owned(),
                },
                _ => Wish::Control,
            };
            seat.wish(wish);
            is_wished = true;
        }
        None
    });
    let code = match came {
        Ok(Some(Gained::Here)) => {
            seat.place.say("Press Ctrl-C to release it");
            hold(&seat, last)
        }
        Ok(Some(Gained::There(held))) => {
            seat.place
                .say(&format!("{} · process {} keeps it", held.face, held.pid));
            ExitCode::Done
        }
        Ok(Some(Gained::Not(why))) => not_done(&why),
        Ok(None) => {
            take_back(&seat, was_asking);
            ExitCode::Stopped
        }
        Err(()) => {
            take_back(&seat, was_asking);
            let why = seen(&seat.handle.board(), &seat.place.id).map_or_else(
                || "The workspace folder does not answer".to_owned(),
                |(status, _)| why_not(&status),
            );
            not_done(&format!(
                "Control was not gained within {} s. {why}",
                args.wait
            ))
        }
    };
    Ok(seat.leave(code))
}

fn why_not(status: &Status) -> String {
    status
        .blocked
        .clone()
        .unwrap_or_else(|| status.text.clone())
}

/// Takes a request back, so that control does not come to a process that has gone.
fn take_back(seat: &Seat, was_asking: bool) {
    if was_asking {
        seat.wish(Wish::Cancel);
        let by = crate::runtime::boot().plus(Duration::from_secs(5));
        seat.until(Some(by), |status, _| status.asked.is_none().then_some(()))
            .ok();
    }
}

/// Keeps control until a person stops it, or it goes to another machine.
fn hold(seat: &Seat, mut last: Option<Told>) -> ExitCode {
    let mut was_given = false;
    let gone = seat.until(None, |status, held_by| {
        if last.replace(told(status)) != Some(told(status)) {
            seat.place.print(status, held_by);
        }
        was_given |= matches!(status.stand, Stand::Leaving { .. });
        let is_ours = matches!(
            status.stand,
            Stand::Owner { .. } | Stand::Leaving { .. } | Stand::Frozen
        );
        (!is_ours && status.stand != Stand::Claiming).then(|| why_not(status))
    });
    match gone {
        // It was there to be kept until then.
        Ok(None) | Err(()) => ExitCode::Done,
        Ok(Some(_)) if was_given => ExitCode::Done,
        Ok(Some(why)) => not_done(&format!("Control is gone. {why}")),
    }
}

/// A seat beside the process that keeps control, which is the one that can give it up.
fn seat_beside_keeper(home: &Home, of: &ControlOf) -> Result<Result<Seat, ExitCode>, Refused> {
    let place = Place::of(home, of)?;
    match control::keeper_of(home, &place.id) {
        Ok(Some(_)) => Seat::take(home, place).map(Ok),
        Ok(None) => {
            let why = "No Handmill of this machine keeps control of this workspace";
            Ok(Err(not_done(why)))
        }
        Err(why) => Ok(Err(not_done(&why))),
    }
}

fn when(when: GiveWhen) -> When {
    match when {
        GiveWhen::Now => When::Now,
        GiveWhen::AfterNodes => When::AfterNodes,
        GiveWhen::AfterRuns => When::AfterRuns,
    }
}

fn release(home: &Home, args: &GiveArgs) -> Result<ExitCode, Refused> {
    let seat = match seat_beside_keeper(home, &args.of)? {
        Ok(seat) => seat,
        Err(code) => return Ok(code),
    };
    let when = when(args.when);
    Ok(give(seat, |_| Ok(Wish::Release { when })))
}

fn answer(home: &Home, args: &AnswerArgs, is_yes: bool) -> Result<ExitCode, Refused> {
    let seat = match seat_beside_keeper(home, &args.of)? {
        Ok(seat) => seat,
        Err(code) => return Ok(code),
    };
    let when = when(args.when);
    let wish = |status: &Status| {
        let to = asked_by(status, args.to.as_deref())?;
        Ok(match is_yes {
            true => Wish::HandOver { to, when },
            false => Wish::Deny { to },
        })
    };
    Ok(give(seat, wish))
}

/// Which machine asks.
fn asked_by(status: &Status, to: Option<&str>) -> Result<control::MachineId, String> {
    let meant: Vec<&Request> = status
        .requests
        .iter()
        .filter(|request| {
            to.is_none_or(|to| {
                request.host == to || !to.is_empty() && request.machine.0.starts_with(to)
            })
        })
        .collect();
    match (meant.as_slice(), to) {
        ([one], _) => Ok(one.machine.clone()),
        ([], Some(to)) => Err(format!("{} does not ask for control", print::one_line(to))),
        ([], None) => Err("Nobody asks for control".to_owned()),
        (_, _) => {
            let all: Vec<String> = meant.iter().map(|request| asker(request)).collect();
            Err(format!(
                "Several machines ask; name one with --to: {}",
                all.join("; ")
            ))
        }
    }
}

/// Hands a wish to the keeper and waits until it is heard.
fn give(seat: Seat, wish: impl Fn(&Status) -> Result<Wish, String>) -> ExitCode {
    let by = crate::runtime::boot().plus(HEARD_WITHIN);
    let mut wished: Option<(Wish, usize)> = None;
    let came = seat.until(Some(by), |status, held_by| {
        // Not yet known, or its process went away and this one is to keep control now: it has none to give.
        if held_by.is_none() {
            let gives = |(wish, _): &(Wish, usize)| !matches!(wish, Wish::Deny { .. });
            return match status.stand {
                Stand::Unknown => None,
                // It heard the wish, gave control away, and had nothing left to stay for. What this process begins to
                // claim instead it gives up as it ends.
                Stand::Free | Stand::Watching | Stand::Claiming
                    if wished.as_ref().is_some_and(gives) =>
                {
                    seat.place.print(status, held_by);
                    Some(Ok(()))
                }
                _ => {
                    let why = "No Handmill of this machine has control of this workspace";
                    Some(Err(why.to_owned()))
                }
            };
        }
        let Some((wish, n_requests)) = &wished else {
            if !matches!(status.stand, Stand::Owner { .. } | Stand::Leaving { .. }) {
                return Some(Err(why_not(status)));
            }
            return match wish(status) {
                Err(why) => Some(Err(why)),
                Ok(wish) => {
                    seat.wish(wish.clone());
                    wished = Some((wish, status.requests.len()));
                    None
                }
            };
        };
        let is_heard = match wish {
            Wish::Deny { .. } => status.requests.len() < *n_requests,
            _ => !matches!(status.stand, Stand::Owner { .. }),
        };
        is_heard.then(|| {
            seat.place.print(status, held_by);
            Ok(())
        })
    });
    let code = match came {
        Ok(Some(Ok(()))) => ExitCode::Done,
        Ok(Some(Err(why))) => not_done(&why),
        Ok(None) => ExitCode::Stopped,
        Err(()) => not_done("The Handmill that keeps control does not answer"),
    };
    seat.leave(code)
}

fn import(home: &Home, of: &ControlOf) -> Result<ExitCode, Refused> {
    let place = Place::of(home, of)?;
    match control::import(home, &place.id, &place.root) {
        Ok(done) if place.json => {
            let object = json!({
                "workspace": place.root.to_string_lossy(), "runs": done.runs, "steps": done.steps,
            });
            print::line(&object.to_string());
            Ok(ExitCode::Done)
        }
        Ok(done) => {
            print::line(&format!(
                "taken over · {} · {}",
                print::count(done.runs, "run"),
                print::count(done.steps, "step")
            ));
            Ok(ExitCode::Done)
        }
        Err(why) => Ok(not_done(&why)),
    }
}

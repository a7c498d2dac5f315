//! One look at who has control of a workspace, and the import of what Data Engine 0.5 left. Blocking, for the command
//! line: nothing is claimed, kept or watched, and a look writes nothing into the workspace.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::lease::{Effect, Fault, Input, Lease, Policy, Sighting, Stand, Status};
use crate::model::{FlowRef, WorkspaceId};
use crate::share::table::TableReader;
use crate::share::{self, Adoption, Imported, LedgerSide, Machine, Rows, SharedFolder, Wanted};
use crate::store::{self, ControlText, Home, LockError};

use super::super::board::Runner;
use super::super::clock;
use super::super::sharing::SharedLedger;
use super::super::workspace::Workspace;
use super::desk::control_now;
use super::opening::{self, Shown, parsed};

/// How long a folder may take to answer before it counts as one that hangs.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How often a keeper is asked what it shows, [`ASK_AGAIN_AFTER`] apart: 5 s.
const SHOWN_WITHIN: u32 = 500;
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// Operations that one look takes at most; a whole one has less than ten.
const OPERATIONS_MAX: usize = 64;

/// How control of a workspace stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Looked {
    /// For this machine.
    pub status: Status,
    /// The process of this machine that keeps control for all of them.
    pub held_by: Option<Runner>,
}

/// The process of this machine that keeps control of a workspace, or looks after it. Why it cannot be told, as a
/// sentence.
pub fn keeper_of(home: &Home, workspace: &WorkspaceId) -> Result<Option<Runner>, String> {
    let held = store::control_holder(home, workspace);
    let held = held.map_err(|why| format!("Who keeps control cannot be told: failed to {why}."))?;
    Ok(held.map(|held| Runner {
        pid: held.pid,
        face: held.face.into(),
        since: held.since,
    }))
}

/// What the keeper of this machine shows; `None` when there is no keeper. One that has the lock and shows nothing yet is
/// waited for: a fresh look in its place would say that nobody has what it is about to take, or has already.
fn shown(
    home: &Home,
    workspace: &WorkspaceId,
    mut wait: impl FnMut(),
) -> Result<Option<Looked>, String> {
    for _ in 0..SHOWN_WITHIN {
        let Some(held) = keeper_of(home, workspace)? else {
            return Ok(None);
        };
        let board = store::read_control(home, workspace, ControlText::Board);
        if let Some(shown) = board.and_then(|text| parsed::<Shown>(&text)) {
            let passed = clock::boot().since(shown.at);
            let status = shown.status.after(passed);
            let held_by = Some(held);
            return Ok(Some(Looked { status, held_by }));
        }
        wait();
    }
    Err(match keeper_of(home, workspace)? {
        Some(Runner { pid, face, .. }) if pid != 0 => format!(
            "The Handmill that looks after the workspace does not say how control stands ({face}, process {pid})."
        ),
        _ => {
            "A Handmill that looks after the workspace does not say how control stands.".to_owned()
        }
    })
}

/// Looks at one workspace as often as it is told to.
#[derive(Debug)]
pub struct Looker {
    home: Home,
    workspace: WorkspaceId,
    root: Arc<Path>,
    /// The look that a folder which hangs has not answered yet.
    under_way: UnderWay<Result<Option<Status>, String>>,
}

impl Looker {
    /// Of the workspace in the folder `root`.
    pub fn new(home: &Home, workspace: &WorkspaceId, root: &Arc<Path>) -> Self {
        Self {
            home: home.clone(),
            workspace: workspace.clone(),
            root: root.clone(),
            under_way: UnderWay::default(),
        }
    }

    /// Looks once; `None` when the folder is no workspace that anybody shares. Why it cannot be told, as a sentence.
    pub fn look(&mut self) -> Result<Option<Looked>, String> {
        let wait = || std::thread::sleep(ASK_AGAIN_AFTER);
        if let Some(shown) = shown(&self.home, &self.workspace, wait)? {
            return Ok(Some(shown));
        }
        let (home, id, root) = (self.home.clone(), self.workspace.clone(), self.root.clone());
        let looked = self
            .under_way
            .within(ANSWERS_WITHIN, move || look_now(&home, &id, &root));
        let status = told(looked, &self.root)??;
        let held_by = None;
        Ok(status.map(|status| Looked { status, held_by }))
    }
}

/// Does what may hang with a file server, for as long as a folder may take to answer. That it did not, as a sentence.
pub fn within<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    told(UnderWay::default().within(ANSWERS_WITHIN, work), folder)
}

fn told<T>(answer: io::Result<Option<T>>, folder: &Path) -> Result<T, String> {
    let answer = answer.map_err(|why| format!("No thread can be started: {why}."))?;
    answer.ok_or_else(|| {
        let seconds = ANSWERS_WITHIN.as_secs();
        format!(
            "The workspace folder has not answered for {seconds} s: {}.",
            folder.display()
        )
    })
}

/// What a thread does that may hang. One at a time: a folder that hangs for days is asked once.
#[derive(Debug)]
struct UnderWay<T>(Option<Receiver<T>>);

impl<T> Default for UnderWay<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Send + 'static> UnderWay<T> {
    /// What comes of the work within the time, or of the work of an earlier call that is not done yet; `None` when it is
    /// still under way then.
    fn within(
        &mut self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Option<T>> {
        let answer = match self.0.take() {
            Some(answer) => answer,
            None => {
                let (done, answer) = channel();
                let thread = std::thread::Builder::new().name("look".to_owned());
                thread.spawn(move || {
                    done.send(work()).ok();
                })?;
                answer
            }
        };
        match answer.recv_timeout(limit) {
            Ok(done) => Ok(Some(done)),
            Err(RecvTimeoutError::Timeout) => {
                self.0 = Some(answer);
                Ok(None)
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
        }
    }
}

/// Gives and takes no rows: a look is about who, not about what ran.
struct NoRows;

impl LedgerSide for NoRows {
    fn rows(&mut self, _: Wanted) -> Result<Rows, String> {
        Err("it only looks".to_owned())
    }

    fn adopt(&mut self, _: Rows, _: Option<&str>, _: Adoption) -> Result<(), String> {
        Err("it only looks".to_owned())
    }
}

fn look_now(home: &Home, workspace: &WorkspaceId, root: &Path) -> Result<Option<Status>, String> {
    match store::is_controlled(root) {
        Ok(false) => return Ok(None),
        Ok(true) => {}
        Err(why) => {
            let root = root.display();
            return Err(format!(
                "The workspace folder cannot be read ({why}): {root}."
            ));
        }
    }
    let limits = share::control_limits()?;
    let (machine, me) = this_machine(home)?;
    let mut shared = match open(root, &machine) {
        Ok(shared) => shared,
        Err(why) => return Ok(Some(Status::refused(why))),
    };
    let sighting = store::read_control(home, workspace, ControlText::Sighting);
    let sighting = sighting.and_then(|text| opening::same_boot::<Sighting>(&me, &text));
    let policy = Policy {
        claims_when_free: false,
        takes_over: false,
        ..Policy::default()
    };
    let name = share::shared_name(root);
    let mut lease = Lease::new(me, &name, 1, policy).with_limits(limits);
    let mut inputs: Vec<Input> = sighting.map(Input::Remembered).into_iter().collect();
    inputs.push(Input::Tick);
    let mut effects = Vec::new();
    for _ in 0..OPERATIONS_MAX {
        for input in inputs.drain(..) {
            lease.handle(control_now(), input, &mut effects);
        }
        for effect in effects.drain(..) {
            if let Effect::Carry { ticket, op } = effect {
                let reply = shared.carry(&op, &mut NoRows);
                inputs.push(Input::Replied { ticket, reply });
            }
        }
        if lease.status(control_now()).seen.is_some() || inputs.is_empty() {
            break;
        }
    }
    let mut status = lease.status(control_now());
    // Only whoever wants to have control tests the folder: that writes into it.
    if status.stand == Stand::Free && status.folder.is_none() {
        status.blocked = None;
        status.can.claim = Ok(());
    }
    Ok(Some(status))
}

fn this_machine(home: &Home) -> Result<(Machine, crate::lease::Me), String> {
    let machine = Machine::at(&home.machine_file());
    let machine =
        machine.map_err(|why| format!("Control is not possible on this machine: {why}."))?;
    let me = machine.me(clock::now());
    let me = me.map_err(|why| format!("Control is not possible on this machine: {why}."))?;
    Ok((machine, me))
}

fn open(root: &Path, machine: &Machine) -> Result<SharedFolder, String> {
    let opened = SharedFolder::open(root, machine.id.clone(), TableReader::default());
    opened.map_err(|why| match why {
        Fault::Vanished => "The workspace folder is not there.".to_owned(),
        why => format!("The workspace folder cannot be used: {why}."),
    })
}

/// Takes the history of a workspace over that Data Engine 0.5 kept and nobody holds, and puts its state aside, so that
/// Handmill may have control there. Why not, as a sentence. Killed at any point, it can be done again.
pub fn import(home: &Home, workspace: &WorkspaceId, root: &Arc<Path>) -> Result<Imported, String> {
    // Nobody of this machine is to claim it meanwhile; whoever looks after it would not see what is done here.
    let lock = store::acquire_control(home, workspace, "command line", clock::now());
    let lock = lock.map_err(|why| match why {
        LockError::Held(held) => format!(
            "A Handmill of this machine looks after the workspace ({}, process {}). Close it, then try again; or import in its window.",
            held.face, held.pid
        ),
        LockError::Store(why) => format!("Control cannot be locked on this machine: {why}."),
    })?;
    let (home, root) = (home.clone(), root.clone());
    let (id, folder) = (workspace.clone(), root.clone());
    // Reading what others wrote has limits of its own, so that only a folder that hangs takes long.
    let done = within(&folder, move || import_now(&home, &id, &root));
    drop(lock);
    done?
}

fn import_now(home: &Home, workspace: &WorkspaceId, root: &Arc<Path>) -> Result<Imported, String> {
    let (machine, me) = this_machine(home)?;
    let shared = open(root, &machine)?;
    let flow = FlowRef {
        workspace: workspace.clone(),
        root: root.clone(),
        file: "".into(),
    };
    let (told, notices) = channel();
    let open = Workspace::open(home, &flow, clock::now(), move |notice| {
        told.send(notice).ok();
    });
    let opened = open.map_err(|why| format!("The ledger cannot be opened: failed to {why}."))?;
    drop(notices);
    let rule = crate::model::Retention::default();
    let mut side = SharedLedger::new(Arc::new(opened), me.host, rule, || {});
    shared.import(&mut side, clock::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::{MachineId, Moment};
    use crate::model::Timestamp;

    #[test]
    fn a_keeper_that_shows_nothing_yet_is_waited_for_and_is_not_nobody() {
        let dir = tempfile::tempdir().expect("a folder");
        let (home, ws) = (Home::at(dir.path().join("home")), "w-1".into());
        assert_eq!(shown(&home, &ws, || panic!("for nobody")), Ok(None));
        let lock = store::acquire_control(&home, &ws, "window", Timestamp(7)).expect("free");
        let board = Shown {
            boot: "boot".to_owned(),
            machine: MachineId("me".to_owned()),
            at: Moment(0),
            status: Status::refused("Told by the keeper.".to_owned()),
            policy: Policy::default(),
        };
        let mut n_waits = 0;
        let looked = shown(&home, &ws, || {
            n_waits += 1;
            let text = match n_waits {
                // Of another Handmill, which means something else by it.
                1 => b"{}".to_vec(),
                _ => opening::text(&board),
            };
            store::write_control(&home, &ws, ControlText::Board, &text).expect("written");
        });
        let looked = looked.expect("told").expect("kept");
        assert_eq!(looked.status, board.status);
        assert_eq!(
            looked.held_by.map(|held| held.pid),
            Some(std::process::id())
        );
        store::forget_control(&home, &ws, ControlText::Board).expect("gone");
        let why = shown(&home, &ws, || ()).expect_err("it never says");
        assert!(why.contains("(window, process "), "{why}");
        let mut lock = Some(lock);
        assert_eq!(
            shown(&home, &ws, || drop(lock.take())),
            Ok(None),
            "it let go"
        );
    }

    #[test]
    fn what_hangs_is_asked_once_and_its_answer_is_taken_when_it_comes() {
        let (go, waits) = channel::<u32>();
        let mut under_way = UnderWay::default();
        let none = Duration::ZERO;
        let asked = under_way.within(none, move || waits.recv().expect("told"));
        assert_eq!(asked.expect("a thread"), None);
        for _ in 0..3 {
            let again = under_way.within(none, || panic!("asked a second time"));
            assert_eq!(again.expect("a thread"), None);
        }
        go.send(7).expect("it waits");
        let long = Duration::from_secs(60);
        let answer = under_way.within(long, || 8).expect("a thread");
        assert_eq!(answer, Some(7));
        assert_eq!(under_way.within(long, || 8).expect("a thread"), Some(8));
    }
}

//! Finding out who keeps control of a workspace on this machine, off the dispatcher's thread.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::exec::sitter::{self, Place};
use crate::lease::{Keepsake, MachineId, Me, Moment, Policy, Sighting, Status};
use crate::model::{FlowRef, Notice, WorkspaceId};
use crate::share::{self, Machine};
use crate::store::{self, ControlLock, ControlText, Home, LockError};

use super::super::board::Runner;
use super::super::clock;
use super::super::workspace::Workspace;

/// What was found out.
pub enum Opening {
    /// The folder is no workspace that anybody shares: nothing is controlled here.
    Uncontrolled,
    /// This process keeps control from now on.
    Ours(Box<Ours>),
    /// Another process of this machine does.
    Theirs {
        /// Which.
        held: Runner,
        /// What it showed last.
        shown: Option<Box<Shown>>,
    },
    /// Nobody can: a sentence.
    Failed(String),
}

/// What a new keeper begins with.
pub struct Ours {
    /// The right to.
    pub lock: ControlLock,
    /// Its ledger, opened.
    pub workspace: Arc<Workspace>,
    /// This machine and process.
    pub me: Me,
    /// What the person set.
    pub policy: Policy,
    /// What an earlier process left under this boot.
    pub keepsake: Option<Keepsake>,
    /// What an earlier process saw under this boot.
    pub sighting: Option<Sighting>,
    /// Somebody made a state folder in the workspace.
    pub has_state: bool,
    /// Runs in the workspace that the sitter holds for others, and their attempts that live.
    pub others: (u32, u32),
}

/// What a keeper shows to the other processes of this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The boot in which the moments mean something.
    pub boot: String,
    /// The machine that it is about.
    pub machine: MachineId,
    /// When the status was true.
    pub at: Moment,
    /// How control stands.
    pub status: Status,
    /// What the person set.
    pub policy: Policy,
}

/// Something of one boot.
#[derive(Serialize, Deserialize)]
struct OfBoot<T> {
    boot: String,
    machine: String,
    what: T,
}

/// A text that only the same boot of the same machine takes for true.
pub fn of_boot<T: Serialize>(me: &Me, what: T) -> Vec<u8> {
    text(&OfBoot {
        boot: me.boot.clone(),
        machine: me.machine.0.clone(),
        what,
    })
}

/// A value as text.
pub fn text(value: &impl Serialize) -> Vec<u8> {
    // Numbers, texts and lists: JSON can say all of it.
    serde_json::to_vec(value).unwrap_or_default()
}

/// A text as a value; `None` for what an older or newer Handmill meant by it.
pub fn parsed<T: for<'a> Deserialize<'a>>(text: &[u8]) -> Option<T> {
    serde_json::from_slice(text).ok()
}

/// Finds out who keeps control of the workspace at `root`, and takes that upon this process when nobody does. `ledger`
/// is that of the workspace, when it is open; else it is opened, and what it has to say comes through `on_notice`. May
/// wait for a file server.
pub fn open(
    home: &Home,
    workspace: &WorkspaceId,
    root: &Arc<Path>,
    face: &'static str,
    ledger: Option<Arc<Workspace>>,
    on_notice: impl Fn(Notice) + Send + 'static,
) -> Opening {
    match store::is_controlled(root) {
        Ok(false) => return Opening::Uncontrolled,
        Ok(true) => {}
        Err(why) => {
            let root = root.display();
            return Opening::Failed(format!(
                "The workspace folder cannot be read ({why}): {root}."
            ));
        }
    }
    let lock = match store::acquire_control(home, workspace, face, clock::now()) {
        Ok(lock) => lock,
        Err(LockError::Held(held)) => {
            let shown = store::read_control(home, workspace, ControlText::Board);
            return Opening::Theirs {
                held: Runner {
                    pid: held.pid,
                    face: held.face.into(),
                    since: held.since,
                },
                shown: shown.and_then(|text| parsed(&text)).map(Box::new),
            };
        }
        Err(LockError::Store(why)) => {
            return Opening::Failed(format!("Control cannot be locked on this machine: {why}."));
        }
    };
    let ledger = ledger.map_or_else(
        || {
            let any = FlowRef {
                workspace: workspace.clone(),
                root: root.clone(),
                file: "".into(),
            };
            Workspace::open(home, &any, clock::now(), on_notice).map(Arc::new)
        },
        Ok,
    );
    match ledger.and_then(|ledger| ours(home, workspace, root, lock, ledger)) {
        Ok(ours) => Opening::Ours(Box::new(ours)),
        Err(why) => Opening::Failed(format!("Control is not possible on this machine: {why}.")),
    }
}

fn ours(
    home: &Home,
    workspace: &WorkspaceId,
    root: &Path,
    lock: ControlLock,
    ledger: Arc<Workspace>,
) -> Result<Ours, String> {
    let machine = Machine::at(&home.machine_file()).map_err(|why| why.to_string())?;
    let me = machine.me(clock::now()).map_err(|why| why.to_string())?;
    let read = |text| store::read_control(home, workspace, text);
    // There before anybody watches it.
    store::make_control_dir(home, workspace).map_err(|why| why.to_string())?;
    // What an earlier keeper showed is true no longer.
    store::forget_control(home, workspace, ControlText::Board).map_err(|why| why.to_string())?;
    // Whoever left these has asked another keeper, and asks this one again.
    store::take_wishes(home, workspace).map_err(|why| why.to_string())?;
    let held = sitter::held(&Place::new(home.sitter_dir()))?;
    let here = held.iter().filter(|held| held.flow.workspace == *workspace);
    let others = here.fold((0, 0), |(runs, children), held| {
        (runs + 1, children + held.children)
    });
    Ok(Ours {
        policy: read(ControlText::Policy)
            .and_then(|text| parsed(&text))
            .unwrap_or_default(),
        keepsake: read(ControlText::Tenure).and_then(|text| same_boot(&me, &text)),
        sighting: read(ControlText::Sighting).and_then(|text| same_boot(&me, &text)),
        has_state: share::has_state(root),
        workspace: ledger,
        lock,
        me,
        others,
    })
}

/// What a text says, if it was written in this boot of this machine.
pub fn same_boot<T: for<'a> Deserialize<'a>>(me: &Me, text: &[u8]) -> Option<T> {
    let kept: OfBoot<T> = parsed(text)?;
    let is_same = kept.boot == me.boot && kept.machine == me.machine.0 && !me.boot.is_empty();
    is_same.then_some(kept.what)
}

//! Who may start what in a controlled workspace. Part of the [`Dispatcher`].

use crate::lease::{Folder, MachineId, Owner, Stand, Status, Wish};
use crate::model::{FlowRef, Level, Notice, WorkspaceId};
use crate::store;

use super::super::clock;
use super::super::dispatcher::Dispatcher;
use super::controls::{Closing, Standing};
use super::desk::control_now;

/// Whether a run may start in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Open,
    /// Not yet: control is being taken.
    Wait,
    /// No: why, and what to do.
    Refused(Notice),
}

/// Why nothing starts under a status, and what to do about that.
fn refusal(status: &Status) -> Notice {
    let why = status.blocked.clone();
    refused(why.unwrap_or_else(|| status.text.clone()), status)
}

/// The same, for a reason that is known.
fn refused(why: String, status: &Status) -> Notice {
    let silent = |owner: &Owner| owner.takeover_in.is_none();
    let hint = match (status.stand, &status.folder) {
        (Stand::Vanished, _) | (_, Some(Folder::Vanished)) => {
            "Look whether the folder is mounted. It is looked for by itself."
        }
        (Stand::Refused | Stand::Free, Some(Folder::Unfit(_))) => {
            "Have the folder made writable for you, or copy the workspace into a folder of your own and run it there."
        }
        (Stand::Refused, _) => "The control bar says what to do.",
        (Stand::Free, _) => "Settle in the control bar what keeps control from being taken.",
        (Stand::Leaving { .. }, _) => "Keep control, then run.",
        (Stand::Stopping, _) => "When they have ended, take control again.",
        (Stand::Watching, _) if status.owner.as_ref().is_some_and(silent) => {
            "Take over control, then run."
        }
        _ => "Ask for control, or wait until it is free.",
    };
    Notice::error(why, hint)
}

/// What a status means for a start. `me` is this machine, when it is known.
pub fn gate(status: &Status, me: Option<&MachineId>) -> Gate {
    if status.may_start_runs {
        return Gate::Open;
    }
    match status.stand {
        Stand::Unknown | Stand::Claiming | Stand::Frozen => Gate::Wait,
        // It goes on with what an earlier process of ours left, until the folder has confirmed that.
        Stand::Owner { .. } => Gate::Wait,
        Stand::Free => match &status.can.claim {
            Ok(()) => Gate::Wait,
            Err(_) if status.folder.is_none() => Gate::Wait,
            Err(_) if status.folder == Some(Folder::Vanished) => Gate::Wait,
            Err(why) => Gate::Refused(refused(why.clone(), status)),
        },
        // An earlier process of this machine: it is gone, and its children soon are.
        Stand::Watching
            if status.owner.as_ref().is_some_and(|owner| {
                !owner.is_seed && owner.machine.is_some() && owner.machine.as_ref() == me
            }) =>
        {
            Gate::Wait
        }
        Stand::Watching
        | Stand::Leaving { .. }
        | Stand::Stopping
        | Stand::Vanished
        | Stand::Refused => Gate::Refused(refusal(status)),
    }
}

impl Dispatcher {
    /// Whether a run of a flow may start now. Finds out who keeps control when that is not known, and wishes control
    /// when nobody has it.
    pub(in super::super) fn gate(&mut self, flow: &FlowRef) -> Gate {
        self.ensure_control(&flow.workspace, &flow.root);
        let me = self.controls.me.clone();
        let Some(control) = self.controls.by_workspace.get_mut(&flow.workspace) else {
            return Gate::Open;
        };
        let now = control_now();
        let answer = match &control.standing {
            // It was not there when it was looked for: an empty mount point looks like a folder that nobody shares.
            Standing::Uncontrolled if store::lies_in_modules(flow) => {
                self.open_control(&flow.workspace);
                let why = "The workspace folder is not there.";
                let hint = "Look whether the folder is mounted, then try again.";
                return Gate::Refused(Notice::error(why, hint));
            }
            Standing::Uncontrolled => return Gate::Open,
            Standing::Failed(why) => {
                // It may be well again the next time.
                let why = Notice::error(why.clone(), "Mend that, then try again.");
                self.open_control(&flow.workspace);
                return Gate::Refused(why);
            }
            Standing::Opening => Gate::Wait,
            Standing::Keeper(keeper, _) => gate(&keeper.status(now), me.as_ref()),
            Standing::Guest { shown, .. } => match shown {
                Some(shown) => {
                    let passed = now.boot.since(shown.at);
                    gate(&shown.status.after(passed), me.as_ref())
                }
                None => Gate::Wait,
            },
        };
        let is_leaving = matches!(control.stand(), Some(Stand::Leaving { .. }));
        let was_closing = control.closing.take() == Some(Closing::Releasing);
        control.reopens = is_leaving && (control.reopens || was_closing);
        if control.reopens {
            // Too late to keep it, perhaps: then it is claimed anew.
            control.waits.get_or_insert((clock::instant(), false));
            self.wish_control(&flow.workspace, Wish::Keep);
            return Gate::Wait;
        }
        match &answer {
            Gate::Wait => {
                control.waits.get_or_insert((clock::instant(), false));
                if !std::mem::replace(&mut control.is_wished, true) {
                    self.wish_control(&flow.workspace, Wish::Control);
                }
            }
            Gate::Open | Gate::Refused(_) => {
                control.waits = None;
                control.is_wished = false;
            }
        }
        answer
    }

    /// Whether a run that was prepared may still start: control may have gone meanwhile.
    pub(in super::super) fn may_still_start(&self, flow: &FlowRef) -> Result<(), Notice> {
        let Some(control) = self.controls.by_workspace.get(&flow.workspace) else {
            return Ok(());
        };
        let is_known = matches!(
            control.standing,
            Standing::Keeper(..) | Standing::Guest { .. }
        );
        match &control.last {
            Some((status, _)) if is_known && !status.may_start_runs => Err(refusal(status)),
            _ => Ok(()),
        }
    }

    /// As [`Dispatcher::ensure_control`], for a run that is carried on: a file on its own has nothing to control.
    pub(in super::super) fn ensure_control_of(&mut self, flow: &FlowRef) {
        if self.flows.get(flow).is_none_or(|open| !open.stands_alone) {
            self.ensure_control(&flow.workspace, &flow.root);
        }
    }

    /// Whether nodes of a live run may be started again by hand.
    pub(in super::super) fn may_retry(&mut self, flow: &FlowRef) -> Result<(), Notice> {
        let Some(control) = self.controls.by_workspace.get(&flow.workspace) else {
            return Ok(());
        };
        match &control.last {
            Some((status, _)) if !status.may_start_nodes => {
                let why = status.blocked.clone();
                let what = why.unwrap_or_else(|| status.text.clone());
                Err(Notice::error(what, "Take control again, then retry."))
            }
            _ => Ok(()),
        }
    }

    /// What waits for control is tried again, because how it stands has changed.
    pub(super) fn settle_waiting(&mut self, workspace: &WorkspaceId) {
        let ready: Vec<FlowRef> = self
            .flows
            .iter()
            .filter(|(flow, open)| {
                flow.workspace == *workspace && open.view.board.loaded && !open.waiting.is_empty()
            })
            .map(|(flow, _)| flow.clone())
            .collect();
        for flow in ready {
            let waiting = match self.flows.get_mut(&flow) {
                Some(open) => std::mem::take(&mut open.waiting),
                None => continue,
            };
            self.picture.touch_flow(&flow);
            for order in waiting {
                self.order(order);
            }
        }
    }

    /// Orders of a flow that wait for control are dropped, because a stop was asked for; true when there were any.
    pub(in super::super) fn drop_waiting(&mut self, flow: &FlowRef) -> bool {
        let Some(open) = self.flows.get_mut(flow) else {
            return false;
        };
        if !open.view.board.loaded || open.waiting.is_empty() {
            return false;
        }
        open.waiting.clear();
        self.picture.touch_flow(flow);
        let what = "Stopped before this machine had control of the workspace.";
        self.refuse(flow, Notice::new(Level::Info, what, ""));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::{Can, Epoch};
    use std::time::Duration;

    fn status(stand: Stand) -> Status {
        let mut status = Status::refused("because".to_owned());
        status.stand = stand;
        status
    }

    #[test]
    fn a_start_waits_while_control_is_taken_and_is_refused_when_another_has_it() {
        let me = MachineId("me".to_owned());
        let wait = |stand| gate(&status(stand), Some(&me)) == Gate::Wait;
        assert!(wait(Stand::Unknown) && wait(Stand::Claiming) && wait(Stand::Frozen));
        let ask = "Ask for control, or wait until it is free.";
        let refused = Gate::Refused(Notice::error("because", ask));
        let mut held = status(Stand::Watching);
        assert_eq!(gate(&held, Some(&me)), refused);
        let owner = |machine: &str| Owner {
            machine: Some(MachineId(machine.to_owned())),
            host: "wsA".to_owned(),
            silent: Duration::ZERO,
            takeover_in: Some(Duration::from_secs(80)),
            is_seed: false,
        };
        held.owner = Some(owner("other"));
        assert_eq!(gate(&held, Some(&me)), refused);
        held.owner = Some(owner("me"));
        assert_eq!(
            gate(&held, Some(&me)),
            Gate::Wait,
            "our own, of a dead process"
        );
        let mut free = status(Stand::Free);
        assert_eq!(
            gate(&free, Some(&me)),
            Gate::Wait,
            "the folder is not tested yet"
        );
        free.folder = Some(Folder::Exclusive { is_slow: false });
        assert!(matches!(gate(&free, Some(&me)), Gate::Refused(_)));
        free.can = Can {
            claim: Ok(()),
            ..free.can
        };
        assert_eq!(gate(&free, Some(&me)), Gate::Wait);
        let mut owner = status(Stand::Owner { epoch: Epoch(1) });
        owner.may_start_runs = true;
        assert_eq!(gate(&owner, Some(&me)), Gate::Open);
    }

    #[test]
    fn a_refusal_says_what_is_so_and_what_to_do() {
        let hint = |stand, folder: Option<Folder>, change: fn(&mut Status)| {
            let mut status = status(stand);
            status.folder = folder;
            change(&mut status);
            refusal(&status).hint.to_string()
        };
        let nothing: fn(&mut Status) = |_| {};
        let read_only = Folder::Unfit("This folder cannot be written here.".to_owned());
        assert!(hint(Stand::Refused, Some(read_only), nothing).starts_with("Have the folder made"));
        assert!(hint(Stand::Vanished, None, nothing).contains("mounted"));
        assert!(hint(Stand::Watching, None, nothing).starts_with("Ask for control"));
        let silent: fn(&mut Status) = |status| {
            status.owner = Some(Owner {
                machine: None,
                host: "wsA".to_owned(),
                silent: Duration::from_secs(100),
                takeover_in: None,
                is_seed: false,
            });
        };
        assert!(hint(Stand::Watching, None, silent).starts_with("Take over"));
        assert!(hint(Stand::Refused, None, nothing).contains("control bar"));
    }
}

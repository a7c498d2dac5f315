//! Who may start what in a controlled workspace. Part of the [`Dispatcher`].

use crate::lease::{Folder, MachineId, Stand, Status, Wish};
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
    /// No: a sentence.
    Refused(String),
}

/// What a status means for a start. `me` is this machine, when it is known.
pub fn gate(status: &Status, me: Option<&MachineId>) -> Gate {
    if status.may_start_runs {
        return Gate::Open;
    }
    let refused = || {
        let why = status.blocked.clone();
        Gate::Refused(why.unwrap_or_else(|| status.text.clone()))
    };
    match status.stand {
        Stand::Unknown | Stand::Claiming | Stand::Frozen => Gate::Wait,
        // It goes on with what an earlier process of ours left, until the folder has confirmed that.
        Stand::Owner { .. } => Gate::Wait,
        Stand::Free => match &status.can.claim {
            Ok(()) => Gate::Wait,
            Err(_) if status.folder.is_none() => Gate::Wait,
            Err(_) if status.folder == Some(Folder::Vanished) => Gate::Wait,
            Err(why) => Gate::Refused(why.clone()),
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
        | Stand::Refused => refused(),
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
                return Gate::Refused("The workspace folder is not there.".to_owned());
            }
            Standing::Uncontrolled => return Gate::Open,
            Standing::Failed(why) => {
                // It may be well again the next time.
                let why = why.clone();
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
            Some((status, _)) if is_known && !status.may_start_runs => {
                let why = status.blocked.clone();
                let what = why.unwrap_or_else(|| status.text.clone());
                Err(Notice::error(
                    what,
                    "Ask for control, or wait until it is free.",
                ))
            }
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
    use crate::lease::{Can, Epoch, Owner};
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
        let refused = Gate::Refused("because".to_owned());
        let mut held = status(Stand::Watching);
        assert_eq!(gate(&held, Some(&me)), refused);
        let owner = |machine: &str| Owner {
            machine: Some(MachineId(machine.to_owned())),
            host: "wsA".to_owned(),
            silent: Duration::ZERO,
            takeover_in: None,
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
        assert_eq!(gate(&free, Some(&me)), refused);
        free.can = Can {
            claim: Ok(()),
            ..free.can
        };
        assert_eq!(gate(&free, Some(&me)), Gate::Wait);
        let mut owner = status(Stand::Owner { epoch: Epoch(1) });
        owner.may_start_runs = true;
        assert_eq!(gate(&owner, Some(&me)), Gate::Open);
    }
}

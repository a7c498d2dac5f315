//! What the operator sees: the seed's texts where it has one, in its own words.

use std::time::Duration;

use super::control::{Doubt, Lease};
use super::limits::DEGRADED_AFTER;
use super::look::{Holder, UNKNOWN_HOST};
use super::message::{Folder, When};
use super::name::Now;
use super::status::{Banner, BannerKind, Can, Owner, Stand, Status};
use super::steps::{Journey, Role};

/// What stands before the seconds of a countdown, for [`Status::after`].
pub(super) const TAKEOVER_IN: &str = "takeover available in ";
pub(super) const TAKEOVER_LEFT: &str = "a takeover is possible in ";
pub(super) const DEGRADED_LEFT: &str = "Nodes stop in ";

/// Whole seconds, rounded up: nothing is said to be possible before it is.
pub(super) fn seconds_up(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

impl Lease {
    /// Control at this moment, for the board.
    pub fn status(&self, now: Now) -> Status {
        let holder = self.eyes.holder(&self.me);
        let owner = self.owner(now, &holder);
        let stand = self.stand(&holder);
        let may_start_runs = self.may_run(now) && self.leaving.is_none();
        let may_start_nodes = self.may_start_nodes(now);
        Status {
            stand,
            text: self.text(stand, owner.as_ref()),
            blocked: (!may_start_runs).then(|| self.blocked(stand, owner.as_ref())),
            may_start_runs,
            may_start_nodes,
            requests: match self.tenure {
                Some(_) => self.desk.requests(now, &self.policy, self.idle_from()),
                None => Vec::new(),
            },
            asked: self.desk.my_request(now),
            can: self.can(now, &holder, owner.as_ref()),
            banners: self.banners(now, &holder),
            folder: self.folder.clone(),
            seen: self.eyes.view.as_ref().map(|view| now.boot.since(view.at)),
            owner,
        }
    }

    fn stand(&self, holder: &Holder) -> Stand {
        if self.is_vanished {
            return Stand::Vanished;
        }
        if self.is_frozen {
            return Stand::Frozen;
        }
        if let Some(tenure) = &self.tenure {
            return match &self.leaving {
                Some(leaving) => Stand::Leaving { when: leaving.when },
                None => Stand::Owner {
                    epoch: tenure.epoch,
                },
            };
        }
        if self.work.n_children > 0 && self.is_away.is_none() {
            return Stand::Stopping;
        }
        if let Some(Journey::Claim(_)) = self.steps.journey {
            return Stand::Claiming;
        }
        if matches!(self.folder, Some(Folder::Unfit(_))) {
            return Stand::Refused;
        }
        match holder {
            Holder::Unknown => Stand::Unknown,
            Holder::Refused(_) => Stand::Refused,
            Holder::Free { .. } => Stand::Free,
            Holder::Held { .. } => Stand::Watching,
        }
    }

    fn owner(&self, now: Now, holder: &Holder) -> Option<Owner> {
        let Holder::Held {
            claim,
            host,
            is_seed,
            ..
        } = holder
        else {
            return None;
        };
        if self.tenure.is_some() {
            return None;
        }
        let left = self
            .eyes
            .takeover_at(now, self.folder.as_ref())
            .since(now.boot);
        Some(Owner {
            machine: claim.as_ref().map(|claim| claim.machine.clone()),
            host: host.clone(),
            silent: self.eyes.silence(now),
            takeover_in: (left > Duration::ZERO).then_some(left),
            is_seed: *is_seed,
        })
    }

    fn text(&self, stand: Stand, owner: Option<&Owner>) -> String {
        let is_restoring = matches!(self.steps.role, Role::Former(_)) || self.is_away.is_some();
        match stand {
            Stand::Unknown => "Looking at the workspace folder…".to_owned(),
            Stand::Free => "Nobody has control".to_owned(),
            Stand::Frozen => "Trying to restore local control...".to_owned(),
            Stand::Claiming if is_restoring => "Trying to restore local control...".to_owned(),
            Stand::Claiming => match &self.folder {
                // Two copies of the folder must have had time to meet before a claim counts.
                Some(Folder::Advisory { settle, .. }) => {
                    let minutes = settle.as_secs().div_ceil(60);
                    format!("Taking control… · takes {minutes} min in this folder")
                }
                _ => "Taking control…".to_owned(),
            },
            Stand::Owner { .. } | Stand::Leaving { .. } => {
                "This Workstation has control".to_owned()
            }
            Stand::Stopping => "Control lost · nodes are being stopped".to_owned(),
            Stand::Vanished => "The workspace folder is not there".to_owned(),
            Stand::Refused => match (owner, &self.folder) {
                (Some(owner), Some(Folder::Unfit(_))) => {
                    format!("{} has control · read only here", owner.host)
                }
                _ => "Control is not possible here".to_owned(),
            },
            Stand::Watching => {
                let Some(owner) = owner else {
                    return UNKNOWN_HOST.to_owned();
                };
                let host = &owner.host;
                if let Some(left) = owner.takeover_in.filter(|_| self.is_log_gone()) {
                    let left = seconds_up(left);
                    return format!("The log of control was removed · {TAKEOVER_IN}{left}s");
                }
                // Our own lease, of a process that is gone, or of this one before it had a sitter.
                let is_own = !owner.is_seed && owner.machine.as_ref() == Some(&self.me.machine);
                match owner.takeover_in {
                    Some(_) if is_own && owner.silent < self.limits.checkpoint => {
                        "Trying to restore local control...".to_owned()
                    }
                    Some(_) if is_own => "Local engine is not responding".to_owned(),
                    _ if self.desk.is_asking() => format!("Control requested from {host}"),
                    None => "Takeover available".to_owned(),
                    Some(left) => {
                        format!("{host} has control · {TAKEOVER_IN}{}s", seconds_up(left))
                    }
                }
            }
        }
    }

    /// Somebody removed the log of epochs under whoever had control.
    fn is_log_gone(&self) -> bool {
        self.eyes
            .view
            .as_ref()
            .is_some_and(|view| view.is_log_gone())
    }

    /// The lease row is of this machine.
    fn had_last_control(&self) -> bool {
        let row = self.eyes.view.as_ref().and_then(|view| view.row.row());
        row.is_some_and(|row| row.machine == self.me.machine)
    }

    /// Why nothing starts here, as a sentence.
    fn blocked(&self, stand: Stand, owner: Option<&Owner>) -> String {
        if !self.has_sitter {
            return "Local engine is not responding.".to_owned();
        }
        match (stand, owner) {
            (Stand::Vanished, _) => "The workspace folder is not there.".to_owned(),
            (Stand::Frozen, _) => "Waiting until control is certain again.".to_owned(),
            (Stand::Leaving { .. }, _) => match self.leaving.as_ref().and_then(|l| l.to.as_ref()) {
                Some(hint) => format!("Control is being handed over to {}.", hint.host),
                None => "Control is being given up.".to_owned(),
            },
            (Stand::Stopping, _) => "Control was lost; nodes are being stopped.".to_owned(),
            (Stand::Owner { .. }, _) if self.tenure.as_ref().is_some_and(|t| !t.is_certain) => {
                "Waiting until control is certain again.".to_owned()
            }
            (Stand::Owner { .. }, _) => "No checkpoint was confirmed in time.".to_owned(),
            (Stand::Refused, _) if let Some(Folder::Unfit(why)) = &self.folder => why.clone(),
            (_, Some(_)) if self.is_log_gone() && self.had_last_control() => {
                "Somebody removed the log of control. When it can be taken over, take it again."
                    .to_owned()
            }
            (_, Some(owner)) if self.is_log_gone() => format!(
                "Somebody removed the log of control; {} may still run here.",
                owner.host
            ),
            (Stand::Watching, Some(owner)) if owner.takeover_in.is_none() => format!(
                "{} has control and is silent. Take over to run here.",
                owner.host
            ),
            (_, Some(owner)) => format!("{} currently has control of this workspace.", owner.host),
            (Stand::Claiming, None) => "Control is being taken.".to_owned(),
            (Stand::Unknown, None) => "The workspace folder was not read yet.".to_owned(),
            (_, None) => match (self.cannot_claim(), self.eyes.holder(&self.me)) {
                (_, Holder::Refused(why)) | (Some(why), _) => why,
                (None, _) => {
                    "Nobody has control. Take control, or start a run: that takes it.".to_owned()
                }
            },
        }
    }

    fn can(&self, now: Now, holder: &Holder, owner: Option<&Owner>) -> Can {
        let is_owner = self.tenure.is_some();
        let has_control = || Err("This Workstation has control.".to_owned());
        let held_by = || match owner {
            Some(owner) => Err(format!(
                "{} currently has control of this workspace.",
                owner.host
            )),
            None => Err("Another workstation has control.".to_owned()),
        };
        let claim = match (self.cannot_claim(), holder) {
            _ if is_owner => has_control(),
            (_, Holder::Refused(why)) => Err(why.clone()),
            (Some(why), _) => Err(why),
            (None, Holder::Free { .. }) => Ok(()),
            (None, Holder::Held { .. }) => held_by(),
            (None, Holder::Unknown) => Err("The workspace folder was not read yet.".to_owned()),
        };
        Can {
            take_over: match holder {
                _ if is_owner => has_control(),
                Holder::Free { .. } => Err("Nobody has control; take it.".to_owned()),
                _ => self.may_take_over(now),
            },
            request: match holder {
                _ if is_owner => has_control(),
                _ if self.desk.is_asking() => Err("Requesting...".to_owned()),
                Holder::Refused(why) => Err(why.clone()),
                _ if self.is_vanished => Err("The workspace folder is not there.".to_owned()),
                _ => match &self.folder {
                    Some(Folder::Unfit(why)) => Err(why.clone()),
                    _ if self.is_log_gone() && self.had_last_control() => {
                        Err("There is nobody to ask: this workstation had control.".to_owned())
                    }
                    _ => Ok(()),
                },
            },
            cancel: if self.desk.is_asking() {
                Ok(())
            } else {
                Err("Nothing was requested.".to_owned())
            },
            release: if is_owner { Ok(()) } else { held_by() },
            keep: match &self.leaving {
                None => Err("Control is not being given up.".to_owned()),
                Some(leaving) if leaving.is_begun || self.ending.is_some() => {
                    Err("Control is being given up already.".to_owned())
                }
                Some(_) => Ok(()),
            },
            claim,
        }
    }

    fn banners(&self, now: Now, holder: &Holder) -> Vec<Banner> {
        use BannerKind::*;
        let mut banners = Vec::new();
        let mut tell = |kind, text: String| banners.push(Banner::new(kind, text));
        match &self.folder {
            Some(Folder::Advisory { why, .. }) => {
                tell(
                    Advisory,
                    format!("Control is advisory in this folder. {why}"),
                );
            }
            Some(Folder::Exclusive { is_slow: true }) => {
                let text = "The workspace folder is slow; what is shown may be old.";
                tell(Slow, text.to_owned());
            }
            Some(Folder::Unfit(why)) => tell(Unfit, why.clone()),
            _ => {}
        }
        match self.doubt() {
            Some(Doubt::Conflict(names)) => tell(
                Conflict,
                format!(
                    "Two workstations claimed control at once ({}). Both stepped down; confirm on one of them to go on.",
                    names.join(", ")
                ),
            ),
            Some(Doubt::Gap(from, to)) => tell(
                Gap,
                format!(
                    "The epoch log is damaged: it jumps from {from} to {to}. Confirm to go on."
                ),
            ),
            None => {}
        }
        if let Holder::Refused(why) = holder {
            let view = self.eyes.view.as_ref();
            let kind = match view.is_some_and(|view| view.markers.is_importable) {
                true => Importable,
                false => Foreign,
            };
            tell(kind, why.clone());
        }
        if let Holder::Held { host, .. } = holder
            && self.tenure.is_none()
            && self.is_log_gone()
        {
            tell(
                NoLog,
                match self.had_last_control() {
                    true => "Somebody removed the log of control (.workspace_state/epochs) while this workstation had \
                             control."
                        .to_owned(),
                    false => format!(
                        "Somebody removed the log of control (.workspace_state/epochs). {host} had control, and may \
                         run until it notices."
                    ),
                },
            );
        }
        if let Holder::Held {
            claim,
            host,
            is_seed,
            damage,
        } = holder
            && self.tenure.is_none()
        {
            if let Some(why) = damage {
                tell(
                    Damaged,
                    format!(
                        "The lease cannot be read ({why}); its owner is not known, so control is not free."
                    ),
                );
            } else if *is_seed {
                tell(Older, format!("Controlled by an older program on {host}."));
            }
            if claim
                .as_ref()
                .is_some_and(|claim| claim.machine == self.me.machine && claim.boot != self.me.boot)
                && self.eyes.n_changes > 0
            {
                tell(
                    Cloned,
                    format!(
                        "{host} has the machine id of this workstation. One was cloned from the other; reset one of them."
                    ),
                );
            }
        }
        if let Some(tenure) = self
            .tenure
            .as_ref()
            .filter(|t| t.n_failed >= DEGRADED_AFTER)
        {
            let left = seconds_up(tenure.deadline.since(now.boot));
            tell(
                Degraded,
                format!(
                    "Degraded: {} checkpoints failed ({}). {DEGRADED_LEFT}{left}s unless one succeeds.",
                    tenure.n_failed, tenure.fault
                ),
            );
        }
        if self.is_away.is_some() {
            tell(
                Unowned,
                "Nodes finish without control: another workstation may run them too.".to_owned(),
            );
        }
        if let Some(leaving) = self.leaving.as_ref().filter(|_| self.work.n_children > 0) {
            let what = match &leaving.to {
                Some(hint) => format!("{} gets control", hint.host),
                None => "Control is given up".to_owned(),
            };
            let counted = |n: u32, one: &str| match n {
                1 => format!("1 {one} has"),
                n => format!("{n} {one}s have"),
            };
            let nodes = counted(self.work.n_children, "running node");
            let when = match leaving.when {
                When::AfterRuns => {
                    let runs = counted(self.work.n_runs.max(1), "run");
                    format!("when {runs} ended; no new one starts")
                }
                When::AfterNodes => format!("when {nodes} ended; nothing new starts"),
                When::Now => format!("when {nodes} been stopped"),
            };
            tell(Waits, format!("{what} {when}."));
        }
        banners
    }
}

//! Where this machine stands in the protocol, and the one journey it is on. The order of things, time left out: when
//! to set out and when to give up is for [`super::Lease`] to say.

use super::act::{Act, Said};
use super::claim::{self, Claim, Claimed, Ground};
use super::name::Epoch;
use super::prune::Prune;
use super::publish::{Publish, Published};
use super::release::{Release, Released};

/// Where this machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Role {
    /// It watches.
    Watcher,
    /// It has control.
    Owner(Epoch),
    /// It had control, or nearly, and must not publish any more; its pen may be alive. Only a higher epoch or a release
    /// ends that.
    Former(Epoch),
}

/// A sequence of acts, each waiting for the reply to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Journey {
    Claim(Claim),
    Publish(Publish),
    Release(Release),
    Prune(Prune),
}

/// The untimed core of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Steps {
    pub(super) role: Role,
    pub(super) journey: Option<Journey>,
}

/// What follows a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The journey goes on.
    Act(Act),
    /// The claim waits for [`Steps::settled`].
    Wait,
    /// The journey has ended.
    End(End),
}

/// How a journey ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Claimed(Claimed),
    Published(Published),
    Released(Released),
    /// Old epochs were removed, or could not be: it makes no difference.
    Pruned,
}

impl Steps {
    pub(super) fn new() -> Self {
        Self {
            role: Role::Watcher,
            journey: None,
        }
    }

    /// Takes up the role that an earlier process of this machine left when it died.
    pub(super) fn resume(&mut self, epoch: Epoch) {
        if self.role == Role::Watcher && self.journey.is_none() {
            self.role = Role::Owner(epoch);
        }
    }

    /// Sets out to claim the epoch above the ground. `None` for an owner, for one on another journey, and when the
    /// numbers are used up.
    pub(super) fn claim(&mut self, ground: Ground) -> Option<Act> {
        if self.journey.is_some() || matches!(self.role, Role::Owner(_)) {
            return None;
        }
        let (claim, act) = Claim::begin(ground)?;
        self.journey = Some(Journey::Claim(claim));
        Some(act)
    }

    /// Sets out on a checkpoint. `None` for all but an owner at rest: whoever is not owner never publishes.
    ///
    /// `clears` when an earlier try was not confirmed.
    pub(super) fn checkpoint(&mut self, has_tables: bool, clears: bool) -> Option<Act> {
        let (Role::Owner(epoch), None) = (self.role, self.journey) else {
            return None;
        };
        let (publish, act) = Publish::checkpoint(epoch, has_tables, clears);
        self.journey = Some(Journey::Publish(publish));
        Some(act)
    }

    /// Sets out to release: with a last checkpoint as owner, with nothing but the pen as former owner.
    pub(super) fn release(
        &mut self,
        has_hint: bool,
        has_tables: bool,
        clears: bool,
    ) -> Option<Act> {
        let (release, act) = match (self.role, self.journey) {
            (Role::Owner(epoch), None) => Release::begin(epoch, has_hint, has_tables, clears),
            (Role::Former(epoch), None) => Release::quit(epoch),
            _ => return None,
        };
        self.journey = Some(Journey::Release(release));
        Some(act)
    }

    /// Sets out to remove old epochs. `None` for all but an owner at rest, and when there is none to remove.
    pub(super) fn prune(&mut self, first: Epoch, last: Epoch) -> Option<Act> {
        let (Role::Owner(_), None) = (self.role, self.journey) else {
            return None;
        };
        let (prune, act) = Prune::begin(first, last)?;
        self.journey = Some(Journey::Prune(prune));
        Some(act)
    }

    /// The time of an owner or claimant is over, whatever it is doing: it never publishes under this epoch again.
    /// An act that is under way comes back to nobody.
    pub(super) fn expire(&mut self) {
        match (self.role, self.journey) {
            (Role::Owner(epoch), _) => self.role = Role::Former(epoch),
            (_, Some(Journey::Claim(claim))) if claim.is_numbered() => {
                self.role = Role::Former(claim.epoch());
            }
            _ => {}
        }
        self.journey = None;
    }

    /// A higher epoch was seen: ours is over, and whoever has that one has removed our pen or will.
    pub(super) fn overtaken(&mut self) {
        if self.journey.is_none() {
            self.role = Role::Watcher;
        }
    }

    /// The wait of a claim is over.
    pub(super) fn settled(&mut self) -> Option<Act> {
        let Some(Journey::Claim(claim)) = self.journey else {
            return None;
        };
        let (claim, act) = claim.settled();
        self.journey = Some(Journey::Claim(claim));
        Some(act)
    }

    /// A reply to the act under way. `None` when nobody waits for it.
    pub(super) fn reply(&mut self, said: Said) -> Option<Next> {
        let next = match self.journey? {
            Journey::Claim(claim) => match claim.next(said) {
                claim::Next::Act(claim, act) => {
                    self.journey = Some(Journey::Claim(claim));
                    Next::Act(act)
                }
                claim::Next::Wait(claim) => {
                    self.journey = Some(Journey::Claim(claim));
                    Next::Wait
                }
                claim::Next::End(end) => {
                    self.journey = None;
                    match end {
                        Claimed::Yes => self.role = Role::Owner(claim.epoch()),
                        Claimed::Stranded => self.role = Role::Former(claim.epoch()),
                        // Ours is over; so is an older one, because the number above it is taken.
                        Claimed::TooLate | Claimed::Withdrawn | Claimed::Ousted => {
                            self.role = Role::Watcher;
                        }
                        Claimed::Changed | Claimed::NotDone => {}
                    }
                    Next::End(End::Claimed(end))
                }
            },
            Journey::Publish(publish) => match publish.next(said) {
                Ok((publish, act)) => {
                    self.journey = Some(Journey::Publish(publish));
                    Next::Act(act)
                }
                Err(end) => {
                    self.journey = None;
                    if end == Published::Ousted {
                        self.role = Role::Watcher;
                    }
                    Next::End(End::Published(end))
                }
            },
            Journey::Prune(prune) => match prune.next(said) {
                Some((prune, act)) => {
                    self.journey = Some(Journey::Prune(prune));
                    Next::Act(act)
                }
                None => {
                    self.journey = None;
                    Next::End(End::Pruned)
                }
            },
            Journey::Release(release) => match release.next(said) {
                Ok((release, act)) => {
                    self.journey = Some(Journey::Release(release));
                    Next::Act(act)
                }
                Err(end) => {
                    self.journey = None;
                    if end != Released::NotConfirmed {
                        self.role = Role::Watcher;
                    }
                    Next::End(End::Released(end))
                }
            },
        };
        Some(next)
    }
}

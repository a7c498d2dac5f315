//! Between the steps and the files: an act gets its content, a reply loses it.

use super::act::{Act, Said, Sheet, Why};
use super::control::Lease;
use super::name::{Epoch, Now, Token};
use super::note::{ClaimNote, EndedNote, Generation, LeaseRow, RowStatus, stale_name};
use super::op::{Fault, Op, Page, PenSeen, Reply};
use super::steps::Journey;

impl Lease {
    /// The operation that an act comes to now.
    pub(super) fn dress(&mut self, now: Now, act: Act) -> Op {
        match act {
            Act::Touch => Op::Touch {
                token: self.tokens.next(),
            },
            Act::List => Op::ListEpochs,
            Act::ReadEpoch(epoch) => Op::ReadEpoch { epoch },
            Act::ReadRow => Op::ReadRow,
            Act::ReadMarkers => Op::ReadMarkers,
            Act::Make(epoch) => Op::MakeNew {
                note: self.claim_note(now, epoch, self.attempt.token),
            },
            Act::Rename(epoch) => Op::RenameNew {
                token: self.attempt.token,
                epoch,
            },
            Act::Drop => Op::DropNew {
                token: self.attempt.token,
                epoch: self.attempt.epoch,
            },
            Act::Empty(epoch) => Op::EmptyPen { epoch },
            Act::Remove(epoch) => Op::RemovePen { epoch },
            Act::Ended(epoch) => Op::WriteEnded {
                epoch,
                note: EndedNote {
                    by: self.me.machine.clone(),
                    host: self.me.host.clone(),
                    at: now.wall,
                    silence: self
                        .attempt
                        .over
                        .as_ref()
                        .map(|(_, silence)| *silence)
                        .unwrap_or_default(),
                    next: epoch.next().unwrap_or(epoch),
                },
            },
            Act::Quarantine => Op::Quarantine {
                name: stale_name(&self.workspace, now.wall, &self.me.host),
            },
            Act::Mirrors { is_leased } => Op::SetMirrors {
                owner: is_leased.then(|| self.mirror_note(now)).flatten(),
            },
            Act::Hydrate => Op::Hydrate,
            Act::Write(epoch, sheet) => Op::WritePage {
                epoch,
                token: self.paper.token,
                page: self.page(now, sheet),
            },
            Act::Move(epoch, sheet) => Op::MovePage {
                epoch,
                token: self.paper.token,
                page: self.page(now, sheet),
            },
            Act::Hint(epoch) => {
                match self.leaving.as_ref().and_then(|leaving| leaving.to.clone()) {
                    Some(hint) => Op::WriteHint { epoch, hint },
                    // The steps ask for a hint only when there is one.
                    None => Op::ReadEpoch { epoch },
                }
            }
            Act::Release(epoch) => Op::ReleasePen { epoch },
            Act::RemoveEpoch(epoch) => Op::RemoveEpoch { epoch },
        }
    }

    /// What a reply comes down to for the journey under way.
    pub(super) fn undress(&self, reply: &Reply) -> Said {
        match reply {
            Reply::Done | Reply::Hydrated(_) => Said::Done,
            Reply::Epochs(listing) => Said::Newest(listing.newest),
            Reply::Epoch(seen) => match &seen.claim {
                Some(claim) => Said::Epoch {
                    is_mine: Some(claim.token) == self.token_of(claim.epoch),
                    has_pen: seen.pen == PenSeen::Alive,
                },
                None => Said::Failed(Why::Gone),
            },
            Reply::Row(row) => Said::Same(row.beat() == self.attempt.beat),
            Reply::Markers(markers) => Said::Same(*markers == self.attempt.markers),
            Reply::Requests(_) => Said::Failed(Why::NotDone),
            Reply::Failed(fault) => Said::Failed(match fault {
                Fault::NotEmpty => Why::NotEmpty,
                Fault::Gone => Why::Gone,
                Fault::Unknown(_) => Why::Unknown,
                Fault::Exists | Fault::Vanished | Fault::Refused(_) | Fault::NotUnderstood(_) => {
                    Why::NotDone
                }
            }),
        }
    }

    /// The token with which this machine claimed an epoch, as far as it knows.
    fn token_of(&self, epoch: Epoch) -> Option<Token> {
        match self.steps.journey {
            Some(Journey::Claim(claim)) if claim.epoch() == epoch => Some(self.attempt.token),
            _ => self
                .held
                .filter(|(held, _)| *held == epoch)
                .map(|(_, token)| token),
        }
    }

    pub(super) fn claim_note(&self, now: Now, epoch: Epoch, token: Token) -> ClaimNote {
        ClaimNote::new(&self.me, epoch, token, now.wall, self.limits.scale)
    }

    /// What `leased/<ws>/owner.json` says.
    pub(super) fn mirror_note(&self, now: Now) -> Option<ClaimNote> {
        let (epoch, token) = match self.steps.journey {
            Some(Journey::Claim(claim)) => (claim.epoch(), self.attempt.token),
            _ => self.held?,
        };
        Some(self.claim_note(now, epoch, token))
    }

    /// A page of the paper: the row is made once and moved as it was written.
    fn page(&mut self, now: Now, sheet: Sheet) -> Page {
        let generation = self.paper.generation.clone();
        match sheet {
            Sheet::Table(table) => Page::Table { table, generation },
            Sheet::Row => {
                let row = match self.paper.row.take() {
                    Some(row) => row,
                    None => self.row(now, generation),
                };
                self.paper.row = Some(row.clone());
                Page::Row(row)
            }
        }
    }

    fn row(&self, now: Now, generation: Generation) -> LeaseRow {
        LeaseRow {
            machine: self.me.machine.clone(),
            host: self.me.host.clone(),
            daemon: self.me.daemon.clone(),
            pid: i64::from(self.me.pid),
            status: match self.steps.journey {
                Some(Journey::Release(_)) => RowStatus::Released,
                _ if self.work.n_runs > 0 => RowStatus::Running,
                _ => RowStatus::Idle,
            },
            started_at: self.me.started_at,
            checkpoint_at: now.wall,
            generation,
            app_version: self.me.app_version.clone(),
        }
    }
}

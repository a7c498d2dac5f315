//! The file server: what the folder holds, what one client sees of it, and what an operation does.

use super::*;

#[derive(Clone, Debug)]
pub(super) enum PenState {
    Alive(Vec<(&'static str, Token)>),
    Removed,
    Released,
}

#[derive(Clone, Debug)]
pub(super) struct Folded {
    pub(super) claim: Option<ClaimNote>,
    pub(super) pen: PenState,
    pub(super) hint: Option<Hint>,
}

/// What one client sees of the folder.
#[derive(Clone, Debug)]
pub(super) struct Snap {
    pub(super) at: u64,
    pub(super) listing: Listing,
    pub(super) newest: Option<EpochSeen>,
    pub(super) row: RowSeen,
    pub(super) markers: Markers,
    pub(super) asked: Asked,
}

/// The file server.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) epochs: BTreeMap<u64, Folded>,
    /// Number 0, from which the first claim starts, was removed.
    pub(super) is_begun: bool,
    /// The highest number ever given.
    pub(super) n_given: u64,
    pub(super) news: BTreeMap<Token, ClaimNote>,
    pub(super) row: Option<(u64, crate::lease::LeaseRow)>,
    pub(super) n_beats: u64,
    pub(super) tables: BTreeMap<Table, crate::lease::Generation>,
    pub(super) mirror: Option<ClaimNote>,
    pub(super) is_available: bool,
    pub(super) requests: BTreeMap<String, RequestNote>,
    pub(super) denials: BTreeMap<String, Denial>,
    /// Every change counts one.
    pub(super) version: u64,
}

impl Server {
    pub(super) fn has(&self, number: u64) -> bool {
        match number {
            0 => !self.is_begun,
            number => self.epochs.contains_key(&number),
        }
    }

    pub(super) fn seen(&self, number: u64) -> Option<EpochSeen> {
        self.epochs.get(&number).map(|folded| EpochSeen {
            claim: folded.claim.clone(),
            pen: match &folded.pen {
                PenState::Alive(_) => PenSeen::Alive,
                PenState::Removed => PenSeen::Removed,
                PenState::Released => PenSeen::Released {
                    next: folded.hint.clone(),
                },
            },
            is_doubled: false,
        })
    }

    pub(super) fn snap(&self, at: u64, me: &MachineId) -> Snap {
        let mut numbers = self.epochs.keys().rev();
        let newest = numbers.next().copied();
        Snap {
            at,
            listing: Listing {
                newest: newest.map(Epoch),
                before: numbers.next().copied().map(Epoch),
                oldest: if self.is_begun {
                    self.epochs.keys().next().copied().map(Epoch)
                } else {
                    Some(Epoch(0))
                },
                conflicts: Vec::new(),
            },
            newest: newest.and_then(|newest| self.seen(newest)),
            row: match &self.row {
                None => RowSeen::Absent,
                Some((beat, row)) => RowSeen::Is {
                    beat: Beat(*beat),
                    row: row.clone(),
                },
            },
            markers: Markers {
                is_available: self.is_available,
                is_leased: self.mirror.is_some(),
                token: self.mirror.as_ref().map(|note| note.token),
                foreign: None,
                is_importable: false,
            },
            asked: Asked {
                requests: self.requests.values().cloned().collect(),
                seed: None,
                denial: self.denials.get(&me.0).cloned(),
                is_cut: false,
            },
        }
    }
}

impl Sim {
    pub(super) fn place_of_reply(&mut self, reply: Reply) -> usize {
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.ops.push(None);
                self.replies.push(None);
                self.ops.len() - 1
            }
        };
        self.replies[place] = Some(reply);
        place
    }

    pub(super) fn serve(&mut self, sent: Sent) {
        if self.hung_until > self.t {
            let at = self.hung_until;
            self.push(at, Event::Serve(Box::new(sent)));
            return;
        }
        let Some(op) = self.ops[sent.at].take() else {
            return;
        };
        let is_current =
            self.machines[sent.machine].incarnation == sent.incarnation && sent.answers;
        let reply = self.serve_now(sent.machine, &op, !is_current);
        if !op.is_read() {
            self.note(sent.machine, |_| {
                format!(
                    "   {} {op:?}: {reply:?}",
                    if sent.answers {
                        "done"
                    } else {
                        "done, unanswered"
                    }
                )
            });
        }
        if sent.answers {
            self.replies[sent.at] = Some(reply);
            let at = self.t + self.random.between(200, 10_000);
            self.push(
                at,
                Event::Answer {
                    machine: sent.machine,
                    incarnation: sent.incarnation,
                    ticket: sent.ticket,
                    at: sent.at,
                },
            );
        } else {
            self.free.push(sent.at);
        }
    }

    /// The server does one operation, at this instant.
    pub(super) fn serve_now(&mut self, machine: usize, op: &Op, is_stray: bool) -> Reply {
        let gone = || Reply::Failed(Fault::Gone);
        let is_unfenced = is_planted(Defect::NoPen) || is_planted(Defect::FenceByMove);
        // Whoever changes something sees it.
        if op.is_read() || *op == Op::Hydrate {
            let m = &self.machines[machine];
            let is_old = m
                .snap
                .as_ref()
                .is_none_or(|snap| snap.at + m.cache < self.t || m.cache == 0);
            if is_old {
                let snap = self.server.snap(self.t, &m.me.machine);
                self.machines[machine].snap = Some(snap);
            }
            let Some(snap) = &self.machines[machine].snap else {
                return gone();
            };
            return match op {
                Op::ListEpochs => Reply::Epochs(snap.listing.clone()),
                Op::ReadEpoch { epoch } => {
                    let seen = if Some(*epoch) == snap.listing.newest {
                        snap.newest.clone()
                    } else {
                        self.server.seen(epoch.0)
                    };
                    seen.map_or_else(gone, Reply::Epoch)
                }
                Op::ReadRow => Reply::Row(snap.row.clone()),
                Op::ReadMarkers => Reply::Markers(snap.markers.clone()),
                Op::ReadRequests => Reply::Requests(snap.asked.clone()),
                _ => Reply::Hydrated(Hydrated::Adopted),
            };
        }
        self.machines[machine].snap = None;
        if !matches!(
            op,
            Op::Touch { .. } | Op::MakeNew { .. } | Op::WritePage { .. }
        ) {
            self.server.version += 1;
            self.rouse();
        }
        let server = &mut self.server;
        match op {
            Op::MakeNew { note } if is_planted(Defect::EmptyMarker) => {
                if let Some(folded) = server.epochs.get_mut(&note.epoch.0) {
                    folded.claim = Some(note.clone());
                    folded.pen = PenState::Alive(Vec::new());
                }
                Reply::Done
            }
            Op::MakeNew { note } if !server.has(note.epoch.0 - 1) => gone(),
            Op::MakeNew { note } => {
                server.news.insert(note.token, note.clone());
                Reply::Done
            }
            Op::RenameNew { token, epoch } => {
                let is_taken = server
                    .epochs
                    .get(&epoch.0)
                    .is_some_and(|folded| folded.claim.is_some());
                let note = server.news.get(token).cloned();
                if is_taken {
                    return Reply::Failed(Fault::Exists);
                }
                if note.is_none() && !is_planted(Defect::EmptyMarker) {
                    return gone();
                }
                server.news.remove(token);
                let folded = Folded {
                    claim: note,
                    pen: PenState::Alive(Vec::new()),
                    hint: None,
                };
                let is_used = epoch.0 <= server.n_given;
                server.n_given = server.n_given.max(epoch.0);
                if server.epochs.insert(epoch.0, folded).is_some() || is_used {
                    self.breaks(format!("{epoch} was claimed twice"));
                }
                Reply::Done
            }
            Op::DropNew { token, .. } => {
                server.news.remove(token);
                Reply::Done
            }
            Op::EmptyPen { epoch } => {
                if let Some(Folded {
                    pen: PenState::Alive(entries),
                    ..
                }) = server.epochs.get_mut(&epoch.0)
                {
                    entries.clear();
                }
                Reply::Done
            }
            Op::RemovePen { epoch } => match server.epochs.get_mut(&epoch.0) {
                Some(Folded {
                    pen: PenState::Alive(entries),
                    ..
                }) if !entries.is_empty() => Reply::Failed(Fault::NotEmpty),
                Some(
                    folded @ Folded {
                        pen: PenState::Alive(_),
                        ..
                    },
                ) => {
                    folded.pen = PenState::Removed;
                    self.cut_off(*epoch);
                    Reply::Done
                }
                _ => gone(),
            },
            Op::WritePage { epoch, token, page } => match server.epochs.get_mut(&epoch.0) {
                Some(Folded {
                    pen: PenState::Alive(entries),
                    ..
                }) => {
                    entries.push((page.stem(), *token));
                    Reply::Done
                }
                Some(_) if is_unfenced => Reply::Done,
                _ => {
                    self.ran.n_refused += 1;
                    gone()
                }
            },
            Op::MovePage { epoch, token, page } => {
                match server.epochs.get_mut(&epoch.0) {
                    Some(Folded {
                        pen: PenState::Alive(entries),
                        ..
                    }) => {
                        match entries
                            .iter()
                            .position(|entry| *entry == (page.stem(), *token))
                        {
                            Some(at) => {
                                entries.swap_remove(at);
                            }
                            None => return gone(),
                        }
                    }
                    Some(_) if is_unfenced => {}
                    _ => {
                        self.ran.n_refused += 1;
                        return gone();
                    }
                }
                self.publish(*epoch, page);
                Reply::Done
            }
            Op::WriteHint { epoch, hint } => match server.epochs.get_mut(&epoch.0) {
                Some(
                    folded @ Folded {
                        pen: PenState::Alive(_),
                        ..
                    },
                ) => {
                    folded.hint = Some(hint.clone());
                    Reply::Done
                }
                _ => gone(),
            },
            Op::ReleasePen { epoch } => {
                let mut number = epoch.0;
                if is_planted(Defect::ReleaseByName)
                    && let Some(newest) = server.epochs.keys().next_back()
                {
                    number = *newest;
                }
                let Some(folded) = server.epochs.get_mut(&number) else {
                    return gone();
                };
                if !matches!(folded.pen, PenState::Alive(_)) {
                    return gone();
                }
                folded.pen = PenState::Released;
                let me = &self.machines[machine].me;
                // Claimed by this program, or by an earlier one whose tenure it went on with.
                let held = self.machines[machine]
                    .lease
                    .as_ref()
                    .and_then(|lease| lease.held);
                let is_own = folded.claim.as_ref().is_some_and(|claim| {
                    let has_gone_on = held == Some((*epoch, claim.token));
                    claim.machine == me.machine && (is_stray || claim.pid == me.pid || has_gone_on)
                });
                if is_planted(Defect::EpochReuse) {
                    server.epochs.remove(&number);
                }
                if !is_own {
                    self.breaks(format!("another's epoch {number} was released"));
                }
                Reply::Done
            }
            Op::RemoveEpoch { epoch } => {
                if epoch.0 > 0 && server.has(epoch.0 - 1) {
                    return Reply::Failed(Fault::NotEmpty);
                }
                if !server.has(epoch.0) {
                    return gone();
                }
                server.news.retain(|_, note| note.epoch.0 != epoch.0 + 1);
                server.is_begun = true;
                let pen = server.epochs.remove(&epoch.0).map(|folded| folded.pen);
                self.ran.n_pruned += 1;
                if let Some(PenState::Alive(_)) = pen {
                    self.breaks(format!("{epoch} was removed with a living pen"));
                }
                Reply::Done
            }
            Op::SetMirrors { owner } => {
                server.is_available = owner.is_none();
                server.mirror = owner.clone();
                Reply::Done
            }
            Op::WriteRequest { note } => {
                server.requests.insert(note.machine.0.clone(), note.clone());
                Reply::Done
            }
            Op::RemoveRequest { machine } => {
                server.requests.remove(&machine.0);
                server.denials.remove(&machine.0);
                Reply::Done
            }
            Op::WriteDenial { denial } => {
                server.denials.insert(denial.to.0.clone(), denial.clone());
                Reply::Done
            }
            _ => Reply::Done,
        }
    }

    pub(super) fn publish(&mut self, epoch: Epoch, page: &Page) {
        match page {
            Page::Table { table, generation } => {
                self.server.tables.insert(*table, generation.clone());
            }
            Page::Row(row) => {
                let before = self
                    .server
                    .row
                    .as_ref()
                    .and_then(|(_, row)| row.generation.epoch);
                if before > Some(epoch) {
                    self.breaks(format!("stale write: {epoch} published over {before:?}"));
                }
                let is_whole = Table::ALL
                    .iter()
                    .all(|table| self.server.tables.get(table) == Some(&row.generation));
                // A checkpoint after a broken snapshot names the former one, which is not whole any more: that is a
                // reader's loss of news, never a mix. Only a row that announces a new one must find it there.
                let is_new = self
                    .server
                    .row
                    .as_ref()
                    .is_none_or(|(_, old)| old.generation != row.generation);
                if is_new && !is_whole {
                    self.breaks("the row names a snapshot that is not there".to_owned());
                }
                self.server.n_beats += 1;
                self.server.row = Some((self.server.n_beats, row.clone()));
            }
        }
    }

    /// A pen was removed: its owner must not have been valid.
    pub(super) fn cut_off(&mut self, epoch: Epoch) {
        for machine in 0..N {
            let now = self.now(machine);
            let is_valid = self.machines[machine].lease.as_ref().is_some_and(|lease| {
                lease
                    .tenure
                    .as_ref()
                    .is_some_and(|tenure| tenure.epoch == epoch && now.boot < tenure.deadline)
                    && lease.may_run(now)
            });
            if is_valid && self.machines[machine].suspended_until <= self.t {
                self.breaks(format!("live lease stolen: {epoch} of machine {machine}"));
            }
        }
    }
}

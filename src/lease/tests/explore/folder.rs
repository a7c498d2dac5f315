//! The shared folder, as it answers each act.

use super::*;

impl World {
    /// The file server does an act. What it answers when asked now, for acts that change something.
    pub(super) fn serve(&mut self, machine: usize, stray: Stray, is_stray: bool) -> Said {
        let Stray { act, mark, version } = stray;
        let gone = Said::Failed(Why::Gone);
        match act {
            Act::Make(epoch) if is_planted(Defect::EmptyMarker) => match self.at(epoch) {
                Some(slot) => {
                    slot.is_empty = false;
                    slot.pen = Pen::Alive { has_entry: false };
                    Said::Done
                }
                None => gone,
            },
            Act::Make(_) => {
                self.machines[machine].has_new = true;
                Said::Done
            }
            Act::Rename(epoch) => {
                let is_there =
                    is_stray || self.machines[machine].has_new || is_planted(Defect::EmptyMarker);
                if !is_there || !self.has_home(epoch) {
                    return gone;
                }
                if self.is_pruned(epoch) {
                    self.breaks("I1: an epoch was claimed twice");
                }
                let slot = self.epochs[number(epoch) - 1];
                if slot.is_some_and(|slot| !slot.is_empty) {
                    return Said::Failed(Why::NotDone);
                }
                if slot.is_some() {
                    self.breaks("I1: an epoch was claimed twice");
                }
                if !is_stray {
                    self.machines[machine].has_new = false;
                }
                if self.machines[machine]
                    .stray
                    .is_some_and(|s| s.mark == mark && matches!(s.act, Act::Rename(_)))
                {
                    // Its source has just gone.
                    self.machines[machine].stray = None;
                }
                self.epochs[number(epoch) - 1] = Some(Numbered {
                    owner: u8::try_from(machine).expect("few"),
                    mark,
                    pen: Pen::Alive { has_entry: false },
                    is_empty: is_planted(Defect::EmptyMarker),
                });
                Said::Done
            }
            Act::Drop => {
                self.machines[machine].has_new = false;
                if self.machines[machine]
                    .stray
                    .is_some_and(|s| s.mark == mark && matches!(s.act, Act::Rename(_)))
                {
                    self.machines[machine].stray = None;
                }
                Said::Done
            }
            Act::Empty(epoch) => {
                if let Some(Numbered {
                    pen: Pen::Alive { has_entry },
                    ..
                }) = self.at(epoch)
                {
                    *has_entry = false;
                }
                Said::Done
            }
            Act::Remove(epoch) => match self.at(epoch) {
                Some(Numbered {
                    pen: Pen::Alive { has_entry: true },
                    ..
                }) => Said::Failed(Why::NotEmpty),
                Some(
                    slot @ Numbered {
                        pen: Pen::Alive { .. },
                        ..
                    },
                ) => {
                    slot.pen = Pen::Dead;
                    Said::Done
                }
                _ => gone,
            },
            Act::Write(epoch, _) => match self.at(epoch) {
                Some(Numbered {
                    pen: Pen::Alive { has_entry },
                    ..
                }) => {
                    *has_entry = true;
                    Said::Done
                }
                Some(_) if Self::is_unfenced() => Said::Done,
                _ => gone,
            },
            Act::Move(epoch, sheet) => {
                let is_unfenced = Self::is_unfenced();
                match self.at(epoch) {
                    Some(Numbered {
                        pen: Pen::Alive { has_entry },
                        ..
                    }) if *has_entry => *has_entry = false,
                    Some(_) if is_unfenced => {}
                    _ => return gone,
                }
                self.publish(epoch, sheet, version);
                Said::Done
            }
            Act::Release(mut epoch) => {
                if is_planted(Defect::ReleaseByName)
                    && let Some(newest) = self::epoch(self.newest())
                {
                    epoch = newest;
                }
                let Some(slot) = self.at(epoch) else {
                    return gone;
                };
                if !matches!(slot.pen, Pen::Alive { .. }) {
                    return gone;
                }
                slot.pen = Pen::Dead;
                // Who released it cannot be asked later: a crashed machine forgets its tokens. An epoch never changes
                // hands, so it is asked when the act sets out.
                if is_planted(Defect::ReleaseByName) && usize::from(slot.owner) != machine {
                    self.breaks(STOLEN);
                }
                if is_planted(Defect::EpochReuse) {
                    self.epochs[number(epoch) - 1] = None;
                }
                Said::Done
            }
            Act::RemoveEpoch(epoch) => self.prune(epoch),
            Act::Touch
            | Act::List
            | Act::ReadEpoch(_)
            | Act::ReadRow
            | Act::ReadMarkers
            | Act::Ended(_)
            | Act::Quarantine
            | Act::Mirrors { .. }
            | Act::Hydrate
            | Act::Hint(_) => Said::Done,
        }
    }

    /// What a fence is worth: under a planted defect a removed pen lets pages out all the same.
    pub(super) fn is_unfenced() -> bool {
        is_planted(Defect::NoPen) || is_planted(Defect::FenceByMove)
    }

    pub(super) fn publish(&mut self, epoch: Epoch, sheet: Sheet, version: u8) {
        let e = u8::try_from(epoch.0).expect("few");
        let version = (e, version);
        match sheet {
            Sheet::Table(table) => {
                let at = Table::ALL
                    .iter()
                    .position(|t| *t == table)
                    .expect("one of them");
                self.tables[at] = version;
            }
            Sheet::Row => {
                if e < self.row.0 {
                    self.breaks("I2: a published epoch was followed by a lower one");
                }
                self.row = version;
                // The row is the commit point: a row that names a snapshot which is not whole would, if its
                // writer died now, leave readers without any.
                if version.1 > 0 && self.tables.iter().any(|table| *table < version) {
                    self.breaks("I5: the row names a snapshot that is not there");
                }
            }
        }
    }
}

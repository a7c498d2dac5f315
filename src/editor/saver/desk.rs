//! The work of the saver's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk;
use crate::editor::changes::Merging;
use crate::editor::journal::{Unsaved, replay};
use crate::editor::{Arrival, DiskState, Standing, Version};
use crate::model::merge::Picks;
use crate::model::{Flow, Notice, changes};
use crate::store::{self, Home, Loaded, SaveError, Saved, StoreError, Three, Trust, Writer};

use super::own::OwnSaves;
use super::task::{Found, Onto, Opened, Outcome, Task, Trouble, Unopened};

/// Saves between two looks at how much all earlier versions take.
const SAVES_BETWEEN_PRUNES: usize = 64;

/// What the thread works with.
pub(super) struct Desk {
    pub home: Home,
    pub trusted_root: Option<PathBuf>,
    pub own: OwnSaves,
    pub n_saves: usize,
}

impl Desk {
    pub fn perform(&mut self, task: Task) -> Outcome {
        match task {
            Task::Load(path) => Outcome::Loaded(self.load(&path)),
            Task::Save {
                flow_ref,
                flow,
                place,
                onto,
                trusted,
            } => {
                let result = guarded(|| {
                    let path = flow_ref.path();
                    let saved = self.save(&path, &flow, onto)?;
                    self.after_save(&path, &flow, trusted, saved)
                });
                let result = result.map(|saved| (flow_ref, saved));
                Outcome::Saved {
                    place,
                    flow,
                    result,
                }
            }
            Task::SaveAs {
                path,
                flow,
                place,
                origin,
                overwrite,
                trusted,
            } => {
                let result = guarded(|| {
                    let flow_ref = store::locate(&path)?;
                    let path = flow_ref.path();
                    let writer = Writer {
                        keep: Some(&self.home),
                    };
                    let saved = writer.save_copy(&path, &flow, origin.as_deref(), overwrite)?;
                    self.own.wrote(&path, Onto::Whatever, &saved.stamp);
                    let saved = self.after_save(&path, &flow, trusted, saved)?;
                    Ok((flow_ref, saved))
                });
                Outcome::Saved {
                    place,
                    flow,
                    result,
                }
            }
            Task::Check {
                flow_ref,
                disk,
                standing,
            } => Outcome::Checked(
                guarded(|| Ok(self.check(&flow_ref.path(), &disk, standing)))
                    .unwrap_or_else(Found::Unreadable),
            ),
            Task::FindUnsaved => {
                let found = guarded(|| {
                    let left = store::left_journals(&self.home, None)?;
                    Ok(left
                        .into_iter()
                        .filter_map(|left| replay(left, None))
                        .collect())
                });
                Outcome::Unsaved(found)
            }
            Task::DropJournal(file) => {
                Outcome::Noted(guarded(|| Ok(store::remove_journal(&file)?)))
            }
            Task::ListBackups(path) => {
                Outcome::Backups(guarded(|| Ok(store::backups(&self.home, &path)?)))
            }
            Task::ReadBackup(path, backup, now) => {
                let version = guarded(|| {
                    let version: Version = store::load_backup(&path, &backup)?.into();
                    let changes = changes(&now, &version.flow);
                    Ok((version, changes))
                });
                Outcome::Backup(backup, version)
            }
            Task::WorkOut(merging) => {
                Outcome::WorkedOut(guarded(|| Ok(Box::new((*merging).into()))))
            }
            Task::Compare(before, after) => {
                Outcome::Compared(guarded(|| Ok(changes(&before, &after))))
            }
            Task::RestoreBackup(path, backup) => Outcome::Written(guarded(|| {
                let writer = Writer {
                    keep: Some(&self.home),
                };
                Ok(writer.restore(&path, &backup)?)
            })),
            Task::TakeApart(path) => Outcome::TakenApart(guarded(|| {
                let sides = store::sides(&path)?;
                let base = sides.base.as_deref();
                let three = Three::read(&path, base, &sides.ours, &sides.theirs)?;
                let merging = Merging {
                    base: Arc::new(three.base_flow.clone()),
                    ours: Arc::new(three.ours().clone()),
                    theirs: Arc::new(three.theirs().clone()),
                    picks: Picks::new(),
                };
                Ok((Arc::new(sides), Box::new(merging.into())))
            })),
            Task::Settle(path, sides, picks) => Outcome::Written(guarded(|| {
                let writer = Writer {
                    keep: Some(&self.home),
                };
                Ok(writer.settle(&path, &sides, &picks)?)
            })),
            Task::Trust { path, flow, root } => Outcome::Noted(guarded(|| {
                match root {
                    Some(root) => store::trust_root(&self.home, &root)?,
                    None => store::trust_file(&self.home, &path, &flow)?,
                }
                Ok(())
            })),
        }
    }

    fn load(&mut self, path: &Path) -> Result<Box<Opened>, Box<Unopened>> {
        // Of a path that leads nowhere nothing can be left either.
        let located = guarded(|| Ok(store::locate(path)?));
        let loaded = located.and_then(|flow_ref| {
            let path = flow_ref.path();
            match guarded(|| Ok(store::load(&path)?)) {
                Ok(loaded) => Ok((flow_ref, loaded)),
                Err(why) => Err(why),
            }
        });
        let real = || store::locate(path).map(|flow_ref| flow_ref.path());
        match loaded {
            Ok((flow_ref, loaded)) => {
                let path = flow_ref.path();
                self.own.read(&path, &loaded.stamp);
                // What saves left that were killed. No reason not to open the file when it fails.
                if let Some(dir) = path.canonicalize().ok().as_deref().and_then(Path::parent) {
                    disk::sweep_temps(dir).ok();
                }
                let version = self.version(&path, loaded);
                let (unsaved, remark) = match self.unsaved(&path, Some(&version)) {
                    Ok(unsaved) => (unsaved, None),
                    Err(why) => {
                        let hint =
                            "Edits from before a crash may be there; open the workfile again.";
                        (
                            None,
                            Some(Notice::warning(format!("Failed to {why}"), hint)),
                        )
                    }
                };
                let in_workspace = store::lies_in_modules(&flow_ref);
                Ok(Box::new(Opened {
                    collection: in_workspace.then(|| store::collection_showing(&flow_ref.root)),
                    flow_ref,
                    version,
                    unsaved,
                    remark,
                }))
            }
            Err(why) => Err(Box::new(Unopened {
                in_conflict: matches!(&why, Trouble::Store(StoreError::Conflict { .. })),
                backup: real()
                    .and_then(|path| store::backups(&self.home, &path))
                    .ok()
                    .and_then(|all| all.into_iter().next()),
                unsaved: real()
                    .and_then(|path| self.unsaved(&path, None))
                    .unwrap_or_default(),
                why,
            })),
        }
    }

    /// What a crash left unsaved of a workfile. Journals with nothing in them are cleared away.
    fn unsaved(
        &self,
        path: &Path,
        version: Option<&Version>,
    ) -> Result<Option<Unsaved>, StoreError> {
        let left = store::left_journals(&self.home, Some(path))?;
        let now = version.map(|version| (&version.flow, version.stamp.hash));
        for left in left {
            let file = left.file.clone();
            match guarded(|| Ok(replay(left, now))) {
                Ok(Some(unsaved)) => return Ok(Some(unsaved)),
                Ok(None) if version.is_some() => drop(store::remove_journal(&file)),
                _ => {}
            }
        }
        Ok(None)
    }

    fn version(&self, path: &Path, loaded: Loaded) -> Version {
        let is_trusted = Trust::load(&self.home).holds(path, &loaded.flow)
            || self
                .trusted_root
                .as_ref()
                .is_some_and(|root| path.starts_with(root));
        Version {
            is_trusted,
            ..loaded.into()
        }
    }

    /// What comes after every save: trust, and now and then a look at how much earlier versions take.
    fn after_save(
        &mut self,
        path: &Path,
        flow: &Flow,
        trusted: bool,
        mut saved: Saved,
    ) -> Result<Saved, Trouble> {
        let mut troubles = Vec::new();
        if trusted {
            troubles.extend(store::trust_file(&self.home, path, flow).err());
        }
        if self.n_saves.is_multiple_of(SAVES_BETWEEN_PRUNES) {
            troubles.extend(store::prune_backups(&self.home).err());
        }
        self.n_saves += 1;
        // The file is saved; that something about it was not noted is worth one sentence.
        if let (None, Some(why)) = (&saved.remark, troubles.first()) {
            saved.remark = Some(Notice::warning(format!("Failed to {why}"), why.hint()));
        }
        Ok(saved)
    }

    fn save(&mut self, path: &Path, flow: &Flow, onto: Onto) -> Result<Saved, SaveError> {
        let (own, writer) = (
            &mut self.own,
            Writer {
                keep: Some(&self.home),
            },
        );
        let first = match &onto {
            Onto::Version(stamp) => writer.save(path, flow, Some(stamp)),
            Onto::Nothing => writer.save(path, flow, None),
            Onto::Whatever => writer.save_over(path, flow),
        };
        let saved = match first {
            // Two quick saves: the second was sent before the first was known to have succeeded.
            Err(SaveError::ChangedOutside { .. } | SaveError::Exists { .. })
                if own.superseded(path, &onto) =>
            {
                writer.save(path, flow, own.last(path))
            }
            result => result,
        }?;
        own.wrote(path, onto, &saved.stamp);
        Ok(saved)
    }

    fn check(&mut self, path: &Path, disk: &DiskState, standing: Standing) -> Found {
        let known = match disk {
            DiskState::InStep(stamp) | DiskState::Changed { ours: stamp } => Some(stamp),
            DiskState::New | DiskState::Deleted => None,
        };
        // A document that believes its file gone has to hear that it is back, whoever put it there.
        let own_last = self.own.last(path).filter(|_| *disk != DiskState::Deleted);
        match disk::stamp(path) {
            Ok(now)
                if [known, own_last]
                    .into_iter()
                    .flatten()
                    .any(|stamp| stamp.same_content(&now)) =>
            {
                Found::Same
            }
            Ok(_) => match store::load(path) {
                // Often the half of a file that is just being written: not to be followed.
                Ok(loaded) if loaded.damaged => Found::Unreadable(damaged(path, loaded).into()),
                Ok(loaded) => {
                    self.own.read(path, &loaded.stamp);
                    let theirs = self.version(path, loaded);
                    Found::Changed(Box::new(Arrival::new(standing, theirs)))
                }
                Err(StoreError::Disk(why)) if why.is_not_found() => Found::Gone,
                Err(why) => Found::Unreadable(why.into()),
            },
            Err(why) if why.is_not_found() => match disk {
                DiskState::New => Found::Same,
                _ => Found::Gone,
            },
            Err(why) => Found::Unreadable(StoreError::from(why).into()),
        }
    }
}

/// Does a job so that an error in Handmill costs that job only.
pub(super) fn guarded<T>(job: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Trouble::Broke(said.unwrap_or("no message").to_owned()))
    })
}

fn damaged(path: &Path, loaded: Loaded) -> StoreError {
    let told = loaded.warnings.into_iter().next();
    StoreError::NotAWorkfile {
        why: told.unwrap_or_else(|| "it is damaged".to_owned()),
        path: path.to_owned(),
    }
}

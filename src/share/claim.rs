//! The operations that begin and end an epoch.

use std::io;

use crate::lease::{ClaimNote, EndedNote, Epoch, Fault, Hint, Reply, Token};

use super::fault::{fault, rename_fault, unstale};
use super::folder::{Folder, split};
use super::note::Note;
use super::shared::{EPOCHS, SharedFolder};

/// The most bytes of a lease row that is put aside; ours are parsed up to 64 KiB.
const ASIDE_BYTES_MAX: u64 = 16 << 20;
/// Levels of folders that are looked for in a pen, where there should be none.
const PEN_DEPTH: u32 = 2;

type Done = Result<Reply, Fault>;

impl SharedFolder {
    /// The log of epochs, made when it is missing.
    ///
    /// It appears with the workspace's name in it or not at all, so that two machines that see the
    /// folder under different names cannot begin two logs; and it appears with number 0 in it, in
    /// which the first claim starts out, or not at all, so that nobody begins it anew later.
    pub(super) fn make_epochs(&mut self, token: Token) -> Result<Folder, Fault> {
        let state = self.make_state()?;
        self.settle_name()?;
        match unstale(|| {
            let log = state.at(&self.tree().epochs())?;
            Ok((log.list()?.is_empty(), log))
        }) {
            Ok((false, log)) => return Ok(log),
            Ok((true, _)) => {}
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(fault(&why)),
        }
        let draft = format!(".{EPOCHS}-{token}");
        let own_name = self.name().to_owned();
        let made = state
            .make(&format!("{draft}/{own_name}/{}", Epoch(0)))
            .and_then(|_| state.rename(&draft, &state, EPOCHS));
        let made = match made.map_err(|why| rename_fault(&why)) {
            Err(Fault::Exists) => {
                // Another machine was first, and its name counts; or the log of another name is there, that is accepted
                // beside ours; or there is nothing in ours. A full one refuses.
                let settled = self.settle_name();
                settled.and_then(|()| {
                    let into = || {
                        let (from, to) = (state.at(&draft)?, state.at(EPOCHS)?);
                        from.rename(&own_name, &to, self.name())
                    };
                    match into().map_err(|why| rename_fault(&why)) {
                        Err(Fault::Exists) => Ok(()),
                        other => other,
                    }
                })
            }
            other => other,
        };
        let swept = state.remove_all(&draft);
        made?;
        swept
            .and_then(|()| state.sync())
            .map_err(|why| fault(&why))?;
        unstale(|| state.at(&self.tree().epochs())).map_err(|why| fault(&why))
    }

    pub(super) fn make_new(&self, note: &ClaimNote) -> Done {
        let path = self.tree().new_epoch(note.epoch, note.token);
        let (below, name) = split(&path);
        let below = self.look_into(below)?.ok_or(Fault::Gone)?;
        // What an earlier try of the same claim left.
        below.remove_all(name).map_err(|why| fault(&why))?;
        let make = || {
            below.mkdir_new(name)?;
            let folder = below.at(name)?;
            folder.write_new("claim.json", &note.to_bytes())?;
            folder.mkdir_new("pen")?;
            folder.sync()
        };
        make().map_err(|why| fault(&why))?;
        Ok(Reply::Done)
    }

    pub(super) fn rename_new(&self, token: Token, epoch: Epoch) -> Done {
        let epochs = self.epochs()?;
        let path = self.tree().new_epoch(epoch, token);
        let (below, from) = split(&path);
        let below = self.look_into(below)?.ok_or(Fault::Gone)?;
        below
            .rename(from, &epochs, &epoch.to_string())
            .map_err(|why| rename_fault(&why))?;
        // It is done; whether it survives a power cut of the server is not known.
        epochs.sync().map_err(|why| unknown(&why))?;
        Ok(Reply::Done)
    }

    pub(super) fn drop_new(&self, token: Token, epoch: Epoch) -> Done {
        let path = self.tree().new_epoch(epoch, token);
        let (below, name) = split(&path);
        if let Some(below) = self.look_into(below)? {
            below.remove_all(name).map_err(|why| fault(&why))?;
        }
        Ok(Reply::Done)
    }

    pub(super) fn remove_epoch(&self, epoch: Epoch) -> Done {
        let epochs = self.epochs()?;
        let has = |epoch: Epoch| {
            let is_there = epochs.has(&epoch.to_string());
            is_there.map_err(|why| fault(&why))
        };
        // While it is there, this number can still be claimed.
        if epoch.0 > 0 && has(Epoch(epoch.0 - 1))? {
            return Err(Fault::NotEmpty);
        }
        if !has(epoch)? {
            return Err(Fault::Gone);
        }
        let name = epoch.to_string();
        unstale(|| epochs.remove_all(&name)).map_err(|why| fault(&why))?;
        epochs.sync().map_err(|why| unknown(&why))?;
        Ok(Reply::Done)
    }

    pub(super) fn empty_pen(&self, epoch: Epoch) -> Done {
        if let Some(pen) = self.look_into(&self.tree().pen(epoch))? {
            unstale(|| pen.empty(PEN_DEPTH))
                .or_else(is_gone)
                .map_err(|why| fault(&why))?;
        }
        Ok(Reply::Done)
    }

    pub(super) fn remove_pen(&self, epoch: Epoch) -> Done {
        let folder = self.epoch_folder(epoch)?;
        folder.rmdir("pen").map_err(|why| match fault(&why) {
            // Some systems say of a full folder that it exists.
            Fault::Exists => Fault::NotEmpty,
            other => other,
        })?;
        folder.sync().map_err(|why| unknown(&why))?;
        Ok(Reply::Done)
    }

    pub(super) fn write_ended(&self, epoch: Epoch, note: &EndedNote) -> Done {
        let folder = self.epoch_folder(epoch)?;
        let is_there = folder.has("ended.json").map_err(|why| fault(&why))?;
        if !is_there {
            let temp = format!(".ended-{}", note.by);
            folder
                .replace("ended.json", &temp, &note.to_bytes())
                .map_err(|why| fault(&why))?;
        }
        Ok(Reply::Done)
    }

    pub(super) fn quarantine(&self, name: &str) -> Done {
        let row = self.tree().row();
        let (folder, file) = split(&row);
        let bytes = match self.look_into(folder)? {
            Some(folder) => match unstale(|| folder.read(file, ASIDE_BYTES_MAX)) {
                Ok(bytes) => Some(bytes),
                Err(why) if why.kind() == io::ErrorKind::NotFound => None,
                // Neither a file nor small: there is nothing to keep, and it must not hold up.
                Err(why) if why.kind() == io::ErrorKind::InvalidData => None,
                Err(why) => return Err(fault(&why)),
            },
            None => None,
        };
        let aside = self.tree().quarantined(name);
        let (folder, file) = split(&aside);
        let folder = self.make(folder)?;
        if let Some(bytes) = bytes {
            folder
                .replace(file, ".lease.tmp", &bytes)
                .map_err(|why| fault(&why))?;
        }
        Ok(Reply::Done)
    }

    pub(super) fn write_hint(&self, epoch: Epoch, hint: &Hint) -> Done {
        let path = self.tree().hint(epoch);
        let (pen, name) = split(&path);
        let pen = self.pen(pen)?;
        pen.replace(name, ".next.tmp", &hint.to_bytes())
            .map_err(|why| fault(&why))?;
        Ok(Reply::Done)
    }

    pub(super) fn release_pen(&self, epoch: Epoch) -> Done {
        let folder = self.epoch_folder(epoch)?;
        folder
            .rename("pen", &folder, "released")
            .map_err(|why| rename_fault(&why))?;
        folder.sync().map_err(|why| unknown(&why))?;
        Ok(Reply::Done)
    }

    fn epochs(&self) -> Result<Folder, Fault> {
        self.look_into(&self.tree().epochs())?.ok_or(Fault::Gone)
    }

    fn epoch_folder(&self, epoch: Epoch) -> Result<Folder, Fault> {
        let folder = self.look_into(&self.tree().epoch(epoch))?;
        folder.ok_or(Fault::Gone)
    }

    /// A pen; that there is none means that this machine was ousted.
    pub(super) fn pen(&self, path: &str) -> Result<Folder, Fault> {
        self.look_into(path)?.ok_or(Fault::Gone)
    }
}

fn is_gone(why: io::Error) -> io::Result<()> {
    match why.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(why),
    }
}

/// Of a sync: the change is there, and may not last.
pub(super) fn unknown(why: &io::Error) -> Fault {
    Fault::Unknown(crate::disk::plain_cause(why))
}

//! The Secret Service of a Linux desktop: GNOME Keyring, KWallet, KeePassXC.

use std::collections::{BTreeSet, HashMap};

use secret_service::blocking::{Collection, Item, SecretService};
use secret_service::{EncryptionType, Error};
use zbus::blocking::Connection;

use crate::model::{ResourceName, Secret};

use super::{Keyring, KeyringError, Look, Wanted};

/// What its items are found by, besides their name and scope.
const APPLICATION: (&str, &str) = ("application", "handmill");

/// The keyring that the session's bus provides. Each question connects anew: a keyring may come and go with its
/// desktop, and questions are rare.
pub struct SecretServiceKeyring {
    scope: String,
}

impl SecretServiceKeyring {
    /// The items of this scope.
    pub fn new(scope: &str) -> Self {
        Self {
            scope: scope.to_owned(),
        }
    }

    fn attributes<'a>(&'a self, name: &'a ResourceName) -> HashMap<&'a str, &'a str> {
        HashMap::from([
            APPLICATION,
            ("scope", self.scope.as_str()),
            ("resource", name.as_str()),
        ])
    }

    /// What is kept under a name, unlocked. Other programs may have left several; they are one to us.
    fn opened<'a>(
        &self,
        service: &'a SecretService<'a>,
        name: &ResourceName,
    ) -> Result<Vec<Item<'a>>, KeyringError> {
        let found = service.search_items(self.attributes(name)).map_err(plain)?;
        for item in &found.locked {
            item.unlock().map_err(plain)?;
            // A prompt may be answered without unlocking anything.
            item.ensure_unlocked().map_err(plain)?;
        }
        Ok(found.unlocked.into_iter().chain(found.locked).collect())
    }
}

impl Keyring for SecretServiceKeyring {
    fn look(&self, names: &[ResourceName]) -> Result<Look, KeyringError> {
        let service = connect()?;
        let is_locked = match service.get_default_collection() {
            Ok(collection) => collection.is_locked().map_err(plain)?,
            // Nothing was ever kept in it: it is made, and its password chosen, with the first value.
            Err(Error::NoResult) => false,
            Err(why) => return Err(plain(why)),
        };
        let mut kept = BTreeSet::new();
        for name in names {
            let found = service.search_items(self.attributes(name)).map_err(plain)?;
            if !found.unlocked.is_empty() || !found.locked.is_empty() {
                kept.insert(name.clone());
            }
        }
        Ok(Look { is_locked, kept })
    }

    fn get(&self, name: &ResourceName, _: &Wanted) -> Result<Option<Secret>, KeyringError> {
        let service = connect()?;
        let items = self.opened(&service, name)?;
        let Some(item) = items.first() else {
            return Ok(None);
        };
        let bytes = item.get_secret().map_err(plain)?;
        Secret::from_bytes(bytes)
            .map(Some)
            .map_err(|why| KeyringError::bad_value(name, why))
    }

    fn set(
        &self,
        name: &ResourceName,
        secret: &Secret,
        wanted: &Wanted,
    ) -> Result<(), KeyringError> {
        let service = connect()?;
        // Also unlocks what is to be replaced.
        self.opened(&service, name)?;
        let collection = writable(&service)?;
        wanted.begin()?;
        let label = format!("Handmill resource {name}");
        let value = secret.reveal().as_bytes();
        let made = collection
            .create_item(&label, self.attributes(name), value, true, "text/plain")
            .map_err(plain)?;
        // What lies in another collection than the one that is written to now was not replaced.
        for item in self.opened(&service, name)? {
            if item.item_path != made.item_path {
                item.delete().map_err(plain)?;
            }
        }
        Ok(())
    }

    fn remove(&self, name: &ResourceName, wanted: &Wanted) -> Result<(), KeyringError> {
        let service = connect()?;
        let items = self.opened(&service, name)?;
        wanted.begin()?;
        for item in items {
            item.delete().map_err(plain)?;
        }
        Ok(())
    }
}

/// Reaches the keyring. Values pass the bus encrypted with a key that is agreed on here.
fn connect() -> Result<SecretService<'static>, KeyringError> {
    let bus = Connection::session().map_err(|_| KeyringError::NoBus)?;
    SecretService::connect_with_existing(EncryptionType::Dh, bus).map_err(plain)
}

/// The collection that new values go to, unlocked; made when there is none yet.
fn writable<'a>(service: &'a SecretService<'a>) -> Result<Collection<'a>, KeyringError> {
    let collection = match service.get_default_collection() {
        Err(Error::NoResult) => service.create_collection("Default keyring", "default"),
        other => other,
    };
    let collection = collection.map_err(plain)?;
    if collection.is_locked().map_err(plain)? {
        collection.unlock().map_err(plain)?;
        collection.ensure_unlocked().map_err(plain)?;
    }
    Ok(collection)
}

fn plain(why: Error) -> KeyringError {
    match why {
        Error::Unavailable => KeyringError::NoService,
        Error::Zbus(zbus::Error::MethodError(name, ..)) if is_absence(&name) => {
            KeyringError::NoService
        }
        Error::Zbus(zbus::Error::MethodError(name, ..)) if name.ends_with(".IsLocked") => {
            KeyringError::Locked
        }
        Error::Zbus(zbus::Error::FDO(why)) => plain_fdo(*why),
        Error::ZbusFdo(why) => plain_fdo(why),
        Error::Locked => KeyringError::Locked,
        Error::Prompt | Error::PromptDisconnected => KeyringError::Dismissed,
        other => KeyringError::Other(other.to_string()),
    }
}

fn plain_fdo(why: zbus::fdo::Error) -> KeyringError {
    use zbus::fdo::Error as Fdo;
    match why {
        Fdo::ServiceUnknown(_) | Fdo::NameHasNoOwner(_) | Fdo::SpawnServiceNotFound(_) => {
            KeyringError::NoService
        }
        other => KeyringError::Other(other.to_string()),
    }
}

fn is_absence(name: &str) -> bool {
    const ABSENCES: [&str; 3] = ["ServiceUnknown", "NameHasNoOwner", "Spawn.ServiceNotFound"];
    let of_bus = name.strip_prefix("org.freedesktop.DBus.Error.");
    of_bus.is_some_and(|name| ABSENCES.contains(&name))
}

//! The login keychain of macOS.

use security_framework::base::Error;
use security_framework::item::{ItemClass, ItemSearchOptions};
use security_framework::passwords::{
    delete_generic_password, get_generic_password, set_generic_password,
};

use crate::model::{ResourceName, Secret};

use super::{Keyring, KeyringError, Look, Wanted};

/// Results of the system, as its headers number them.
const NOT_FOUND: i32 = -25_300;
const NO_INTERACTION: i32 = -25_308;
const WRONG_PASSWORD: i32 = -25_293;
const CANCELLED: i32 = -128;

/// Items whose service names Handmill and the scope, and whose account is the name of the resource.
pub struct Keychain {
    service: String,
}

impl Keychain {
    /// The items of this scope.
    pub fn new(scope: &str) -> Self {
        Self {
            service: format!("Handmill resource ({scope})"),
        }
    }
}

impl Keyring for Keychain {
    fn look(&self, names: &[ResourceName]) -> Result<Look, KeyringError> {
        let mut look = Look::default();
        for name in names {
            // Attributes alone are told without a password.
            let mut search = ItemSearchOptions::new();
            search.class(ItemClass::generic_password());
            search.service(&self.service).account(name.as_str());
            search.load_attributes(true);
            match search.search() {
                Ok(found) if found.is_empty() => {}
                Ok(_) => {
                    look.kept.insert(name.clone());
                }
                Err(why) if why.code() == NOT_FOUND => {}
                Err(why) => match plain(&why) {
                    KeyringError::Locked => look.is_locked = true,
                    why => return Err(why),
                },
            }
        }
        Ok(look)
    }

    fn get(&self, name: &ResourceName, _: &Wanted) -> Result<Option<Secret>, KeyringError> {
        match get_generic_password(&self.service, name.as_str()) {
            Ok(bytes) => Secret::from_bytes(bytes)
                .map(Some)
                .map_err(|why| KeyringError::bad_value(name, why)),
            Err(why) if why.code() == NOT_FOUND => Ok(None),
            Err(why) => Err(plain(&why)),
        }
    }

    fn set(
        &self,
        name: &ResourceName,
        secret: &Secret,
        wanted: &Wanted,
    ) -> Result<(), KeyringError> {
        wanted.begin()?;
        let value = secret.reveal().as_bytes();
        set_generic_password(&self.service, name.as_str(), value).map_err(|why| plain(&why))
    }

    fn remove(&self, name: &ResourceName, wanted: &Wanted) -> Result<(), KeyringError> {
        wanted.begin()?;
        match delete_generic_password(&self.service, name.as_str()) {
            Err(why) if why.code() != NOT_FOUND => Err(plain(&why)),
            _ => Ok(()),
        }
    }
}

fn plain(why: &Error) -> KeyringError {
    match why.code() {
        NO_INTERACTION => KeyringError::Locked,
        WRONG_PASSWORD | CANCELLED => KeyringError::Dismissed,
        _ => KeyringError::Other(why.to_string()),
    }
}

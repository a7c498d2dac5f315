//! What Handmill needs of a keyring, whichever system it is of.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::model::{ResourceName, Secret};

use super::KeyringError;

/// How a keyring stands, seen without asking anybody for a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Its password must be given before a value can be had.
    pub is_locked: bool,
    /// Those of the names asked about that it keeps.
    pub kept: BTreeSet<ResourceName>,
}

/// A keyring. Each call may wait for a person for as long as that person likes; [`super::Patient`] bounds that.
pub trait Keyring: Send + Sync {
    /// Looks whether it is there and which of these names it keeps, without unlocking it.
    fn look(&self, names: &[ResourceName]) -> Result<Look, KeyringError>;
    /// The value kept under a name, unlocking the keyring where that is needed; `None` when it keeps none.
    fn get(&self, name: &ResourceName, wanted: &Wanted) -> Result<Option<Secret>, KeyringError>;
    /// Keeps a value under a name, in place of an earlier one.
    fn set(
        &self,
        name: &ResourceName,
        secret: &Secret,
        wanted: &Wanted,
    ) -> Result<(), KeyringError>;
    /// Forgets the value kept under a name. It is no error when there is none.
    fn remove(&self, name: &ResourceName, wanted: &Wanted) -> Result<(), KeyringError>;
}

/// The keyring of this system. `scope` tells the values of one home of Handmill from those of another. Only makes it;
/// whether it is there shows when it is asked.
pub fn os_keyring(scope: &str) -> Arc<dyn Keyring> {
    #[cfg(target_os = "linux")]
    let keyring = super::linux::SecretServiceKeyring::new(scope);
    #[cfg(target_os = "macos")]
    let keyring = super::macos::Keychain::new(scope);
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    let keyring = Nowhere(scope.to_owned());
    Arc::new(keyring)
}

/// Whether somebody still waits for what a keyring was asked for. Who stopped waiting was told that it failed, so it
/// must not be done afterwards.
#[derive(Clone, Debug, Default)]
pub struct Wanted(Arc<AtomicU8>);

const WAITING: u8 = 0;
const GIVEN_UP: u8 = 1;
const BEGUN: u8 = 2;

impl Wanted {
    /// To be called before something is changed: an error when nobody waits for it any more.
    pub fn begin(&self) -> Result<(), KeyringError> {
        self.turn(BEGUN)
            .then_some(())
            .ok_or(KeyringError::Dismissed)
    }

    /// Stops waiting; false when the change has begun, which is then worth waiting for a little longer.
    pub(super) fn give_up(&self) -> bool {
        self.turn(GIVEN_UP)
    }

    fn turn(&self, to: u8) -> bool {
        self.0
            .compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

/// No keyring is known on this system.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
struct Nowhere(#[expect(dead_code)] String);

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
impl Keyring for Nowhere {
    fn look(&self, _: &[ResourceName]) -> Result<Look, KeyringError> {
        Err(KeyringError::Unsupported)
    }
    fn get(&self, _: &ResourceName, _: &Wanted) -> Result<Option<Secret>, KeyringError> {
        Err(KeyringError::Unsupported)
    }
    fn set(&self, _: &ResourceName, _: &Secret, _: &Wanted) -> Result<(), KeyringError> {
        Err(KeyringError::Unsupported)
    }
    fn remove(&self, _: &ResourceName, _: &Wanted) -> Result<(), KeyringError> {
        Err(KeyringError::Unsupported)
    }
}

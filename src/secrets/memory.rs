//! A keyring in memory, for tests: it can be locked, and then waits for as long as it is.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};

use crate::model::{ResourceName, Secret};

use super::{Keyring, KeyringError, Look, Wanted};

/// Keeps values in memory.
#[derive(Default)]
pub struct MemoryKeyring {
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    values: BTreeMap<ResourceName, Secret>,
    is_locked: bool,
    trouble: Option<KeyringError>,
    n_waiting: usize,
}

impl MemoryKeyring {
    /// Locks it: who wants a value waits.
    pub fn lock(&self) {
        self.inside().is_locked = true;
    }

    /// Its password was given.
    pub fn unlock(&self) {
        self.inside().is_locked = false;
        self.changed.notify_all();
    }

    /// From now on it answers everything with this.
    pub fn fail(&self, why: KeyringError) {
        self.inside().trouble = Some(why);
    }

    /// Waits until nobody waits for its password any more.
    pub fn wait_idle(&self) {
        let inside = self.inside();
        let idle = self
            .changed
            .wait_while(inside, |inside| inside.n_waiting > 0);
        drop(idle.expect("not poisoned"));
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("not poisoned")
    }

    fn opened(&self) -> Result<MutexGuard<'_, Inside>, KeyringError> {
        let mut inside = self.inside();
        if let Some(why) = &inside.trouble {
            return Err(why.clone());
        }
        inside.n_waiting += 1;
        let opened = self.changed.wait_while(inside, |inside| inside.is_locked);
        let mut opened = opened.expect("not poisoned");
        opened.n_waiting -= 1;
        self.changed.notify_all();
        Ok(opened)
    }
}

impl Keyring for MemoryKeyring {
    fn look(&self, names: &[ResourceName]) -> Result<Look, KeyringError> {
        let inside = self.inside();
        if let Some(why) = &inside.trouble {
            return Err(why.clone());
        }
        let kept = names
            .iter()
            .filter(|name| inside.values.contains_key(*name));
        Ok(Look {
            is_locked: inside.is_locked,
            kept: kept.cloned().collect(),
        })
    }

    fn get(&self, name: &ResourceName, _: &Wanted) -> Result<Option<Secret>, KeyringError> {
        Ok(self.opened()?.values.get(name).cloned())
    }

    fn set(
        &self,
        name: &ResourceName,
        secret: &Secret,
        wanted: &Wanted,
    ) -> Result<(), KeyringError> {
        let mut inside = self.opened()?;
        wanted.begin()?;
        inside.values.insert(name.clone(), secret.clone());
        Ok(())
    }

    fn remove(&self, name: &ResourceName, wanted: &Wanted) -> Result<(), KeyringError> {
        let mut inside = self.opened()?;
        wanted.begin()?;
        inside.values.remove(name);
        Ok(())
    }
}

//! A bound on how long a keyring may take. A locked one waits for a password that nobody may ever type.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::model::{ResourceName, Secret};

use super::{Keyring, KeyringError, Look, Wanted};

/// How long each kind of question may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Where nobody is asked for anything.
    pub look: Duration,
    /// Where a person may be asked for the password.
    pub person: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(5),
            person: Duration::from_secs(60),
        }
    }
}

/// A keyring that answers in time, if only to say that it did not. Each question has a thread of its own: one that is
/// given up stays behind until the keyring answers or the process ends.
#[derive(Clone)]
pub struct Patient {
    keyring: Arc<dyn Keyring>,
    patience: Patience,
}

impl Patient {
    /// Bounds a keyring.
    pub fn new(keyring: Arc<dyn Keyring>, patience: Patience) -> Self {
        Self { keyring, patience }
    }

    /// As [`Keyring::look`].
    pub fn look(&self, names: Vec<ResourceName>) -> Result<Look, KeyringError> {
        self.ask(self.patience.look, move |keyring, _| keyring.look(&names))
    }

    /// As [`Keyring::get`].
    pub fn get(&self, name: ResourceName) -> Result<Option<Secret>, KeyringError> {
        self.ask(self.patience.person, move |keyring, wanted| {
            keyring.get(&name, wanted)
        })
    }

    /// As [`Keyring::set`].
    pub fn set(&self, name: ResourceName, secret: Secret) -> Result<(), KeyringError> {
        self.ask(self.patience.person, move |keyring, wanted| {
            keyring.set(&name, &secret, wanted)
        })
    }

    /// As [`Keyring::remove`].
    pub fn remove(&self, name: ResourceName) -> Result<(), KeyringError> {
        self.ask(self.patience.person, move |keyring, wanted| {
            keyring.remove(&name, wanted)
        })
    }

    fn ask<T: Send + 'static>(
        &self,
        limit: Duration,
        question: impl FnOnce(&dyn Keyring, &Wanted) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let (reply, answer) = channel();
        let wanted = Wanted::default();
        let (keyring, still_wanted) = (self.keyring.clone(), wanted.clone());
        std::thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(move || {
                // Nobody hears it any more: it was given up.
                reply.send(question(&*keyring, &still_wanted)).ok();
            })
            .map_err(|why| KeyringError::Other(why.to_string()))?;
        let mut heard = answer.recv_timeout(limit);
        if matches!(heard, Err(RecvTimeoutError::Timeout)) && !wanted.give_up() {
            heard = answer.recv_timeout(self.patience.look);
        }
        match heard {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(KeyringError::Silent(limit.as_secs())),
            Err(RecvTimeoutError::Disconnected) => {
                Err(KeyringError::Other("it ended without an answer".to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::MemoryKeyring;
    use zeroize::Zeroizing;

    fn name() -> ResourceName {
        ResourceName::new("DB_URL").expect("a name")
    }

    fn secret(text: &str) -> Secret {
        Secret::new(Zeroizing::new(text.to_owned())).expect("a value")
    }

    #[test]
    fn what_is_kept_is_found_and_what_is_removed_is_gone() {
        let keyring = Patient::new(Arc::new(MemoryKeyring::default()), Patience::default());
        assert!(keyring.get(name()).expect("empty").is_none());
        keyring.set(name(), secret("first value")).expect("kept");
        keyring.set(name(), secret("second value")).expect("kept");
        let found = keyring.get(name()).expect("there").expect("kept");
        assert_eq!(found.reveal(), "second value");
        assert!(
            keyring
                .look(vec![name()])
                .expect("seen")
                .kept
                .contains(&name())
        );
        keyring.remove(name()).expect("removed");
        keyring.remove(name()).expect("nothing to remove");
        assert!(keyring.get(name()).expect("there").is_none());
    }

    #[test]
    fn a_keyring_that_waits_for_its_password_is_given_up_and_does_nothing_later() {
        let keyring = Arc::new(MemoryKeyring::default());
        keyring.lock();
        let patience = Patience {
            look: Duration::from_secs(20),
            person: Duration::from_millis(20),
        };
        let patient = Patient::new(keyring.clone(), patience);
        assert!(
            patient
                .look(vec![name()])
                .expect("a look waits for nobody")
                .is_locked
        );
        let told = patient.set(name(), secret("too late")).expect_err("silent");
        assert_eq!(told, KeyringError::Silent(0));
        // The person types the password at last: the one who was told of failure keeps being right.
        keyring.unlock();
        keyring.wait_idle();
        assert!(patient.get(name()).expect("open now").is_none());
    }

    #[test]
    fn a_keyring_that_dies_is_told() {
        struct Dying;
        impl Keyring for Dying {
            fn look(&self, _: &[ResourceName]) -> Result<Look, KeyringError> {
                panic!("planted");
            }
            fn get(&self, _: &ResourceName, _: &Wanted) -> Result<Option<Secret>, KeyringError> {
                Ok(None)
            }
            fn set(&self, _: &ResourceName, _: &Secret, _: &Wanted) -> Result<(), KeyringError> {
                Ok(())
            }
            fn remove(&self, _: &ResourceName, _: &Wanted) -> Result<(), KeyringError> {
                Ok(())
            }
        }
        let patient = Patient::new(Arc::new(Dying), Patience::default());
        let told = patient.look(Vec::new()).expect_err("dead");
        assert!(matches!(told, KeyringError::Other(_)), "{told}");
    }
}

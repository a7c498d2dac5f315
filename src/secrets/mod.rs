//! The keyring of the system, where the values of resources are kept.
//!
//! Unaware of runs, settings and of which names there are: `runtime/resources.rs` knows. A keyring may ask a person for
//! its password and wait for ever, so the rooms above go through [`Patient`], and never on the window's thread.

mod error;
mod keyring;
mod patient;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(test)]
mod memory;

pub use error::KeyringError;
pub use keyring::{Keyring, Look, Wanted, os_keyring};
#[cfg(test)]
pub use memory::MemoryKeyring;
pub use patient::{Patience, Patient};

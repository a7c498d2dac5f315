//! Names and moments of the protocol.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

use super::limits::{EPOCH_DIGITS, EPOCH_MAX};

/// Microseconds on a clock that counts suspend and never jumps (boot time). Means nothing on another machine.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Moment(pub u64);

impl Moment {
    /// Time from `earlier` to `self`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// This moment moved later by `by`, saturating.
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)),
        )
    }
}

/// The time, as told with every input. Only `boot` decides anything; `wall` is written into files for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// On the clock that counts suspend.
    pub boot: Moment,
    /// On the wall.
    pub wall: Timestamp,
}

/// The number of a tenure of control. Numbers rise by one and are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch after this one; `None` when the digits are used up.
    pub fn next(self) -> Option<Self> {
        (self.0 < EPOCH_MAX).then(|| Self(self.0 + 1))
    }

    /// Reads the name of an epoch's folder: exactly twelve digits, not all zero.
    pub fn parse(name: &str) -> Option<Self> {
        let is_number = name.len() == EPOCH_DIGITS && name.bytes().all(|b| b.is_ascii_digit());
        let number = is_number.then(|| name.parse().ok())??;
        (number > 0).then_some(Self(number))
    }
}

/// Twelve digits: the name of the epoch's folder.
impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.0, width = EPOCH_DIGITS)
    }
}

/// A random number that tells one attempt to claim from every other, whoever made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Token(pub u128);

impl Token {
    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 32)
            .then(|| u128::from_str_radix(text, 16).ok().map(Self))
            .flatten()
    }
}

/// Thirty-two hexadecimal digits.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A machine: a random number made at its first start, never its host name. Thirty-two hexadecimal digits in files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MachineId(pub String);

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A hash of all bytes of the lease row's file. It changes with every checkpoint; nothing else is read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Beat(pub u64);

/// Numbers the file operations of one lease, so that a late reply is known for what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// This machine and process, as it signs what it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    /// The machine.
    pub machine: MachineId,
    /// Its host name, as people know it.
    pub host: String,
    /// The boot it is in; another boot with the same machine id is a cloned machine.
    pub boot: String,
    /// The process, to be shown; never used to judge another machine.
    pub pid: u32,
    /// A random id of this process: thirty-two hexadecimal digits.
    pub daemon: String,
    /// The version of this program.
    pub app_version: String,
    /// When this process started, for the lease row.
    pub started_at: Timestamp,
}

//! What the protocol writes into files, as values. The carrier turns them into JSON and parquet and back.

use std::fmt;
use std::time::Duration;

use crate::model::Timestamp;

use super::name::{Epoch, MachineId, Me, Token};

/// `claim.json` and `owner.json`: who claimed an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNote {
    /// Which epoch.
    pub epoch: Epoch,
    /// Of this claim and no other.
    pub token: Token,
    /// Whose.
    pub machine: MachineId,
    /// Its host name.
    pub host: String,
    /// Its boot, to tell cloned machines apart.
    pub boot: String,
    /// Its process, to be shown.
    pub pid: u32,
    /// When, on its wall clock: to be shown, never compared.
    pub at: Timestamp,
    /// By what it divides the limits of the protocol: 1 but in tests. See [`super::limits::Limits`].
    pub scale: u32,
}

impl ClaimNote {
    /// A claim of this machine.
    pub fn new(me: &Me, epoch: Epoch, token: Token, at: Timestamp, scale: u32) -> Self {
        Self {
            epoch,
            token,
            machine: me.machine.clone(),
            host: me.host.clone(),
            boot: me.boot.clone(),
            pid: me.pid,
            at,
            scale,
        }
    }
}

/// `ended.json`: why an epoch ended without its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedNote {
    /// Who took over.
    pub by: MachineId,
    /// Its host name.
    pub host: String,
    /// When, on its wall clock.
    pub at: Timestamp,
    /// How long it had seen no change.
    pub silence: Duration,
    /// The epoch that follows.
    pub next: Epoch,
}

/// `next.json`: who is to claim after a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The machine.
    pub machine: MachineId,
    /// Its host name.
    pub host: String,
}

/// `requests/<ws>/<machine>.json`, and the row in the older shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestNote {
    /// Who asks: `requester_machine_id`.
    pub machine: MachineId,
    /// Its host name: `requester_host_name`.
    pub host: String,
    /// Its process, to be shown: `requester_pid`.
    pub pid: u32,
    /// What asks, `ui` or `cli`: `requester_client_kind`.
    pub client: String,
    /// Of this wish and no other, so that an answer fits one request only. Zero in a row of the older shape.
    pub token: Token,
    /// Rises with every refresh. Zero in a row of the older shape.
    pub seq: u64,
    /// When it was first asked, on the sender's wall clock: `requested_at_utc`.
    pub at: Timestamp,
}

/// `requests/<ws>/<machine>.denied.json`: the owner's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// To whom.
    pub to: MachineId,
    /// Which request.
    pub token: Token,
    /// The host that refuses.
    pub by: String,
    /// When, on its wall clock.
    pub at: Timestamp,
}

/// The column `snapshot_generation_id`: `<epoch:012>-<32 hexadecimal digits>`. A row of an older program has only
/// the latter and so no epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Generation {
    /// The epoch in which it was published.
    pub epoch: Option<Epoch>,
    /// What follows the epoch, as it stands in the file.
    pub id: String,
}

impl Generation {
    /// A new generation of ours.
    pub fn new(epoch: Epoch, token: Token) -> Self {
        Self {
            epoch: Some(epoch),
            id: token.to_string(),
        }
    }

    /// Reads the column. Never fails: what is not in our shape has no epoch.
    pub fn parse(text: &str) -> Self {
        let ours = text
            .split_once('-')
            .and_then(|(epoch, id)| Some((Epoch::parse(epoch)?, Token::parse(id)?)));
        match ours {
            Some((epoch, token)) => Self::new(epoch, token),
            None => Self {
                epoch: None,
                id: text.to_owned(),
            },
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.epoch {
            Some(epoch) => write!(f, "{epoch}-{}", self.id),
            None => f.write_str(&self.id),
        }
    }
}

/// The column `status` of the lease row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowStatus {
    /// `idle`
    Idle,
    /// `running`
    Running,
    /// `released`: the last row of an epoch that its owner ended.
    Released,
    /// Any other word, of another program.
    Other(String),
}

impl RowStatus {
    /// The word in the file.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Released => "released",
            Self::Other(word) => word,
        }
    }

    /// Reads the word in the file.
    pub fn parse(word: &str) -> Self {
        match word {
            "idle" => Self::Idle,
            "running" => Self::Running,
            "released" => Self::Released,
            _ => Self::Other(word.to_owned()),
        }
    }
}

/// The one row of `leases/<ws>.parquet`: nine of its ten columns; the first, `workspace_id`, the carrier knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// `machine_id`; an older program writes its host name here.
    pub machine: MachineId,
    /// `host_name`
    pub host: String,
    /// `daemon_id`
    pub daemon: String,
    /// `pid`: to be shown, never signalled. Read as it stands.
    pub pid: i64,
    /// `status`
    pub status: RowStatus,
    /// `started_at_utc`
    pub started_at: Timestamp,
    /// `last_checkpoint_at_utc`: to be shown, never compared.
    pub checkpoint_at: Timestamp,
    /// `snapshot_generation_id`
    pub generation: Generation,
    /// `app_version`
    pub app_version: String,
}

/// The folder below `stale/` to which a lease row is copied: `<ws>__<utc>__<host>`, the time as
/// `20261121T000113709261Z`. What no file system likes in a host name becomes `_`.
pub(super) fn stale_name(workspace: &str, at: Timestamp, host: &str) -> String {
    let micros = at.0.rem_euclid(86_400_000_000);
    let (year, month, day) = civil(at.0.div_euclid(86_400_000_000));
    let (second, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let host: String = host
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' => c,
            _ => '_',
        })
        .take(64)
        .collect();
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!(
        "{workspace}__{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}{fraction:06}Z__{host}"
    )
}

/// Year, month and day of a count of days since 1970-01-01, in the calendar that goes on in both directions: years
/// begin in March, so that the leap day is the last of its year, and come in rounds of 400.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (round, day_of_round) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day_of_round - day_of_round / 1_460 + day_of_round / 36_524
        - day_of_round / 146_096)
        / 365;
    let day_of_year = day_of_round - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (400 * round + year + i64::from(month <= 2), month, day)
}

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
}

impl ClaimNote {
    /// A claim of this machine.
    pub fn new(me: &Me, epoch: Epoch, token: Token, at: Timestamp) -> Self {
        Self {
            epoch,
            token,
            machine: me.machine.clone(),
            host: me.host.clone(),
            boot: me.boot.clone(),
            pid: me.pid,
            at,
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

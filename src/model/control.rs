//! What happened to control of a shared workspace, as a machine keeps it.

use std::sync::Arc;

use super::Timestamp;

/// One fact of control, as this machine saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlFact {
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// What.
    pub kind: ControlKind,
    /// Under which number, where there is one.
    pub epoch: Option<u64>,
    /// The other machine's host: from whom, to whom, or whose.
    pub host: Option<Arc<str>>,
    /// How or why: a fragment or a sentence.
    pub why: Option<Arc<str>>,
}

/// What happened to control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlKind {
    /// This machine claimed it while nobody had it.
    Claimed,
    /// This machine took it over from one that had fallen silent.
    TookOver,
    /// Another process of this machine went on with it.
    WentOn,
    /// This machine handed it over to one that had asked.
    HandedOver,
    /// This machine gave it back.
    Released,
    /// This machine lost it.
    Lost,
    /// A claim of this machine came to nothing.
    NotGained,
    /// Another machine asked for it.
    Asked,
    /// This machine refused a request.
    Refused,
    /// The owner refused the request of this machine.
    Denied,
    /// Another machine has it.
    Elsewhere,
    /// That machine gave it back.
    Freed,
    /// It could not be renewed.
    Degraded,
    /// It is renewed again.
    Recovered,
    /// Nodes may have run here while another machine had it.
    Overlapped,
}

impl ControlKind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Claimed,
        Self::TookOver,
        Self::WentOn,
        Self::HandedOver,
        Self::Released,
        Self::Lost,
        Self::NotGained,
        Self::Asked,
        Self::Refused,
        Self::Denied,
        Self::Elsewhere,
        Self::Freed,
        Self::Degraded,
        Self::Recovered,
        Self::Overlapped,
    ];

    /// The word in files and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::TookOver => "took over",
            Self::WentOn => "went on",
            Self::HandedOver => "handed over",
            Self::Released => "released",
            Self::Lost => "lost",
            Self::NotGained => "not gained",
            Self::Asked => "asked",
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::Elsewhere => "elsewhere",
            Self::Freed => "freed",
            Self::Degraded => "degraded",
            Self::Recovered => "recovered",
            Self::Overlapped => "overlapped",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

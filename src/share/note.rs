//! The protocol's notes as JSON, and what is taken from notes that others wrote.
//!
//! Names from elsewhere end up in paths and in front of people: a machine's id is one short plain
//! word, and a host's name is cut and freed of what would steer a terminal.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::lease::{ClaimNote, Denial, EndedNote, Epoch, Hint, MachineId, RequestNote, Token};
use crate::model::Timestamp;

use super::table::{time_of, time_text};

/// Bytes of a note; ours have a few hundred.
pub(super) const NOTE_BYTES_MAX: u64 = 64 << 10;
/// Letters kept of a name that is shown.
const NAME_CHARS_MAX: usize = 64;
/// Version of the notes.
const FORMAT: u32 = 1;

/// A note of the protocol, and how it looks in a file.
pub(super) trait Note: Sized {
    /// The fields of the file.
    type File: Serialize + DeserializeOwned;
    fn to_file(&self) -> Self::File;
    /// `None` when a field makes no sense.
    fn from_file(file: Self::File) -> Option<Self>;

    /// The whole file, ended by a new line, for people who look into it.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(&self.to_file()).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_file(serde_json::from_slice(bytes).ok()?)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ClaimFile {
    format: u32,
    epoch: u64,
    token: String,
    machine_id: String,
    host_name: String,
    boot_id: String,
    pid: u32,
    claimed_at_utc: String,
    /// Absent but in tests.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    control_scale: u32,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
fn is_one(scale: &u32) -> bool {
    *scale == 1
}

impl Note for ClaimNote {
    type File = ClaimFile;

    fn to_file(&self) -> ClaimFile {
        ClaimFile {
            format: FORMAT,
            epoch: self.epoch.0,
            token: self.token.to_string(),
            machine_id: self.machine.0.clone(),
            host_name: self.host.clone(),
            boot_id: self.boot.clone(),
            pid: self.pid,
            claimed_at_utc: time_text(self.at),
            control_scale: self.scale,
        }
    }

    fn from_file(file: ClaimFile) -> Option<Self> {
        Some(Self {
            epoch: Epoch(file.epoch),
            token: Token::parse(&file.token)?,
            machine: machine(file.machine_id)?,
            host: shown(&file.host_name),
            boot: shown(&file.boot_id),
            pid: file.pid,
            at: time(&file.claimed_at_utc),
            scale: file.control_scale,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct EndedFile {
    format: u32,
    ended_by_machine_id: String,
    ended_by_host_name: String,
    ended_at_utc: String,
    observed_silence_ms: u64,
    next_epoch: u64,
}

impl Note for EndedNote {
    type File = EndedFile;

    fn to_file(&self) -> EndedFile {
        EndedFile {
            format: FORMAT,
            ended_by_machine_id: self.by.0.clone(),
            ended_by_host_name: self.host.clone(),
            ended_at_utc: time_text(self.at),
            observed_silence_ms: u64::try_from(self.silence.as_millis()).unwrap_or(u64::MAX),
            next_epoch: self.next.0,
        }
    }

    fn from_file(file: EndedFile) -> Option<Self> {
        Some(Self {
            by: machine(file.ended_by_machine_id)?,
            host: shown(&file.ended_by_host_name),
            at: time(&file.ended_at_utc),
            silence: Duration::from_millis(file.observed_silence_ms),
            next: Epoch(file.next_epoch),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct HintFile {
    format: u32,
    machine_id: String,
    host_name: String,
}

impl Note for Hint {
    type File = HintFile;

    fn to_file(&self) -> HintFile {
        HintFile {
            format: FORMAT,
            machine_id: self.machine.0.clone(),
            host_name: self.host.clone(),
        }
    }

    fn from_file(file: HintFile) -> Option<Self> {
        Some(Self {
            machine: machine(file.machine_id)?,
            host: shown(&file.host_name),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct RequestFile {
    format: u32,
    machine_id: String,
    host_name: String,
    pid: u32,
    client_kind: String,
    token: String,
    seq: u64,
    requested_at_utc: String,
}

impl Note for RequestNote {
    type File = RequestFile;

    fn to_file(&self) -> RequestFile {
        RequestFile {
            format: FORMAT,
            machine_id: self.machine.0.clone(),
            host_name: self.host.clone(),
            pid: self.pid,
            client_kind: self.client.clone(),
            token: self.token.to_string(),
            seq: self.seq,
            requested_at_utc: time_text(self.at),
        }
    }

    fn from_file(file: RequestFile) -> Option<Self> {
        Some(Self {
            machine: machine(file.machine_id)?,
            host: shown(&file.host_name),
            pid: file.pid,
            client: shown(&file.client_kind),
            token: Token::parse(&file.token)?,
            seq: file.seq,
            at: time(&file.requested_at_utc),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct DenialFile {
    format: u32,
    machine_id: String,
    token: String,
    denied_by_host_name: String,
    denied_at_utc: String,
}

impl Note for Denial {
    type File = DenialFile;

    fn to_file(&self) -> DenialFile {
        DenialFile {
            format: FORMAT,
            machine_id: self.to.0.clone(),
            token: self.token.to_string(),
            denied_by_host_name: self.by.clone(),
            denied_at_utc: time_text(self.at),
        }
    }

    fn from_file(file: DenialFile) -> Option<Self> {
        Some(Self {
            to: machine(file.machine_id)?,
            token: Token::parse(&file.token)?,
            by: shown(&file.denied_by_host_name),
            at: time(&file.denied_at_utc),
        })
    }
}

/// A machine's id that may be part of a path.
pub(super) fn machine(id: String) -> Option<MachineId> {
    super::name::is_plain(&id).then_some(MachineId(id))
}

/// A name as it may be shown: short, on one line, and inert.
pub(super) fn shown(name: &str) -> String {
    let is_inert = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let name = name.trim().chars();
    name.map(|c| if is_inert(c) { c } else { '\u{fffd}' })
        .take(NAME_CHARS_MAX)
        .collect()
}

/// A time that is only shown.
fn time(text: &str) -> Timestamp {
    time_of(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> ClaimNote {
        ClaimNote {
            epoch: Epoch(42),
            token: Token(7),
            machine: MachineId("0a1b".to_owned()),
            host: "wsA".to_owned(),
            boot: "boot".to_owned(),
            pid: 1,
            at: Timestamp(1_795_219_155_530_618),
            scale: 1,
        }
    }

    #[test]
    fn a_claim_tells_its_scale_only_when_it_is_not_the_real_one() {
        let real = String::from_utf8(claim().to_bytes()).expect("text");
        assert!(!real.contains("scale"), "{real}");
        let scaled = ClaimNote {
            scale: 30,
            ..claim()
        };
        assert_eq!(ClaimNote::from_bytes(&scaled.to_bytes()), Some(scaled));
    }

    #[test]
    fn notes_come_back_as_they_were_written() {
        let at = Timestamp(1_795_219_155_000_000);
        let (machine, token) = (MachineId("m".to_owned()), Token(u128::MAX));
        assert_eq!(ClaimNote::from_bytes(&claim().to_bytes()), Some(claim()));
        let ended = EndedNote {
            by: machine.clone(),
            host: "wsB".to_owned(),
            at,
            silence: Duration::from_millis(91_234),
            next: Epoch(43),
        };
        assert_eq!(EndedNote::from_bytes(&ended.to_bytes()), Some(ended));
        let request = RequestNote {
            machine: machine.clone(),
            host: "ß".to_owned(),
            pid: 5,
            client: "ui".to_owned(),
            token,
            seq: 3,
            at,
        };
        assert_eq!(RequestNote::from_bytes(&request.to_bytes()), Some(request));
        let denial = Denial {
            to: machine,
            token,
            by: "wsA".to_owned(),
            at,
        };
        assert_eq!(Denial::from_bytes(&denial.to_bytes()), Some(denial));
    }

    #[test]
    fn a_note_cut_off_or_with_a_path_as_machine_is_none() {
        let whole = claim().to_bytes();
        for end in 0..whole.len() - 2 {
            assert_eq!(ClaimNote::from_bytes(&whole[..end]), None, "{end}");
        }
        for id in ["../../etc", "a/b", "", ".hidden", "CON", &"x".repeat(65)] {
            let mut note = claim();
            note.machine = MachineId(id.to_owned());
            assert_eq!(ClaimNote::from_bytes(&note.to_bytes()), None, "{id}");
        }
    }

    #[test]
    fn a_hosts_name_is_cut_and_steers_no_terminal() {
        assert_eq!(shown(" wsA\n"), "wsA");
        assert_eq!(shown("\u{1b}[2Ja\u{202e}b"), "\u{fffd}[2Ja\u{fffd}b");
        assert_eq!(shown(&"ü".repeat(10_000_000)).chars().count(), 64);
    }
}

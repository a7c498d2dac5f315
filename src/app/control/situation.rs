//! How control stands, written as text, for tests.

use std::time::Duration;

use crate::runtime::Runner;
use crate::runtime::control::{
    Answer, Banner, BannerKind, Can, Epoch, Folder, MachineId, MyRequest, Owner, Policy, Request,
    Stand, Status, When,
};

use super::seat::{Seat, Work};
use super::words;

fn machine(host: &str) -> MachineId {
    MachineId(format!("id-of-{host}"))
}

/// A seat at `mill`. The first word is how it stands; then `runs=2 nodes=3`, `silent=10`, `asked`, `asks=wsB:12`
/// (seconds since it asked), `answer=deny`, `advisory`, `shared`, `late`, `banner=Older:text`.
pub fn seat(situation: &str) -> Seat {
    let mut words = situation.split_whitespace();
    let no = |why: &str| Err(why.to_owned());
    let stand = match words.next().expect("a stand") {
        "owner" => Stand::Owner { epoch: Epoch(7) },
        "free" => Stand::Free,
        "watching" => Stand::Watching,
        "claiming" => Stand::Claiming,
        "unknown" => Stand::Unknown,
        "leaving" => Stand::Leaving {
            when: When::AfterRuns,
        },
        "stopping" => Stand::Stopping,
        "frozen" => Stand::Frozen,
        "vanished" => Stand::Vanished,
        other => panic!("no stand: {other}"),
    };
    let is_owner = matches!(stand, Stand::Owner { .. } | Stand::Leaving { .. });
    let mut seat = Seat {
        workspace: "mill".into(),
        name: "mill".to_owned(),
        status: Status {
            stand,
            text: match stand {
                Stand::Owner { .. } | Stand::Leaving { .. } => "This Workstation has control",
                Stand::Free => "Nobody has control",
                Stand::Claiming => "Taking control…",
                Stand::Unknown => "Looking at the workspace folder…",
                Stand::Stopping => "Control lost · nodes are being stopped",
                Stand::Frozen => "Trying to restore local control...",
                Stand::Vanished => "The workspace folder is not there",
                Stand::Watching | Stand::Refused => "",
            }
            .to_owned(),
            blocked: (!is_owner).then(|| "Nobody has control.".to_owned()),
            may_start_runs: is_owner,
            may_start_nodes: is_owner,
            owner: None,
            requests: Vec::new(),
            asked: None,
            can: Can {
                claim: match stand {
                    Stand::Free => Ok(()),
                    _ => no("no claim"),
                },
                take_over: no("no takeover"),
                request: match is_owner {
                    true => no("This Workstation has control."),
                    false => Ok(()),
                },
                cancel: no("Nothing was requested."),
                release: match is_owner {
                    true => Ok(()),
                    false => no("Another workstation has control."),
                },
                keep: match stand {
                    Stand::Leaving { .. } => Ok(()),
                    _ => no("Control is not being given up."),
                },
            },
            banners: Vec::new(),
            folder: Some(Folder::Exclusive { is_slow: false }),
            seen: Some(Duration::ZERO),
        },
        policy: Policy::default(),
        held_by: None,
        work: Work::default(),
        running_there: Vec::new(),
        is_shared: false,
        standing: Duration::ZERO,
    };
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let status = &mut seat.status;
        match key {
            "runs" => seat.work.n_runs = value.parse().expect("a number"),
            "nodes" => seat.work.n_nodes = value.parse().expect("a number"),
            "silent" => {
                let silent = Duration::from_secs_f64(value.parse().expect("seconds"));
                let left = Duration::from_secs(90).saturating_sub(silent);
                status.owner = Some(Owner {
                    machine: Some(machine("wsA")),
                    host: "wsA".to_owned(),
                    silent,
                    takeover_in: (left > Duration::ZERO).then_some(left),
                    is_seed: false,
                });
                status.blocked = Some("wsA currently has control of this workspace.".to_owned());
                let left = words::seconds(left);
                (status.text, status.can.take_over) = match left {
                    0 => ("Takeover available".to_owned(), Ok(())),
                    _ => (
                        format!("wsA has control · takeover available in {left}s"),
                        no(&format!(
                            "wsA has control; a takeover is possible in {left}s."
                        )),
                    ),
                };
                seat.is_shared = true;
            }
            "seen" => {
                let seen = value.parse().expect("seconds");
                status.seen = Some(Duration::from_secs(seen));
            }
            "asked" => {
                status.text = "Control requested from wsA".to_owned();
                status.asked = Some(MyRequest {
                    is_written: true,
                    age: Duration::from_secs(4),
                });
                status.can.request = no("Requesting...");
                status.can.cancel = Ok(());
            }
            "asks" => {
                let (host, age) = value.split_once(':').expect("a host and seconds");
                let age = Duration::from_secs(age.parse().expect("seconds"));
                status.requests.push(Request {
                    machine: machine(host),
                    host: host.to_owned(),
                    age,
                    answered_in: Some(Duration::from_secs(60).saturating_sub(age)),
                });
            }
            "answer" => {
                seat.policy.answer = match value {
                    "deny" => Answer::Deny,
                    "wait" => Answer::Wait,
                    "now" => Answer::HandOver(When::Now),
                    _ => Answer::HandOver(When::AfterNodes),
                };
                if value == "wait" {
                    status
                        .requests
                        .iter_mut()
                        .for_each(|r| r.answered_in = None);
                }
            }
            "advisory" => {
                status.folder = Some(Folder::Advisory {
                    settle: Duration::from_secs(120),
                    why: "Syncthing keeps it.".to_owned(),
                });
                status.banners.push(Banner {
                    kind: BannerKind::Advisory,
                    text: "Control is advisory in this folder. Syncthing keeps it.".to_owned(),
                });
            }
            "banner" => {
                let (kind, text) = value.split_once(':').expect("a kind and a text");
                let kind = match kind {
                    "Conflict" => BannerKind::Conflict,
                    "Foreign" => BannerKind::Foreign,
                    "Importable" => BannerKind::Importable,
                    "Degraded" => BannerKind::Degraded,
                    "Waits" => BannerKind::Waits,
                    _ => BannerKind::Older,
                };
                status.banners.push(Banner {
                    kind,
                    text: text.replace('_', " "),
                });
            }
            "shared" => seat.is_shared = true,
            "late" => seat.standing = super::bar::LATE,
            "kept" => {
                seat.held_by = Some(Runner {
                    pid: 77,
                    face: "window".into(),
                    since: crate::model::Timestamp(0),
                });
            }
            other => panic!("no such word: {other}"),
        }
    }
    seat
}

//! What the bar says: a situation as text in, its lines as text out.

use std::time::Duration;

use super::*;
use crate::runtime::Runner;
use crate::runtime::control::{Banner, Can, Epoch, MachineId, MyRequest, Owner, Policy, Status};

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
            "late" => seat.standing = LATE,
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

/// The bar as text: the first line is its own, buttons in brackets, `*` the main one, `-` a disabled one.
fn told(situation: &str) -> String {
    let seat = seat(situation);
    if is_quiet(&seat) {
        return "a dot in the footer".to_owned();
    }
    let bar = Bar::of(&seat);
    let badge = bar.badge.map(|(word, _)| format!(" <{word}>"));
    let aside = match bar.aside.as_str() {
        "" => String::new(),
        aside => format!(" ({aside})"),
    };
    let mut text = format!(
        "{:?}: {}{aside}{}{}",
        bar.tone,
        bar.text,
        badge.unwrap_or_default(),
        buttons(&bar.offers)
    );
    for line in &bar.lines {
        text.push_str(&format!(
            "\n{:?}: {}{}",
            line.tone,
            line.text,
            buttons(&line.offers)
        ));
    }
    text
}

fn buttons(offers: &[Offer]) -> String {
    let button = |offer: &Offer| {
        let mark = match (&offer.disabled, offer.is_main) {
            (Some(_), _) => "-",
            (None, true) => "*",
            (None, false) => "",
        };
        format!(" [{mark}{}]", offer.text)
    };
    offers.iter().map(button).collect()
}

#[test]
fn one_who_is_alone_sees_a_dot_in_the_footer_and_no_bar() {
    for situation in ["owner", "unknown", "claiming", "free", "free late"] {
        assert_eq!(told(situation), "a dot in the footer", "{situation}");
    }
    assert_eq!(told("owner shared"), "Ours: This Workstation has control");
    assert_eq!(
        told("owner advisory"),
        "Ours: This Workstation has control <Advisory>"
    );
}

#[test]
fn what_usually_passes_at_once_is_told_when_it_does_not() {
    assert_eq!(
        told("unknown late"),
        "Open: Looking at the workspace folder… [Try again]"
    );
    assert_eq!(told("claiming late"), "Open: Taking control…");
    let wait = changes_in(&seat("claiming")).expect("it is looked at again");
    assert!(wait >= LATE && wait < LATE * 2);
    assert_eq!(
        changes_in(&seat("owner")),
        None,
        "nothing will change by itself"
    );
    assert_eq!(changes_in(&seat("owner shared")), None);
    assert_eq!(changes_in(&seat("free late")), None);
}

#[test]
fn item_2_and_3_a_watcher_sees_who_has_control_how_old_that_is_and_what_it_can_do() {
    assert_eq!(
        told("watching silent=10"),
        "Theirs: wsA has control · takeover available in 80s (as of 10 s ago) [Request control] [-Take over…]"
    );
    // A folder that does not answer makes old what is seen.
    assert_eq!(
        told("watching silent=57 seen=45"),
        "Theirs: wsA has control · takeover available in 40s (as of 50 s ago · folder last read 40 s ago) \
         [Request control] [-Take over…]"
    );
    assert_eq!(
        told("watching silent=90"),
        "Heed: Takeover available (as of 90 s ago) [Request control] [*Take over…]"
    );
}

#[test]
fn item_4_one_who_asked_waits_and_may_take_it_back() {
    assert_eq!(
        told("watching silent=10 asked"),
        "Theirs: Control requested from wsA (as of 10 s ago) [-Requesting...] [Cancel request] [-Take over…]"
    );
    let bar = Bar::of(&seat("watching silent=10 asked"));
    assert_eq!(
        bar.offers[0].disabled.as_deref(),
        Some("wsA was asked 4 s ago.")
    );
}

#[test]
fn a_request_says_what_comes_of_it_and_offers_the_answers() {
    assert_eq!(
        told("owner asks=wsB:12 runs=1 nodes=1"),
        "Ours: This Workstation has control\n\
         Heed: wsB asks for control · hands over after this run in 50s \
         [Now…] [After this node] [After this run] [Refuse]"
    );
    assert_eq!(
        told("owner asks=wsB:12 runs=2 nodes=3 answer=nodes"),
        "Ours: This Workstation has control\n\
         Heed: wsB asks for control · hands over after these nodes in 50s \
         [Now…] [After these nodes] [After these runs] [Refuse]"
    );
    // Nothing runs: there is nothing to wait for.
    assert_eq!(
        told("owner asks=wsB:12 answer=deny"),
        "Ours: This Workstation has control\n\
         Heed: wsB asks for control · is refused in 50s [*Hand over] [Refuse]"
    );
    assert_eq!(
        told("owner asks=wsB:75 runs=1 answer=wait"),
        "Ours: This Workstation has control\n\
         Heed: wsB asks for control and waits for your answer [Now] [After this run] [Refuse]"
    );
    assert!(told("owner asks=wsB:60").contains("hands over now"));
}

#[test]
fn of_many_requests_the_oldest_have_a_line_each() {
    let told = told("owner asks=b:5 asks=c:4 asks=d:3 asks=e:2 asks=f:1");
    assert_eq!(told.lines().count(), 5, "{told}");
    assert!(
        told.ends_with("Heed: 2 other workstations ask too"),
        "{told}"
    );
}

#[test]
fn now_stops_nodes_only_after_a_question() {
    let asks = |situation: &str| {
        let bar = Bar::of(&seat(situation));
        matches!(bar.lines[0].offers[0].does, Does::Act(Act::AskLeave(..)))
    };
    assert!(asks("owner asks=wsB:12 runs=1 nodes=1"));
    assert!(!asks("owner asks=wsB:12 runs=1"));
    assert!(!asks("owner asks=wsB:12"));
}

#[test]
fn one_who_gives_control_up_may_keep_it_or_hurry() {
    assert_eq!(
        told("leaving runs=1 nodes=1 asks=wsB:12 banner=Waits:wsB_waits_for_1_running_node."),
        "Heed: This Workstation has control [Keep control] [Give up now…]\n\
         Heed: wsB waits for 1 running node."
    );
}

#[test]
fn what_went_wrong_stands_below_with_the_one_thing_to_do() {
    assert_eq!(
        told("watching silent=10 banner=Older:Controlled_by_an_older_program_on_wsA."),
        "Theirs: wsA has control · takeover available in 80s (as of 10 s ago) [Request control] [-Take over…]\n\
         Heed: Controlled by an older program on wsA. [Explain]"
    );
    assert!(
        told("free late banner=Conflict:Two_claimed.").ends_with("Wrong: Two claimed. [*Settle…]")
    );
    assert!(
        told("free late banner=Foreign:Not_ours.")
            .ends_with("Heed: Not ours. [Explain] [Try again]")
    );
    assert!(
        told("free late banner=Importable:Left_here.")
            .ends_with("Heed: Left here. [Explain] [*Take over…]")
    );
    assert_eq!(
        told("vanished"),
        "Wrong: The workspace folder is not there [Try again]"
    );
    assert_eq!(
        told("stopping"),
        "Wrong: Control lost · nodes are being stopped"
    );
    assert_eq!(told("frozen"), "Heed: Trying to restore local control...");
}

#[test]
fn another_handmill_of_this_machine_that_keeps_control_is_named() {
    assert_eq!(
        told("owner kept"),
        "Ours: This Workstation has control (kept by another Handmill window (process 77))"
    );
}

#[test]
fn a_frame_is_due_when_a_number_that_is_shown_changes() {
    let due = |situation: &str| changes_in(&seat(situation)).map(|wait| wait.as_millis());
    // Of 79.75 s left, which read 80, the number changes when 70 are left.
    assert_eq!(due("watching silent=10.25"), Some(9_770));
    assert_eq!(due("watching silent=70.25"), Some(770), "the last seconds");
    assert_eq!(
        due("watching silent=95.25"),
        Some(4_770),
        "the age of what is seen"
    );
    assert_eq!(
        due("watching silent=660.5 seen=660"),
        Some(59_520),
        "told in minutes"
    );
    assert_eq!(due("owner asks=wsB:12"), Some(8_020));
    assert_eq!(due("owner asks=wsB:42"), Some(1_020));
}

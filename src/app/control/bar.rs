//! What the bar says and offers: from how control stands to words. Pure.

use std::time::Duration;

use crate::app::action::Verb;
use crate::app::view::runner_words;
use crate::runtime::control::{Answer, Banner, BannerKind, Folder, Request, Stand, When, Wish};

use super::page::Act;
use super::seat::{Seat, Work};
use super::trouble;
use super::words;

/// How long a state that usually passes may last before the bar is shown for it.
const LATE: Duration = Duration::from_secs(3);

/// A look at the folder that is older is told: the folder does not answer. Younger ones say nothing, for those who look
/// do not tell of each.
const OLD_LOOK: Duration = Duration::from_secs(40);

/// Requests that have a line of their own.
const REQUESTS_MAX: usize = 3;

/// How a line is meant: its mark and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// This machine has control.
    Ours,
    /// Another one has.
    Theirs,
    /// Nobody has, or it is not known yet.
    Open,
    /// Somebody may want to do something.
    Heed,
    /// Something went wrong.
    Wrong,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq)]
pub enum Does {
    /// A verb on the workspace shown.
    Verb(Verb),
    /// More than a verb can tell.
    Act(Act),
}

/// A button.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// What it says.
    pub text: String,
    /// What it does.
    pub does: Does,
    /// Why it cannot be pressed.
    pub disabled: Option<String>,
    /// The main action of its line.
    pub is_main: bool,
}

impl Offer {
    fn verb(text: &str, verb: Verb, can: &Result<(), String>) -> Self {
        Self {
            text: text.to_owned(),
            does: Does::Verb(verb),
            disabled: can.as_ref().err().cloned(),
            is_main: false,
        }
    }

    pub(super) fn act(text: impl Into<String>, act: Act) -> Self {
        Self {
            text: text.into(),
            does: Does::Act(act),
            disabled: None,
            is_main: false,
        }
    }

    pub(super) fn main(self) -> Self {
        Self {
            is_main: self.disabled.is_none(),
            ..self
        }
    }
}

/// A line below the bar: somebody asks, or something is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// How it is meant.
    pub tone: Tone,
    /// What it says.
    pub text: String,
    /// What can be done.
    pub offers: Vec<Offer>,
}

/// Everything the bar says.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// How it is meant.
    pub tone: Tone,
    /// How control stands.
    pub text: String,
    /// In smaller words: how old that is, who keeps it.
    pub aside: String,
    /// What the folder cannot promise: a word, and what is meant by it.
    pub badge: Option<(&'static str, String)>,
    /// What can be done.
    pub offers: Vec<Offer>,
    /// What stands below it.
    pub lines: Vec<Line>,
}

impl Bar {
    /// What there is to say of a workspace.
    pub fn of(seat: &Seat) -> Self {
        Self {
            tone: tone(seat),
            text: seat.status.text.clone(),
            aside: aside(seat),
            badge: badge(seat),
            offers: offers(seat),
            lines: lines(seat),
        }
    }
}

/// True where a dot in the footer says enough: this machine has control, or is about to, and nobody else was ever seen
/// to share the workspace.
pub fn is_quiet(seat: &Seat) -> bool {
    let status = &seat.status;
    let settles = match status.stand {
        // Nobody has it, and whoever starts a run here takes it: nothing is to be done about that.
        Stand::Owner { .. } | Stand::Free => true,
        Stand::Unknown | Stand::Claiming => seat.standing < LATE,
        _ => false,
    };
    settles
        && !seat.is_shared
        && seat.held_by.is_none()
        && status.requests.is_empty()
        && status.asked.is_none()
        && status.banners.is_empty()
        && matches!(
            status.folder,
            None | Some(Folder::Exclusive { is_slow: false })
        )
}

/// When a frame is due because a number that is shown has changed, or a quiet state has lasted too long.
pub fn changes_in(seat: &Seat) -> Option<Duration> {
    let status = &seat.status;
    if is_quiet(seat) {
        let passes = matches!(status.stand, Stand::Unknown | Stand::Claiming);
        return passes.then(|| LATE.saturating_sub(seat.standing) + A_MOMENT);
    }
    let owner = status.owner.as_ref();
    let takeover_in = owner.and_then(|owner| owner.takeover_in);
    let takeover_in = takeover_in.filter(|_| status.stand == Stand::Watching);
    let answers_in = status.requests.iter().filter_map(|r| r.answered_in);
    let runs_down = takeover_in.into_iter().chain(answers_in);
    let seen = status.seen.filter(|_| owner.is_some());
    let runs_up = owner.map(|owner| owner.silent).into_iter().chain(seen);
    let degrades = |banner: &Banner| banner.kind == BannerKind::Degraded;
    let degraded = status.banners.iter().any(degrades).then_some(SECOND);
    let next = runs_down.map(words::seconds_change_in);
    let next = next.chain(runs_up.map(words::about_changes_in));
    next.chain(degraded).min().map(|wait| wait + A_MOMENT)
}

const SECOND: Duration = Duration::from_secs(1);

/// A little later, so that the new number is surely due.
const A_MOMENT: Duration = Duration::from_millis(20);

fn tone(seat: &Seat) -> Tone {
    let status = &seat.status;
    match status.stand {
        Stand::Unknown | Stand::Free | Stand::Claiming => Tone::Open,
        Stand::Watching => match &status.owner {
            Some(owner) if owner.takeover_in.is_none() => Tone::Heed,
            _ => Tone::Theirs,
        },
        Stand::Owner { .. } if status.blocked.is_some() => Tone::Heed,
        Stand::Owner { .. } => Tone::Ours,
        Stand::Leaving { .. } | Stand::Frozen | Stand::Refused => Tone::Heed,
        Stand::Stopping | Stand::Vanished => Tone::Wrong,
    }
}

fn aside(seat: &Seat) -> String {
    let mut parts = Vec::new();
    if let Some(owner) = &seat.status.owner {
        parts.push(format!("as of {}", words::about(owner.silent)));
        if let Some(seen) = seat.status.seen.filter(|seen| *seen >= OLD_LOOK) {
            parts.push(format!("folder last read {}", words::about(seen)));
        }
    }
    if let Some(runner) = &seat.held_by {
        parts.push(format!("kept by {}", in_a_sentence(&runner_words(runner))));
    }
    parts.join(" · ")
}

/// With a small first letter, but for names.
fn in_a_sentence(words: &str) -> String {
    match words.strip_prefix('A') {
        Some(rest) => format!("a{rest}"),
        None => words.to_owned(),
    }
}

fn badge(seat: &Seat) -> Option<(&'static str, String)> {
    match &seat.status.folder {
        Some(Folder::Advisory { why, .. }) => Some((
            "Advisory",
            format!("Control is advisory in this folder. {why}"),
        )),
        Some(Folder::Exclusive { is_slow: true }) => Some((
            "Slow folder",
            "The workspace folder is slow; what is shown may be old.".to_owned(),
        )),
        _ => None,
    }
}

fn offers(seat: &Seat) -> Vec<Offer> {
    let (status, can) = (&seat.status, &seat.status.can);
    match status.stand {
        Stand::Free => vec![Offer::verb("Take control", Verb::TakeControl, &can.claim).main()],
        Stand::Watching => {
            let mut offers = match &status.asked {
                Some(asked) => {
                    let since = words::ago(asked.age);
                    let mut asks = Offer::verb("Requesting...", Verb::RequestControl, &can.request);
                    asks.disabled = Some(format!("{} was asked {since}.", seat.host()));
                    let cancel = Offer::verb("Cancel request", Verb::CancelRequest, &can.cancel);
                    vec![asks, cancel]
                }
                None => vec![Offer::verb(
                    "Request control",
                    Verb::RequestControl,
                    &can.request,
                )],
            };
            offers.push(Offer::verb("Take over…", Verb::TakeOver, &can.take_over).main());
            offers
        }
        Stand::Leaving { .. } => vec![
            Offer::verb("Keep control", Verb::KeepControl, &can.keep),
            Offer::verb("Give up now…", Verb::GiveUpControl, &can.release),
        ],
        // It is looked at every two seconds; a person need not wait for that.
        Stand::Vanished | Stand::Unknown => {
            vec![Offer::verb("Try again", Verb::CheckFolder, &Ok(()))]
        }
        Stand::Owner { .. }
        | Stand::Claiming
        | Stand::Stopping
        | Stand::Frozen
        | Stand::Refused => Vec::new(),
    }
}

fn lines(seat: &Seat) -> Vec<Line> {
    let status = &seat.status;
    let mut lines = Vec::new();
    // One who gives control up has answered already.
    if !matches!(status.stand, Stand::Leaving { .. }) {
        let requests = status.requests.iter().take(REQUESTS_MAX);
        lines.extend(requests.map(|request| request_line(seat, request)));
        let n_more = status.requests.len().saturating_sub(REQUESTS_MAX);
        if n_more > 0 {
            lines.push(Line {
                tone: Tone::Heed,
                text: match n_more {
                    1 => "1 other workstation asks too".to_owned(),
                    n => format!("{n} other workstations ask too"),
                },
                offers: Vec::new(),
            });
        }
    } else if let Some(why) = &status.blocked
        && !status.banners.iter().any(|b| b.kind == BannerKind::Waits)
    {
        lines.push(Line {
            tone: Tone::Heed,
            text: why.clone(),
            offers: Vec::new(),
        });
    }
    lines.extend(trouble::lines(seat));
    lines
}

fn request_line(seat: &Seat, request: &Request) -> Line {
    Line {
        tone: Tone::Heed,
        text: format!(
            "{} asks for control{}",
            request.host,
            what_comes(seat, request)
        ),
        offers: answers(seat.work, request),
    }
}

/// What happens when the person says nothing.
fn what_comes(seat: &Seat, request: &Request) -> String {
    let Some(left) = request.answered_in else {
        return " and waits for your answer".to_owned();
    };
    let left = match words::seconds(left) {
        0 => "now".to_owned(),
        left => format!("in {left}s"),
    };
    match seat.policy.answer {
        Answer::HandOver(when) => {
            format!(" · hands over{} {left}", words::when(when, seat.work))
        }
        Answer::Deny => format!(" · is refused {left}"),
        Answer::Wait => " and waits for your answer".to_owned(),
    }
}

fn answers(work: Work, request: &Request) -> Vec<Offer> {
    let to = &request.machine;
    let hand = |text: &str, when| {
        let to = to.clone();
        Offer::act(text, Act::Wish(Wish::HandOver { to, when }))
    };
    let mut offers = Vec::new();
    if work == Work::default() {
        offers.push(hand("Hand over", When::Now).main());
    } else if work.n_nodes == 0 {
        offers.push(hand("Now", When::Now));
    } else {
        // What runs is stopped, so that is asked first.
        let asks = Act::AskLeave(Some((to.clone(), request.host.clone())), When::Now);
        offers.push(Offer::act("Now…", asks));
        let nodes = match work.n_nodes {
            1 => "After this node",
            _ => "After these nodes",
        };
        offers.push(hand(nodes, When::AfterNodes));
    }
    match work.n_runs {
        0 => {}
        1 => offers.push(hand("After this run", When::AfterRuns)),
        _ => offers.push(hand("After these runs", When::AfterRuns)),
    }
    offers.push(Offer::act(
        "Refuse",
        Act::Wish(Wish::Deny { to: to.clone() }),
    ));
    offers
}

#[cfg(test)]
pub mod tests;

//! What the bar says and offers: from how control stands to words. Pure.

use std::time::Duration;

use crate::app::view::runner_words;
use crate::runtime::control::{Banner, BannerKind, Folder, Stand};

use super::offer::{Offer, offers};
use super::request::request_line;
use super::seat::Seat;
use super::trouble;
use super::words;

/// How long a state that usually passes may last before the bar is shown for it.
pub(super) const LATE: Duration = Duration::from_secs(3);

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
    if let Some(owner) = seat.other_owner() {
        let age = words::about(owner.silent);
        parts.push(match (status_names(seat, &owner.host), owner.takeover_in) {
            (false, None) => format!("{} was last heard of {age}", owner.host),
            _ => format!("as of {age}"),
        });
        if let Some(seen) = seat.status.seen.filter(|seen| *seen >= OLD_LOOK) {
            parts.push(format!("folder last read {}", words::about(seen)));
        }
    }
    if let Some(runner) = &seat.held_by {
        parts.push(format!("kept by {}", in_a_sentence(&runner_words(runner))));
    }
    parts.join(" · ")
}

/// The status text names the host already.
fn status_names(seat: &Seat, host: &str) -> bool {
    seat.status.text.contains(host)
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

#[cfg(test)]
mod tests;

//! What went wrong with control, or cannot be promised: in plain words, with what to do about it. Pure.

use crate::runtime::control::{Banner, BannerKind, Wish};

use super::bar::{Line, Tone};
use super::offer::Offer;
use super::page::Act;
use super::seat::Seat;

/// Lines for what must not be overlooked. What the badge says has none.
pub fn lines(seat: &Seat) -> Vec<Line> {
    let banners = seat.status.banners.iter();
    banners
        .filter(|banner| !is_told_by_badge(banner.kind))
        .map(|banner| Line {
            tone: tone(banner.kind),
            text: banner.text.clone(),
            offers: offers(banner),
        })
        .collect()
}

/// True for what holds as long as the folder is what it is.
pub fn is_told_by_badge(kind: BannerKind) -> bool {
    matches!(kind, BannerKind::Advisory | BannerKind::Slow)
}

fn tone(kind: BannerKind) -> Tone {
    match kind {
        BannerKind::Conflict
        | BannerKind::Gap
        | BannerKind::NoLog
        | BannerKind::Damaged
        | BannerKind::Cloned
        | BannerKind::Degraded
        | BannerKind::Unfit => Tone::Wrong,
        BannerKind::Advisory
        | BannerKind::Slow
        | BannerKind::Foreign
        | BannerKind::Importable
        | BannerKind::Older
        | BannerKind::Unowned
        | BannerKind::Waits => Tone::Heed,
    }
}

fn offers(banner: &Banner) -> Vec<Offer> {
    let explain = Offer::act("Explain", Act::Explain);
    match banner.kind {
        // Going on wrongly would run things twice, so it is explained before it is confirmed.
        BannerKind::Conflict | BannerKind::Gap => {
            vec![Offer::act("Settle…", Act::Explain).main()]
        }
        BannerKind::Importable => {
            vec![explain, Offer::act("Take over…", Act::AskImport).main()]
        }
        BannerKind::Unfit | BannerKind::Foreign | BannerKind::Degraded => {
            vec![explain, Offer::act("Try again", Act::Wish(Wish::Look))]
        }
        // The bar itself offers what can be done.
        BannerKind::Waits => Vec::new(),
        _ => vec![explain],
    }
}

/// A trouble as the page tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its heading.
    pub title: &'static str,
    /// How it comes about.
    pub why: &'static str,
    /// What a person does.
    pub remedy: &'static str,
    /// The one action of the page, if there is one.
    pub act: Option<(&'static str, Remedy)>,
}

/// What can be done from the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Go on all the same.
    Confirm,
    /// Look again.
    Look,
    /// Take over what another program left, after a question.
    Import,
}

/// What is behind a banner.
pub fn explained(kind: BannerKind) -> Explained {
    let told = |title, why, remedy, act| Explained {
        title,
        why,
        remedy,
        act,
    };
    match kind {
        BannerKind::Advisory => told(
            "Control is advisory here",
            "Something copies this folder from machine to machine behind our back. Until the copies have met, two \
             workstations can both believe that they have control. So a claim waits two minutes before it counts, and \
             when the copies disagree, both step down.",
            "Run this workspace from one workstation only, or move it to a folder on a file server.",
            None,
        ),
        BannerKind::Slow => told(
            "The folder is slow",
            "It answers late, or keeps what it has read for a while. Control is still exclusive, but what you see of \
             another workstation may be older than it says.",
            "Nothing has to be done. If it was not always so, look at the network.",
            None,
        ),
        BannerKind::Unfit => told(
            "The folder cannot be written here",
            "Who has control writes that into .workspace_state in the workspace folder, and this workstation cannot \
             write there. What others run is shown all the same. Nothing was changed.",
            "Have the folder made writable for you, then try again. Or copy the workspace into a folder of your own, \
             and run it there. Asking for control does not help as long as the folder is read-only here.",
            Some(("Try again", Remedy::Look)),
        ),
        BannerKind::Conflict => told(
            "Two workstations claimed control at once",
            "The folder is copied between machines, and both took control before the copies met. Both have stepped \
             down, and neither runs anything now.",
            "Make sure that nothing of this workspace runs on the other workstation any more. Then confirm here, or \
             there, but on one of them only. Remove the files named above when both are at peace.",
            Some(("Confirm and go on here", Remedy::Confirm)),
        ),
        BannerKind::Gap => told(
            "Epochs are missing",
            "Each tenure of control has a number, and numbers are never left out. Somebody removed or made folders in \
             .workspace_state/epochs by hand, or a backup was put back.",
            "Make sure that no other workstation runs this workspace. Then confirm; the next epoch gets the next \
             number.",
            Some(("Confirm and go on here", Remedy::Confirm)),
        ),
        BannerKind::NoLog => told(
            "The log of control was removed",
            "Each tenure of control has a folder in .workspace_state/epochs. All of them are gone, and only the last \
             row of the owner is left. It stops its nodes as soon as it finds that out, within half a minute.",
            "Ask on the workstation that is named above whether it still runs something. Ninety seconds after its last \
             sign of life you can take over; that begins a new log. Find out what removes folders in \
             .workspace_state, for nothing but Handmill may.",
            None,
        ),
        BannerKind::Foreign => told(
            "Another program keeps this workspace",
            "Its state is of a kind that Handmill must not write over. What it holds is safe, and nothing of this \
             workspace runs here meanwhile.",
            "Follow what is said above on the machine that is named. Then try again.",
            Some(("Try again", Remedy::Look)),
        ),
        BannerKind::Importable => told(
            "Data Engine 0.5 left this workspace",
            "Its state is here, and nobody holds it. Handmill does not write over it, so nothing of this workspace runs \
             here meanwhile.",
            "Close Data Engine on every machine, then take the workspace over: its history comes along, and its state \
             is put aside.",
            Some(("Take over…", Remedy::Import)),
        ),
        BannerKind::Damaged => told(
            "The lease cannot be read",
            "The file that says who has control is damaged. Its owner may be alive, so control is not taken to be \
             free.",
            "An owner that lives writes it anew within half a minute. If nothing changes for a minute and a half, you \
             can take over.",
            None,
        ),
        BannerKind::Older => told(
            "An older program has control",
            "Data Engine 0.3 runs this workspace on the machine named above. It knows no fence, so Handmill has \
             stepped down for it.",
            "Close it there. Ninety seconds after its last sign of life you can take over here.",
            None,
        ),
        BannerKind::Cloned => told(
            "Two machines have one id",
            "One was made as a copy of the other, with Handmill's folder in it. Each takes the other's claims for its \
             own.",
            "On the copy, close Handmill and remove machine.json from its data folder. It gets an id of its own at \
             the next start.",
            None,
        ),
        BannerKind::Degraded => told(
            "Checkpoints fail",
            "This workstation has control, but could not say so in the shared folder for a while. Another one may \
             take it for gone, so nodes are stopped before that can happen.",
            "Look whether the folder is there, has room and can be written. As soon as one checkpoint succeeds, all \
             goes on.",
            Some(("Try again", Remedy::Look)),
        ),
        BannerKind::Unowned => told(
            "Nodes finish without control",
            "The folder was away for too long, and this workspace lets its running nodes come to their end all the \
             same. Another workstation may have taken over, and run the same.",
            "Stop the run if that would do harm. It is a choice in the settings of control.",
            None,
        ),
        BannerKind::Waits => told(
            "Control is being handed over",
            "No new run starts. What runs may end first, as you chose.",
            "Wait, hand over at once, or keep control.",
            None,
        ),
    }
}

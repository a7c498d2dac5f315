//! What is said of one who asks for control, and how that can be answered. Pure.

use crate::runtime::control::{Answer, Request, When, Wish};

use super::bar::{Line, Tone};
use super::offer::Offer;
use super::page::Act;
use super::seat::{Seat, Work};
use super::words;

/// The line of one who asks for control, with the answers to it.
pub(super) fn request_line(seat: &Seat, request: &Request) -> Line {
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

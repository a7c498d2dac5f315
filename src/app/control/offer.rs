//! What the bar's buttons are and do, from how control stands. Pure.

use crate::app::action::Verb;
use crate::runtime::control::Stand;

use super::page::Act;
use super::seat::Seat;
use super::words;

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
    pub(super) fn verb(text: &str, verb: Verb, can: &Result<(), String>) -> Self {
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

/// What can be done as control stands.
pub(super) fn offers(seat: &Seat) -> Vec<Offer> {
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

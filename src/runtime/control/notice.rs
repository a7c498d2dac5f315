//! What a person is told of what happened to control.

use crate::lease::{Fact, Loss};
use crate::model::{Level, Notice, human_duration};
use crate::share::Imported;

/// The notice of a fact about the workspace called `name`; `None` for what its control bar shows anyway.
pub fn notice_of(name: &str, fact: &Fact) -> Option<Notice> {
    let warning = |what: String, hint: &'static str| Notice::new(Level::Warning, what, hint);
    Some(match fact {
        Fact::Gained {
            over: Some((host, silence)),
            ..
        } => Notice::info(format!(
            "Took over control of {name} from {host}, which had been silent for {}.",
            human_duration(*silence)
        )),
        Fact::Gained { over: None, .. }
        | Fact::WentOn { .. }
        | Fact::GaveUp { to: None, .. }
        | Fact::Refused { .. }
        | Fact::Elsewhere { .. }
        | Fact::Freed { .. } => return None,
        Fact::GaveUp { to: Some(host), .. } => {
            Notice::info(format!("Control of {name} was handed over to {host}."))
        }
        Fact::Lost { how, .. } => warning(
            format!(
                "Control of {name} was lost: {}. Its runs are interrupted.",
                loss(how)
            ),
            "Take control again, then resume.",
        ),
        Fact::NotGained { why } => warning(format!("Control of {name} was not gained. {why}"), ""),
        Fact::Degraded { why, .. } => warning(
            format!("Control of {name} cannot be renewed: {why}."),
            "Its nodes are stopped in less than a minute, unless the workspace folder can be written again.",
        ),
        Fact::Recovered => Notice::info(format!("Control of {name} is renewed again.")),
        Fact::Denied { by } => Notice::info(format!("{by} keeps control of {name}.")),
        Fact::AskedBy { host, .. } => Notice::info(format!("{host} asks for control of {name}.")),
        Fact::Overlapped { with, at_most } => warning(
            format!(
                "Nodes of {name} may have run here while {with} had control, for at most {}.",
                human_duration(*at_most)
            ),
            "Look at what both wrote.",
        ),
    })
}

/// The notice of an import of what Data Engine 0.5 left in the workspace called `name`.
pub fn notice_of_import(name: &str, done: &Result<Imported, String>) -> Notice {
    match done {
        Ok(Imported { runs: 0, .. }) => Notice::new(
            Level::Info,
            format!("{name} was taken over from Data Engine 0.5; nothing had run there."),
            "Its state lies in .workspace_state/stale.",
        ),
        Ok(Imported { runs, steps }) => Notice::new(
            Level::Info,
            format!(
                "{name} was taken over from Data Engine 0.5, with {runs} runs of {steps} steps."
            ),
            "Its state lies in .workspace_state/stale.",
        ),
        Err(why) => Notice::error(format!("{name} was not taken over. {why}"), ""),
    }
}

/// A fragment.
pub(super) fn loss(how: &Loss) -> String {
    match how {
        Loss::Ousted => "another workstation took it".to_owned(),
        Loss::Expired => "no checkpoint was confirmed in time".to_owned(),
        Loss::SeedMachine { host } => format!("an older program on {host} writes in it"),
        Loss::Conflict { names } => {
            format!("two workstations claimed it at once ({})", names.join(", "))
        }
        Loss::Vanished => "the workspace folder is not there".to_owned(),
        Loss::Removed => {
            "somebody removed its log (.workspace_state/epochs), so nobody knows who has it"
                .to_owned()
        }
        Loss::NoSitter => "the process that holds running nodes is gone".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::lease::Epoch;

    #[test]
    fn a_loss_names_the_workspace_the_reason_and_what_became_of_the_runs() {
        let fact = Fact::Lost {
            epoch: Epoch(3),
            how: Loss::Expired,
        };
        let told = notice_of("claims", &fact).expect("told");
        assert_eq!(
            &*told.what,
            "Control of claims was lost: no checkpoint was confirmed in time. Its runs are interrupted."
        );
        let quiet = Fact::Gained {
            epoch: Epoch(3),
            over: None,
            resumes: true,
        };
        assert_eq!(notice_of("claims", &quiet), None);
        let over = Fact::Gained {
            epoch: Epoch(4),
            over: Some(("wsA".to_owned(), Duration::from_secs(95))),
            resumes: true,
        };
        let told = notice_of("claims", &over).expect("told");
        assert!(told.what.contains("from wsA"), "{}", told.what);
    }
}

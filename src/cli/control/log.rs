//! `control log`: who had control of a workspace, as this machine saw it.

use serde_json::json;

use crate::model::{ControlFact, ControlKind, FlowRef, Timestamp};
use crate::runtime::Workspace;
use crate::store::Home;

use super::super::args::LogOf;
use super::super::exit::Refused;
use super::super::{ExitCode, open, print};
use super::Place;

/// Carries out `control log`.
pub fn log(home: &Home, args: &LogOf) -> Result<ExitCode, Refused> {
    let place = Place::of(home, &args.of)?;
    let facts = match Workspace::has_ledger(home, &place.id) {
        // One where nothing ever happened gets no ledger by being asked.
        false => Vec::new(),
        true => {
            let any = FlowRef {
                workspace: place.id.clone(),
                root: place.root.clone(),
                file: "".into(),
            };
            open(home, &any)?
                .ledger
                .control_facts(args.limit as usize)
                .map_err(|why| Refused::new(format!("failed to {why}"), ""))?
        }
    };
    if facts.is_empty() {
        place.say("nothing recorded on this machine");
    }
    for fact in &facts {
        print::line(&match place.json {
            true => as_json(fact),
            false => as_line(fact),
        });
    }
    Ok(ExitCode::Done)
}

/// Fields are stable: see docs/FORMATS.md.
fn as_json(fact: &ControlFact) -> String {
    json!({
        "at": print::seconds(fact.at), "what": fact.kind.word(), "epoch": fact.epoch, "host": fact.host.as_deref(),
        "why": fact.why.as_deref(),
    })
    .to_string()
}

fn as_line(fact: &ControlFact) -> String {
    let epoch = fact.epoch.map(|epoch| format!(" · epoch {epoch}"));
    let why = fact.why.as_deref().map(|why| format!(" · {why}"));
    let line = format!(
        "{} · {}{}{}",
        when(fact.at),
        what(fact),
        epoch.unwrap_or_default(),
        why.unwrap_or_default()
    );
    print::shown_in_full(&line)
}

/// To the second: control may pass on several times within a minute.
fn when(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
    let at = at.to_zoned(jiff::tz::TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn what(fact: &ControlFact) -> String {
    let host = fact.host.as_deref().unwrap_or("another machine");
    match fact.kind {
        ControlKind::Claimed => "this machine took control".to_owned(),
        ControlKind::TookOver => format!("this machine took control over from {host}"),
        ControlKind::WentOn => "another process of this machine went on with control".to_owned(),
        ControlKind::HandedOver => format!("handed over to {host}"),
        ControlKind::Released => "released".to_owned(),
        ControlKind::Lost => "lost".to_owned(),
        ControlKind::NotGained => "not gained".to_owned(),
        ControlKind::Asked => format!("{host} asked for control"),
        ControlKind::Refused => format!("{host} was refused"),
        ControlKind::Denied => format!("{host} refused to give control"),
        ControlKind::Elsewhere => format!("{host} has control"),
        ControlKind::Freed => format!("{host} gave control back"),
        ControlKind::Degraded => "control could not be renewed".to_owned(),
        ControlKind::Recovered => "control is renewed again".to_owned(),
        ControlKind::Overlapped => format!("nodes may have run here beside {host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_who_gave_control_to_whom_under_which_number() {
        let fact = |kind, host: Option<&str>, why: Option<&str>| ControlFact {
            at: Timestamp(0),
            kind,
            epoch: Some(42),
            host: host.map(Into::into),
            why: why.map(Into::into),
        };
        let told = |fact| {
            let line = as_line(&fact);
            let (_, told) = line.split_once(" · ").expect("a time before it");
            told.to_owned()
        };
        assert_eq!(
            told(fact(
                ControlKind::TookOver,
                Some("wsA"),
                Some("silent for 95s")
            )),
            "this machine took control over from wsA · epoch 42 · silent for 95s"
        );
        assert_eq!(
            told(fact(ControlKind::HandedOver, Some("wsC"), None)),
            "handed over to wsC · epoch 42"
        );
        let lost = fact(
            ControlKind::Lost,
            None,
            Some("another\u{1b}[2J workstation took it"),
        );
        assert!(
            !as_line(&lost).contains('\u{1b}'),
            "names of others are shown inert"
        );
    }
}

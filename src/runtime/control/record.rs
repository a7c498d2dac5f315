//! What the ledger keeps of a fact of control.

use crate::lease::Fact;
use crate::model::{ControlFact, ControlKind, Timestamp, human_duration};

use super::notice::loss;

/// A fact in the ledger's shape. Pure.
pub fn kept_of(fact: &Fact, at: Timestamp) -> ControlFact {
    let (kind, epoch, host, why) = match fact {
        Fact::Gained {
            epoch,
            over: Some((host, silence)),
            ..
        } => {
            let why = format!("silent for {}", human_duration(*silence));
            (ControlKind::TookOver, Some(epoch), Some(host), Some(why))
        }
        Fact::Gained { epoch, .. } => (ControlKind::Claimed, Some(epoch), None, None),
        Fact::WentOn { epoch } => (ControlKind::WentOn, Some(epoch), None, None),
        Fact::GaveUp {
            epoch,
            to: Some(host),
        } => (ControlKind::HandedOver, Some(epoch), Some(host), None),
        Fact::GaveUp { epoch, to: None } => (ControlKind::Released, Some(epoch), None, None),
        Fact::Lost { epoch, how } => (ControlKind::Lost, Some(epoch), None, Some(loss(how))),
        Fact::NotGained { why } => (ControlKind::NotGained, None, None, Some(why.clone())),
        Fact::Degraded { why, .. } => (ControlKind::Degraded, None, None, Some(why.clone())),
        Fact::Recovered => (ControlKind::Recovered, None, None, None),
        Fact::Refused { to } => (ControlKind::Refused, None, Some(to), None),
        Fact::Denied { by } => (ControlKind::Denied, None, Some(by), None),
        Fact::AskedBy { host, .. } => (ControlKind::Asked, None, Some(host), None),
        Fact::Elsewhere { epoch, host } => (ControlKind::Elsewhere, Some(epoch), Some(host), None),
        Fact::Freed { epoch, host } => (ControlKind::Freed, Some(epoch), Some(host), None),
        Fact::Overlapped { with, at_most } => {
            let why = format!("for at most {}", human_duration(*at_most));
            (ControlKind::Overlapped, None, Some(with), Some(why))
        }
    };
    ControlFact {
        at,
        kind,
        epoch: epoch.map(|epoch| epoch.0),
        host: host.map(|host| host.as_str().into()),
        why: why.map(Into::into),
    }
}

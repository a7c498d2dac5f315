//! `stop`: asks whoever runs a flow on this machine to stop it, and waits until it has. With `--now`
//! it does not depend on that process: it may be frozen, and then its nodes are ended without it.

use std::time::Duration;

use crate::model::FlowRef;
use crate::runtime::{self, query};
use crate::store::{self, Held, Home};

use super::ExitCode;
use super::args::StopArgs;
use super::exit::Refused;
use super::print;

/// With `--now`: longest wait for whoever runs the flow. The kill switch is done within it.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// Carries out `stop`.
pub fn stop(home: &Home, args: &StopArgs) -> Result<ExitCode, Refused> {
    let flow = store::locate(&args.flow)?;
    let asked = store::request_stop(home, &flow, args.now)?;
    if let Some(held) = asked {
        print::line(&format!("stopping · {} · process {}", held.face, held.pid));
        if args.now {
            return stop_now(home, &flow, &held);
        }
        store::wait_released(home, &flow)?;
        print::line("stopped");
        return Ok(ExitCode::Done);
    }
    let workspace = super::open(home, &flow)?;
    let (n, left) = query::end_orphans(&workspace, &flow)
        .map_err(|why| Refused::new(format!("failed to {why}"), ""))?;
    if n == 0 && left.is_empty() {
        return Err(Refused::new("this flow is not running on this machine", ""));
    }
    if n > 0 {
        print::line(&format!(
            "ended {n} of its processes that an interrupted run had left"
        ));
    }
    all_ended(&left)
}

fn stop_now(home: &Home, flow: &FlowRef, held: &Held) -> Result<ExitCode, Refused> {
    // Also when whoever runs it is too busy to hear; what cannot be reached is found by its marks below.
    query::kill_held(home, flow).ok();
    let since = runtime::uptime();
    while store::holder(home, flow).is_some_and(|now| is_same(&now, held)) {
        if runtime::uptime().saturating_sub(since) > ANSWERS_WITHIN {
            return end_without(held);
        }
        std::thread::sleep(LOOK_AGAIN_AFTER);
    }
    print::line("stopped");
    Ok(ExitCode::Done)
}

/// It may have carried on another run since, or given this one to another process.
fn is_same(now: &Held, then: &Held) -> bool {
    (now.pid, now.since) == (then.pid, then.since)
}

/// Whoever runs the flow does not answer, so what runs is ended without it.
fn end_without(held: &Held) -> Result<ExitCode, Refused> {
    let (_, left) = held.run.as_ref().map(query::end_run).unwrap_or_default();
    if left.is_empty() {
        print::line(&format!(
            "ended what it ran; the {} (process {}) does not answer and learns of it when it does",
            held.face, held.pid
        ));
    }
    all_ended(&left)
}

fn all_ended(left: &[u32]) -> Result<ExitCode, Refused> {
    if left.is_empty() {
        return Ok(ExitCode::Done);
    }
    let pids: Vec<String> = left.iter().map(u32::to_string).collect();
    print::refused(&Refused::new(
        format!("not to be ended: process {}", pids.join(", ")),
        "They hang in the system, which alone can let them go.",
    ));
    Ok(ExitCode::Failed)
}

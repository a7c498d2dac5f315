//! `stop`: asks whoever runs a flow on this machine to stop it, and waits until it has.

use crate::runtime::query;
use crate::store::{self, Home};

use super::ExitCode;
use super::args::StopArgs;
use super::exit::Refused;
use super::print;

/// Carries out `stop`.
pub fn stop(home: &Home, args: &StopArgs) -> Result<ExitCode, Refused> {
    let flow = store::locate(&args.flow)?;
    let asked = store::request_stop(home, &flow, args.now)?;
    if let Some(held) = asked {
        print::line(&format!("stopping · {} · process {}", held.face, held.pid));
        if args.now {
            // Also when whoever runs it is too busy to hear.
            query::kill_held(home, &flow)
                .map_err(|why| Refused::new(format!("failed to {why}"), ""))?;
        }
        store::wait_released(home, &flow)?;
        print::line("stopped");
        return Ok(ExitCode::Done);
    }
    let workspace = super::open(home, &flow)?;
    let n = query::end_orphans(&workspace, &flow)
        .map_err(|why| Refused::new(format!("failed to {why}"), ""))?;
    if n == 0 {
        return Err(Refused::new("this flow is not running on this machine", ""));
    }
    print::line(&format!(
        "ended {n} of its processes that an interrupted run had left"
    ));
    Ok(ExitCode::Done)
}

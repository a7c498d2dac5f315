//! The processes without a face: the sitter, and the one that carries runs on after their window.

use std::path::PathBuf;
use std::time::Duration;

use crate::exec::sitter::{self, Place};
use crate::store::Home;

use super::adopt::BACKGROUND;
use super::held::held_flows;
use super::{Config, Manner, Order, Processes, Runtime, now};

/// What the program is called with to carry runs on.
const CARRY_ON: &[&str] = &["__background"];

/// What the program is called with to be the sitter's warden.
const STAND_BY: &[&str] = &["__warden"];

/// Looks for runs that nobody carries, before this process ends.
const LOOKS: u32 = 20;
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Is the sitter of a home until nobody needs one. The error is a fragment.
pub fn sit(home: &Home) -> Result<(), String> {
    let place = Place::new(home.sitter_dir());
    sitter::serve(&place, CARRY_ON, STAND_BY, now).map_err(|why| format!("hold nodes: {why}"))
}

/// Is the warden of the sitter that called it, until that is gone. The error is a fragment.
pub fn stand_by() -> Result<(), String> {
    crate::exec::stand_by().map_err(|why| format!("end what a sitter left: {why}"))
}

/// Carries on the runs that the sitter holds and nobody carries, until they have ended or another
/// process wants them. The error is a fragment.
pub fn carry_on(home: &Home, manner: Manner, binary: PathBuf) -> Result<(), String> {
    let mut looks = 0;
    while looks < LOOKS {
        looks += 1;
        if held_flows(home, false)?.is_empty() {
            return Ok(());
        }
        let runtime = Runtime::start(Config {
            home: home.clone(),
            face: BACKGROUND,
            manner: manner.clone(),
            processes: Processes::Sitter(binary.clone()),
            control: super::control::Setup::default(),
            wake: None,
            events: None,
        })
        .map_err(|why| format!("start the runtime: {why}"))?;
        let handle = runtime.handle();
        handle.send(Order::AdoptRuns);
        handle.send(Order::EndWhenDone);
        let leave = runtime.handle();
        runtime.on_stop_signal(move || leave.send(Order::Leave));
        runtime.join();
        std::thread::sleep(LOOK_AGAIN_AFTER);
    }
    Ok(())
}

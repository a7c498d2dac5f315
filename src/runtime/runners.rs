//! Who else runs a flow on this machine, as the locks tell: looking, asking to stop, waiting for the end.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::model::{FlowRef, Notice};
use crate::store::{self, Home};

use super::adopt;
use super::board::Runner;
use super::errand::on_pool;
use super::incoming::Incoming;
use super::mailbox::Inbox;

/// Who else runs a flow on this machine; `None` when nobody does, or we do.
pub fn runner(home: &Home, flow: &FlowRef) -> Option<Runner> {
    let held = store::holder(home, flow)?;
    (held.pid != std::process::id()).then(|| Runner {
        pid: held.pid,
        face: held.face.into(),
        since: held.since,
    })
}

/// What a person calls a process of this face.
pub fn who(face: &str) -> String {
    match face {
        "window" => "A Handmill window".to_owned(),
        "command line" => "A `handmill run` on the command line".to_owned(),
        adopt::BACKGROUND => "The background process".to_owned(),
        other => other.to_owned(),
    }
}

/// Asks whoever runs a flow on this machine to stop it.
pub fn ask_stop(pool: &Handle, inbox: &Inbox, home: &Home, flow: FlowRef, at_once: bool) {
    let home = home.clone();
    on_pool(pool, inbox, move || {
        match store::request_stop(&home, &flow, at_once) {
            Ok(Some(held)) => Incoming::Tell(Notice::info(format!(
                "Asked {} to stop.",
                who(&held.face).to_lowercase()
            ))),
            Ok(None) => Incoming::LockSeen {
                flow,
                runner: None,
                stop: None,
            },
            Err(why) => Incoming::Tell(Notice::error(
                format!("The stop could not be asked for: {why}."),
                why.hint(),
            )),
        }
    });
}

/// Between two looks at a process that has let its lock go and is not gone yet.
const GOING: Duration = Duration::from_millis(1);

/// Tells when `seen` runs a flow no longer. A killed process lets its lock go some microseconds
/// before it counts as dead, so that a watch on the file alone may look too early.
pub fn await_release(inbox: &Inbox, home: &Home, flow: FlowRef, seen: Runner) {
    let (inbox, home) = (inbox.clone(), home.clone());
    // Not on the pool: it may take days. Without a thread the next start looks by itself.
    std::thread::Builder::new()
        .name("runner".to_owned())
        .spawn(move || {
            let runner = loop {
                let waited = store::wait_released(&home, &flow);
                let now = runner(&home, &flow);
                // When waiting is not possible, the answer is what a look tells now.
                if waited.is_err() || now.as_ref() != Some(&seen) {
                    break now;
                }
                std::thread::sleep(GOING);
            };
            inbox.send(Incoming::LockSeen {
                flow,
                runner,
                stop: None,
            });
        })
        .ok();
}

/// Looks at the locks of these flows: who runs them, and whether we are asked to stop.
pub fn see_locks(pool: &Handle, inbox: &Inbox, home: &Home, flows: Vec<FlowRef>) {
    for flow in flows {
        let home = home.clone();
        on_pool(pool, inbox, move || {
            let ours =
                store::holder(&home, &flow).is_some_and(|held| held.pid == std::process::id());
            let stop = if ours {
                store::take_stop_request(&home, &flow).ok().flatten()
            } else {
                None
            };
            if ours && stop.is_none() && store::take_yield_request(&home, &flow).unwrap_or(false) {
                return Incoming::GiveWay(flow);
            }
            Incoming::LockSeen {
                runner: runner(&home, &flow),
                stop: stop.map(|request| request.at_once),
                flow,
            }
        });
    }
}

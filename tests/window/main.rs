//! The program as a person meets it: the real binary in a real window under Xvfb, real keys and a real mouse.
//! The file on disk and the ledger are checked; a picture of each station is kept.

mod catalog;
#[allow(
    dead_code,
    reason = "a hand can do more than the journeys of today need"
)]
mod desk;
mod desks;
mod ends;
mod files;
mod hand;
mod journeys;
mod runs;
#[path = "../it/shared.rs"]
mod shared;
mod workstations;

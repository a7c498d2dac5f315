//! Handmill: shell workflows drawn on a canvas, run, resumed and read.
//!
//! A flow is run by one dispatcher ([`runtime`]), which asks a pure scheduler ([`sched`]) what follows, has the hands
//! ([`exec`], [`ledger`], [`share`], [`store`], [`watch`], [`secrets`]) carry it out, and publishes a board that the
//! faces ([`app`], [`cli`]) read. The modules below stand on floors, in reading order; each imports only from floors
//! above it in this list. `docs/ARCHITECTURE.md` tells the rest.

pub mod model;

pub mod disk;
pub mod graphml;
pub mod lease;
pub mod sched;

pub mod exec;
pub mod ledger;
pub mod secrets;
pub mod share;
pub mod store;
pub mod watch;

pub mod editor;
pub mod runtime;

pub mod app;
pub mod cli;
pub mod gui;

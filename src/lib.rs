//! Handmill.

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

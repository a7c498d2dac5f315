//! The command line face: turns arguments into orders, events into lines, outcomes into exit codes.
//!
//! Unaware of the window. `main.rs` calls [`main`] when there is anything but a bare path.

mod args;
mod background;
mod backups;
mod check;
mod compare;
mod control;
mod doctor;
mod exit;
mod history;
mod list;
mod logs;
mod merge;
mod print;
mod prompt;
mod provision;
mod resource;
mod run;
mod status;
mod stop;

pub use args::{Args, Command};
pub use exit::ExitCode;

use std::sync::Arc;

use crate::model::{Event, FlowRef};
use crate::runtime::{Workspace, query};
use crate::store::Home;

/// The arguments of this process; ends it when they are wrong, or when they ask for help.
pub fn args() -> Args {
    <Args as clap::Parser>::parse()
}

/// Carries out one command of the command line.
pub fn main(command: Command) -> ExitCode {
    let result = Home::from_env()
        .map_err(exit::Refused::from)
        .and_then(|home| match command {
            Command::Run(args) => run::run(&home, args),
            Command::Resume(args) => run::resume(&home, args),
            Command::Stop(args) => stop::stop(&home, &args),
            Command::Status(args) => status::status(&home, &args),
            Command::Logs(args) => logs::logs(&home, &args),
            Command::History(args) => history::history(&home, &args),
            Command::Compare(args) => compare::compare(&home, &args),
            Command::Ls(args) => list::ls(&home, &args),
            Command::Check(args) => check::check(&args),
            Command::Sitter => background::sit(&home),
            Command::Warden => background::stand_by(),
            Command::Background => background::carry_on(&home),
            Command::Provision(args) => provision::provision(&home, &args),
            Command::Doctor(args) => Ok(doctor::doctor(&home, &args)),
            Command::Backups(args) => backups::backups(&home, &args),
            Command::Merge(args) => merge::merge(&args),
            Command::Control(args) => control::control(&home, args.verb),
            Command::Resource(args) => resource::resource(&home, args.verb),
        });
    match result {
        Ok(code) => code,
        Err(why) => {
            print::refused(&why);
            ExitCode::Refused
        }
    }
}

/// Opens the workspace of a flow to look things up, and tells what there is to tell about it.
fn open(home: &Home, flow: &FlowRef) -> Result<Arc<Workspace>, exit::Refused> {
    let (workspace, notices) = query::open(home, flow)
        .map_err(|why| exit::Refused::new(format!("failed to {why}"), ""))?;
    let mut printer = print::Printer::new(print::Form::Quiet);
    for notice in notices {
        printer.event(&Event::Told(notice));
    }
    Ok(workspace)
}

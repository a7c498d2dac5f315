//! Facts about the program seen from outside its modules. One binary, because egui links slowly.

mod adoption;
mod cli;
mod conformance;
mod control;
mod crash;
mod data_engine_history;
mod data_engine_workspaces;
mod example;
mod faults;
mod floors;
mod flows;
mod graphml;
mod kill_switch;
mod kills;
mod merging;
mod place;
mod runtime;
mod saves;
mod share;
mod share_fuzz;
mod share_python;
mod shared;
mod sitter;
mod support;
mod switching;

//! Facts about the program seen from outside its modules. One binary, because egui links slowly.

mod cli;
mod conformance;
mod crash;
mod example;
mod floors;
mod flows;
mod graphml;
mod runtime;
mod saves;
mod shared;
mod sitter;

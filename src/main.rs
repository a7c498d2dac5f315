//! Chooses a face: the window for a bare path or nothing, the command line for everything else.

use handmill::{cli, gui};

fn main() -> std::process::ExitCode {
    let args = cli::args();
    match args.command {
        Some(command) => cli::main(command).into(),
        None => gui::window(args.path, args.collection),
    }
}

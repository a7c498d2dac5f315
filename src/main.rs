//! Chooses a face: the window for a bare path or nothing, the command line for everything else.

use handmill::{cli, gui, share};

fn main() -> std::process::ExitCode {
    // Not a face: a process of ours that reads files of others, and may die of them.
    if let Some(code) = share::table::read_table_main() {
        return code;
    }
    let args = cli::args();
    match args.command {
        Some(command) => cli::main(command).into(),
        None => gui::window(args.path, args.collection),
    }
}

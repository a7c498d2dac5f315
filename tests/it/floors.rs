//! Guards the floors of docs/ARCHITECTURE.md, which Rust cannot: a module imports only from the floors below it,
//! and each outside thing (files, clock, processes, SQLite, the window) has its home.
//!
//! It reads the sources as tokens, resolves `use` trees, renames, `self` and `super`, and looks at every path.
//! What a macro of another crate expands to, it cannot see.

use std::fs;
use std::path::Path;

mod bites;
mod paths;
mod tokens;

use paths::{Seen, paths};
use tokens::tokens;

/// Each floor and what it may import. A floor may always import itself.
const FLOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("graphml", &["model"]),
    ("sched", &["model"]),
    ("lease", &["model"]),
    ("disk", &["model"]),
    ("store", &["model", "graphml", "disk"]),
    ("exec", &["model"]),
    ("watch", &["model"]),
    ("secrets", &["model"]),
    ("ledger", &["model"]),
    ("share", &["model", "lease", "disk"]),
    ("editor", &["model", "graphml", "store", "disk"]),
    (
        "runtime",
        &[
            "model", "sched", "lease", "store", "exec", "watch", "secrets", "ledger", "share",
        ],
    ),
    ("app", &["model", "editor", "runtime"]),
    ("cli", &["model", "store", "runtime"]),
    // The crate root lists modules, and main.rs chooses a face.
    ("lib", &[]),
    (
        "gui",
        &["model", "store", "watch", "editor", "runtime", "app"],
    ),
    ("main", &["cli", "gui", "share"]),
];

/// Outside things and the modules that may touch them; unit tests may too.
const HOMES: &[(&str, &[&str])] = &[
    // The fonts of the system are read on a worker, which is the window's own.
    (
        "std::fs",
        &[
            "disk",
            "store",
            "exec",
            "watch",
            "ledger",
            "share",
            "app::fonts",
        ],
    ),
    ("tokio::fs", &["disk", "store", "exec", "watch", "ledger"]),
    ("std::time::Instant::now", &["runtime::clock"]),
    ("std::time::SystemTime::now", &["runtime::clock"]),
    ("tokio::time::Instant::now", &["runtime::clock"]),
    ("jiff::Timestamp::now", &["runtime::clock"]),
    ("jiff::Zoned::now", &["runtime::clock"]),
    // Files of others are parsed in a process that may die of it; git is asked for both sides of a file it could
    // not merge, when a person asks.
    (
        "std::process::Command",
        &["exec", "share::table::reader", "store::git"],
    ),
    ("tokio::process", &["exec"]),
    ("rusqlite", &["ledger"]),
    ("parquet", &["share::table"]),
    ("quick_xml", &["graphml"]),
    ("petgraph", &["model", "sched"]),
    ("similar", &["model::compare"]),
    ("notify", &["watch"]),
    ("zbus", &["watch", "secrets"]),
    ("secret_service", &["secrets"]),
    ("security_framework", &["secrets"]),
    ("directories", &["store"]),
    ("egui", &["app", "gui"]),
    ("eframe", &["app", "gui"]),
    ("egui_node_graph", &["app"]),
    ("rfd", &["app"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
];

#[test]
fn every_module_imports_only_from_the_floors_below() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut trespasses = Vec::new();
    let mut n_files = 0;
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the sources are readable") {
            let path = entry.expect("the sources are readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let file = path.strip_prefix(&src).expect("it lies below src");
                let file = file.to_string_lossy().replace('\\', "/");
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                trespasses.extend(check(&file, &text));
                n_files += 1;
            }
        }
    }
    assert!(
        n_files > 20,
        "only {n_files} files seen in {}",
        src.display()
    );
    trespasses.sort();
    assert!(trespasses.is_empty(), "\n{}\n", trespasses.join("\n"));
}

/// What one source file does that its floor may not, one line each.
fn check(file: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let stem = file.trim_end_matches(".rs");
    let module: Vec<&str> = stem.split('/').filter(|part| *part != "mod").collect();
    let floor = module[0];
    let Some((_, below)) = FLOORS.iter().find(|(name, _)| *name == floor) else {
        return vec![format!(
            "{file}: ‘{floor}’ is no floor; add it to the table with its place"
        )];
    };
    // Where a path begins: the crate root has no name of its own in paths.
    let here: Vec<String> = match floor {
        "lib" | "main" => Vec::new(),
        _ => module.iter().map(|part| (*part).to_owned()).collect(),
    };
    let is_test_file = module
        .iter()
        .any(|part| *part == "tests" || part.ends_with("_tests"));

    let mut found = Vec::new();
    for Seen {
        path,
        line,
        in_test,
    } in paths(&tokens, &here)
    {
        let name = path.join("::");
        let inside = match path.first().map(String::as_str) {
            Some("crate" | "handmill") => Some(path.get(1).map_or("*", String::as_str)),
            _ => None,
        };
        if let Some(target) = inside {
            if target != floor && !below.contains(&target) {
                found.push(format!(
                    "src/{file}:{line}: {floor} may not import {target} ({name})"
                ));
            }
            continue;
        }
        if in_test || is_test_file {
            continue;
        }
        let own = module.join("::");
        for (thing, homes) in HOMES {
            let touched = is_below(&name, thing)
                || name.ends_with("::*") && is_below(thing, name.trim_end_matches("::*"));
            if touched && !homes.iter().any(|home| is_below(&own, home)) {
                let home = homes.join(", ");
                found.push(format!(
                    "src/{file}:{line}: {thing} has its home in {home} ({name})"
                ));
            }
        }
    }
    found.dedup();
    found
}

/// True when `path` is `root` or something in it.
fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

//! Guards the floors of docs/ARCHITECTURE.md, which Rust cannot: a module imports only from the floors below it,
//! and each outside thing (files, clock, processes, SQLite, the window) has its home.
//!
//! It reads the sources as tokens, resolves `use` trees, renames, `self` and `super`, and looks at every path.
//! What a macro of another crate expands to, it cannot see.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

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

/// A path as written somewhere, from its crate on.
struct Seen {
    path: Vec<String>,
    line: usize,
    in_test: bool,
}

/// Every path of a file, in `use` trees and elsewhere, with renames, `self` and `super` resolved.
fn paths(tokens: &[Token], file_module: &[String]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut imported: HashMap<String, Vec<String>> = HashMap::new();
    // Inline modules we are in: how deep their brace is, and whether they are tests.
    let mut inline: Vec<(String, usize, bool)> = Vec::new();
    let mut depth = 0;
    let mut test_attribute = false;
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        let in_test = inline.iter().any(|(_, _, test)| *test);
        let here: Vec<String> = file_module
            .iter()
            .cloned()
            .chain(inline.iter().map(|(name, _, _)| name.clone()))
            .collect();
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inline.retain(|(_, opened, _)| *opened <= depth);
            }
            "#" if texts(tokens, at, &["#", "[", "cfg", "(", "test", ")", "]"]) => {
                test_attribute = true;
                at += 7;
                continue;
            }
            ";" => test_attribute = false,
            "mod" if tokens.get(at + 2).is_some_and(|next| next.text == "{") => {
                depth += 1;
                inline.push((tokens[at + 1].text.clone(), depth, test_attribute));
                test_attribute = false;
                at += 3;
                continue;
            }
            "use" => {
                let mut next = at + 1;
                let mut leaves = Vec::new();
                use_tree(tokens, &mut next, &[], &mut leaves);
                for (path, name) in leaves {
                    let path = resolve(path, &here, &imported);
                    if name != "_" {
                        imported.insert(name, path.clone());
                    }
                    let line = token.line;
                    seen.push(Seen {
                        path,
                        line,
                        in_test: in_test || test_attribute,
                    });
                }
                test_attribute = false;
                at = next;
                continue;
            }
            // Reading a clock through the value it gave earlier.
            "." if texts(tokens, at, &[".", "elapsed", "("]) => {
                let path = ["std", "time", "Instant", "now"]
                    .map(str::to_owned)
                    .to_vec();
                seen.push(Seen {
                    path,
                    line: token.line,
                    in_test,
                });
            }
            _ if token.is_name() && !follows_colons(tokens, at) => {
                let mut path = vec![token.text.clone()];
                while texts(tokens, at + 1, &["::"])
                    && tokens.get(at + 2).is_some_and(Token::is_name)
                {
                    path.push(tokens[at + 2].text.clone());
                    at += 2;
                }
                if path.len() > 1 {
                    let path = resolve(path, &here, &imported);
                    seen.push(Seen {
                        path,
                        line: token.line,
                        in_test,
                    });
                }
            }
            _ => {}
        }
        at += 1;
    }
    seen
}

/// True when the name at `at` continues a path that began with something else, such as `<T>::name`.
fn follows_colons(tokens: &[Token], at: usize) -> bool {
    // A leading `::` before a crate's name is the beginning of a path, not its middle.
    at > 1
        && tokens[at - 1].text == "::"
        && (tokens[at - 2].is_name() || tokens[at - 2].text == ">")
}

/// Reads one branch of a `use` tree at `*at`; leaves get their full path and the name they are known by here.
fn use_tree(
    tokens: &[Token],
    at: &mut usize,
    before: &[String],
    leaves: &mut Vec<(Vec<String>, String)>,
) {
    let mut path = before.to_vec();
    loop {
        let Some(token) = tokens.get(*at) else { return };
        match token.text.as_str() {
            "::" => *at += 1,
            "{" => {
                *at += 1;
                while tokens.get(*at).is_some_and(|t| t.text != "}") {
                    use_tree(tokens, at, &path, leaves);
                    if texts(tokens, *at, &[","]) {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "as" => {
                let name = tokens
                    .get(*at + 1)
                    .map_or_else(String::new, |t| t.text.clone());
                *at += 2;
                leaves.push((path, name));
                return;
            }
            "self" if !path.is_empty() => *at += 1,
            "*" => {
                path.push("*".to_owned());
                *at += 1;
            }
            _ if token.is_name() => {
                path.push(token.text.clone());
                *at += 1;
            }
            _ => {
                let name = path.last().cloned().unwrap_or_default();
                leaves.push((path, name));
                // A semicolon belongs to the statement; a comma or brace to the tree above.
                if token.text == ";" {
                    *at += 1;
                }
                return;
            }
        }
    }
}

/// A path from its crate on: `self` and `super` by where we stand, the first name by what was imported.
fn resolve(
    path: Vec<String>,
    here: &[String],
    imported: &HashMap<String, Vec<String>>,
) -> Vec<String> {
    let mut module = here.to_vec();
    let mut rest = path.as_slice();
    let mut is_relative = false;
    while let Some(first) = rest.first() {
        match first.as_str() {
            "self" => {}
            "super" => {
                module.pop();
            }
            _ => break,
        }
        is_relative = true;
        rest = &rest[1..];
    }
    if is_relative {
        let root = std::iter::once("crate".to_owned());
        return root.chain(module).chain(rest.iter().cloned()).collect();
    }
    match path.first().and_then(|first| imported.get(first)) {
        // A name imported as itself (`use egui;`) would go round for ever.
        Some(full) if full.first() != path.first() => {
            full.iter().chain(&path[1..]).cloned().collect()
        }
        _ => path,
    }
}

/// True when the tokens from `at` on read so.
fn texts(tokens: &[Token], at: usize, expected: &[&str]) -> bool {
    expected
        .iter()
        .enumerate()
        .all(|(n, text)| tokens.get(at + n).is_some_and(|token| token.text == *text))
}

struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is_name(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// Names, `::` and single signs; comments and the insides of texts and characters are left out.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let next_is = |at: usize, c: char| chars.get(at) == Some(&c);
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while at < chars.len() {
        let start = at;
        let c = chars[at];
        if c == '/' && next_is(at + 1, '/') {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c == '/' && next_is(at + 1, '*') {
            let mut depth = 0;
            while at < chars.len() {
                if chars[at] == '/' && next_is(at + 1, '*') {
                    depth += 1;
                    at += 2;
                } else if chars[at] == '*' && next_is(at + 1, '/') {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        break;
                    }
                } else {
                    at += 1;
                }
            }
        } else if let Some(n_hashes) = raw_text_hashes(&chars, at) {
            let end: String = std::iter::once('"')
                .chain(std::iter::repeat_n('#', n_hashes))
                .collect();
            while chars[at] != '"' {
                at += 1;
            }
            at += 1;
            while at < chars.len()
                && !chars[at..]
                    .iter()
                    .take(end.len())
                    .collect::<String>()
                    .eq(&end)
            {
                at += 1;
            }
            at += end.len();
        } else if c == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if c == '\'' && (next_is(at + 1, '\\') || next_is(at + 2, '\'')) {
            // A character; otherwise the quote begins a lifetime, whose name does no harm.
            at += if next_is(at + 1, '\\') { 3 } else { 2 };
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else if c.is_alphabetic() || c == '_' {
            while chars
                .get(at)
                .is_some_and(|c| c.is_alphanumeric() || *c == '_')
            {
                at += 1;
            }
            let text = chars[start..at].iter().collect();
            tokens.push(Token { text, line });
        } else if c == ':' && next_is(at + 1, ':') {
            at += 2;
            tokens.push(Token {
                text: "::".to_owned(),
                line,
            });
        } else {
            at += 1;
            if !c.is_whitespace() {
                tokens.push(Token {
                    text: c.to_string(),
                    line,
                });
            }
        }
        let end = at.min(chars.len());
        line += chars[start..end].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

/// Number of `#` when a raw text (`r"…"`, `br#"…"#`) begins here and is no part of a name.
fn raw_text_hashes(chars: &[char], at: usize) -> Option<usize> {
    if at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') {
        return None;
    }
    let after_b = at + usize::from(matches!(chars[at], 'b' | 'c'));
    if chars.get(after_b) != Some(&'r') {
        return None;
    }
    let n_hashes = chars[after_b + 1..]
        .iter()
        .take_while(|c| **c == '#')
        .count();
    (chars.get(after_b + 1 + n_hashes) == Some(&'"')).then_some(n_hashes)
}

/// The guard bites: each planted trespass is seen, by line and by name.
mod bites {
    use super::check;

    #[track_caller]
    fn bitten(file: &str, text: &str, expected: &[&str]) {
        let found = check(file, text);
        assert_eq!(found, expected, "in {file}:\n{text}");
    }

    #[test]
    fn a_grouped_use() {
        bitten(
            "sched/mod.rs",
            "use crate::{\n    model::{Graph, NodeIdx as Idx},\n    ledger::{self, Ledger},\n};",
            &[
                "src/sched/mod.rs:1: sched may not import ledger (crate::ledger)",
                "src/sched/mod.rs:1: sched may not import ledger (crate::ledger::Ledger)",
            ],
        );
    }

    #[test]
    fn a_full_path() {
        bitten(
            "exec/pool.rs",
            "fn f() {\n    let x = crate::runtime::Board::default();\n}",
            &["src/exec/pool.rs:2: exec may not import runtime (crate::runtime::Board::default)"],
        );
    }

    #[test]
    fn a_path_upwards_by_super() {
        bitten(
            "store/catalog.rs",
            "use super::super::watch::Files;",
            &["src/store/catalog.rs:1: store may not import watch (crate::watch::Files)"],
        );
    }

    #[test]
    fn a_std_fs_import() {
        bitten(
            "app/sidebar.rs",
            "use std::{fmt, fs};",
            &[
                "src/app/sidebar.rs:1: std::fs has its home in disk, store, exec, watch, ledger, share, app::fonts (std::fs)",
            ],
        );
        bitten(
            "editor/saver.rs",
            "fn f() { ::std::fs::write(a, b); }",
            &[
                "src/editor/saver.rs:1: std::fs has its home in disk, store, exec, watch, ledger, share, app::fonts (std::fs::write)",
            ],
        );
    }

    #[test]
    fn a_clock_read() {
        let home = "has its home in runtime::clock";
        bitten(
            "sched/slots.rs",
            "use std::time::{Duration, Instant as Now};\nfn f() { let a = Now::now(); }",
            &[&format!(
                "src/sched/slots.rs:2: std::time::Instant::now {home} (std::time::Instant::now)"
            )],
        );
        bitten(
            "ledger/write.rs",
            "use std::time;\nfn f() { time::SystemTime::now(); }",
            &[&format!(
                "src/ledger/write.rs:2: std::time::SystemTime::now {home} (std::time::SystemTime::now)"
            )],
        );
        bitten(
            "app/mod.rs",
            "fn f(start: T) { start.elapsed(); }",
            &[&format!(
                "src/app/mod.rs:1: std::time::Instant::now {home} (std::time::Instant::now)"
            )],
        );
        bitten(
            "runtime/clock.rs",
            "fn f() { std::time::Instant::now(); }",
            &[],
        );
    }

    #[test]
    fn a_child_process_or_a_query_or_a_widget_away_from_home() {
        bitten(
            "runtime/dispatcher.rs",
            "use std::process::{self, Command};",
            &[
                "src/runtime/dispatcher.rs:1: std::process::Command has its home in exec, share::table::reader, store::git (std::process::Command)",
            ],
        );
        bitten(
            "store/machine.rs",
            "fn f(c: &rusqlite::Connection) {}",
            &["src/store/machine.rs:1: rusqlite has its home in ledger (rusqlite::Connection)"],
        );
        bitten(
            "editor/document.rs",
            "use egui::Pos2;",
            &["src/editor/document.rs:1: egui has its home in app, gui (egui::Pos2)"],
        );
    }

    #[test]
    fn a_glob_that_hides_what_it_brings() {
        bitten(
            "cli/run.rs",
            "use crate::*;\nuse std::process::*;",
            &[
                "src/cli/run.rs:1: cli may not import * (crate::*)",
                "src/cli/run.rs:2: std::process::Command has its home in exec, share::table::reader, store::git (std::process::*)",
            ],
        );
    }

    #[test]
    fn a_face_that_sees_the_other_and_a_root_that_forwards() {
        bitten(
            "cli/mod.rs",
            "pub use crate::app::run;",
            &["src/cli/mod.rs:1: cli may not import app (crate::app::run)"],
        );
        bitten("main.rs", "fn main() { handmill::cli::run() }", &[]);
        bitten(
            "main.rs",
            "use handmill::runtime;",
            &["src/main.rs:1: main may not import runtime (handmill::runtime)"],
        );
        bitten(
            "lib.rs",
            "pub mod model;\npub use crate::model::Graph;",
            &["src/lib.rs:2: lib may not import model (crate::model::Graph)"],
        );
        bitten(
            "misc.rs",
            "",
            &["misc.rs: ‘misc’ is no floor; add it to the table with its place"],
        );
    }

    #[test]
    fn but_not_words_in_comments_and_texts_nor_what_a_unit_test_needs() {
        bitten(
            "model/run.rs",
            "//! See crate::app::App.\n/* crate::cli /* nested */ crate::cli::x */\n\
             const A: &str = \"crate::app::X \\\" crate::app::Y\";\nconst B: &str = r#\"use crate::app; \"# ;\n\
             fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' }\nuse super::Graph;\n\
             #[cfg(test)]\nmod tests {\n    use super::super::graph::Node;\n    use std::fs;\n}\n",
            &[],
        );
        bitten("ledger/crash_tests.rs", "use std::process::Command;", &[]);
        bitten(
            "model/run.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::exec::Pool;\n}\nuse std::fs;\n",
            &[
                "src/model/run.rs:3: model may not import exec (crate::exec::Pool)",
                "src/model/run.rs:5: std::fs has its home in disk, store, exec, watch, ledger, share, app::fonts (std::fs)",
            ],
        );
    }
}

//! Each kind of trespass, planted, is found.

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

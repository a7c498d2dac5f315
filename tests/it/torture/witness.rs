//! What the file system said to the steps that can be won or lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library that writes it down, and where.
pub struct Witness {
    library: PathBuf,
    lines: PathBuf,
}

/// One step, as the library saw it.
struct Step<'a> {
    /// In nanoseconds since the machine started.
    asked: u64,
    answered: u64,
    machine: &'a str,
    call: &'a str,
    is_done: bool,
    from: &'a str,
    to: &'a str,
}

/// What was told.
#[derive(Debug, Default)]
pub struct Told {
    pub wrong: Vec<String>,
    n_pages: u64,
    n_claims: u64,
    refused_pages: u64,
    refused_pens: u64,
    refused_claims: u64,
    refused_releases: u64,
}

impl Told {
    pub fn summary(&self) -> String {
        format!(
            "{} pages moved and {} epochs claimed; refused by the file system: {} pages, {} openings of one's own pen, \
             {} claims, {} releases",
            self.n_pages,
            self.n_claims,
            self.refused_pages,
            self.refused_pens,
            self.refused_claims,
            self.refused_releases
        )
    }
}

impl Witness {
    pub fn new(dir: &Path) -> Self {
        let (library, lines) = (dir.join("witness.so"), dir.join("witness"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/torture/witness.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-o"])
            .args([&library, &source])
            .output()
            .expect("a C compiler, which Rust needs to link");
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{said}");
        fs::write(&lines, "").expect("written");
        Self { library, lines }
    }

    /// What a process is to be started with.
    pub fn env(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("LD_PRELOAD", self.library.clone()),
            ("TORTURE_WITNESS", self.lines.clone()),
        ]
    }

    pub fn told(&self) -> Told {
        told(&fs::read_to_string(&self.lines).expect("read"))
    }
}

fn step(line: &str) -> Option<Step<'_>> {
    let mut parts = line.split(' ');
    Some(Step {
        asked: parts.next()?.parse().ok()?,
        answered: parts.next()?.parse().ok()?,
        machine: parts.next()?,
        call: parts.next()?,
        is_done: parts.next()? == "0",
        from: parts.next()?,
        to: parts.next()?,
    })
}

/// The epoch of a path, and what lies behind its folder.
fn epoch_of(path: &str) -> Option<(u64, &str)> {
    let (_, rest) = path.split_once("/.workspace_state/epochs/")?;
    let (_, rest) = rest.split_once('/')?;
    let (number, rest) = rest.split_once('/').unwrap_or((rest, ""));
    Some((number.parse().ok()?, rest))
}

fn told(text: &str) -> Told {
    let steps: Vec<Step<'_>> = text.lines().filter_map(step).collect();
    let mut told = Told::default();
    // Whose each epoch is, and since when its right to publish is surely over.
    let (mut owners, mut over) = (BTreeMap::new(), BTreeMap::<u64, u64>::new());
    for step in &steps {
        let lies_in = epoch_of(step.from);
        let goes_to = epoch_of(step.to);
        match (step.call, lies_in, goes_to) {
            ("rename", _, Some((epoch, ""))) if step.is_done => {
                told.n_claims += 1;
                if let Some(other) = owners.insert(epoch, step.machine) {
                    let both = format!("epoch {epoch} was claimed by {other} and {}", step.machine);
                    told.wrong.push(both);
                }
            }
            ("rename", _, Some((_, ""))) => told.refused_claims += 1,
            ("rename" | "rmdir", Some((epoch, "pen")), _) if step.is_done => {
                let at = over.entry(epoch).or_insert(step.answered);
                *at = step.answered.min(*at);
            }
            ("mkdir", Some((_, rest)), _) if rest.starts_with(".new-") && !step.is_done => {
                told.refused_claims += 1;
            }
            ("rename", Some((_, "pen")), _) => told.refused_releases += 1,
            _ => {}
        }
    }
    let mut highest = (0, u64::MAX);
    let mut pages: Vec<(&Step<'_>, u64)> = Vec::new();
    for step in &steps {
        match (step.call, epoch_of(step.from), epoch_of(step.to)) {
            ("rename", Some((epoch, rest)), None) if rest.starts_with("pen") => {
                match step.is_done {
                    true => pages.push((step, epoch)),
                    false => told.refused_pages += 1,
                }
            }
            ("open", Some((epoch, _)), _) if owners.get(&epoch) == Some(&step.machine) => {
                told.refused_pens += 1;
            }
            _ => {}
        }
    }
    told.n_pages = pages.len().try_into().unwrap_or(u64::MAX);
    pages.sort_by_key(|(step, _)| step.answered);
    for (step, epoch) in pages {
        let (name, machine) = (step.to.rsplit('/').next().unwrap_or_default(), step.machine);
        if over.get(&epoch).is_some_and(|at| step.asked > *at) {
            let late = format!("{name} of {machine} was moved out of pen {epoch}, which was gone");
            told.wrong.push(late);
        }
        // Sorted by their answers: whoever asks after a higher one was answered comes too late.
        if epoch < highest.0 && step.asked > highest.1 {
            let (after, _) = highest;
            told.wrong.push(format!(
                "{name} of epoch {epoch} was moved after one of {after}"
            ));
        }
        if epoch > highest.0 {
            highest = (epoch, step.answered);
        }
    }
    told
}

#[test]
fn what_is_refused_is_counted_and_what_should_have_been_is_told() {
    let epochs = "/w/.workspace_state/epochs/ws";
    let line = |asked: u64, machine: &str, call: &str, error: i32, from: &str, to: &str| {
        format!(
            "{asked} {} {machine} {call} {error} {from} {to}\n",
            asked + 1
        )
    };
    let pen = |epoch: u64, name: &str| format!("{epochs}/{epoch:012}/pen{name}");
    let claim = |at, machine, error, epoch: u64| {
        let draft = format!("{epochs}/{:012}/.new-{machine}", epoch - 1);
        line(
            at,
            machine,
            "rename",
            error,
            &draft,
            &format!("{epochs}/{epoch:012}"),
        )
    };
    let row = "/w/.workspace_state/leases/ws.parquet";
    let page =
        |at, machine, error, epoch| line(at, machine, "rename", error, &pen(epoch, "/x"), row);
    let mut lines = claim(1, "a", 0, 1) + &page(3, "a", 0, 1);
    lines += &(claim(5, "b", 0, 2) + &claim(6, "c", 39, 2));
    lines += &line(8, "b", "rmdir", 0, &pen(1, ""), "-");
    lines += &line(10, "a", "open", 2, &pen(1, ""), "-");
    lines += &line(10, "b", "open", 2, &pen(1, ""), "-");
    lines += &(page(11, "a", 2, 1) + &page(13, "b", 0, 2));
    lines += &line(
        15,
        "a",
        "rename",
        2,
        &pen(1, ""),
        &format!("{epochs}/{:012}/released", 1),
    );
    let good = told(&lines);
    assert_eq!(good.wrong, Vec::<String>::new());
    assert_eq!(
        good.summary(),
        "2 pages moved and 2 epochs claimed; refused by the file system: 1 pages, 1 openings of one's own pen, \
         1 claims, 1 releases"
    );
    let late = told(&(lines.clone() + &page(20, "a", 0, 1)));
    assert_eq!(late.wrong.len(), 2, "{:?}", late.wrong);
    let twice = told(&(lines + &claim(20, "c", 0, 2)));
    assert_eq!(twice.wrong.len(), 1, "{:?}", twice.wrong);
}

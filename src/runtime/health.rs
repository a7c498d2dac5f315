//! How this machine and its folders are for Handmill: what is so, whether that is well, and what to
//! do. Read-only: a look mends, makes and moves nothing.
//!
//! Blocking, seconds on a slow folder. `handmill doctor` prints it, the window's settings show it.

use std::path::{Path, PathBuf};

use super::resources::{KeyringState, Resources, Standing};
use crate::ledger;
use crate::model::{Catalog, WorkspaceEntry};
use crate::store::{self, Collection, FileSystem, Home, Reach, Settings};

/// Whether something is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is.
    Ok,
    /// It works, and may surprise.
    Warn,
    /// Something does not work.
    Bad,
}

impl State {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What was looked at.
    pub what: String,
    /// Whether it is well.
    pub state: State,
    /// What is so.
    pub text: String,
    /// What to do, as one sentence; empty when there is nothing.
    pub remedy: String,
}

/// The worst of some rows; well when there are none.
pub fn worst(rows: &[Row]) -> State {
    rows.iter().map(|row| row.state).max().unwrap_or(State::Ok)
}

/// Looks at everything. `collection` is the one that was named on the command line.
pub fn look(home: &Home, collection: Option<&Path>) -> Vec<Row> {
    let mut rows = Rows::default();
    rows.ok("version", format!("Handmill {}", env!("CARGO_PKG_VERSION")));
    home_rows(&mut rows, home);
    let settings = settings_rows(&mut rows, home);
    let chosen = Collection::of_process(collection, &settings);
    match &chosen {
        None => rows.add(
            "collection",
            State::Ok,
            "Workspace folder is not configured",
            "Name one with --collection or HANDMILL_COLLECTION, or choose it in the window.",
        ),
        Some(chosen) => collection_rows(&mut rows, home, chosen),
    }
    shell_row(&mut rows, &settings);
    let slots = super::Manner {
        slots: settings.slots,
        ..super::Manner::default()
    };
    let source = match settings.slots {
        Some(_) => "as set",
        None => "the machine's cores",
    };
    rows.ok(
        "slots",
        format!("{} nodes at once ({source})", slots.slots()),
    );
    files_row(&mut rows);
    watch_row(&mut rows);
    keyring_row(&mut rows, &Resources::new(home));
    display_row(&mut rows);
    rows.0
}

#[derive(Default)]
struct Rows(Vec<Row>);

impl Rows {
    fn add(
        &mut self,
        what: impl Into<String>,
        state: State,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Row {
            what: what.into(),
            state,
            text: text.into(),
            remedy: remedy.into(),
        });
    }

    fn ok(&mut self, what: impl Into<String>, text: impl Into<String>) {
        self.add(what, State::Ok, text, "");
    }
}

fn home_rows(rows: &mut Rows, home: &Home) {
    let data = home.data_dir();
    if !data.exists() {
        let text = format!("nothing is stored yet: {}", data.display());
        rows.ok("home", text);
    } else if let Err(why) = home.check_writable() {
        let remedy =
            "Give yourself the right to write there, or set HANDMILL_HOME to another folder.";
        rows.add("home", State::Bad, why.to_string(), remedy);
    } else {
        rows.ok("home", data.display().to_string());
    }
    place_row(
        rows,
        "home, file system",
        data,
        "Set HANDMILL_HOME to a folder on a disk of this machine: ledgers and locks need one.",
    );
}

/// The file system of a folder, or of the nearest one above that is there.
fn place_row(rows: &mut Rows, what: &str, path: &Path, remedy: &str) {
    let Some(there) = path.ancestors().find(|at| at.exists()) else {
        return;
    };
    let Ok(FileSystem { name, reach }) = store::file_system(there) else {
        return;
    };
    if let Some(service) = store::sync_service(path) {
        let text = format!("{service} copies this folder to other machines ({name})");
        return rows.add(what, State::Warn, text, remedy);
    }
    match reach {
        Reach::Local => rows.ok(what, format!("{name}, a disk of this machine")),
        Reach::Memory => rows.add(
            what,
            State::Warn,
            format!("{name}: it is lost when the machine is switched off"),
            "Use a folder on a disk for what is to stay.",
        ),
        Reach::Network => rows.add(
            what,
            State::Warn,
            format!("{name}, a network folder: changes by others are not told"),
            remedy,
        ),
        Reach::Program => rows.add(
            what,
            State::Warn,
            format!("{name}: a program stands behind it, and changes may not be told"),
            remedy,
        ),
    }
}

fn settings_rows(rows: &mut Rows, home: &Home) -> Settings {
    let file = home.settings_file();
    let loading = Settings::look(home);
    if !file.exists() {
        rows.ok(
            "settings",
            format!("defaults; no file yet: {}", file.display()),
        );
    } else if loading.warnings.is_empty() {
        rows.ok("settings", file.display().to_string());
    }
    for warning in loading.warnings {
        let remedy = format!(
            "Mend the file, or remove it to go back to defaults: {}",
            file.display()
        );
        rows.add("settings", State::Bad, warning, remedy);
    }
    loading.settings
}

fn collection_rows(rows: &mut Rows, home: &Home, chosen: &Collection) {
    let root = &chosen.root;
    let catalog = store::scan(root);
    let named = format!("{} (named by {})", root.display(), chosen.source.name());
    if !catalog.trouble.is_empty() {
        let remedy = "Connect the disk or share it lies on, or choose another folder.";
        rows.add(
            "collection",
            State::Bad,
            format!("{}; named by {}", catalog.trouble, chosen.source.name()),
            remedy,
        );
        return;
    }
    if catalog.workspaces.is_empty() {
        let remedy = "Set one up with `handmill provision`, or choose another folder.";
        rows.add(
            "collection",
            State::Warn,
            format!("no workspace in {named}"),
            remedy,
        );
    } else {
        rows.ok("collection", named);
    }
    place_row(
        rows,
        "collection, file system",
        root,
        "Handmill looks for changes there every few seconds; flows run on the machine with control of their workspace.",
    );
    workspaces_rows(rows, home, &catalog);
}

fn workspaces_rows(rows: &mut Rows, home: &Home, catalog: &Catalog) {
    for rejected in &catalog.rejected {
        let what = format!("folder {}", rejected.name.escape_debug());
        rows.add(
            what,
            State::Warn,
            "not taken as a workspace",
            format!("{}.", rejected.why),
        );
    }
    for workspace in &catalog.workspaces {
        let what = format!("workspace {}", workspace.name);
        let count = |n: usize, what: &str| match n {
            1 => format!("1 {what}"),
            n => format!("{n} {what}s"),
        };
        let counted = format!(
            "{}, {}",
            count(workspace.flows.len(), "flow"),
            count(workspace.modules.len(), "module")
        );
        let broken: Vec<_> = workspace
            .flows
            .iter()
            .filter(|f| f.problem.is_some())
            .collect();
        match broken.first() {
            None => rows.ok(&what, counted),
            Some(first) => rows.add(
                &what,
                State::Bad,
                format!(
                    "{counted}; {} cannot be read, first {}",
                    broken.len(),
                    first.flow.file
                ),
                format!(
                    "See what is wrong with it: handmill check {}",
                    first.flow.path().display()
                ),
            ),
        }
        ledger_row(rows, home, workspace);
    }
}

fn ledger_row(rows: &mut Rows, home: &Home, workspace: &WorkspaceEntry) {
    let what = format!("ledger of {}", workspace.name);
    let file: PathBuf = home.workspace_dir(&workspace.id).join("ledger.sqlite");
    match ledger::inspect(&file) {
        Ok(None) => rows.ok(what, "none yet; nothing was ever run here"),
        Err(why) => rows.add(
            what,
            State::Bad,
            format!("failed to {why}"),
            "Runs of this workspace are not possible until it can be read.",
        ),
        Ok(Some(health)) if !health.troubles.is_empty() => rows.add(
            what,
            State::Bad,
            format!("damaged: {}", health.troubles.join("; ")),
            "The next run moves it aside and begins a new one; the logs are kept.",
        ),
        Ok(Some(health)) => {
            let mib = (health.bytes + health.wal_bytes) as f64 / f64::from(1 << 20);
            let text = format!("{mib:.1} MiB, {} runs", health.runs);
            // An open run is well while somebody holds its lock.
            let dead = health.open_runs.iter().filter(|run| {
                let entry = workspace
                    .flows
                    .iter()
                    .find(|flow| flow.flow.file == run.file);
                entry.is_none_or(|flow| store::holder(home, &flow.flow).is_none())
            });
            match (health.open_runs.len(), dead.count()) {
                (0, _) => rows.ok(what, text),
                (open, 0) => rows.ok(what, format!("{text}, {open} running")),
                (_, dead) => rows.add(
                    what,
                    State::Warn,
                    format!("{text}, {dead} left open by a Handmill that ended"),
                    "Open the flow, or run `handmill status`: it becomes interrupted and can be resumed.",
                ),
            }
        }
    }
}

fn shell_row(rows: &mut Rows, settings: &Settings) {
    let shell = crate::exec::shell_for(&settings.shell);
    if shell.is_file() {
        rows.ok("shell", shell.display().to_string());
    } else {
        let text = format!("there is no such program: {}", shell.display());
        let remedy = "Install it, or set another shell in the settings.";
        rows.add("shell", State::Bad, text, remedy);
    }
}

/// Files that a node being run keeps open, and what Handmill itself needs.
const FILES_PER_NODE: u64 = 4;
const FILES_OWN: u64 = 256;

fn files_row(rows: &mut Rows) {
    let (now, most) = crate::exec::open_files();
    let of = |n: Option<u64>| n.map_or_else(|| "no limit".to_owned(), |n| n.to_string());
    let text = format!("{} now, {} at most", of(now), of(most));
    let fits = most.map(|most| most.saturating_sub(FILES_OWN) / FILES_PER_NODE);
    match fits {
        Some(fits) if fits < 64 => rows.add(
            "open files",
            State::Warn,
            format!("{text}: room for about {fits} nodes at once"),
            "Raise it with `ulimit -n`.",
        ),
        _ => rows.ok("open files", text),
    }
}

fn watch_row(rows: &mut Rows) {
    // Elsewhere no such limit is known.
    let Some(limits) = crate::watch::limits() else {
        return;
    };
    let text = format!(
        "{} folders, {} watchers per user",
        limits.folders, limits.watchers
    );
    if limits.folders < 8_192 || limits.watchers < 32 {
        let remedy =
            "Raise fs.inotify.max_user_watches and fs.inotify.max_user_instances with sysctl.";
        rows.add("watches", State::Warn, text, remedy);
    } else {
        rows.ok("watches", text);
    }
}

/// The keyring, and the resources that are to come from it. A machine without a keyring is well while nothing is kept
/// in one.
fn keyring_row(rows: &mut Rows, resources: &Resources) {
    let view = match resources.look() {
        Ok(view) => view,
        Err(why) => return rows.add("keyring", State::Bad, why.what.as_ref(), why.hint.as_ref()),
    };
    let n = view.rows.len();
    let lacking: Vec<&str> = view
        .rows
        .iter()
        .filter(|row| matches!(row.standing, Standing::Missing | Standing::OutOfReach))
        .map(|row| row.name.as_str())
        .collect();
    let named = match n {
        1 => "1 resource is listed".to_owned(),
        n => format!("{n} resources are listed"),
    };
    let text = format!("{}; {named}", view.keyring.text());
    match (&view.keyring, lacking.as_slice()) {
        (KeyringState::Ready | KeyringState::Locked, []) => {
            let state = match &view.keyring {
                KeyringState::Locked if n > 0 => State::Warn,
                _ => State::Ok,
            };
            rows.add("keyring", state, text, view.keyring.remedy());
        }
        (KeyringState::Ready | KeyringState::Locked, lacking) => {
            let remedy = "Keep it with `handmill resource set`, or start Handmill with it in the environment.";
            let text = format!("{text}; nobody has {}", lacking.join(", "));
            rows.add("keyring", State::Warn, text, remedy);
        }
        (KeyringState::Absent(..), []) => rows.add(
            "keyring",
            State::Ok,
            format!("none; {named}"),
            view.keyring.remedy(),
        ),
        (KeyringState::Troubled(..), []) => {
            rows.add("keyring", State::Warn, text, view.keyring.remedy());
        }
        (_, lacking) => rows.add(
            "keyring",
            State::Bad,
            format!("{text}; out of reach: {}", lacking.join(", ")),
            view.keyring.remedy(),
        ),
    }
}

fn display_row(rows: &mut Rows) {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (set("WAYLAND_DISPLAY"), set("DISPLAY")) {
        (Some(name), _) => rows.ok("display", format!("Wayland, {name}")),
        (None, Some(name)) => rows.ok("display", format!("X11, {name}")),
        (None, None) if cfg!(target_os = "linux") => rows.add(
            "display",
            State::Warn,
            "none",
            "The window needs one; the command line does not.",
        ),
        (None, None) => rows.ok("display", "the system's"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find<'a>(rows: &'a [Row], what: &str) -> &'a Row {
        let found = rows.iter().find(|row| row.what == what);
        found.unwrap_or_else(|| panic!("{what} is not in {rows:#?}"))
    }

    #[test]
    fn a_look_leaves_nothing_behind_and_finds_what_is_broken() {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path().join("home"));
        let modules = dir.path().join("c/mill/flow_modules");
        std::fs::create_dir_all(&modules).expect("mkdir");
        std::fs::write(modules.join("bad.wf"), "no XML").expect("write");
        std::fs::create_dir_all(dir.path().join("c/con/flow_modules")).expect("mkdir");
        let rows = look(&home, Some(&dir.path().join("c")));
        assert!(!dir.path().join("home").exists(), "a look makes no home");
        assert_eq!(find(&rows, "workspace mill").state, State::Bad);
        assert_eq!(find(&rows, "folder con").state, State::Warn);
        assert_eq!(find(&rows, "ledger of mill").state, State::Ok);
        assert!(find(&rows, "collection").text.contains("--collection"));
        assert_eq!(worst(&rows), State::Bad);
    }

    #[test]
    fn a_root_that_is_gone_is_told_with_its_remedy() {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path().join("home"));
        let rows = look(&home, Some(&dir.path().join("gone")));
        let row = find(&rows, "collection");
        assert_eq!(row.state, State::Bad);
        assert!(row.text.contains("there is no such file"), "{}", row.text);
        assert!(!row.remedy.is_empty());
    }
}

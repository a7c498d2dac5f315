//! Follows one collection root: looks it through, hears of changes, and looks again at what changed.
//!
//! One thread per followed root, so that a share that hangs holds up nobody, not even the next root.
//! Where changes are not told (a network folder, or more folders than the system watches) and while
//! the root cannot be read, it looks again by and by; everywhere else it sleeps until something
//! happens. Unaware of what the catalog is for; the dispatcher starts it and gets catalogs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::model::{Catalog, Notice};
use crate::store::{self, Scan, Scanner, folder_place};
use crate::watch::{Change, Watcher};

use super::clock;

/// Changes of one burst (a checkout, a copy) become one look after this much quiet.
const QUIET: Duration = Duration::from_millis(120);

/// A burst that does not end is looked at this often.
const BURST_MAX: Duration = Duration::from_secs(1);

/// Between two looks where changes are not told.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Looks take at most this share of the time, however slow the folder is: one part in 20.
const LOOK_SHARE: u32 = 20;

/// Between two looks for a root that is away.
const AWAY_EVERY: Duration = Duration::from_secs(3);

/// Folders that are watched because each may become a workspace.
const WATCHED_MAX: usize = 1_000;

/// What a follower tells.
pub enum News {
    /// What the root holds now. The first comes always, others only when something changed.
    Catalog(Catalog),
    /// Something the operator should read.
    Notice(Notice),
}

enum Wake {
    Changed(Change),
    Look { always: bool },
}

/// Follows a root until it is dropped.
pub struct Follower {
    wake: Sender<Wake>,
}

impl Follower {
    /// Starts to look through `root` and to follow it.
    pub fn start(root: PathBuf, tell: impl Fn(News) + Send + 'static) -> std::io::Result<Self> {
        // Unbounded: the watcher gathers, and the thread empties it before each look.
        let (wake, inbox) = channel();
        let heard = wake.clone();
        std::thread::Builder::new()
            .name("catalog".to_owned())
            .spawn(move || {
                let watcher = Watcher::start(move |change| {
                    heard.send(Wake::Changed(change)).ok();
                });
                let desk = FollowDesk {
                    ears: Ears::new(watcher),
                    root,
                    scanner: Scanner::default(),
                    last: None,
                    tell,
                };
                desk.work(&inbox);
            })?;
        Ok(Self { wake })
    }

    /// Looks again: `always`, or only where changes are not told by themselves.
    pub fn look(&self, always: bool) {
        // A thread that ended has nothing to look at.
        self.wake.send(Wake::Look { always }).ok();
    }
}

struct FollowDesk<T> {
    root: PathBuf,
    scanner: Scanner,
    ears: Ears,
    last: Option<Catalog>,
    tell: T,
}

impl<T: Fn(News)> FollowDesk<T> {
    fn work(mut self, inbox: &Receiver<Wake>) {
        loop {
            let begun = clock::instant();
            let mut scan = self.scanner.scan(&self.root, clock::now());
            if self.ears.listen(&self.root, &scan) {
                // What happened between the look and the watch was seen by neither.
                scan = self.scanner.scan(&self.root, clock::now());
            }
            let took = clock::instant() - begun;
            let away = !scan.catalog.trouble.is_empty();
            self.take(scan.catalog);
            if let Some(notice) = self.ears.complaint() {
                (self.tell)(News::Notice(notice));
            }
            let patience = match (away, self.ears.hears()) {
                (true, _) => Some(AWAY_EVERY),
                (false, false) => Some(LOOK_EVERY.max(took * LOOK_SHARE)),
                (false, true) => None,
            };
            if !self.wait(inbox, patience) {
                return;
            }
        }
    }

    fn take(&mut self, catalog: Catalog) {
        if self.last.as_ref() != Some(&catalog) {
            self.last = Some(catalog.clone());
            (self.tell)(News::Catalog(catalog));
        }
    }

    /// Waits for a reason to look again; false when nobody follows any more.
    fn wait(&mut self, inbox: &Receiver<Wake>, patience: Option<Duration>) -> bool {
        let until = patience.map(|patience| clock::instant() + patience);
        loop {
            let woken = match until {
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(until) => inbox.recv_timeout(until.duration_since(clock::instant())),
            };
            match woken {
                Ok(wake) if self.is_reason(&wake, patience.is_none()) => break,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        let burst_ends = clock::instant() + BURST_MAX;
        while clock::instant() < burst_ends {
            match inbox.recv_timeout(QUIET) {
                // Also what goes without saying now may end a watch.
                Ok(wake) => drop(self.is_reason(&wake, false)),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        true
    }

    fn is_reason(&mut self, wake: &Wake, hears: bool) -> bool {
        match wake {
            // A folder above the root may have been renamed, of which no watch tells.
            Wake::Look { always } => *always || !hears || !self.ears.has(&self.root),
            Wake::Changed(Change::File(_)) => false,
            Wake::Changed(Change::Within { folder, path }) if folder == path => {
                // Too much happened to tell it one by one, or the folder itself went. Then a new one
                // may even have its inode, and its watch is gone all the same.
                self.ears.forget(folder);
                true
            }
            Wake::Changed(Change::Within { folder, path }) => {
                self.ears.cares_for(folder, path, &self.root, &self.scanner)
            }
        }
    }
}

/// Why a folder is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// Everything below is flows and modules.
    Modules,
    /// A workspace may come or go directly in it.
    Workspaces,
    /// The root itself, or a folder on the way to it, may come back.
    Root,
}

struct Watched {
    why: For,
    /// Another folder under the same name has to be watched anew.
    place: (u64, u64),
}

/// The watches of a root.
struct Ears {
    watcher: Option<Watcher>,
    watched: BTreeMap<PathBuf, Watched>,
    /// Changes come from where no watch hears them.
    deaf: bool,
    /// Why some folder is not watched; told once.
    trouble: Option<String>,
    told: bool,
}

impl Ears {
    fn new(watcher: Result<Watcher, crate::watch::WatchError>) -> Self {
        let (watcher, trouble) = match watcher {
            Ok(watcher) => (Some(watcher), None),
            Err(why) => (None, Some(why.to_string())),
        };
        Self {
            watcher,
            watched: BTreeMap::new(),
            deaf: false,
            trouble,
            told: false,
        }
    }

    /// True when a change is told by itself.
    fn hears(&self) -> bool {
        !self.deaf && self.trouble.is_none()
    }

    /// What the operator should know about changes that are not told, once.
    fn complaint(&mut self) -> Option<Notice> {
        let why = self.trouble.as_ref().filter(|_| !self.told)?;
        self.told = true;
        Some(Notice::new(
            crate::model::Level::Warning,
            "Changes in the collection are noticed only every few seconds.",
            format!("Handmill failed to {why}."),
        ))
    }

    /// Watches what a scan found to be worth it, and no more; true when something new is watched.
    fn listen(&mut self, root: &Path, scan: &Scan) -> bool {
        let mut wanted: BTreeMap<PathBuf, For> = BTreeMap::new();
        if scan.catalog.trouble.is_empty() {
            wanted.insert(root.to_owned(), For::Workspaces);
        } else if let Some(above) = nearest(root.parent()) {
            wanted.insert(above, For::Root);
        }
        for folder in scan.folders.iter().take(WATCHED_MAX) {
            wanted.insert(folder.clone(), For::Workspaces);
        }
        for workspace in &scan.catalog.workspaces {
            wanted.insert(workspace.root.to_path_buf(), For::Workspaces);
            wanted.insert(workspace.root.join("flow_modules"), For::Modules);
        }
        // A root whose kind cannot be told is one that is away, and is looked for anyway.
        self.deaf = store::file_system(root).is_ok_and(|kind| !kind.tells_changes())
            || scan.folders.len() > WATCHED_MAX;
        let Some(watcher) = &mut self.watcher else {
            return false;
        };
        self.trouble = None;
        self.watched.retain(|path, watched| {
            let stays =
                wanted.get(path) == Some(&watched.why) && folder_place(path) == Some(watched.place);
            if !stays {
                watcher.unwatch(path);
            }
            stays
        });
        let mut more = false;
        for (path, why) in wanted {
            if self.watched.contains_key(&path) {
                continue;
            }
            // One that went since the scan is told by the watch on the folder above.
            let Some(place) = folder_place(&path) else {
                continue;
            };
            match watcher.watch_dir(&path, why == For::Modules) {
                Ok(()) => {
                    self.watched.insert(path, Watched { why, place });
                    more = true;
                }
                Err(_) if !path.exists() => {}
                Err(why) => self.trouble = Some(why.to_string()),
            }
        }
        more
    }

    /// True while the very folder under this name is watched.
    fn has(&self, path: &Path) -> bool {
        let watched = self.watched.get(path);
        watched.is_some_and(|watched| folder_place(path) == Some(watched.place))
    }

    fn forget(&mut self, path: &Path) {
        self.watched.remove(path);
    }

    /// True when a change of `path` in the watched `folder` may change the catalog.
    fn cares_for(&self, folder: &Path, path: &Path, root: &Path, scanner: &Scanner) -> bool {
        match self.watched.get(folder).map(|watched| watched.why) {
            Some(For::Modules) => scanner.cares_for(path),
            Some(For::Workspaces) => {
                let hidden = path
                    .file_name()
                    .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
                path.ends_with("flow_modules")
                    || self.watched.contains_key(path)
                    || (folder == root && !hidden && path.is_dir())
            }
            Some(For::Root) => root.starts_with(path),
            None => false,
        }
    }
}

/// The nearest folder upwards that is there.
fn nearest(from: Option<&Path>) -> Option<PathBuf> {
    let folder = from?.ancestors().find(|at| at.is_dir())?;
    Some(folder.to_owned())
}

//! One watcher for a process: system events in, settled changes out, on a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{ErrorKind, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// Changes of one burst (a save is several) become one notice after this time.
const SETTLE: Duration = Duration::from_millis(40);

/// What to look at again. Paths are as they were given to the watcher.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A watched file was changed, replaced, removed or created.
    File(PathBuf),
    /// Something in a watched folder was.
    Within {
        /// The folder, as it was given.
        folder: PathBuf,
        /// What in it; the folder itself when too much happened to tell it one by one.
        path: PathBuf,
    },
}

/// Why something is not watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The system's limit is reached.
    #[error("watch for changes: the system watches as many folders as it may \
             (fs.inotify.max_user_watches, max_user_instances): {}", .0.display())]
    Limit(PathBuf),
    /// The folder cannot be watched.
    #[error("watch for changes: {why}: {}", path.display())]
    Refused {
        /// What the system said.
        why: String,
        /// Which folder.
        path: PathBuf,
    },
}

/// Watches files and folders until it is dropped.
pub struct Watcher {
    shared: Arc<Shared>,
    // Two, because one keeps a single entry per folder: a file watched inside a watched tree would
    // end the tree's watch of that folder when it goes.
    of_files: RecommendedWatcher,
    of_trees: RecommendedWatcher,
}

struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    /// What changed since the last notice, by real path. Bounded by the number of files there are.
    changed: BTreeSet<PathBuf>,
    /// Events were lost; everything may have changed.
    lost: bool,
    closed: bool,
    files: BTreeMap<PathBuf, FileWatch>,
    trees: BTreeMap<PathBuf, TreeWatch>,
}

struct FileWatch {
    /// Real paths whose change means this file: itself, and the target when it is a link.
    means: Vec<PathBuf>,
}

struct TreeWatch {
    real: PathBuf,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements, also after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called by the system's watcher, on its thread.
    fn take(&self, event: notify::Result<notify::Event>) {
        let mut state = self.lock();
        match event {
            Ok(event) if event.need_rescan() => state.lost = true,
            // Our own reading would otherwise wake us.
            Ok(event) if is_reading(event.kind) => return,
            Ok(event) => state.changed.extend(event.paths),
            Err(_) => state.lost = true,
        }
        self.arrived.notify_one();
    }

    /// Waits for changes, lets them settle, and gives what they mean; `None` when closed.
    fn next(&self) -> Option<Vec<Change>> {
        let mut state = self.lock();
        while state.changed.is_empty() && !state.lost && !state.closed {
            state = self
                .arrived
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return None;
        }
        drop(state);
        std::thread::sleep(SETTLE);
        let mut state = self.lock();
        let changed = std::mem::take(&mut state.changed);
        let lost = std::mem::take(&mut state.lost);
        (!state.closed).then(|| state.meaning(&changed, lost))
    }
}

fn is_reading(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

impl State {
    fn meaning(&self, changed: &BTreeSet<PathBuf>, lost: bool) -> Vec<Change> {
        let mut changes = BTreeSet::new();
        for (given, watch) in &self.files {
            // The folder itself: it was removed, and the file with it.
            let hit = |real: &PathBuf| {
                changed.contains(real) || real.parent().is_some_and(|dir| changed.contains(dir))
            };
            if lost || watch.means.iter().any(hit) {
                changes.insert(Change::File(given.clone()));
            }
        }
        for (given, watch) in &self.trees {
            if lost {
                changes.insert(Change::Within {
                    folder: given.clone(),
                    path: given.clone(),
                });
            }
            let inside = changed.range(watch.real.clone()..);
            for path in inside.take_while(|path| path.starts_with(&watch.real)) {
                let rest = path.strip_prefix(&watch.real).unwrap_or(path);
                changes.insert(Change::Within {
                    folder: given.clone(),
                    path: given.join(rest),
                });
            }
        }
        changes.into_iter().collect()
    }
}

impl Watcher {
    /// Starts watching nothing. `tell` is called on the watcher's thread and should only pass on.
    pub fn start(tell: impl Fn(Change) + Send + 'static) -> Result<Self, WatchError> {
        let nowhere = Path::new("");
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            arrived: Condvar::new(),
        });
        let make = || {
            let shared = shared.clone();
            notify::recommended_watcher(move |event| shared.take(event))
                .map_err(|why| refused(why, nowhere))
        };
        let (of_files, of_trees) = (make()?, make()?);
        let told = shared.clone();
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                while let Some(changes) = told.next() {
                    changes.into_iter().for_each(&tell);
                }
            })
            .map_err(|why| refused(notify::Error::io(why), nowhere))?;
        Ok(Self {
            shared,
            of_files,
            of_trees,
        })
    }

    /// Watches one file, through replacement by rename, removal and re-creation; it need not exist,
    /// but its folder must. When the folder itself goes, that is told once as a change of the file,
    /// and the file has to be watched again once it is back. Watched again: looks anew where a link
    /// leads.
    pub fn watch_file(&mut self, path: &Path) -> Result<(), WatchError> {
        let means = meant_by(path).map_err(|why| refused(notify::Error::io(why), path))?;
        self.unwatch(path);
        for dir in means.iter().filter_map(|real| real.parent()) {
            self.of_files
                .watch(dir, RecursiveMode::NonRecursive)
                .map_err(|why| refused(why, dir))?;
        }
        let watch = FileWatch { means };
        self.shared.lock().files.insert(path.to_owned(), watch);
        Ok(())
    }

    /// Watches a folder: what is directly in it, or with `recursive` everything below.
    pub fn watch_dir(&mut self, path: &Path, recursive: bool) -> Result<(), WatchError> {
        let real = path
            .canonicalize()
            .map_err(|why| refused(notify::Error::io(why), path))?;
        self.unwatch(path);
        let mode = if recursive {
            RecursiveMode::Recursive
        } else {
            RecursiveMode::NonRecursive
        };
        self.of_trees
            .watch(&real, mode)
            .map_err(|why| refused(why, path))?;
        let watch = TreeWatch { real };
        self.shared.lock().trees.insert(path.to_owned(), watch);
        Ok(())
    }

    /// Watches a file or folder no longer. One that was not watched is no error.
    pub fn unwatch(&mut self, path: &Path) {
        let mut state = self.shared.lock();
        let mut free_dirs = Vec::new();
        if let Some(watch) = state.files.remove(path) {
            for dir in watch.means.iter().filter_map(|real| real.parent()) {
                let wanted = state.files.values().flat_map(|other| &other.means);
                if !wanted.into_iter().any(|real| real.parent() == Some(dir)) {
                    free_dirs.push(dir.to_owned());
                }
            }
        }
        let free_tree = state.trees.remove(path).map(|watch| watch.real);
        let tree_wanted = state
            .trees
            .values()
            .any(|other| Some(&other.real) == free_tree.as_ref());
        drop(state);
        // The folder may be gone, and its watch with it: that is what is wanted.
        for dir in free_dirs {
            self.of_files.unwatch(&dir).ok();
        }
        if let Some(real) = free_tree.filter(|_| !tree_wanted) {
            self.of_trees.unwatch(&real).ok();
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.arrived.notify_one();
    }
}

/// The real paths whose change means that the file at `path` changed.
fn meant_by(path: &Path) -> io::Result<Vec<PathBuf>> {
    let path = absolute(path)?;
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidFilename.into());
    };
    let mut means = vec![dir.canonicalize()?.join(name)];
    if let Ok(real) = path.canonicalize()
        && !means.contains(&real)
    {
        means.push(real);
    }
    Ok(means)
}

fn refused(why: notify::Error, path: &Path) -> WatchError {
    let limit = match &why.kind {
        ErrorKind::MaxFilesWatch => true,
        // How inotify says the same: "no space", "too many files".
        ErrorKind::Io(why) => {
            why.kind() == io::ErrorKind::StorageFull || why.raw_os_error() == Some(24)
        }
        _ => false,
    };
    if limit {
        return WatchError::Limit(path.to_owned());
    }
    let why = match why.kind {
        ErrorKind::Io(why) => why.to_string(),
        ErrorKind::PathNotFound => "there is no such folder".to_owned(),
        ErrorKind::Generic(why) => why,
        other => format!("{other:?}"),
    };
    WatchError::Refused {
        why,
        path: path.to_owned(),
    }
}

#[cfg(test)]
mod tests;

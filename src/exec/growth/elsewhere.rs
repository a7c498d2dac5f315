//! Growth of logs by looking at their lengths, where nothing tells.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::super::job::parse_log_file;
use super::super::launcher::lock;
use super::{REST, Report, Reports};
use crate::model::RunId;

const LOOK_EVERY: Duration = Duration::from_millis(100);

pub struct Growth {
    shared: Arc<Shared>,
}

struct Shared {
    reports: Reports,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    folders: HashMap<RunId, PathBuf>,
    running: bool,
}

impl Growth {
    pub fn new(reports: Reports) -> Self {
        Self {
            shared: Arc::new(Shared {
                reports,
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
        }
    }

    pub fn watch(&self, run: &RunId, run_dir: &Path) -> io::Result<()> {
        let mut state = lock(&self.shared.state);
        state.folders.insert(run.clone(), run_dir.to_owned());
        if !state.running {
            let shared = Arc::clone(&self.shared);
            thread::Builder::new()
                .name("growth".to_owned())
                .spawn(move || shared.follow())?;
            state.running = true;
        }
        Ok(())
    }

    pub fn unwatch(&self, run: &RunId) {
        lock(&self.shared.state).folders.remove(run);
        self.shared.changed.notify_all();
    }
}

impl Drop for Growth {
    fn drop(&mut self) {
        lock(&self.shared.state).folders.clear();
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn follow(&self) {
        let mut lengths: HashMap<PathBuf, u64> = HashMap::new();
        loop {
            let folders = {
                let mut state = lock(&self.state);
                if state.folders.is_empty() {
                    state.running = false;
                    return;
                }
                state.folders.clone()
            };
            for (run, dir) in folders {
                for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                    let name = entry.file_name();
                    let Some((id, stream)) =
                        name.to_str().and_then(|name| parse_log_file(&run, name))
                    else {
                        continue;
                    };
                    let Ok(bytes_total) = entry.metadata().map(|meta| meta.len()) else {
                        continue;
                    };
                    let known = lengths.entry(entry.path()).or_default();
                    if *known != bytes_total {
                        *known = bytes_total;
                        (self.reports)(Report::Output {
                            id,
                            stream,
                            bytes_total,
                        });
                    }
                }
            }
            let state = lock(&self.state);
            let waited = self
                .changed
                .wait_timeout(state, LOOK_EVERY.max(REST))
                .unwrap_or_else(PoisonError::into_inner);
            drop(waited);
        }
    }
}

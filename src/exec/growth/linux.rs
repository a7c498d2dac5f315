//! Growth of logs from inotify: one watch per folder, one thread for all.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use super::super::job::parse_log_file;
use super::super::launcher::lock;
use super::{REST, Report, Reports};
use crate::model::RunId;

pub struct Growth {
    shared: Arc<Shared>,
}

struct Shared {
    reports: Reports,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    inotify: Option<Arc<OwnedFd>>,
    folders: HashMap<i32, (RunId, PathBuf)>,
}

impl Growth {
    pub fn new(reports: Reports) -> Self {
        Self {
            shared: Arc::new(Shared {
                reports,
                state: Mutex::default(),
            }),
        }
    }

    pub fn watch(&self, run: &RunId, run_dir: &Path) -> io::Result<()> {
        let mut state = lock(&self.shared.state);
        let inotify = match &state.inotify {
            Some(inotify) => Arc::clone(inotify),
            None => {
                let inotify = Arc::new(inotify::init(CreateFlags::CLOEXEC)?);
                let (shared, fd) = (Arc::clone(&self.shared), Arc::clone(&inotify));
                thread::Builder::new()
                    .name("growth".to_owned())
                    .spawn(move || shared.follow(&fd))?;
                state.inotify = Some(Arc::clone(&inotify));
                inotify
            }
        };
        let flags = WatchFlags::MODIFY | WatchFlags::ONLYDIR;
        let watch = inotify::add_watch(&*inotify, run_dir, flags)?;
        state
            .folders
            .insert(watch, (run.clone(), run_dir.to_owned()));
        Ok(())
    }

    pub fn unwatch(&self, run: &RunId) {
        let mut state = lock(&self.shared.state);
        let Some(inotify) = state.inotify.clone() else {
            return;
        };
        let gone: Vec<i32> = state
            .folders
            .extract_if(|_, (of, _)| of == run)
            .map(|(watch, _)| watch)
            .collect();
        if state.folders.is_empty() {
            // The thread ends itself at the event that removing a watch causes.
            state.inotify = None;
        }
        for watch in gone {
            if inotify::remove_watch(&*inotify, watch).is_err() {
                // The folder was deleted, and its watch with it.
            }
        }
    }
}

impl Drop for Growth {
    fn drop(&mut self) {
        let runs: Vec<RunId> = lock(&self.shared.state)
            .folders
            .values()
            .map(|(run, _)| run.clone())
            .collect();
        for run in runs {
            self.unwatch(&run);
        }
    }
}

impl Shared {
    fn follow(&self, inotify: &Arc<OwnedFd>) {
        let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
        while let Ok(grown) = next_batch(inotify, &mut buffer) {
            for (watch, name) in grown {
                self.tell(watch, name.as_deref());
            }
            let state = lock(&self.state);
            let current = state.inotify.as_ref();
            if !current.is_some_and(|current| Arc::ptr_eq(current, inotify)) {
                return;
            }
            drop(state);
            thread::sleep(REST);
        }
    }

    /// Reports one file, or after an overflow every log of every run.
    fn tell(&self, watch: i32, name: Option<&str>) {
        let folders: Vec<_> = {
            let state = lock(&self.state);
            match name {
                Some(_) => state.folders.get(&watch).cloned().into_iter().collect(),
                None => state.folders.values().cloned().collect(),
            }
        };
        for (run, dir) in folders {
            match name {
                Some(name) => self.tell_file(&run, &dir, name),
                None => {
                    for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                        if let Some(name) = entry.file_name().to_str() {
                            self.tell_file(&run, &dir, name);
                        }
                    }
                }
            }
        }
    }

    fn tell_file(&self, run: &RunId, dir: &Path, name: &str) {
        if let Some((id, stream)) = parse_log_file(run, name)
            && let Ok(meta) = std::fs::metadata(dir.join(name))
        {
            (self.reports)(Report::Output {
                id,
                stream,
                bytes_total: meta.len(),
            });
        }
    }
}

/// Waits for events and gives the files they name, each once; no name stands for an overflow.
fn next_batch(
    inotify: &OwnedFd,
    buffer: &mut [MaybeUninit<u8>],
) -> io::Result<BTreeSet<(i32, Option<String>)>> {
    let mut grown = BTreeSet::new();
    let mut reader = inotify::Reader::new(inotify, buffer);
    loop {
        match reader.next() {
            Ok(event) => {
                if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                    grown.insert((-1, None));
                } else if let Some(name) = event.file_name()
                    && let Ok(name) = name.to_str()
                {
                    grown.insert((event.wd(), Some(name.to_owned())));
                }
            }
            Err(rustix::io::Errno::INTR) => continue,
            Err(err) => return Err(err.into()),
        }
        if reader.is_buffer_empty() {
            return Ok(grown);
        }
    }
}

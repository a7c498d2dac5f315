//! The saver and the watcher behind the window's [`ports::Files`]: jobs out, results in, and a look
//! at each open file when the system says that it changed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::app::TabId;
use crate::app::ports::{
    self, Broken, FileDone, FileJob, FileNews, FolderEntry, Lister, Pasted, Provisioner,
    SaveTrouble, SetUp,
};
use crate::editor::clipboard::{self, Placing};
use crate::editor::{self, Done, Found, Journal, Note, Outcome, Saver, Task, Trouble};
use crate::model::{Edit, Flow, NodeId, Point};
use crate::store::{self, Home, SaveError};
use crate::watch::{Change, Watcher};

/// The saver and the watcher.
pub struct Files {
    saver: Saver,
    journal: Journal,
    /// Tabs by the file whose changes concern them.
    known: RefCell<HashMap<PathBuf, TabId>>,
    /// Paths to watch, to the watcher's own thread: asking for a watch touches the disk.
    watches: Sender<PathBuf>,
    changed: Receiver<PathBuf>,
}

impl Files {
    /// Starts the threads; `wake` is called when there is something to drain.
    pub fn start(home: Home, wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let wake = Arc::new(wake);
        let (watches, wanted) = channel::<PathBuf>();
        let (sender, changed) = channel();
        let tell = wake.clone();
        std::thread::Builder::new()
            .name("watch files".to_owned())
            .spawn(move || {
                let watcher = Watcher::start(move |change| {
                    if let Change::File(path) = change {
                        sender.send(path).ok();
                        tell();
                    }
                });
                // Without a watcher an outside change is found when the window gets the focus, and at
                // the latest by the save.
                let Ok(mut watcher) = watcher else { return };
                for path in wanted {
                    watcher.watch_file(&path).ok();
                }
            })?;
        let tell = wake.clone();
        let journal = Journal::start(home.clone(), move || tell())?;
        let saver = Saver::start(home, example(), move || wake())?;
        Ok(Self {
            saver,
            journal,
            known: RefCell::default(),
            watches,
            changed,
        })
    }

    /// From now on changes of this file are told to this tab.
    fn know(&self, tab: TabId, path: PathBuf) {
        let known = self.known.borrow_mut().insert(path.clone(), tab);
        if known.is_none() {
            self.watches.send(path).ok();
        }
    }

    fn done(&self, done: Done) -> FileDone {
        let tab = TabId(done.ticket);
        match done.outcome {
            Outcome::Loaded(Err(help)) => FileDone::Loaded {
                tab,
                result: Err(Box::new(Broken {
                    why: sentence(&help.why),
                    help,
                })),
            },
            Outcome::Loaded(Ok(opened)) => {
                self.know(tab, opened.flow_ref.path());
                FileDone::Loaded {
                    tab,
                    result: Ok(opened),
                }
            }
            Outcome::Saved {
                place,
                flow,
                result,
            } => {
                let mut remark = None;
                let result = match result {
                    Ok((flow_ref, saved)) => {
                        self.know(tab, flow_ref.path());
                        remark = saved.remark;
                        Ok((flow_ref, saved.stamp))
                    }
                    Err(why) => Err(trouble(&why)),
                };
                FileDone::Saved {
                    tab,
                    place,
                    flow,
                    result,
                    remark,
                }
            }
            Outcome::Checked(found) => FileDone::Checked {
                tab,
                news: match found {
                    Found::Same => FileNews::InStep,
                    Found::Changed(arrival) => FileNews::Changed(arrival),
                    Found::Unreadable(why) => FileNews::Unreadable(sentence(&why)),
                    Found::Gone => FileNews::Deleted,
                },
            },
            outcome => FileDone::Task { tab, outcome },
        }
    }
}

impl ports::Files for Files {
    fn send(&self, job: FileJob) {
        let (tab, task) = match job {
            FileJob::Load { tab, path } => {
                // Before it is read: one that cannot be is read again when somebody mends it.
                self.know(tab, path.clone());
                (tab, Task::Load(path))
            }
            FileJob::Save {
                tab,
                flow_ref,
                flow,
                place,
                onto,
                trusted,
            } => {
                let onto = match onto {
                    ports::Onto::Version(stamp) => editor::Onto::Version(stamp),
                    ports::Onto::Nothing => editor::Onto::Nothing,
                    ports::Onto::Whatever => editor::Onto::Whatever,
                };
                (
                    tab,
                    Task::Save {
                        flow_ref,
                        flow,
                        place,
                        onto,
                        trusted,
                    },
                )
            }
            FileJob::SaveAs {
                tab,
                flow,
                place,
                path,
                origin,
                overwrite,
                trusted,
            } => (
                tab,
                Task::SaveAs {
                    path,
                    flow,
                    place,
                    origin,
                    overwrite,
                    trusted,
                },
            ),
            FileJob::Check {
                tab,
                flow_ref,
                disk,
                standing,
            } => (
                tab,
                Task::Check {
                    flow_ref,
                    disk,
                    standing,
                },
            ),
            FileJob::Task { tab, task } => (tab, task),
        };
        self.saver.send(tab.0, task);
    }

    fn note(&self, note: Note) {
        self.journal.send(note);
    }

    fn drain(&self) -> Vec<FileDone> {
        let known = self.known.borrow();
        let touched = self.changed.try_iter();
        let touched = touched.filter_map(|path| known.get(&path).copied());
        let mut touched: Vec<FileDone> = touched.map(|tab| FileDone::Touched { tab }).collect();
        drop(known);
        touched.extend(self.saver.drain().map(|done| self.done(done)));
        touched.extend(self.journal.drain().map(FileDone::Journal));
        touched
    }

    fn to_text(&self, flow: &Flow, nodes: &[NodeId]) -> String {
        clipboard::to_text(flow, nodes)
    }

    fn paste(&self, text: &str, into: &Flow, at: Option<Point>) -> Result<Pasted, String> {
        let part = clipboard::from_text(text).map_err(|why| why.to_string())?;
        let placing = at.map_or(Placing::Beside, Placing::At);
        let copies = clipboard::copies(&part.graph, &into.graph, placing);
        let nodes = copies.nodes.iter().map(|node| node.id.clone()).collect();
        Ok(Pasted {
            edit: Edit::Add {
                nodes: copies.nodes,
                edges: copies.edges,
            },
            nodes,
        })
    }

    fn lister(&self) -> Lister {
        Arc::new(|folder: &Path| {
            let entries = store::list_folder(folder).into_iter();
            entries
                .map(|(name, is_folder)| FolderEntry { name, is_folder })
                .collect()
        })
    }

    fn provisioner(&self) -> Provisioner {
        Arc::new(|folder: &Path, collection: Option<&Path>| {
            let made = store::provision(folder, collection)
                .map_err(|why| (format!("failed to {why}"), why.hint().to_owned()))?;
            Ok(SetUp {
                id: store::workspace_id(&made.workspace),
                root: made.workspace,
                collection: made.collection,
                n_created: made.created.len(),
                n_kept: made.kept.len(),
            })
        })
    }

    fn example(&self) -> Option<PathBuf> {
        example()
    }
}

/// The collection that comes with the program.
fn example() -> Option<PathBuf> {
    // Beside the binary of a checkout's target folder, else where the program was started.
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.parent()?.parent()?.to_owned()));
    let here = std::env::current_dir().ok();
    [here, beside]
        .into_iter()
        .flatten()
        .map(|dir| dir.join("workspaces-example"))
        .find(|dir| dir.is_dir())
}

fn sentence(why: &Trouble) -> String {
    let notice = why.notice();
    if notice.hint.is_empty() {
        notice.what.to_string()
    } else {
        format!("{}. {}", notice.what, notice.hint)
    }
}

fn trouble(why: &Trouble) -> SaveTrouble {
    match why {
        Trouble::Save(SaveError::ChangedOutside { .. }) => SaveTrouble::Changed,
        Trouble::Save(SaveError::Gone { .. }) => SaveTrouble::Deleted,
        Trouble::Save(SaveError::Exists { .. }) => SaveTrouble::Exists,
        other => {
            let notice = other.notice();
            SaveTrouble::Other(notice.what.to_string(), notice.hint.to_string())
        }
    }
}

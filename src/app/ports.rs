//! What the window needs from outside, as traits: the runtime, the files, the memory, the desktop.
//!
//! Tests give it fakes; `main` gives it the real ones. Nothing here may wait: each call hands a
//! job over and returns, and what comes of it is drained at the start of a later frame.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::editor::{Arrival, DiskState, News, Note, Outcome, Stamp, Standing, Task, Unopened};
use crate::model::{
    Edit, Flow, FlowRef, Node, NodeId, Notice, Point, ResourceName, Timestamp, WorkspaceId,
};
use crate::runtime::control::Moment;
use crate::runtime::health::Row;
use crate::runtime::resources::{Keep, ResourceView};
use crate::runtime::{Board, Order};

use super::action::TabId;
use super::memory::Remembered;

/// The runtime, as the window sees it.
pub trait Engine {
    /// Hands an order over.
    fn send(&self, order: Order);
    /// The newest picture of the runtime.
    fn board(&self) -> Arc<Board>;
    /// The time now, by the one clock.
    fn now(&self) -> Timestamp;
    /// The time now on the clock by which control is decided.
    fn boot(&self) -> Moment;
    /// Looks at the health of this machine and its folders, with the collection that is shown; to
    /// be called on a worker thread.
    fn health(&self) -> HealthLook;
    /// The names of resources and the keyring.
    fn resources(&self) -> Arc<dyn ResourceDesk>;
    /// The command line that would run for a node under a flow's wrapper and shell.
    fn command_line(&self, flow: &Flow, node: &Node) -> String;
}

/// The resources of this machine. Each call may wait for a keyring, and that for a person: for worker threads.
pub trait ResourceDesk: Send + Sync {
    /// All names and how they stand, without unlocking anything.
    fn look(&self) -> Result<ResourceView, Notice>;
    /// Keeps a value, or only the name, in place of what was kept before.
    fn keep(&self, name: &ResourceName, keep: Keep) -> Result<(), Notice>;
    /// Forgets a name and its value.
    fn remove(&self, name: &ResourceName) -> Result<(), Notice>;
}

/// Looks at this machine and its folders; seconds on a slow one.
pub type HealthLook = Box<dyn FnOnce(Option<&Path>) -> Vec<Row> + Send>;

/// Something to be done with files, elsewhere.
#[derive(Clone, Debug)]
pub enum FileJob {
    /// Read a workfile.
    Load {
        /// For which tab.
        tab: TabId,
        /// Which file.
        path: PathBuf,
    },
    /// Write a workfile over the one that was read.
    Save {
        /// For which tab.
        tab: TabId,
        /// Which flow.
        flow_ref: FlowRef,
        /// What to write.
        flow: Arc<Flow>,
        /// Where the document's history stood.
        place: usize,
        /// What must be at its place.
        onto: Onto,
        /// It may run without a question.
        trusted: bool,
    },
    /// Write a workfile elsewhere.
    SaveAs {
        /// For which tab.
        tab: TabId,
        /// What to write.
        flow: Arc<Flow>,
        /// Where the document's history stood.
        place: usize,
        /// Where to.
        path: PathBuf,
        /// The file whose unknown parts are to be kept.
        origin: Option<PathBuf>,
        /// The person agreed to replace a file that is there.
        overwrite: bool,
        /// It may run without a question.
        trusted: bool,
    },
    /// See whether another program changed a file.
    Check {
        /// For which tab.
        tab: TabId,
        /// Which flow.
        flow_ref: FlowRef,
        /// As the document knows it.
        disk: DiskState,
        /// How the document stands: what another program's version is worked out against.
        standing: Standing,
    },
    /// Earlier versions, conflicts, trust, what a crash left: as the saver has it.
    Task {
        /// For which tab.
        tab: TabId,
        /// What.
        task: Task,
    },
}

/// What must be at the place of a save.
#[derive(Clone, Debug, PartialEq)]
pub enum Onto {
    /// This version.
    Version(Stamp),
    /// No file.
    Nothing,
    /// Whatever is there: the person has seen that it changed, and keeps their own.
    Whatever,
}

pub use crate::editor::Opened as Loaded;

/// A workfile that cannot be opened: why, as one sentence with the remedy, and what may help.
#[derive(Debug)]
pub struct Broken {
    /// Why not.
    pub why: String,
    /// What may help.
    pub help: Box<Unopened>,
}

/// Why a file was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveTrouble {
    /// Another program changed it since it was read.
    Changed,
    /// It is gone.
    Deleted,
    /// There is a file of that name already.
    Exists,
    /// Anything else: what happened, then what to do.
    Other(String, String),
}

/// How a file stands against what was known of it.
#[derive(Clone, Debug)]
pub enum FileNews {
    /// As it was.
    InStep,
    /// Another program changed it; this is what that means for the document.
    Changed(Box<Arrival>),
    /// Another program wrote something that cannot be read: one sentence.
    Unreadable(String),
    /// It is gone.
    Deleted,
}

/// What came of a [`FileJob`].
#[derive(Debug)]
pub enum FileDone {
    /// A load ended; the error is one sentence with the place and the remedy.
    Loaded {
        /// For which tab.
        tab: TabId,
        /// The flow, or why not.
        result: Result<Box<Loaded>, Box<Broken>>,
    },
    /// A save ended.
    Saved {
        /// For which tab.
        tab: TabId,
        /// Where the document's history stood.
        place: usize,
        /// What was written.
        flow: Arc<Flow>,
        /// Where it went and what the file looks like now, or why not.
        result: Result<(FlowRef, Stamp), SaveTrouble>,
        /// What did not go as usual, though it was saved.
        remark: Option<Notice>,
    },
    /// Something happened to the file of a tab; it is to be looked at.
    Touched {
        /// Of which tab.
        tab: TabId,
    },
    /// A check ended.
    Checked {
        /// For which tab.
        tab: TabId,
        /// How the file stands.
        news: FileNews,
    },
    /// A [`FileJob::Task`] ended.
    Task {
        /// For which tab.
        tab: TabId,
        /// What came of it.
        outcome: Outcome,
    },
    /// The crash journal has to tell something.
    Journal(News),
}

/// The saver, as the window sees it.
pub trait Files {
    /// Hands a job over.
    fn send(&self, job: FileJob);
    /// Has something kept in the crash journal.
    fn note(&self, note: Note);
    /// What has come since the last call.
    fn drain(&self) -> Vec<FileDone>;
    /// Nodes of a flow, and the edges between them, as GraphML text for the clipboard.
    fn to_text(&self, flow: &Flow, nodes: &[NodeId]) -> String;
    /// The edit that adds what GraphML text holds to a flow, and the nodes it adds: under free
    /// ids, round `at`, else a step beside where they were. The error is one sentence.
    fn paste(&self, text: &str, into: &Flow, at: Option<Point>) -> Result<Pasted, String>;
    /// What a folder holds, for completion in the path dialog; called on a worker thread.
    fn lister(&self) -> Lister;
    /// Sets up a workspace; called on a worker thread.
    fn provisioner(&self) -> Provisioner;
    /// The collection that comes with the program, when there is one.
    fn example(&self) -> Option<PathBuf>;
}

/// One thing in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FolderEntry {
    /// Its name.
    pub name: String,
    /// It is a folder itself.
    pub is_folder: bool,
}

/// Lists a folder; may be called on any thread.
pub type Lister = Arc<dyn Fn(&Path) -> Vec<FolderEntry> + Send + Sync>;

/// Sets up a workspace in a folder, with the collection that is configured; may be called on any
/// thread. The error is what happened, then what to do.
pub type Provisioner =
    Arc<dyn Fn(&Path, Option<&Path>) -> Result<SetUp, (String, String)> + Send + Sync>;

/// A workspace that was set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetUp {
    /// Its id on this machine.
    pub id: WorkspaceId,
    /// Its folder.
    pub root: PathBuf,
    /// The collection it lies in; `None` when the folder above is none.
    pub collection: Option<PathBuf>,
    /// Folders and files that were made.
    pub n_created: usize,
    /// Folders and files that were there, and are as they were.
    pub n_kept: usize,
}

/// What a paste adds.
#[derive(Clone, Debug)]
pub struct Pasted {
    /// The edit that adds it.
    pub edit: Edit,
    /// The nodes it adds.
    pub nodes: Vec<NodeId>,
}

/// Where settings and layout are kept.
pub trait Memory {
    /// What was remembered last.
    fn load(&self) -> Remembered;
    /// Remembers this from now on.
    fn save(&self, remembered: &Remembered);
}

/// What is asked of the desktop's own file dialogs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A workfile to open.
    OpenFile,
    /// A folder that holds workspaces.
    OpenFolder,
    /// A folder in which a workspace is to be set up; it need not be there yet.
    WorkspaceFolder,
    /// A place to save under, beginning from this path.
    SaveFile(PathBuf),
}

/// What the desktop answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// This path.
    Path(PathBuf),
    /// Nothing: the person closed the dialog.
    Cancelled,
    /// This desktop has no file dialogs; the window shows its own.
    Unavailable,
}

/// The desktop's own file dialogs.
pub trait Desktop {
    /// Opens a dialog beside the window; `reply` is called once, on any thread.
    fn ask(&self, ask: Ask, reply: Box<dyn FnOnce(Picked) + Send>);
}

//! False ports: they keep what they were told, and answer from plain values.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use crate::app::memory::Remembered;
use crate::app::ports::{
    Ask, Broken, Desktop, Engine, FileDone, FileJob, FileNews, Files, HealthLook, Lister, Loaded,
    Memory, Pasted, Picked, Provisioner, ResourceDesk, SaveTrouble, SetUp,
};
use crate::editor::{Arrival, Note, Outcome, Stamp, Task, Trouble, Unopened, Unsaved, Version};
use crate::model::{
    Catalog, Edge, EdgeKind, EdgeSpec, Edit, Flow, FlowEntry, FlowRef, Node, NodeId, Notice, Point,
    ResourceName, ResourceSource, Secret, Timestamp, Trigger, WorkspaceEntry,
};
use crate::runtime::control::Moment;
use crate::runtime::health::{Row, State};
use crate::runtime::resources::{Keep, KeyringState, ResourceRow, ResourceView, Standing};
use crate::runtime::{Board, FlowBoard, Order};

/// 2026-11-21 10:41:07 UTC.
pub const NOW: Timestamp = Timestamp(1_795_257_667_000_000);

/// Everything the false ports were told, and what they answer.
#[derive(Default)]
pub struct World {
    pub orders: Vec<Order>,
    pub jobs: Vec<FileJob>,
    pub done: Vec<FileDone>,
    pub board: Board,
    pub flow: Flow,
    pub remembered: Remembered,
    /// How the next saves end; empty means well.
    pub save_troubles: Vec<SaveTrouble>,
    /// Workfiles that were broken are not any more.
    pub mended: bool,
    /// What another program did to the file.
    pub news: Option<Outside>,
    /// The flow that is loaded may run without a question.
    pub untrusted: bool,
    /// What a crash left unsaved of it.
    pub unsaved: Option<Unsaved>,
    /// What the crash journal was told.
    pub notes: Vec<Note>,
    /// Earlier versions, newest first.
    pub backups: Vec<crate::editor::Backup>,
    /// What comes of file jobs is kept back until it is let go.
    pub held: Option<Vec<FileDone>>,
    /// The desktop has dialogs, and keeps their answers back until they are given.
    pub replies: Option<Vec<Reply>>,
    /// The time on the clock of control.
    pub boot: Moment,
    /// The resources, and why the keyring refuses.
    pub resources: Arc<FakeResources>,
}

/// Resources in memory, with their values.
#[derive(Default)]
pub struct FakeResources {
    pub values: Mutex<BTreeMap<ResourceName, Option<Secret>>>,
    pub refusal: Mutex<Option<Notice>>,
}

impl ResourceDesk for FakeResources {
    fn look(&self) -> Result<ResourceView, Notice> {
        let values = self.values.lock().expect("not poisoned");
        let rows = values.iter().map(|(name, value)| ResourceRow {
            name: name.clone(),
            source: match value {
                Some(_) => ResourceSource::Keyring,
                None => ResourceSource::Environment,
            },
            standing: match value {
                Some(_) => Standing::There(ResourceSource::Keyring),
                None => Standing::Missing,
            },
        });
        Ok(ResourceView {
            keyring: KeyringState::Ready,
            rows: rows.collect(),
        })
    }
    fn keep(&self, name: &ResourceName, keep: Keep) -> Result<(), Notice> {
        if let Some(why) = self.refusal.lock().expect("not poisoned").take() {
            return Err(why);
        }
        let value = match keep {
            Keep::Value(secret) => Some(secret),
            Keep::Environment => None,
        };
        let mut values = self.values.lock().expect("not poisoned");
        values.insert(name.clone(), value);
        Ok(())
    }
    fn remove(&self, name: &ResourceName) -> Result<(), Notice> {
        self.values.lock().expect("not poisoned").remove(name);
        Ok(())
    }
}

/// What another program did to a file.
#[derive(Clone)]
pub enum Outside {
    Changed(Box<Version>),
    Deleted,
}

pub type Reply = Box<dyn FnOnce(Picked) + Send>;

pub type Shared = Rc<RefCell<World>>;

pub struct Fake(pub Shared);

pub fn stamp() -> Stamp {
    Stamp {
        len: 1,
        modified: NOW,
        inode: 1,
        hash: [0; 32],
    }
}

pub fn version(flow: Flow) -> Version {
    Version {
        flow: Arc::new(flow),
        results: Arc::default(),
        warnings: Arc::default(),
        damaged: false,
        stamp: stamp(),
        is_trusted: true,
    }
}

pub fn flow_ref() -> FlowRef {
    FlowRef {
        workspace: "claims-1".into(),
        root: Arc::from(Path::new("/c/claims")),
        file: "flow_modules/orders.graphml".into(),
    }
}

/// The flow of a file: of the workspace in whose folder it lies.
pub fn flow_at(path: &Path) -> FlowRef {
    let file = path.strip_prefix("/c/finance").ok();
    match file.and_then(Path::to_str) {
        Some(file) => FlowRef {
            workspace: "finance-2".into(),
            root: Arc::from(Path::new("/c/finance")),
            file: file.into(),
        },
        None => flow_ref(),
    }
}

/// A flow of another workspace than [`flow_ref`].
pub fn other_flow() -> FlowRef {
    flow_at(Path::new("/c/finance/flow_modules/close.graphml"))
}

/// Adds a second workspace to the collection, with one flow.
pub fn with_finance(world: &Shared) {
    let board = &mut world.borrow_mut().board;
    let catalog = Arc::make_mut(&mut board.catalog);
    let mut entry = (*catalog.workspaces[0]).clone();
    entry.id = "finance-2".into();
    entry.name = "finance".into();
    entry.root = Arc::from(Path::new("/c/finance"));
    entry.flows[0].flow = other_flow();
    entry.flows[0].title = "Close".into();
    catalog.workspaces.push(Arc::new(entry));
    let stands = FlowBoard {
        loaded: true,
        ..FlowBoard::default()
    };
    board.flows.insert(other_flow(), Arc::new(stands));
}

/// a -> b -> c, b ~> d.
pub fn sample() -> Flow {
    let mut flow = Flow {
        title: "Orders".to_owned(),
        ..Flow::default()
    };
    for (at, name) in ["a", "b", "c", "d"].iter().enumerate() {
        let place = Point {
            x: 10.0 + 220.0 * (at % 2) as f64,
            y: 10.0 + 90.0 * (at / 2) as f64,
        };
        let mut node = Node::new(*name, format!("echo {name}"), place);
        node.title = format!("step {name}");
        flow.graph.add_node(node).expect("fresh id");
    }
    for (a, b, kind) in [
        ("a", "b", EdgeKind::Blocking),
        ("b", "c", EdgeKind::Blocking),
        ("b", "d", EdgeKind::NonBlocking),
    ] {
        let spec = EdgeSpec {
            edge: Edge {
                id: format!("{a}{b}").as_str().into(),
                kind,
            },
            source: a.into(),
            target: b.into(),
        };
        flow.graph.add_edge(spec).expect("fresh id");
    }
    flow
}

pub fn world() -> Shared {
    let mut world = World {
        flow: sample(),
        ..World::default()
    };
    world.board.catalog = Arc::new(Catalog {
        root: Some("/c".into()),
        workspaces: vec![Arc::new(WorkspaceEntry {
            id: "claims-1".into(),
            name: "claims".into(),
            root: Arc::from(Path::new("/c/claims")),
            flows: vec![FlowEntry {
                flow: flow_ref(),
                title: "Orders".into(),
                group: String::new(),
                trigger: Trigger::Manual,
                n_nodes: 4,
                problem: None,
            }],
            modules: Vec::new(),
        })],
        rejected: Vec::new(),
        trouble: String::new(),
    });
    let stands = FlowBoard {
        loaded: true,
        ..FlowBoard::default()
    };
    world.board.flows.insert(flow_ref(), Arc::new(stands));
    Rc::new(RefCell::new(world))
}

impl Engine for Fake {
    fn send(&self, order: Order) {
        self.0.borrow_mut().orders.push(order);
    }
    fn board(&self) -> Arc<Board> {
        Arc::new(self.0.borrow().board.clone())
    }
    fn now(&self) -> Timestamp {
        NOW
    }
    fn boot(&self) -> Moment {
        self.0.borrow().boot
    }
    fn health(&self) -> HealthLook {
        let row = |what: &str, state, text: &str, remedy: &str| Row {
            what: what.to_owned(),
            state,
            text: text.to_owned(),
            remedy: remedy.to_owned(),
        };
        let rows = vec![
            row("version", State::Ok, "Handmill 0", ""),
            row("watches", State::Warn, "few are left", "Raise the limit."),
        ];
        Box::new(move |_| rows)
    }
    fn resources(&self) -> Arc<dyn ResourceDesk> {
        self.0.borrow().resources.clone()
    }
    fn command_line(&self, flow: &Flow, node: &Node) -> String {
        let wrapper = flow.wrapper.as_ref().map_or("{}", |w| w.template());
        wrapper.replace("{}", &node.command)
    }
}

impl Files for Fake {
    fn send(&self, job: FileJob) {
        let mut world = self.0.borrow_mut();
        let done = match &job {
            FileJob::Load { tab, path } if path.ends_with("broken.graphml") && !world.mended => {
                FileDone::Loaded {
                    tab: *tab,
                    result: Err(Box::new(Broken {
                        why: "Line 3 is not XML. Mend it in a text editor.".to_owned(),
                        help: Box::new(Unopened {
                            why: Trouble::Broke(String::new()),
                            in_conflict: true,
                            backup: None,
                            unsaved: None,
                        }),
                    })),
                }
            }
            FileJob::Load { tab, path } => FileDone::Loaded {
                tab: *tab,
                result: Ok(Box::new(Loaded {
                    collection: path.starts_with("/c").then(|| "/c".into()),
                    flow_ref: flow_at(path),
                    version: Version {
                        is_trusted: !world.untrusted,
                        ..version(world.flow.clone())
                    },
                    unsaved: world.unsaved.take(),
                    remark: None,
                })),
            },
            FileJob::Save {
                tab,
                place,
                flow_ref,
                flow,
                ..
            } => FileDone::Saved {
                tab: *tab,
                place: *place,
                flow: flow.clone(),
                remark: None,
                result: match world.save_troubles.pop() {
                    Some(trouble) => Err(trouble),
                    None => Ok((flow_ref.clone(), stamp())),
                },
            },
            FileJob::SaveAs {
                tab,
                place,
                path,
                flow,
                ..
            } => FileDone::Saved {
                tab: *tab,
                place: *place,
                flow: flow.clone(),
                remark: None,
                result: match world.save_troubles.pop() {
                    Some(trouble) => Err(trouble),
                    None => Ok((
                        FlowRef {
                            file: path.to_string_lossy().as_ref().into(),
                            ..flow_ref()
                        },
                        stamp(),
                    )),
                },
            },
            FileJob::Check { tab, standing, .. } => FileDone::Checked {
                tab: *tab,
                news: match &world.news {
                    None => FileNews::InStep,
                    Some(Outside::Deleted) => FileNews::Deleted,
                    Some(Outside::Changed(theirs)) => {
                        let arrival = Arrival::new(standing.clone(), (**theirs).clone());
                        FileNews::Changed(Box::new(arrival))
                    }
                },
            },
            FileJob::Task { tab, task } => FileDone::Task {
                tab: *tab,
                outcome: match task {
                    Task::ListBackups(_) => Outcome::Backups(Ok(world.backups.clone())),
                    Task::WorkOut(merging) => {
                        Outcome::WorkedOut(Ok(Box::new((**merging).clone().into())))
                    }
                    Task::Compare(before, after) => {
                        Outcome::Compared(Ok(crate::model::changes(before, after)))
                    }
                    _ => Outcome::Noted(Ok(())),
                },
            },
        };
        world.jobs.push(job);
        match &mut world.held {
            Some(held) => held.push(done),
            None => world.done.push(done),
        }
    }
    fn note(&self, note: Note) {
        self.0.borrow_mut().notes.push(note);
    }
    fn drain(&self) -> Vec<FileDone> {
        std::mem::take(&mut self.0.borrow_mut().done)
    }
    fn to_text(&self, _flow: &Flow, nodes: &[NodeId]) -> String {
        let names: Vec<&str> = nodes.iter().map(NodeId::as_str).collect();
        names.join(",")
    }
    fn paste(&self, text: &str, into: &Flow, _at: Option<Point>) -> Result<Pasted, String> {
        let mut nodes = Vec::new();
        for name in text.split(',') {
            let mut node = into.graph.node(&name.into()).cloned();
            let node = node.as_mut().ok_or("This is not a flow.")?;
            node.id = format!("{name}'").as_str().into();
            nodes.push(node.clone());
        }
        let ids = nodes.iter().map(|node| node.id.clone()).collect();
        Ok(Pasted {
            edit: Edit::Add {
                nodes,
                edges: Vec::new(),
            },
            nodes: ids,
        })
    }
    fn lister(&self) -> Lister {
        Arc::new(|_| Vec::new())
    }
    fn provisioner(&self) -> Provisioner {
        Arc::new(|folder, _| {
            Ok(SetUp {
                id: "new-1".into(),
                root: folder.to_owned(),
                collection: folder.parent().map(Path::to_owned),
                n_created: 6,
                n_kept: 1,
            })
        })
    }
    fn example(&self) -> Option<PathBuf> {
        Some("/example".into())
    }
}

impl Memory for Fake {
    fn load(&self) -> Remembered {
        self.0.borrow().remembered.clone()
    }
    fn save(&self, remembered: &Remembered) {
        self.0.borrow_mut().remembered = remembered.clone();
    }
}

impl Desktop for Fake {
    fn ask(&self, _ask: Ask, reply: Reply) {
        match &mut self.0.borrow_mut().replies {
            Some(replies) => replies.push(reply),
            None => reply(Picked::Unavailable),
        }
    }
}

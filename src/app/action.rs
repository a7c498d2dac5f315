//! Everything a person can ask of the window: by key, menu, palette, button or gesture.

use std::path::PathBuf;

use crate::model::{EdgeId, Edit, FlowRef, FrameId, NodeId, Point, RunId, WorkspaceId};

use super::memory::Settings;

/// An act that needs nothing but the selection: it has a name, maybe a key, and stands in menus
/// and in the command palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Run the selection; with none, resume what failed, else the whole flow.
    Run,
    /// Resume what failed, was stopped or interrupted.
    Resume,
    /// Run the whole flow from scratch.
    RunAll,
    /// Run the selection and all downstream.
    RunFromHere,
    /// Run the selection and all upstream that is not fresh.
    RunUpToHere,
    /// Stop the selection, else the run; again: at once.
    Stop,
    /// Run the failed nodes of the selection again within the live run, as they are now.
    Retry,
    /// Kill the running nodes of the selection, after a question.
    KillNodes,
    /// Kill the run, after a question.
    KillRun,
    /// Kill all that runs, after a question.
    KillAll,
    /// Take control of the workspace, which nobody has.
    TakeControl,
    /// Ask the workstation that has control for it.
    RequestControl,
    /// Take that back.
    CancelRequest,
    /// Take control from a workstation that is silent, after a question.
    TakeOver,
    /// Hand control over to the one who asks, after a question.
    HandOver,
    /// Refuse control to the one who asks.
    RefuseRequest,
    /// Give control up, after a question.
    GiveUpControl,
    /// Do not give control up after all.
    KeepControl,
    /// Look at the shared folder now.
    CheckFolder,
    /// Explain how control stands.
    AboutControl,
    /// What holds for control of the workspace.
    ControlSettings,
    /// Forget the status of the selection.
    ClearStatus,
    /// Forget all statuses of the flow.
    ClearAllStatus,
    /// New node in the middle of the view, or under the pointer.
    NewNode,
    /// Edit the command of the selected node in place.
    EditCommand,
    /// Blocking edges along the selection, in the order it was made.
    Connect,
    /// Remove the edges of the selection.
    Disconnect,
    /// Blocking to non-blocking and back, for selected edges, else the edges inside the selection.
    ToggleEdgeKind,
    /// Delete the selection.
    Delete,
    /// Mute or unmute the selected nodes.
    ToggleMute,
    /// Edit the wrapper of the flow.
    EditWrapper,
    /// Copy the selection as GraphML text.
    Copy,
    /// Copy, then delete.
    Cut,
    /// Add the nodes of the GraphML text on the clipboard.
    Paste,
    /// Copy and paste in one, without the clipboard.
    Duplicate,
    /// Select every node.
    SelectAll,
    /// Take the last edit back.
    Undo,
    /// Make it again.
    Redo,
    /// Layered layout of the selection, else of all.
    AutoLayout,
    /// Put a frame round the selection.
    GroupIntoFrame,
    /// Open the add-node palette.
    AddNode,
    /// Zoom in.
    ZoomIn,
    /// Zoom out.
    ZoomOut,
    /// Zoom to 100 %.
    ZoomReset,
    /// Bring the selection into view, else everything.
    FrameSelection,
    /// Bring everything into view.
    FrameAll,
    /// Show the log of the selection.
    ShowLog,
    /// Show or hide the sidebar.
    ToggleSidebar,
    /// Show or hide the inspector.
    ToggleInspector,
    /// Show or hide the bottom panes.
    ToggleBottom,
    /// Show or hide the minimap.
    ToggleMinimap,
    /// Open a workfile.
    Open,
    /// Make a new workfile.
    NewFlow,
    /// Choose a collection folder.
    ChooseCollection,
    /// Choose a folder and make what is missing of a workspace in it.
    SetUpWorkspace,
    /// Save.
    Save,
    /// Save under another name.
    SaveAs,
    /// Earlier versions of the workfile.
    OlderVersions,
    /// Save and close the tab.
    SaveAndClose,
    /// Close the tab.
    CloseTab,
    /// Find a node by its name or command.
    FindNode,
    /// Find a flow in the sidebar.
    FindFlow,
    /// Every act by name.
    CommandPalette,
    /// All keys.
    ShowKeys,
    /// Settings.
    ShowSettings,
    /// Dark, light, or the system's.
    CycleTheme,
    /// Go to the next tab.
    NextTab,
    /// Go to the tab before.
    PreviousTab,
    /// Walk to a neighbour of the selected node.
    Walk(Toward),
    /// Move the selected nodes a little.
    Nudge(Toward),
    /// Cancel the gesture, close what is open, deselect.
    Escape,
    /// End the program.
    Quit,
}

/// One of four ways on the canvas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Toward {
    /// Leftwards: against the edges.
    Left,
    /// Rightwards: along the edges.
    Right,
    /// Upwards: to the sibling above.
    Up,
    /// Downwards: to the sibling below.
    Down,
}

/// Anything a frame of the window asks for; `perform` carries it out before the next frame.
#[derive(Clone, Debug)]
pub enum Action {
    /// A named act on the selection.
    Do(Verb),
    /// A change to the document.
    Edit(Edit),
    /// A change to the document, after which exactly these nodes are selected.
    EditAndSelect(Edit, Vec<NodeId>),
    /// Exactly this is selected from now on, in this order.
    Select {
        /// Nodes.
        nodes: Vec<NodeId>,
        /// Edges.
        edges: Vec<EdgeId>,
        /// Frames.
        frames: Vec<FrameId>,
    },
    /// New node at a place, its command to be typed at once; connected from a node when given.
    NewNodeAt {
        /// Top left corner.
        pos: Point,
        /// The source of an edge to it, and the edge's kind.
        from: Option<(NodeId, crate::model::EdgeKind)>,
    },
    /// Type the command of this node in place.
    BeginEdit(NodeId),
    /// Its first typing was given up: take the new node back.
    DropNewNode(NodeId),
    /// Open a flow in a tab, or go to its tab.
    OpenFlow(FlowRef),
    /// Show a past run's statuses; `None` goes back to the newest.
    ShowRun(Option<RunId>),
    /// Keep a run whatever its age, or no longer.
    PinRun(RunId, bool),
    /// Select a node and bring it into view.
    GoToNode(NodeId),
    /// A notice was read.
    DismissNotice(u64),
    /// Show this tab.
    ShowTab(TabId),
    /// Close this tab, asking first when it is dirty.
    CloseTab(TabId),
    /// Open a workfile by its path.
    OpenPath(PathBuf),
    /// Show another workspace in the sidebar.
    ShowWorkspace(WorkspaceId),
    /// Answer to the dialog that is open.
    Answer(Answer),
    /// What to do about the file under the shown tab.
    Banner(BannerAct),
    /// Set this wrapper and close its dialog.
    SetWrapper(Option<crate::model::Wrapper>),
    /// Use these settings from now on.
    Configure(Box<Settings>),
    /// Put this text on the clipboard.
    CopyText(String),
    /// Paste this text, which the system's clipboard gave.
    PasteText(String),
    /// Look at the health of this machine and its folders, for the settings.
    Diagnose,
    /// Carry out what the settings wish about resources. The wish holds a secret and stays with them until then.
    CarryOutResourceWish,
    /// Ask whether this is to be killed.
    Kill(crate::runtime::KillScope),
    /// Something about control of a workspace.
    Control(WorkspaceId, super::control::Act),
    /// Open the example collection.
    OpenExample,
    /// Something about the safety of a workfile.
    Safety(super::safety::Act),
}

impl Action {
    /// True when carrying it out may open or close something that takes the keys. A drag asks for nothing of
    /// this kind, so it holds up no key.
    pub(super) fn may_take_keys(&self) -> bool {
        !matches!(
            self,
            Self::Edit(_)
                | Self::EditAndSelect(..)
                | Self::Select { .. }
                | Self::ShowRun(_)
                | Self::PinRun(..)
                | Self::DismissNotice(_)
                | Self::CopyText(_)
        )
    }
}

/// A tab's name for as long as the window lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TabId(pub u64);

/// What a person answered to a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Save, then close.
    Save,
    /// Close without saving.
    Discard,
    /// Leave everything as it is.
    Cancel,
    /// Let what runs go on without the window.
    KeepRunning,
    /// This path.
    Path(PathBuf),
}

/// What to do about a file that another program changed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BannerAct {
    /// Choose between both versions, thing by thing.
    Settle,
    /// Look at the file again.
    Look,
    /// Write what is on the screen over the file.
    KeepMine,
    /// Write what is on the screen elsewhere.
    SaveCopy,
}

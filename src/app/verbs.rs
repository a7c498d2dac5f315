//! The table of verbs: name, keys, tooltip, group, and why one cannot be done now.
//!
//! Menu, key, palette, button and tooltip all read this table, so they cannot drift apart. Unaware
//! of the window: it judges by a [`Context`] of plain facts.

use egui::{Key, Modifiers};

use super::action::{Toward, Verb};
use super::control::{Blocked, Facts};

/// Heading under which a verb stands in the palette and in the list of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Running and stopping.
    Run,
    /// Changing the flow.
    Edit,
    /// Moving the view.
    View,
    /// Files and tabs.
    File,
    /// Control between workstations.
    Control,
    /// Finding things.
    Find,
}

impl Group {
    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Run => "Run",
            Self::Edit => "Edit",
            Self::View => "View",
            Self::File => "File",
            Self::Control => "Control",
            Self::Find => "Find",
        }
    }

    /// All groups, as they are listed.
    pub const ALL: [Self; 6] = [
        Self::Run,
        Self::Edit,
        Self::View,
        Self::File,
        Self::Control,
        Self::Find,
    ];
}

/// A key with its modifiers, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    /// Ctrl, or Command on a Mac.
    pub command: bool,
    /// Shift.
    pub shift: bool,
    /// Alt, or Option on a Mac.
    pub alt: bool,
    /// The key.
    pub key: Key,
}

impl Chord {
    const fn plain(key: Key) -> Self {
        Self {
            command: false,
            shift: false,
            alt: false,
            key,
        }
    }

    /// True when a press of `key` under `modifiers` is this chord and no other.
    pub fn matches(&self, key: Key, modifiers: Modifiers) -> bool {
        // On most keyboards the question mark is itself typed with Shift.
        let shift = self.key == Key::Questionmark || self.shift == modifiers.shift;
        self.key == key && self.command == modifiers.command && self.alt == modifiers.alt && shift
    }

    /// True for a key that types a character or moves a cursor when a text field has the focus.
    pub fn belongs_to_text(&self) -> bool {
        !matches!(
            self.key,
            Key::F1 | Key::K | Key::P | Key::S | Key::Q | Key::W | Key::Period | Key::Comma
        ) || !(self.command || self.key == Key::F1)
    }

    /// As a person reads it: `Ctrl+Shift+Z`, or `⌘⇧Z` on a Mac.
    pub fn label(&self, mac: bool) -> String {
        let mut text = String::new();
        let parts = [
            (self.command, "Ctrl+", "⌘"),
            (self.alt, "Alt+", "⌥"),
            (self.shift, "Shift+", "⇧"),
        ];
        for (on, name, symbol) in parts {
            if on {
                text.push_str(if mac { symbol } else { name });
            }
        }
        text.push_str(match self.key {
            Key::ArrowUp => "↑",
            Key::ArrowDown => "↓",
            Key::ArrowLeft => "←",
            Key::ArrowRight => "→",
            Key::Escape => "Esc",
            Key::Period => ".",
            Key::Comma => ",",
            Key::Questionmark => "?",
            Key::PageUp => "PgUp",
            Key::PageDown => "PgDn",
            Key::Num1 => "1",
            other => other.name(),
        });
        text
    }

    /// As it stands on a button, where room is scarce: `⇧R`, `Ctrl K`.
    pub fn short_label(&self, mac: bool) -> String {
        self.label(mac).replace("Shift+", "⇧").replace('+', " ")
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The verb.
    pub verb: Verb,
    /// Its name, in sentence case.
    pub name: &'static str,
    /// Its keys; the first one is shown.
    pub keys: &'static [Chord],
    /// What it does, as one sentence.
    pub tooltip: &'static str,
    /// Its heading.
    pub group: Group,
}

macro_rules! chords {
    ($($($m:ident)* ($key:ident)),*) => {
        &[$(Chord { $($m: true,)* ..Chord::plain(Key::$key) }),*]
    };
}

macro_rules! table {
    ($($group:ident { $($verb:expr, $name:literal, [$($($m:ident)* ($key:ident)),*], $tooltip:literal;)* })*) => {
        &[$($(Entry {
            verb: $verb, name: $name, keys: chords!($($($m)* ($key)),*),
            tooltip: $tooltip, group: Group::$group,
        },)*)*]
    };
}

/// Every verb, grouped as the palette and the list of keys show them.
pub const VERBS: &[Entry] = {
    use Verb::*;
    table! {
        Run {
            Run, "Run", [(R)], "Run the selection; with none, resume what failed, else run the whole flow";
            Resume, "Resume", [shift (R)], "Start again what failed, was stopped or interrupted";
            RunAll, "Run whole flow", [command (R)], "Run every node from scratch";
            RunFromHere, "Run from here", [command (Enter)], "Run the selection and all that lies downstream";
            RunUpToHere, "Run up to here", [alt (Enter)], "Run the selection and all upstream that is not fresh";
            Stop, "Stop", [command (Period)], "Stop the selection, else the run; press again to end it at once";
            Retry, "Run again in this run", [], "Run the failed nodes of the selection again within the live run, as they are now (R does the same)";
            KillNodes, "Kill nodes…", [], "End the running nodes of the selection at once, with all that they started";
            KillRun, "Kill run…", [], "End the run of this flow at once, with all that it started";
            KillAll, "Kill everything…", [], "End all that runs in this window at once";
            ClearStatus, "Clear status", [(C)], "Forget the status of the selection";
            ClearAllStatus, "Clear all statuses", [shift (C)], "Forget all statuses of this flow";
            ShowLog, "Show log", [(S), (L)], "Show the log of the selection, else of the whole run";
        }
        Edit {
            NewNode, "New node", [(N)], "Add a node and type its command";
            AddNode, "Add node…", [(A)], "Choose what to add by name";
            EditCommand, "Edit command", [(Enter)], "Type the command of the selected node in place";
            Connect, "Connect", [(E)], "Join the selected nodes by blocking edges, in the order they were selected";
            Disconnect, "Disconnect", [shift (E)], "Remove the edges of the selection";
            ToggleEdgeKind, "Toggle edge type", [(T)], "Blocking to non-blocking and back";
            ToggleMute, "Mute", [(M)], "Pass the selected nodes without running them, or run them again";
            EditWrapper, "Wrapper…", [(P)], "Set text round each command of this flow";
            Delete, "Delete", [(D), (Delete), (Backspace)], "Delete the selection";
            Copy, "Copy", [command (C)], "Copy the selection as GraphML text";
            Cut, "Cut", [command (X)], "Copy the selection, then delete it";
            Paste, "Paste", [command (V)], "Add the nodes of the GraphML text on the clipboard";
            Duplicate, "Duplicate", [command (D)], "Copy and paste in one, beside the clipboard";
            SelectAll, "Select all", [command (A)], "Select every node";
            Undo, "Undo", [command (Z)], "Take the last edit back";
            Redo, "Redo", [command shift (Z), command (Y)], "Make the last undone edit again";
            AutoLayout, "Auto-layout", [command (L)], "Lay out the selection, else the whole flow, in layers";
            GroupIntoFrame, "Group into frame", [(G)], "Put a frame round the selected nodes";
            Nudge(Toward::Left), "Nudge left", [alt (ArrowLeft)], "Move the selected nodes a little to the left";
            Nudge(Toward::Right), "Nudge right", [alt (ArrowRight)], "Move the selected nodes a little to the right";
            Nudge(Toward::Up), "Nudge up", [alt (ArrowUp)], "Move the selected nodes a little up";
            Nudge(Toward::Down), "Nudge down", [alt (ArrowDown)], "Move the selected nodes a little down";
        }
        View {
            FrameSelection, "Frame selection", [(F)], "Bring the selection into view, else everything";
            FrameAll, "Frame all", [(Home)], "Bring everything into view";
            ZoomIn, "Zoom in", [command (ArrowUp)], "Zoom in";
            ZoomOut, "Zoom out", [command (ArrowDown)], "Zoom out";
            ZoomReset, "Zoom to 100 %", [(Num1)], "Show the flow at its own size";
            Walk(Toward::Right), "Walk downstream", [(ArrowRight)], "Select the node that an edge leads to";
            Walk(Toward::Left), "Walk upstream", [(ArrowLeft)], "Select the node that an edge comes from";
            Walk(Toward::Up), "Walk to the sibling above", [(ArrowUp)], "Select the neighbour above";
            Walk(Toward::Down), "Walk to the sibling below", [(ArrowDown)], "Select the neighbour below";
            ToggleSidebar, "Sidebar", [command (B)], "Show or hide the workspaces and flows";
            ToggleInspector, "Inspector", [(I)], "Show or hide the properties of the selection";
            ToggleBottom, "Log and runs", [command (J)], "Show or hide the panes at the bottom";
            ToggleMinimap, "Minimap", [command (M)], "Show or hide the minimap";
            CycleTheme, "Change theme", [], "Dark, light, or as the system says";
            ShowSettings, "Settings…", [command (Comma)], "Theme, slots, shell, collection folder";
            Escape, "Cancel", [(Escape)], "Cancel the gesture, close what is open, deselect";
        }
        File {
            Open, "Open workfile…", [(O)], "Open a workfile";
            NewFlow, "New flow", [command (N)], "Begin a new workfile";
            ChooseCollection, "Choose collection…", [command shift (O)], "Choose the folder that holds your workspaces";
            SetUpWorkspace, "Set up a workspace here…", [], "Choose a folder; what it lacks of a workspace is made, and nothing in it is changed";
            Save, "Save", [command (S)], "Save this workfile";
            SaveAs, "Save as…", [command shift (S)], "Save this workfile under another name";
            OlderVersions, "Older versions…", [], "Look at earlier versions of this workfile, and take one back";
            SaveAndClose, "Save and close", [(Q)], "Save this workfile and close its tab";
            CloseTab, "Close tab", [command (W)], "Close this tab; unsaved edits are asked about";
            NextTab, "Next tab", [command (PageDown)], "Show the next tab";
            PreviousTab, "Previous tab", [command (PageUp)], "Show the tab before";
            Quit, "Quit", [command (Q)], "End Handmill; unsaved edits are asked about";
        }
        Control {
            TakeControl, "Take control", [], "Run this workspace from this workstation; nobody has control of it now";
            RequestControl, "Request control", [], "Ask the workstation that has control to hand it over";
            CancelRequest, "Cancel request", [], "Ask for control no longer";
            TakeOver, "Take over control…", [], "Take control from a workstation that gives no sign of life";
            HandOver, "Hand over control…", [], "Give control to the workstation that asks for it";
            RefuseRequest, "Refuse control", [], "Answer the workstation that asks for control with no";
            GiveUpControl, "Give up control…", [], "Let another workstation take control of this workspace";
            KeepControl, "Keep control", [], "Do not give control up after all";
            CheckFolder, "Look at the shared folder now", [], "See at once what other workstations have written";
            AboutControl, "About control…", [], "How control of this workspace stands, and what cannot be promised";
            ControlSettings, "Control settings…", [], "When this workstation takes control, and how it answers others";
        }
        Find {
            CommandPalette, "Find or do…", [command (K), command shift (P)], "Every act, flow and node by name";
            FindNode, "Find node…", [command (F)], "Find a node by its name or command";
            FindFlow, "Find flow…", [command (P)], "Find a flow of this workspace";
            ShowKeys, "All keys", [(Questionmark), (F1)], "Every key and what it does";
        }
    }
};

/// The line of a verb.
pub fn entry(verb: Verb) -> &'static Entry {
    // The test below shows that every verb has a line; the first is a harmless answer otherwise.
    VERBS
        .iter()
        .find(|entry| entry.verb == verb)
        .unwrap_or(&VERBS[0])
}

/// The verb of a key press.
pub fn verb_of(key: Key, modifiers: Modifiers) -> Option<(&'static Entry, &'static Chord)> {
    VERBS.iter().find_map(|entry| {
        let chord = entry
            .keys
            .iter()
            .find(|chord| chord.matches(key, modifiers))?;
        Some((entry, chord))
    })
}

/// The plain facts by which a verb is possible or not.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// A flow is open in the shown tab.
    pub open: bool,
    /// What the ledger knows of it has arrived.
    pub loaded: bool,
    /// Nodes in it.
    pub n_nodes: usize,
    /// Nodes selected.
    pub n_sel_nodes: usize,
    /// Edges selected.
    pub n_sel_edges: usize,
    /// Frames selected.
    pub n_sel_frames: usize,
    /// Nodes selected that run now.
    pub n_sel_running: usize,
    /// Nodes selected that ended badly in the live run, and may run again in it.
    pub n_sel_retry: usize,
    /// Flows that run in this process.
    pub n_live_flows: usize,
    /// There are edges between selected nodes, or edges are selected themselves.
    pub has_sel_links: bool,
    /// A run of it lives.
    pub live: bool,
    /// A run of it was ordered and has not begun.
    pub starting: bool,
    /// That run was asked to stop.
    pub stopping: bool,
    /// Nodes that a resume would start.
    pub resumable: u32,
    /// Some node has a status.
    pub has_status: bool,
    /// Who else runs it, as words.
    pub runner: Option<String>,
    /// Processes of it that a dead Handmill left running.
    pub n_orphans: usize,
    /// Why nothing of this flow may be started: another workstation has control, or control is in doubt.
    pub blocked: Blocked,
    /// Control of the workspace shown.
    pub control: Option<Facts>,
    /// There is a step to undo.
    pub can_undo: bool,
    /// There is a step to redo.
    pub can_redo: bool,
    /// The file does not hold what is shown.
    pub dirty: bool,
    /// Tabs open.
    pub n_tabs: usize,
    /// A layout is being worked out.
    pub laying_out: bool,
}

impl Context {
    /// Why a verb cannot be done now, as one sentence; `None` when it can.
    pub fn disabled_because(&self, verb: Verb) -> Option<String> {
        use Verb::*;
        let no = |why: &str| Some(why.to_owned());
        let free = matches!(
            verb,
            Open | NewFlow
                | ChooseCollection
                | SetUpWorkspace
                | CommandPalette
                | ShowKeys
                | ShowSettings
                | CycleTheme
                | Quit
                | FindFlow
                | ToggleSidebar
                | ToggleInspector
                | ToggleBottom
                | ToggleMinimap
                | Escape
        );
        if free {
            return None;
        }
        if verb == KillAll {
            return if self.n_live_flows == 0 {
                no("Nothing is running")
            } else {
                None
            };
        }
        if verbs_of_control(verb) {
            return self.control_disabled_because(verb);
        }
        if matches!(verb, NextTab | PreviousTab) {
            return if self.n_tabs < 2 {
                no("There is no other tab")
            } else {
                None
            };
        }
        if matches!(verb, CloseTab) && self.n_tabs > 0 {
            return None;
        }
        if !self.open {
            return no("No flow is open");
        }
        let starts = matches!(verb, Run | Resume | RunAll | RunFromHere | RunUpToHere);
        if starts || matches!(verb, ClearStatus | ClearAllStatus) {
            if !self.loaded {
                return no("The last run of this flow is still being read");
            }
            if let Some(runner) = &self.runner {
                return Some(format!("{runner} runs this flow"));
            }
        }
        let again = verb == Run && self.n_sel_retry > 0 && self.n_sel_retry == self.n_sel_nodes;
        let blocked = match verb {
            Retry => &self.blocked.nodes,
            Run if self.live && again => &self.blocked.nodes,
            _ if starts => &self.blocked.runs,
            _ => &None,
        };
        if let Some(why) = blocked {
            return Some(why.clone());
        }
        if starts && self.starting {
            return no("This flow is starting");
        }
        if starts && self.n_nodes == 0 {
            return no("This flow has no nodes yet");
        }
        if starts && self.n_orphans > 0 {
            return no("Processes of an interrupted run still live; stop them first");
        }
        if starts && self.live && !again {
            return no("This flow is running; stop it first");
        }
        match verb {
            Retry if !self.live => no("No run of this flow is going on"),
            Retry if self.stopping => no("This run is being stopped"),
            Retry if self.n_sel_retry == 0 => no("Select a node that failed in this run first"),
            KillNodes if self.n_sel_running == 0 => no("No selected node is running"),
            KillRun if !self.live => no("Nothing is running"),
            Resume if self.resumable == 0 => no("Nothing failed, was stopped or interrupted"),
            RunFromHere | RunUpToHere if self.n_sel_nodes == 0 => no("Select a node first"),
            // Who else runs it can be asked to stop, and what a dead Handmill left can be ended.
            Stop if !self.live
                && !self.starting
                && self.runner.is_none()
                && self.n_orphans == 0 =>
            {
                no("Nothing is running")
            }
            ClearStatus | ClearAllStatus if self.live || self.starting => {
                no("This flow is running; its statuses are being made")
            }
            ClearStatus if self.n_sel_nodes == 0 => no("Select a node first"),
            ClearAllStatus if !self.has_status => no("No node has a status"),
            EditCommand if self.n_sel_nodes != 1 => no("Select one node first"),
            Connect if self.n_sel_nodes < 2 => no("Select two or more nodes first"),
            Disconnect | ToggleEdgeKind if !self.has_sel_links => {
                no("Select edges, or nodes that are joined, first")
            }
            Delete if self.nothing_selected() => no("Select something first"),
            Copy | Cut | Duplicate | ToggleMute | GroupIntoFrame | Nudge(_)
                if self.n_sel_nodes == 0 =>
            {
                no("Select a node first")
            }
            SelectAll | FindNode | Walk(_) if self.n_nodes == 0 => no("This flow has no nodes yet"),
            AutoLayout if self.n_nodes < 2 => no("There are fewer than two nodes"),
            AutoLayout if self.laying_out => no("A layout is being worked out"),
            Undo if !self.can_undo => no("Nothing to undo"),
            Redo if !self.can_redo => no("Nothing to redo"),
            Save if !self.dirty => no("Everything is saved"),
            _ => None,
        }
    }

    fn control_disabled_because(&self, verb: Verb) -> Option<String> {
        let Some(control) = &self.control else {
            return Some("There is no workspace here whose control is shared".to_owned());
        };
        let can = &control.can;
        let can = match verb {
            Verb::TakeControl => &can.claim,
            Verb::RequestControl => &can.request,
            Verb::CancelRequest => &can.cancel,
            Verb::TakeOver => &can.take_over,
            Verb::GiveUpControl => &can.release,
            Verb::KeepControl => &can.keep,
            Verb::HandOver | Verb::RefuseRequest if !control.is_asked => {
                return Some("Nobody asks for control".to_owned());
            }
            _ => return None,
        };
        can.as_ref().err().cloned()
    }

    fn nothing_selected(&self) -> bool {
        self.n_sel_nodes + self.n_sel_edges + self.n_sel_frames == 0
    }
}

fn verbs_of_control(verb: Verb) -> bool {
    entry(verb).group == Group::Control
}

#[cfg(test)]
mod tests;

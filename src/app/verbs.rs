//! The table of verbs: name, keys, tooltip, group, and why one cannot be done now.
//!
//! Menu, key, palette, button and tooltip all read this table, so they cannot drift apart. Unaware
//! of the window: it judges by a [`Context`] of plain facts.

use egui::{Key, Modifiers};

use super::action::{Toward, Verb};

mod chord;
mod context;

pub use chord::Chord;
pub use context::Context;

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

#[cfg(test)]
mod tests;

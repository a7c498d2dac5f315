use super::*;
use crate::app::control::Blocked;

/// The keys of the product's description, one per line: chord, then the verb's name.
const PRODUCT_KEYS: &str = "
R Run
Shift+R Resume
Ctrl+R Run whole flow
Ctrl+Enter Run from here
Alt+Enter Run up to here
Ctrl+. Stop
N New node
Enter Edit command
E Connect
Shift+E Disconnect
T Toggle edge type
D Delete
Delete Delete
Backspace Delete
C Clear status
Shift+C Clear all statuses
S Show log
L Show log
P Wrapper…
O Open workfile…
Ctrl+S Save
Ctrl+Shift+S Save as…
Q Save and close
Ctrl+Z Undo
Ctrl+Shift+Z Redo
Ctrl+Y Redo
Ctrl+C Copy
Ctrl+X Cut
Ctrl+V Paste
Ctrl+D Duplicate
Ctrl+A Select all
Ctrl+↑ Zoom in
Ctrl+↓ Zoom out
F Frame selection
Home Frame all
Ctrl+L Auto-layout
G Group into frame
A Add node…
M Mute
I Inspector
Ctrl+F Find node…
Ctrl+K Find or do…
Ctrl+Shift+P Find or do…
? All keys
F1 All keys
→ Walk downstream
← Walk upstream
↑ Walk to the sibling above
↓ Walk to the sibling below
Alt+← Nudge left
Alt+→ Nudge right
Alt+↑ Nudge up
Alt+↓ Nudge down
Esc Cancel
";

#[test]
fn every_key_of_the_product_reaches_its_verb() {
    for line in PRODUCT_KEYS.trim().lines() {
        let (chord, name) = line.split_once(' ').expect("chord and name");
        let entry = VERBS
            .iter()
            .find(|entry| entry.keys.iter().any(|key| key.label(false) == chord));
        assert_eq!(entry.map(|entry| entry.name), Some(name), "{chord}");
    }
}

#[test]
fn no_two_verbs_share_a_key() {
    let mut seen: Vec<(String, &str)> = Vec::new();
    for entry in VERBS {
        for chord in entry.keys {
            let label = chord.label(false);
            let other = seen.iter().find(|(taken, _)| *taken == label);
            assert_eq!(other, None, "{label} is also {}", entry.name);
            seen.push((label, entry.name));
        }
    }
}

#[test]
fn every_verb_stands_once_in_the_table() {
    // The compiler keeps this match complete: a new verb must be given a number here.
    fn number(verb: Verb) -> usize {
        use Verb::*;
        match verb {
            Run => 0,
            Resume => 1,
            RunAll => 2,
            RunFromHere => 3,
            RunUpToHere => 4,
            Stop => 5,
            ClearStatus => 6,
            ClearAllStatus => 7,
            NewNode => 8,
            EditCommand => 9,
            Connect => 10,
            Disconnect => 11,
            ToggleEdgeKind => 12,
            Delete => 13,
            ToggleMute => 14,
            EditWrapper => 15,
            Copy => 16,
            Cut => 17,
            Paste => 18,
            Duplicate => 19,
            SelectAll => 20,
            Undo => 21,
            Redo => 22,
            AutoLayout => 23,
            GroupIntoFrame => 24,
            AddNode => 25,
            ZoomIn => 26,
            ZoomOut => 27,
            ZoomReset => 28,
            FrameSelection => 29,
            FrameAll => 30,
            ShowLog => 31,
            ToggleSidebar => 32,
            ToggleInspector => 33,
            ToggleBottom => 34,
            ToggleMinimap => 35,
            Open => 36,
            NewFlow => 37,
            ChooseCollection => 38,
            Save => 39,
            SaveAs => 40,
            SaveAndClose => 41,
            CloseTab => 42,
            FindNode => 43,
            FindFlow => 44,
            CommandPalette => 45,
            ShowKeys => 46,
            ShowSettings => 47,
            CycleTheme => 48,
            NextTab => 49,
            PreviousTab => 50,
            Walk(toward) => 51 + toward as usize,
            Nudge(toward) => 55 + toward as usize,
            Escape => 59,
            Quit => 60,
            Retry => 61,
            KillNodes => 62,
            KillRun => 63,
            KillAll => 64,
            SetUpWorkspace => 65,
            OlderVersions => 66,
            TakeControl => 67,
            RequestControl => 68,
            CancelRequest => 69,
            TakeOver => 70,
            HandOver => 71,
            RefuseRequest => 72,
            GiveUpControl => 73,
            KeepControl => 74,
            CheckFolder => 75,
            AboutControl => 76,
            ControlSettings => 77,
        }
    }
    let mut numbers: Vec<usize> = VERBS.iter().map(|entry| number(entry.verb)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..=77).collect::<Vec<_>>());
}

#[test]
fn a_key_with_other_modifiers_is_another_key() {
    let verb = |key, modifiers| verb_of(key, modifiers).map(|(entry, _)| entry.verb);
    assert_eq!(verb(Key::R, Modifiers::NONE), Some(Verb::Run));
    assert_eq!(verb(Key::R, Modifiers::SHIFT), Some(Verb::Resume));
    assert_eq!(verb(Key::R, Modifiers::ALT), None);
    assert_eq!(
        verb(Key::Questionmark, Modifiers::SHIFT),
        Some(Verb::ShowKeys)
    );
}

#[test]
fn a_verb_that_cannot_be_done_says_why() {
    let nothing = Context::default();
    assert_eq!(
        nothing.disabled_because(Verb::Run).as_deref(),
        Some("No flow is open")
    );
    assert_eq!(nothing.disabled_because(Verb::Open), None);
    let open = Context {
        open: true,
        loaded: true,
        n_nodes: 3,
        ..Context::default()
    };
    assert_eq!(open.disabled_because(Verb::Run), None);
    assert_eq!(
        open.disabled_because(Verb::Resume).as_deref(),
        Some("Nothing failed, was stopped or interrupted")
    );
    let elsewhere = Context {
        runner: Some("the command line (process 7)".into()),
        ..open.clone()
    };
    assert_eq!(
        elsewhere.disabled_because(Verb::RunAll).as_deref(),
        Some("the command line (process 7) runs this flow")
    );
    let blocked = Context {
        blocked: Blocked {
            runs: Some("wsA currently has control of this workspace.".into()),
            nodes: None,
        },
        live: true,
        n_sel_retry: 1,
        n_sel_nodes: 1,
        ..open.clone()
    };
    assert_eq!(
        blocked.disabled_because(Verb::RunAll).as_deref(),
        Some("wsA currently has control of this workspace.")
    );
    assert_eq!(blocked.disabled_because(Verb::Retry), None);
    assert_eq!(
        blocked.disabled_because(Verb::NewNode),
        None,
        "it may be edited"
    );
    let live = Context { live: true, ..open };
    assert_eq!(live.disabled_because(Verb::Stop), None);
    assert!(live.disabled_because(Verb::Run).is_some());
}

#[test]
fn plain_letters_belong_to_text_fields_and_save_does_not() {
    for entry in VERBS {
        for chord in entry.keys {
            if !chord.command && chord.key != Key::F1 {
                assert!(chord.belongs_to_text(), "{}", chord.label(false));
            }
        }
    }
    let save = entry(Verb::Save).keys[0];
    assert!(!save.belongs_to_text());
    let undo = entry(Verb::Undo).keys[0];
    assert!(undo.belongs_to_text(), "a text field has its own undo");
}

//! How the window is shared between the canvas and the panes round it. Pure.
//!
//! A pane has the size a person wished for while there is room. In a small window panes give way to
//! the canvas: first they shrink, then one stays away. The wish is kept, so a larger window has
//! them back as they were.

use std::ops::RangeInclusive;

use egui::Vec2;

/// Least width and height of the canvas that panes leave, in points.
const CANVAS_MIN: Vec2 = Vec2::new(480.0, 280.0);
/// Widths the sidebar may have.
pub const SIDEBAR_W: RangeInclusive<f32> = 180.0..=420.0;
/// Widths the inspector may have.
pub const INSPECTOR_W: RangeInclusive<f32> = 220.0..=520.0;
/// Least height of the bottom panes.
pub const BOTTOM_H_MIN: f32 = 110.0;
/// Least width of the list beside the log.
const RUNS_W_MIN: f32 = 180.0;
/// The log is read more than the list beside it.
const RUNS_PART_MAX: f32 = 0.45;

/// A pane that may be hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// Workspaces and flows.
    Sidebar,
    /// Properties of the selection.
    Inspector,
    /// Log and runs.
    Bottom,
}

/// A size per pane in points: as wished for, or as there is room. `None` is not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sizes {
    /// Width of the sidebar.
    pub sidebar: Option<f32>,
    /// Width of the inspector.
    pub inspector: Option<f32>,
    /// Height of the bottom panes.
    pub bottom: Option<f32>,
}

impl Sizes {
    /// The size of one pane.
    pub fn of(&self, pane: Pane) -> Option<f32> {
        match pane {
            Pane::Sidebar => self.sidebar,
            Pane::Inspector => self.inspector,
            Pane::Bottom => self.bottom,
        }
    }
}

/// The sizes that panes have between the bars of a window. `first` is a pane that was asked for
/// though there was no room: it is shown, and another one gives way.
pub fn share(all: Vec2, wishes: Sizes, first: Option<Pane>) -> Sizes {
    let (sidebar, inspector) = share_width(all.x, wishes, first);
    let room = all.y - CANVAS_MIN.y;
    let bottom = wishes.bottom.map(|wish| wish.min(room).max(BOTTOM_H_MIN));
    let fits = room >= BOTTOM_H_MIN || first == Some(Pane::Bottom);
    Sizes {
        sidebar,
        inspector,
        bottom: bottom.filter(|_| fits),
    }
}

fn share_width(width: f32, wishes: Sizes, first: Option<Pane>) -> (Option<f32>, Option<f32>) {
    let clamped = |wish: Option<f32>, range: &RangeInclusive<f32>| {
        wish.map(|wish| wish.clamp(*range.start(), *range.end()))
    };
    let mut sidebar = clamped(wishes.sidebar, &SIDEBAR_W);
    let mut inspector = clamped(wishes.inspector, &INSPECTOR_W);
    let room = width - CANVAS_MIN.x;
    let least =
        |side: Option<f32>, range: &RangeInclusive<f32>| side.map_or(0.0, |_| *range.start());
    let least_of_both =
        |sidebar, inspector| least(sidebar, &SIDEBAR_W) + least(inspector, &INSPECTOR_W);
    if least_of_both(sidebar, inspector) > room && first != Some(Pane::Inspector) {
        inspector = None;
    }
    if least_of_both(sidebar, inspector) > room && first != Some(Pane::Sidebar) {
        sidebar = None;
    }
    let wished = sidebar.unwrap_or_default() + inspector.unwrap_or_default();
    let least = least_of_both(sidebar, inspector);
    if wished <= room || wished <= least {
        return (sidebar, inspector);
    }
    // Each gives the same part of what it has above its least.
    let part = ((room - least) / (wished - least)).max(0.0);
    let given = |wish: f32, range: &RangeInclusive<f32>| {
        (range.start() + (wish - range.start()) * part).floor()
    };
    (
        sidebar.map(|wish| given(wish, &SIDEBAR_W)),
        inspector.map(|wish| given(wish, &INSPECTOR_W)),
    )
}

/// Width of the list beside the log, in bottom panes of this width.
pub fn runs_width(all: f32, wish: f32) -> f32 {
    let most = (all * RUNS_PART_MAX).max(RUNS_W_MIN.min(all));
    wish.clamp(RUNS_W_MIN.min(most), most).floor()
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;

    const WISHES: Sizes = Sizes {
        sidebar: Some(244.0),
        inspector: Some(300.0),
        bottom: Some(262.0),
    };

    #[test]
    fn in_a_large_window_each_pane_has_what_was_wished_for() {
        assert_eq!(share(vec2(1400.0, 800.0), WISHES, None), WISHES);
    }

    #[test]
    fn in_a_small_window_panes_leave_the_canvas_its_least_and_keep_theirs() {
        for width in (900..1400).step_by(7) {
            let given = share(vec2(width as f32, 560.0), WISHES, None);
            let (sidebar, inspector) =
                (given.sidebar.expect("fits"), given.inspector.expect("fits"));
            assert!(
                width as f32 - sidebar - inspector >= CANVAS_MIN.x,
                "{width}"
            );
            assert!(sidebar >= 180.0 && inspector >= 220.0, "{width}: {given:?}");
            assert!(560.0 - given.bottom.expect("fits") >= CANVAS_MIN.y);
        }
    }

    #[test]
    fn without_room_the_inspector_gives_way_then_the_sidebar_then_the_bottom() {
        let at = |w, h| share(vec2(w, h), WISHES, None);
        assert_eq!(at(800.0, 560.0).inspector, None);
        assert_eq!(at(800.0, 560.0).sidebar, Some(244.0));
        assert_eq!(at(640.0, 560.0).sidebar, None);
        assert_eq!(at(640.0, 340.0).bottom, None);
    }

    #[test]
    fn what_is_asked_for_is_shown_also_without_room() {
        for pane in [Pane::Sidebar, Pane::Inspector, Pane::Bottom] {
            let given = share(vec2(640.0, 340.0), WISHES, Some(pane));
            assert!(given.of(pane).is_some(), "{pane:?}");
        }
        let given = share(vec2(800.0, 560.0), WISHES, Some(Pane::Inspector));
        assert_eq!(given.sidebar, None, "the other gives way");
    }

    #[test]
    fn what_a_person_hid_stays_hidden() {
        let none = Sizes::default();
        assert_eq!(share(vec2(1400.0, 800.0), none, None), none);
    }

    #[test]
    fn the_list_beside_the_log_never_takes_most_of_it() {
        assert_eq!(runs_width(1000.0, 330.0), 330.0);
        assert_eq!(runs_width(500.0, 330.0), 225.0);
        assert!(runs_width(100.0, 330.0) <= 100.0);
    }
}

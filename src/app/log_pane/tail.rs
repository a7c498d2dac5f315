//! Whether the newest line stays in view.

/// Where a log stood in one frame, in points.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stood {
    pub(super) content: f32,
    pub(super) height: f32,
    pub(super) offset: f32,
}

/// Whether the newest line is followed from now on: scrolling away from the end stops it, by wheel or by
/// bar, and scrolling back to the end begins it again. What the log grows by, or a pane that takes
/// another size, changes nothing.
pub(super) fn follows(was: bool, before: Stood, now: Stood, at_end: bool, wheel_up: bool) -> bool {
    let same_log = before.content == now.content && before.height == now.height;
    if same_log && before.offset != now.offset {
        return at_end;
    }
    was && (at_end || !wheel_up)
}

#[cfg(test)]
mod tests {
    use super::super::line::LINE_H;
    use super::*;

    #[test]
    fn item_64_the_tail_is_followed_only_from_the_end() {
        let at = |content: f32, offset: f32| Stood {
            content,
            height: 100.0,
            offset,
        };
        let check = |was, before: Stood, now: Stood, wheel_up| {
            let at_end = now.content - now.offset - now.height <= LINE_H;
            follows(was, before, now, at_end, wheel_up)
        };
        // The log grows: who followed goes on, who did not does not begin.
        assert!(check(true, at(500.0, 400.0), at(900.0, 400.0), false));
        assert!(check(true, at(900.0, 400.0), at(900.0, 800.0), false));
        assert!(!check(false, at(500.0, 100.0), at(900.0, 100.0), false));
        // Scrolled away by the bar, or by the wheel while it grows; and back to the end.
        assert!(!check(true, at(900.0, 800.0), at(900.0, 300.0), false));
        assert!(!check(true, at(900.0, 800.0), at(950.0, 700.0), true));
        assert!(check(false, at(900.0, 300.0), at(900.0, 795.0), false));
        // A smaller pane is no scrolling.
        let small = Stood {
            height: 60.0,
            ..at(900.0, 800.0)
        };
        assert!(check(true, at(900.0, 800.0), small, false));
    }
}

//! Where the canvas looks: canvas units to screen points and back. Pure arithmetic.
//!
//! The origin is kept in `f64`, so that a flow drawn a million units away is as steady as one at
//! zero.

use egui::{Pos2, Vec2};

use crate::model::{Point, Rect};

/// Least zoom.
const ZOOM_MIN: f32 = 0.02;
/// Greatest zoom.
const ZOOM_MAX: f32 = 4.0;
/// Zoom at which a command is read without effort.
const ZOOM_READABLE: f32 = 0.75;
/// Zoom at which it can still be read, for the sake of seeing the whole flow.
const ZOOM_READABLE_LEAST: f32 = 0.6;
/// Nodes up to which a flow is first seen to be read, and not as a whole.
const READ_NODES_MAX: usize = 60;
/// Empty space at the edge of the first look, in points.
const FIRST_MARGIN: f32 = 24.0;
/// Empty space left round what is brought into view, in points.
const FIT_MARGIN: f32 = 48.0;

/// What part of the canvas is seen, and how large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// The canvas point at the top left of the view.
    pub origin: Point,
    /// Screen points per canvas unit, within [`ZOOM_MIN`] and [`ZOOM_MAX`].
    pub zoom: f32,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            origin: Point::default(),
            zoom: 1.0,
        }
    }
}

impl Camera {
    /// Where a canvas point stands on the screen, for a view whose top left is `view.min`.
    pub fn to_screen(self, view: egui::Rect, point: Point) -> Pos2 {
        let zoom = f64::from(self.zoom);
        view.min
            + Vec2::new(
                ((point.x - self.origin.x) * zoom) as f32,
                ((point.y - self.origin.y) * zoom) as f32,
            )
    }

    /// The canvas point under a screen position.
    pub fn to_world(self, view: egui::Rect, pos: Pos2) -> Point {
        let zoom = f64::from(self.zoom);
        Point {
            x: self.origin.x + f64::from(pos.x - view.min.x) / zoom,
            y: self.origin.y + f64::from(pos.y - view.min.y) / zoom,
        }
    }

    /// A canvas rectangle on the screen.
    pub fn rect_to_screen(self, view: egui::Rect, rect: Rect) -> egui::Rect {
        let min = self.to_screen(view, rect.corner());
        egui::Rect::from_min_size(
            min,
            Vec2::new(rect.w as f32 * self.zoom, rect.h as f32 * self.zoom),
        )
    }

    /// The part of the canvas that a view shows.
    pub fn visible(self, view: egui::Rect) -> Rect {
        let zoom = f64::from(self.zoom);
        Rect {
            x: self.origin.x,
            y: self.origin.y,
            w: f64::from(view.width()) / zoom,
            h: f64::from(view.height()) / zoom,
        }
    }

    /// Moves the picture by a screen distance.
    pub fn pan(&mut self, by: Vec2) {
        let zoom = f64::from(self.zoom);
        self.origin.x -= f64::from(by.x) / zoom;
        self.origin.y -= f64::from(by.y) / zoom;
    }

    /// Zooms by a factor; the canvas point under `pos` stays under it.
    pub fn zoom_at(&mut self, view: egui::Rect, pos: Pos2, factor: f32) {
        if !factor.is_finite() || factor <= 0.0 {
            return;
        }
        let fixed = self.to_world(view, pos);
        self.zoom = (self.zoom * factor).clamp(ZOOM_MIN, ZOOM_MAX);
        let zoom = f64::from(self.zoom);
        self.origin = Point {
            x: fixed.x - f64::from(pos.x - view.min.x) / zoom,
            y: fixed.y - f64::from(pos.y - view.min.y) / zoom,
        };
    }

    /// Brings a rectangle into view, in the middle, at most at zoom 1.
    pub fn fit(&mut self, view: egui::Rect, bounds: Rect) {
        let room = |length: f32| (length - 2.0 * FIT_MARGIN).max(length * 0.5).max(1.0);
        let zoom_x = f64::from(room(view.width())) / bounds.w.max(1.0);
        let zoom_y = f64::from(room(view.height())) / bounds.h.max(1.0);
        self.zoom = (zoom_x.min(zoom_y) as f32).clamp(ZOOM_MIN, 1.0);
        self.center_on(view, bounds.center());
    }

    /// The first look at a flow: all of it, unless that would make its commands too small to read
    /// and it has few enough nodes (`n_nodes`) to be read node by node; then it begins at its left.
    pub fn first_look(&mut self, view: egui::Rect, bounds: Rect, n_nodes: usize) {
        self.fit(view, bounds);
        if self.zoom >= ZOOM_READABLE || n_nodes > READ_NODES_MAX {
            return;
        }
        let room = |length: f32| f64::from(length - 2.0 * FIRST_MARGIN);
        // A little smaller is worth it where everything is seen then.
        let whole = (room(view.width()) / bounds.w.max(1.0))
            .min(room(view.height()) / bounds.h.max(1.0)) as f32;
        self.zoom = whole.clamp(ZOOM_READABLE_LEAST, ZOOM_READABLE);
        if whole < ZOOM_READABLE_LEAST {
            self.zoom = ZOOM_READABLE;
        }
        let zoom = f64::from(self.zoom);
        let start = |at: f64, length: f64, room: f32, middle: bool| {
            let seen = f64::from(room) / zoom;
            let margin = f64::from(FIRST_MARGIN) / zoom;
            if middle || length + 2.0 * margin <= seen {
                at + length / 2.0 - seen / 2.0
            } else {
                at - margin
            }
        };
        self.origin = Point {
            x: start(bounds.x, bounds.w, view.width(), false),
            y: start(bounds.y, bounds.h, view.height(), bounds.w >= bounds.h),
        };
    }

    /// Puts a canvas point in the middle of the view.
    pub fn center_on(&mut self, view: egui::Rect, point: Point) {
        let zoom = f64::from(self.zoom);
        self.origin = Point {
            x: point.x - f64::from(view.width()) / 2.0 / zoom,
            y: point.y - f64::from(view.height()) / 2.0 / zoom,
        };
    }

    /// Moves as little as is needed for a rectangle to be seen whole; nothing when it is.
    pub fn reveal(&mut self, view: egui::Rect, rect: Rect) {
        let margin = 16.0 / f64::from(self.zoom);
        let seen = self.visible(view);
        self.origin.x += nearest(rect.x - margin, rect.w + 2.0 * margin, seen.x, seen.w);
        self.origin.y += nearest(rect.y - margin, rect.h + 2.0 * margin, seen.y, seen.h);
    }
}

/// The least move of `seen` that covers `want`; when it cannot, its start is covered.
fn nearest(want: f64, want_len: f64, seen: f64, seen_len: f64) -> f64 {
    if want < seen || want_len > seen_len {
        want - seen
    } else if want + want_len > seen + seen_len {
        want + want_len - seen - seen_len
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;

    const VIEW: egui::Rect = egui::Rect {
        min: Pos2 { x: 100.0, y: 50.0 },
        max: Pos2 { x: 900.0, y: 650.0 },
    };

    fn close(a: Point, b: Point) -> bool {
        (a.x - b.x).abs() < 1e-3 && (a.y - b.y).abs() < 1e-3
    }

    #[test]
    fn screen_and_canvas_are_inverse_far_from_zero() {
        let mut camera = Camera::default();
        camera.center_on(VIEW, Point { x: 4e6, y: -4e6 });
        camera.zoom_at(VIEW, pos2(333.0, 222.0), 1.7);
        let pos = pos2(412.0, 77.0);
        let back = camera.to_screen(VIEW, camera.to_world(VIEW, pos));
        assert!((back - pos).length() < 0.01, "{back:?}");
    }

    #[test]
    fn zoom_keeps_the_point_under_the_pointer_and_stays_within_its_bounds() {
        let mut camera = Camera::default();
        let pos = pos2(700.0, 120.0);
        let fixed = camera.to_world(VIEW, pos);
        for factor in [1.3, 0.2, 0.01, 900.0, f32::NAN, -1.0, 0.0] {
            camera.zoom_at(VIEW, pos, factor);
            assert!((ZOOM_MIN..=ZOOM_MAX).contains(&camera.zoom), "{factor}");
            assert!(close(camera.to_world(VIEW, pos), fixed), "{factor}");
        }
    }

    #[test]
    fn fit_shows_all_of_it_and_never_above_zoom_one() {
        let mut camera = Camera::default();
        let big = Rect {
            x: -5_000.0,
            y: 300.0,
            w: 9_000.0,
            h: 2_000.0,
        };
        camera.fit(VIEW, big);
        let seen = camera.visible(VIEW);
        assert!(seen.x <= big.x && seen.x + seen.w >= big.x + big.w);
        assert!(seen.y <= big.y && seen.y + seen.h >= big.y + big.h);
        camera.fit(VIEW, Rect::default());
        assert_eq!(camera.zoom, 1.0);
    }

    #[test]
    fn the_first_look_at_a_small_flow_is_large_enough_to_read() {
        let bounds = |w, h| Rect {
            x: 40.0,
            y: 60.0,
            w,
            h,
        };
        let look = |bounds, n| {
            let mut camera = Camera::default();
            camera.first_look(VIEW, bounds, n);
            camera
        };
        // A bit too wide: a little smaller, and all of it.
        let whole = look(bounds(1_150.0, 300.0), 12);
        assert!((ZOOM_READABLE_LEAST..ZOOM_READABLE).contains(&whole.zoom));
        let seen = whole.visible(VIEW);
        assert!(seen.x <= 40.0 && seen.x + seen.w >= 1_190.0);
        // Far too wide: its beginning, at a size to be read.
        let part = look(bounds(5_000.0, 300.0), 30);
        assert_eq!(part.zoom, ZOOM_READABLE);
        let seen = part.visible(VIEW);
        assert!(seen.x < 40.0 && seen.x + 100.0 > 40.0, "{seen:?}");
        // Too many nodes to read: all of them.
        let many = look(bounds(5_000.0, 4_000.0), 1_000);
        assert!(many.zoom < 0.2);
        // Small: at its own size.
        assert_eq!(look(bounds(300.0, 100.0), 2).zoom, 1.0);
    }

    #[test]
    fn reveal_moves_only_when_needed() {
        let mut camera = Camera::default();
        let node = |x| Rect {
            x,
            y: 100.0,
            w: 200.0,
            h: 56.0,
        };
        camera.reveal(VIEW, node(100.0));
        assert_eq!(camera, Camera::default());
        camera.reveal(VIEW, node(2_000.0));
        let seen = camera.visible(VIEW);
        assert!(seen.x <= 2_000.0 && seen.x + seen.w >= 2_200.0);
    }
}

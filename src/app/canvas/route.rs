//! The way of an edge between two boxes, as one cubic curve. Pure.
//!
//! Rightward edges leave at the right and arrive at the left. Where the target does not lie to the
//! right, the edge leaves below or above; one that goes back at the same height swings underneath,
//! so that a loop of two nodes shows two edges and not one.

use crate::model::{Point, Rect};

/// Distance between parallel edges of the same two nodes, in canvas units.
const LANE: f64 = 14.0;
/// Space between an arrow's tip and the box it points at.
const TIP_GAP: f64 = 3.0;

/// A cubic curve: start, two controls, end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve(pub [Point; 4]);

const fn at(x: f64, y: f64) -> Point {
    Point { x, y }
}

impl Curve {
    /// From one box to another. `lane` is 0 for a lone edge; parallel ones are given the steps
    /// -1, 0, 1 or -0.5, 0.5 and so on.
    pub fn between(source: Rect, target: Rect, lane: f64) -> Self {
        let (sx, sy) = (source.x + source.w / 2.0, source.y + source.h / 2.0);
        let (tx, ty) = (target.x + target.w / 2.0, target.y + target.h / 2.0);
        let (s_right, s_bottom) = (source.x + source.w, source.y + source.h);
        let (t_right, t_bottom) = (target.x + target.w, target.y + target.h);
        let side = |height: f64| {
            let room = (height / 2.0 - 8.0).max(0.0);
            (lane * LANE).clamp(-room, room)
        };
        if target.x - s_right >= 16.0 {
            let start = at(s_right, sy + side(source.h));
            let end = at(target.x - TIP_GAP, ty + side(target.h));
            let pull = ((end.x - start.x) / 2.0).clamp(24.0, 160.0);
            return Self([
                start,
                at(start.x + pull, start.y + lane * LANE),
                at(end.x - pull, end.y + lane * LANE),
                end,
            ]);
        }
        let shift = (lane * LANE * 1.5).clamp(-80.0, 80.0);
        if target.y - s_bottom >= 12.0 {
            let start = at(sx + shift, s_bottom);
            let end = at(tx + shift, target.y - TIP_GAP);
            let pull = ((end.y - start.y) / 2.0).clamp(8.0, 120.0);
            return Self([
                start,
                at(start.x, start.y + pull),
                at(end.x, end.y - pull),
                end,
            ]);
        }
        if source.y - t_bottom >= 12.0 {
            let start = at(sx + shift, source.y);
            let end = at(tx + shift, t_bottom + TIP_GAP);
            let pull = ((start.y - end.y) / 2.0).clamp(8.0, 120.0);
            return Self([
                start,
                at(start.x, start.y - pull),
                at(end.x, end.y + pull),
                end,
            ]);
        }
        if source.x - t_right >= -source.w / 2.0 {
            let start = at(sx + shift, s_bottom);
            let end = at(tx + shift, t_bottom + TIP_GAP);
            let sag = 44.0 + (sx - tx).abs() * 0.08 + lane.abs() * LANE;
            let low = start.y.max(end.y) + sag.min(160.0);
            return Self([start, at(start.x, low), at(end.x, low), end]);
        }
        // The boxes overlap: leave at the right and come back from the left of the target.
        Self([
            at(s_right, sy),
            at(s_right + 60.0, sy + lane * LANE),
            at(target.x - 60.0, ty + lane * LANE),
            at(target.x - TIP_GAP, ty),
        ])
    }

    /// A loop over the top right corner of a box; further ones are wider.
    pub fn around(node: Rect, n_before: f64) -> Self {
        let (right, reach) = (node.x + node.w, 44.0 + n_before * 18.0);
        Self([
            at(right, node.y + 20.0),
            at(right + reach, node.y + 16.0),
            at(right - 24.0, node.y - reach),
            at(right - 34.0 - n_before * 14.0, node.y - TIP_GAP),
        ])
    }

    /// The curve at `t` in 0..=1.
    pub fn point(&self, t: f64) -> Point {
        let u = 1.0 - t;
        let [a, b, c, d] = self.0;
        let (wa, wb, wc, wd) = (u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t);
        at(
            wa * a.x + wb * b.x + wc * c.x + wd * d.x,
            wa * a.y + wb * b.y + wc * c.y + wd * d.y,
        )
    }

    /// A rectangle that holds the curve.
    pub fn bounds(&self) -> Rect {
        let xs = self.0.map(|p| p.x);
        let ys = self.0.map(|p| p.y);
        let min = |v: [f64; 4]| v.into_iter().fold(f64::INFINITY, f64::min);
        let max = |v: [f64; 4]| v.into_iter().fold(f64::NEG_INFINITY, f64::max);
        Rect {
            x: min(xs),
            y: min(ys),
            w: max(xs) - min(xs),
            h: max(ys) - min(ys),
        }
    }

    /// Distance of a point from the curve, in canvas units (near enough for a pointer).
    pub fn distance(&self, point: Point) -> f64 {
        const STEPS: usize = 24;
        let mut nearest = f64::INFINITY;
        let mut a = self.0[0];
        for step in 1..=STEPS {
            let b = self.point(step as f64 / STEPS as f64);
            nearest = nearest.min(to_segment(point, a, b));
            a = b;
        }
        nearest
    }
}

fn to_segment(p: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy).max(1e-12);
    let t = along.clamp(0.0, 1.0);
    (p.x - a.x - t * dx).hypot(p.y - a.y - t * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(x: f64, y: f64) -> Rect {
        Rect {
            x,
            y,
            w: 200.0,
            h: 56.0,
        }
    }

    #[test]
    fn an_edge_starts_and_ends_on_the_sides_that_face() {
        let right = Curve::between(node(0.0, 0.0), node(300.0, 0.0), 0.0);
        assert_eq!(right.0[0], at(200.0, 28.0));
        assert_eq!(right.0[3], at(297.0, 28.0));
        let down = Curve::between(node(0.0, 0.0), node(0.0, 200.0), 0.0);
        assert_eq!((down.0[0], down.0[3]), (at(100.0, 56.0), at(100.0, 197.0)));
        let up = Curve::between(node(0.0, 200.0), node(0.0, 0.0), 0.0);
        assert_eq!((up.0[0], up.0[3]), (at(100.0, 200.0), at(100.0, 59.0)));
    }

    #[test]
    fn the_way_back_is_not_the_way_there() {
        let (a, b) = (node(0.0, 0.0), node(300.0, 0.0));
        let there = Curve::between(a, b, 0.0).point(0.5);
        let back = Curve::between(b, a, 0.0).point(0.5);
        assert!((there.y - back.y).abs() > 30.0, "{there:?} {back:?}");
    }

    #[test]
    fn parallel_edges_lie_apart() {
        let (a, b) = (node(0.0, 0.0), node(300.0, 90.0));
        let one = Curve::between(a, b, -0.5).point(0.5);
        let two = Curve::between(a, b, 0.5).point(0.5);
        assert!((one.y - two.y).abs() >= 10.0, "{one:?} {two:?}");
    }

    #[test]
    fn distance_is_zero_on_the_curve_and_grows_beside_it() {
        let curve = Curve::between(node(0.0, 0.0), node(400.0, 300.0), 0.0);
        assert!(curve.distance(curve.point(0.3)) < 1.0);
        assert!(curve.distance(at(0.0, 300.0)) > 50.0);
    }
}

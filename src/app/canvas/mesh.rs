//! Smooth-edged lines, boxes and polygons appended to one mesh.
//!
//! epaint's own shapes are tessellated one by one; a thousand nodes and edges in few meshes cost a
//! tenth of that. Every edge is softened over one physical pixel, as epaint does it.

use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Color32, Pos2, Rect, Vec2, pos2, vec2};

/// A mesh under construction.
pub struct Pen<'a> {
    /// What is drawn into.
    pub mesh: &'a mut Mesh,
    /// One physical pixel, in points.
    pub pixel: f32,
}

impl Pen<'_> {
    fn vertex(&mut self, pos: Pos2, color: Color32) {
        self.mesh.vertices.push(Vertex {
            pos,
            uv: WHITE_UV,
            color,
        });
    }

    /// A box with hard edges; for small or many ones.
    pub fn quad(&mut self, rect: Rect, color: Color32) {
        let at = self.mesh.vertices.len() as u32;
        self.vertex(rect.min, color);
        self.vertex(pos2(rect.max.x, rect.min.y), color);
        self.vertex(pos2(rect.min.x, rect.max.y), color);
        self.vertex(rect.max, color);
        self.mesh
            .indices
            .extend_from_slice(&[at, at + 1, at + 2, at + 2, at + 1, at + 3]);
    }

    /// A straight line with hard edges, `half` wide to each side.
    pub fn hairline(&mut self, a: Pos2, b: Pos2, half: f32, color: Color32) {
        let way = b - a;
        let aside = vec2(-way.y, way.x) * (half / way.length().max(1e-6));
        let at = self.mesh.vertices.len() as u32;
        for pos in [a + aside, a - aside, b + aside, b - aside] {
            self.vertex(pos, color);
        }
        self.mesh
            .indices
            .extend_from_slice(&[at, at + 1, at + 2, at + 2, at + 1, at + 3]);
    }

    /// A line through points, `half` wide to each side.
    pub fn line(&mut self, points: &[Pos2], half: f32, color: Color32) {
        if points.len() < 2 {
            return;
        }
        let soft = self.pixel / 2.0;
        // A line thinner than a pixel is a pixel wide and fainter.
        let (half, color) = if half < soft {
            (soft, color.gamma_multiply(half / soft))
        } else {
            (half, color)
        };
        let first = self.mesh.vertices.len() as u32;
        for (n, &point) in points.iter().enumerate() {
            let before = points[n.saturating_sub(1)];
            let after = points[(n + 1).min(points.len() - 1)];
            let way = (after - before).normalized();
            let aside = vec2(-way.y, way.x);
            for (reach, color) in [
                (-(half + soft), Color32::TRANSPARENT),
                (-(half - soft), color),
                (half - soft, color),
                (half + soft, Color32::TRANSPARENT),
            ] {
                self.vertex(point + aside * reach, color);
            }
        }
        for n in 0..points.len() as u32 - 1 {
            let at = first + n * 4;
            for s in at..at + 3 {
                self.mesh
                    .indices
                    .extend_from_slice(&[s, s + 1, s + 4, s + 4, s + 1, s + 5]);
            }
        }
    }

    /// The same, in dashes that are measured along the line, as far as it lies in `clip`: an edge may
    /// be a billion units long, and what is seen of it is not.
    pub fn dashed(
        &mut self,
        points: &[Pos2],
        half: f32,
        (dash, gap): (f32, f32),
        clip: Rect,
        color: Color32,
    ) {
        let clip = clip.expand(half + self.pixel);
        let (dash, period) = (f64::from(dash), f64::from(dash + gap));
        let mut part: Vec<Pos2> = Vec::with_capacity(points.len());
        let mut along = 0.0;
        for pair in points.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let length = f64::from(a.distance(b));
            let (start, end) = within(a, b, clip).map_or((0.0, 0.0), |(from, to)| {
                (f64::from(from) * length, f64::from(to) * length)
            });
            let at = |distance: f64| a + (b - a) * (distance / length) as f32;
            let mut dash_start = ((along + start) / period).floor() * period - along;
            while dash_start < end {
                let (from, to) = (dash_start.max(start), (dash_start + dash).min(end));
                if from < to {
                    if part.is_empty() {
                        part.push(at(from));
                    }
                    part.push(at(to));
                    let goes_on = end == length && dash_start + dash > length;
                    if !goes_on {
                        self.line(&part, half, color);
                        part.clear();
                    }
                }
                dash_start += period;
            }
            along += length;
        }
        self.line(&part, half, color);
    }

    /// A filled convex polygon, clockwise on the screen; `soft` is how wide its border fades.
    pub fn polygon(&mut self, points: &[Pos2], soft: f32, color: Color32) {
        let n = points.len() as u32;
        if n < 3 {
            return;
        }
        let first = self.mesh.vertices.len() as u32;
        for (i, &point) in points.iter().enumerate() {
            let before = points[(i + points.len() - 1) % points.len()];
            let after = points[(i + 1) % points.len()];
            let out = outward(before, point, after) * (soft / 2.0);
            self.vertex(point - out, color);
            self.vertex(point + out, Color32::TRANSPARENT);
        }
        for i in 1..n - 1 {
            self.mesh
                .indices
                .extend_from_slice(&[first, first + i * 2, first + (i + 1) * 2]);
        }
        for i in 0..n {
            let (a, b) = (first + i * 2, first + ((i + 1) % n) * 2);
            self.mesh
                .indices
                .extend_from_slice(&[a, a + 1, b, b, a + 1, b + 1]);
        }
    }

    /// A filled box with round corners.
    pub fn round_rect(&mut self, rect: Rect, radius: [f32; 4], color: Color32) {
        let (points, n) = round_points(rect, radius);
        self.polygon(&points[..n], self.pixel, color);
    }

    /// A soft shadow under a box with round corners.
    pub fn shadow(&mut self, rect: Rect, radius: f32, blur: f32, color: Color32) {
        let (points, n) = round_points(rect, [radius + blur / 2.0; 4]);
        self.polygon(&points[..n], blur * 2.0, color);
    }

    /// The outline of a box with round corners, `half` wide to each side of the border.
    pub fn ring(&mut self, rect: Rect, radius: f32, half: f32, color: Color32) {
        let (points, n) = round_points(rect, [radius; 4]);
        self.closed(&points[..n], half, color);
    }

    /// A closed line through points.
    pub fn closed(&mut self, points: &[Pos2], half: f32, color: Color32) {
        let soft = self.pixel / 2.0;
        let n = points.len() as u32;
        let first = self.mesh.vertices.len() as u32;
        for (i, &point) in points.iter().enumerate() {
            let before = points[(i + points.len() - 1) % points.len()];
            let after = points[(i + 1) % points.len()];
            let out = outward(before, point, after);
            for (reach, color) in [
                (-(half + soft), Color32::TRANSPARENT),
                (-(half - soft).max(0.0), color),
                ((half - soft).max(0.0), color),
                (half + soft, Color32::TRANSPARENT),
            ] {
                self.vertex(point + out * reach, color);
            }
        }
        for i in 0..n {
            let (a, b) = (first + i * 4, first + ((i + 1) % n) * 4);
            for s in 0..3 {
                self.mesh.indices.extend_from_slice(&[
                    a + s,
                    a + s + 1,
                    b + s,
                    b + s,
                    a + s + 1,
                    b + s + 1,
                ]);
            }
        }
    }
}

/// From where to where, in 0..=1, the way from `a` to `b` lies in a box.
pub fn within(a: Pos2, b: Pos2, clip: Rect) -> Option<(f32, f32)> {
    let (mut from, mut to) = (0.0_f32, 1.0_f32);
    for (start, way, min, max) in [
        (a.x, b.x - a.x, clip.min.x, clip.max.x),
        (a.y, b.y - a.y, clip.min.y, clip.max.y),
    ] {
        if way == 0.0 {
            if start < min || start > max {
                return None;
            }
            continue;
        }
        let (enters, leaves) = ((min - start) / way, (max - start) / way);
        from = from.max(enters.min(leaves));
        to = to.min(enters.max(leaves));
    }
    (from < to).then_some((from, to))
}

/// Outward direction at a corner of a clockwise polygon, long enough that both sides move by one.
fn outward(before: Pos2, at: Pos2, after: Pos2) -> Vec2 {
    let normal = |way: Vec2| {
        let way = way.normalized();
        vec2(way.y, -way.x)
    };
    let (a, b) = (normal(at - before), normal(after - at));
    let sum = a + b;
    let square = sum.length_sq();
    if square < 0.2 {
        // Nearly a turn back: a full mitre would be a spike.
        return a;
    }
    sum * (2.0 / square)
}

/// Corner points, clockwise from the top left; radii in the same order.
fn round_points(rect: Rect, radius: [f32; 4]) -> ([Pos2; 32], usize) {
    use std::f32::consts::FRAC_PI_2;
    let mut points = [Pos2::ZERO; 32];
    let mut n = 0;
    let corners = [
        (rect.left_top(), vec2(1.0, 1.0)),
        (rect.right_top(), vec2(-1.0, 1.0)),
        (rect.right_bottom(), vec2(-1.0, -1.0)),
        (rect.left_bottom(), vec2(1.0, -1.0)),
    ];
    for (c, (corner, inward)) in corners.into_iter().enumerate() {
        let r = radius[c].min(rect.width() / 2.0).min(rect.height() / 2.0);
        if r < 0.5 {
            points[n] = corner;
            n += 1;
            continue;
        }
        let steps = if r < 3.2 {
            1
        } else if r < 12.0 {
            4
        } else {
            7
        };
        let middle = corner + inward * r;
        // Clockwise: the top left arc runs from the left side to the top side.
        let start = std::f32::consts::PI + FRAC_PI_2 * c as f32;
        for step in 0..=steps {
            let angle = start + FRAC_PI_2 * step as f32 / steps as f32;
            let point = middle + Vec2::angled(angle) * r;
            // Arcs of a full half circle meet; two points in one place have no normal.
            if n > 0 && points[n - 1].distance_sq(point) < 1e-4 {
                continue;
            }
            points[n] = point;
            n += 1;
        }
    }
    if n > 1 && points[n - 1].distance_sq(points[0]) < 1e-4 {
        n -= 1;
    }
    (points, n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(draw: impl FnOnce(&mut Pen<'_>)) -> Mesh {
        let mut mesh = Mesh::default();
        draw(&mut Pen {
            mesh: &mut mesh,
            pixel: 1.0,
        });
        assert!(mesh.is_valid());
        assert!(mesh.vertices.iter().all(|v| v.pos.is_finite()));
        mesh
    }

    #[test]
    fn a_round_box_grows_by_half_a_pixel_at_most() {
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(200.0, 56.0));
        let mesh = drawn(|pen| pen.round_rect(rect, [8.0; 4], Color32::WHITE));
        let bounds = mesh.calc_bounds();
        assert!(rect.expand(0.51).contains_rect(bounds), "{bounds:?}");
        assert!(bounds.contains_rect(rect.expand(0.49)), "{bounds:?}");
    }

    #[test]
    fn degenerate_shapes_stay_finite() {
        let dot = pos2(5.0, 5.0);
        drawn(|pen| {
            pen.line(&[dot, dot, dot], 1.0, Color32::WHITE);
            pen.dashed(
                &[dot, dot],
                1.0,
                (4.0, 3.0),
                Rect::EVERYTHING,
                Color32::WHITE,
            );
            pen.hairline(dot, dot, 0.5, Color32::WHITE);
            pen.ring(Rect::from_min_max(dot, dot), 8.0, 1.0, Color32::WHITE);
            pen.polygon(&[dot, dot, dot], 1.0, Color32::WHITE);
        });
    }

    #[test]
    fn dashes_cover_their_share_of_the_line() {
        let points: Vec<Pos2> = (0..=50).map(|x| pos2(x as f32 * 2.0, 0.0)).collect();
        let (dash, clip) = ((6.0, 4.0), Rect::EVERYTHING);
        let mesh = drawn(|pen| pen.dashed(&points, 1.0, dash, clip, Color32::WHITE));
        let dashes = (0..100)
            .filter(|x| {
                let x = *x as f32 + 0.5;
                mesh.triangles().any(|t| {
                    let xs = t.map(|i| mesh.vertices[i as usize].pos.x);
                    let min = xs.into_iter().fold(f32::INFINITY, f32::min);
                    let max = xs.into_iter().fold(f32::NEG_INFINITY, f32::max);
                    min < x && x < max
                })
            })
            .count();
        assert_eq!(dashes, 60);
    }

    #[test]
    fn of_a_line_as_long_as_a_workfile_may_say_only_what_is_seen_is_dashed() {
        let clip = Rect::from_min_size(pos2(0.0, 0.0), vec2(1_000.0, 600.0));
        for far in [1e5, 1e7, 4e9] {
            let points = [pos2(-far, 300.0), pos2(-10.0, 300.0), pos2(far, 310.0)];
            let mesh = drawn(|pen| pen.dashed(&points, 1.0, (6.0, 4.0), clip, Color32::WHITE));
            assert!(mesh.vertices.len() < 1_000, "{}", mesh.vertices.len());
        }
    }
}

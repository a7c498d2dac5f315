//! A shape for each status, so that no status is told by colour alone.

use egui::{Color32, Pos2, Rect, Vec2, vec2};
use std::f32::consts::TAU;

use crate::model::NodeStatus;

use super::mesh::Pen;

/// Draws the sign of a status in a square of side `2 * r`. `turn` in 0..1 turns the running sign;
/// `None` is a status that is not known yet.
pub fn draw(
    pen: &mut Pen<'_>,
    middle: Pos2,
    r: f32,
    status: Option<NodeStatus>,
    turn: f32,
    color: Color32,
) {
    let half = (r * 0.15).max(pen.pixel * 0.6);
    let at = |x: f32, y: f32| middle + vec2(x, y) * r;
    match status {
        None => {
            for x in [-0.7, 0.0, 0.7] {
                disc(pen, at(x, 0.0), r * 0.18, color);
            }
        }
        Some(NodeStatus::Idle) => arc(pen, middle, r * 0.78, 0.0, 1.0, half, color),
        Some(NodeStatus::Waiting) => {
            for n in 0..6 {
                let start = n as f32 / 6.0;
                arc(pen, middle, r * 0.78, start, start + 0.1, half, color);
            }
        }
        Some(NodeStatus::Ready) => {
            arc(pen, middle, r * 0.82, 0.0, 1.0, half, color);
            disc(pen, middle, r * 0.34, color);
        }
        Some(NodeStatus::Running) => {
            arc(pen, middle, r * 0.8, turn, turn + 0.74, half * 1.15, color);
        }
        Some(NodeStatus::Ran) => {
            pen.line(
                &[at(-0.85, 0.05), at(-0.28, 0.62), at(0.85, -0.62)],
                half * 1.1,
                color,
            );
        }
        Some(NodeStatus::Failed) => {
            pen.line(&[at(-0.68, -0.68), at(0.68, 0.68)], half * 1.1, color);
            pen.line(&[at(-0.68, 0.68), at(0.68, -0.68)], half * 1.1, color);
        }
        Some(NodeStatus::Stopped) => {
            let square = Rect::from_center_size(middle, Vec2::splat(r * 1.3));
            pen.round_rect(square, [r * 0.2; 4], color);
        }
        Some(NodeStatus::Skipped) => {
            arc(pen, middle, r * 0.78, 0.0, 1.0, half, color);
            pen.line(&[at(-0.52, 0.52), at(0.52, -0.52)], half, color);
        }
        Some(NodeStatus::Interrupted) => {
            let square = Rect::from_center_size(middle, Vec2::splat(r * 1.3));
            pen.ring(square, r * 0.2, half, color);
        }
    }
}

/// A part of a circle, from and to in turns.
fn arc(pen: &mut Pen<'_>, middle: Pos2, r: f32, from: f32, to: f32, half: f32, color: Color32) {
    let n = ((to - from) * 24.0 * (r / 6.0).clamp(0.4, 2.0))
        .ceil()
        .max(3.0) as usize;
    let mut points = [Pos2::ZERO; 64];
    let n = n.min(points.len() - 1);
    for (i, point) in points[..=n].iter_mut().enumerate() {
        let angle = (from + (to - from) * i as f32 / n as f32) * TAU;
        *point = middle + Vec2::angled(angle) * r;
    }
    if to - from >= 1.0 {
        pen.closed(&points[..n], half, color);
    } else {
        pen.line(&points[..=n], half, color);
    }
}

fn disc(pen: &mut Pen<'_>, middle: Pos2, r: f32, color: Color32) {
    let square = Rect::from_center_size(middle, Vec2::splat(r * 2.0));
    pen.round_rect(square, [r; 4], color);
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::epaint::Mesh;

    #[test]
    fn every_status_has_a_shape_of_its_own() {
        use NodeStatus::*;
        let all = [
            None,
            Some(Idle),
            Some(Waiting),
            Some(Ready),
            Some(Running),
            Some(Ran),
            Some(Failed),
            Some(Stopped),
            Some(Skipped),
            Some(Interrupted),
        ];
        let mut seen: Vec<Mesh> = Vec::new();
        for status in all {
            let mut mesh = Mesh::default();
            let mut pen = Pen {
                mesh: &mut mesh,
                pixel: 1.0,
            };
            draw(&mut pen, Pos2::ZERO, 6.0, status, 0.0, Color32::WHITE);
            assert!(mesh.is_valid() && !mesh.is_empty());
            assert!(!seen.contains(&mesh), "{status:?} looks like another");
            seen.push(mesh);
        }
    }
}

//! Small icons, painted as strokes and fills so that they are crisp at every scale.
//!
//! Each is drawn in a unit square and placed on whole points. Unaware of what they mean.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};

use crate::model::NodeStatus;

/// An icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A flow: one node that leads to two.
    Flow,
    /// Something that starts by the clock.
    Clock,
    /// Something that watches.
    Eye,
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Run.
    Play,
    /// Resume.
    Resume,
    /// Stop.
    Stop,
    /// Undo.
    Undo,
    /// Redo.
    Redo,
    /// Search.
    Search,
    /// Opens downwards.
    ChevronDown,
    /// Opens to the right.
    ChevronRight,
    /// Close.
    Close,
    /// A status dot.
    Dot,
    /// Add.
    Plus,
    /// A warning.
    Warning,
    /// A problem.
    Error,
    /// News.
    Info,
    /// Copy.
    Copy,
    /// Wrapped lines.
    Wrap,
    /// Goes to the newest line.
    ToEnd,
    /// A node's status.
    Status(NodeStatus),
}

/// Paints an icon in the middle of `rect`, as large as its smaller side allows.
pub fn paint(painter: &Painter, rect: Rect, icon: Icon, colour: Color32) {
    let side = rect.width().min(rect.height());
    let origin = (rect.center() - Vec2::splat(side / 2.0)).round();
    let pen = Pen {
        painter,
        origin,
        side,
        stroke: Stroke::new((side / 11.0).max(1.2), colour),
        colour,
    };
    match icon {
        Icon::Status(status) => pen.status(status),
        _ => pen.plain(icon),
    }
}

struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    side: f32,
    stroke: Stroke,
    colour: Color32,
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> Pos2 {
        self.origin + vec2(x, y) * self.side
    }

    fn line(&self, points: &[(f32, f32)]) {
        let points = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        self.painter.add(Shape::line(points, self.stroke));
    }

    fn closed(&self, points: &[(f32, f32)]) {
        let points = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        self.painter.add(Shape::closed_line(points, self.stroke));
    }

    fn filled(&self, points: &[(f32, f32)]) {
        let points = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        self.painter
            .add(Shape::convex_polygon(points, self.colour, Stroke::NONE));
    }

    fn ring(&self, x: f32, y: f32, r: f32) {
        self.painter
            .circle_stroke(self.at(x, y), r * self.side, self.stroke);
    }

    fn disc(&self, x: f32, y: f32, r: f32) {
        self.painter
            .circle_filled(self.at(x, y), r * self.side, self.colour);
    }

    /// Part of a circle; angles in turns, clockwise from the right.
    fn arc(&self, x: f32, y: f32, r: f32, from: f32, to: f32) {
        let n = 20;
        let points: Vec<Pos2> = (0..=n)
            .map(|i| {
                let turn = from + (to - from) * i as f32 / n as f32;
                let (sin, cos) = (turn * std::f32::consts::TAU).sin_cos();
                self.at(x + r * cos, y + r * sin)
            })
            .collect();
        self.painter.add(Shape::line(points, self.stroke));
    }

    fn status(&self, status: NodeStatus) {
        match status {
            NodeStatus::Idle => self.ring(0.5, 0.5, 0.32),
            NodeStatus::Waiting => {
                self.ring(0.5, 0.5, 0.34);
                self.disc(0.5, 0.5, 0.1);
            }
            NodeStatus::Ready => {
                self.ring(0.5, 0.5, 0.36);
                self.line(&[(0.5, 0.3), (0.5, 0.5), (0.64, 0.6)]);
            }
            NodeStatus::Running => self.arc(0.5, 0.5, 0.36, 0.92, 1.66),
            NodeStatus::Ran => self.line(&[(0.18, 0.53), (0.41, 0.76), (0.83, 0.26)]),
            NodeStatus::Failed => {
                self.line(&[(0.24, 0.24), (0.76, 0.76)]);
                self.line(&[(0.76, 0.24), (0.24, 0.76)]);
            }
            NodeStatus::Stopped => {
                self.filled(&[(0.26, 0.26), (0.74, 0.26), (0.74, 0.74), (0.26, 0.74)]);
            }
            NodeStatus::Skipped => {
                self.ring(0.5, 0.5, 0.34);
                self.line(&[(0.27, 0.73), (0.73, 0.27)]);
            }
            NodeStatus::Interrupted => {
                self.closed(&[(0.26, 0.26), (0.74, 0.26), (0.74, 0.74), (0.26, 0.74)]);
            }
        }
    }

    fn plain(&self, icon: Icon) {
        match icon {
            Icon::Flow => {
                self.ring(0.2, 0.5, 0.11);
                self.ring(0.8, 0.22, 0.11);
                self.ring(0.8, 0.78, 0.11);
                self.line(&[(0.31, 0.46), (0.69, 0.26)]);
                self.line(&[(0.31, 0.54), (0.69, 0.74)]);
            }
            Icon::Clock => {
                self.ring(0.5, 0.5, 0.4);
                self.line(&[(0.5, 0.26), (0.5, 0.5), (0.66, 0.6)]);
            }
            Icon::Eye => {
                let lid = |way: f32| {
                    let n = 12;
                    let points: Vec<(f32, f32)> = (0..=n)
                        .map(|i| {
                            let x = i as f32 / n as f32;
                            (0.06 + 0.88 * x, 0.5 + way * 1.12 * x * (1.0 - x))
                        })
                        .collect();
                    self.line(&points);
                };
                lid(-1.0);
                lid(1.0);
                self.ring(0.5, 0.5, 0.13);
            }
            Icon::File => {
                self.closed(&[
                    (0.22, 0.1),
                    (0.58, 0.1),
                    (0.8, 0.32),
                    (0.8, 0.9),
                    (0.22, 0.9),
                ]);
                self.line(&[(0.57, 0.11), (0.57, 0.34), (0.79, 0.34)]);
            }
            Icon::Folder => self.closed(&[
                (0.1, 0.22),
                (0.4, 0.22),
                (0.5, 0.34),
                (0.9, 0.34),
                (0.9, 0.8),
                (0.1, 0.8),
            ]),
            Icon::Play => self.filled(&[(0.22, 0.12), (0.88, 0.5), (0.22, 0.88)]),
            Icon::Resume => {
                self.line(&[(0.2, 0.18), (0.2, 0.82)]);
                self.filled(&[(0.38, 0.18), (0.88, 0.5), (0.38, 0.82)]);
            }
            Icon::Stop => {
                self.filled(&[(0.18, 0.18), (0.82, 0.18), (0.82, 0.82), (0.18, 0.82)]);
            }
            Icon::Undo => {
                self.line(&[(0.36, 0.18), (0.14, 0.4), (0.36, 0.62)]);
                self.line(&[(0.15, 0.4), (0.6, 0.4)]);
                self.arc(0.6, 0.6, 0.2, -0.25, 0.25);
                self.line(&[(0.6, 0.8), (0.4, 0.8)]);
            }
            Icon::Redo => {
                self.line(&[(0.64, 0.18), (0.86, 0.4), (0.64, 0.62)]);
                self.line(&[(0.85, 0.4), (0.4, 0.4)]);
                self.arc(0.4, 0.6, 0.2, 0.25, 0.75);
                self.line(&[(0.4, 0.8), (0.6, 0.8)]);
            }
            Icon::Search => {
                self.ring(0.43, 0.43, 0.29);
                self.line(&[(0.65, 0.65), (0.88, 0.88)]);
            }
            Icon::ChevronDown => self.line(&[(0.24, 0.38), (0.5, 0.64), (0.76, 0.38)]),
            Icon::ChevronRight => self.line(&[(0.38, 0.24), (0.64, 0.5), (0.38, 0.76)]),
            Icon::Close => {
                self.line(&[(0.26, 0.26), (0.74, 0.74)]);
                self.line(&[(0.74, 0.26), (0.26, 0.74)]);
            }
            Icon::Dot => self.disc(0.5, 0.5, 0.5),
            Icon::Plus => {
                self.line(&[(0.5, 0.18), (0.5, 0.82)]);
                self.line(&[(0.18, 0.5), (0.82, 0.5)]);
            }
            Icon::Warning => {
                self.closed(&[(0.5, 0.12), (0.92, 0.86), (0.08, 0.86)]);
                self.line(&[(0.5, 0.4), (0.5, 0.6)]);
                self.disc(0.5, 0.73, 0.055);
            }
            Icon::Error => {
                self.ring(0.5, 0.5, 0.4);
                self.line(&[(0.5, 0.28), (0.5, 0.54)]);
                self.disc(0.5, 0.69, 0.06);
            }
            Icon::Info => {
                self.ring(0.5, 0.5, 0.4);
                self.line(&[(0.5, 0.46), (0.5, 0.72)]);
                self.disc(0.5, 0.31, 0.06);
            }
            Icon::Copy => {
                self.closed(&[(0.34, 0.34), (0.86, 0.34), (0.86, 0.9), (0.34, 0.9)]);
                self.line(&[
                    (0.2, 0.66),
                    (0.14, 0.66),
                    (0.14, 0.1),
                    (0.66, 0.1),
                    (0.66, 0.2),
                ]);
            }
            Icon::Wrap => {
                self.line(&[(0.1, 0.24), (0.9, 0.24)]);
                self.line(&[(0.1, 0.5), (0.72, 0.5)]);
                self.arc(0.72, 0.64, 0.14, -0.25, 0.25);
                self.line(&[(0.74, 0.78), (0.46, 0.78)]);
                self.line(&[(0.58, 0.66), (0.46, 0.78), (0.58, 0.9)]);
                self.line(&[(0.1, 0.78), (0.3, 0.78)]);
            }
            Icon::ToEnd => {
                self.line(&[(0.5, 0.12), (0.5, 0.66)]);
                self.line(&[(0.26, 0.44), (0.5, 0.68), (0.74, 0.44)]);
                self.line(&[(0.2, 0.88), (0.8, 0.88)]);
            }
            Icon::Status(_) => {}
        }
    }
}

/// The icon of the program's window, from `assets/icons/handmill.png`.
pub fn window_icon() -> Option<egui::IconData> {
    let bytes: &[u8] = include_bytes!("../../assets/icons/handmill.png");
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .ok()?;
    let mut rgba = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut rgba).ok()?;
    rgba.truncate(info.buffer_size());
    Some(egui::IconData {
        rgba,
        width: info.width,
        height: info.height,
    })
}

/// A square of `side` points round a middle.
pub fn square(center: Pos2, side: f32) -> Rect {
    Rect::from_center_size(pos2(center.x, center.y), Vec2::splat(side))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_window_has_its_own_icon() {
        let icon = super::window_icon().expect("decodes");
        assert_eq!((icon.width, icon.height), (256, 256));
        assert_eq!(icon.rgba.len(), 256 * 256 * 4);
    }
}

//! Boxes and lines on a sheet of pixels, with soft edges. Pure: for a picture that is painted on a thread
//! of its own. Unaware of what is painted.

use egui::epaint::ColorImage;
use egui::{Color32, Pos2, Rect, pos2, vec2};

use super::mesh::within;

/// A sheet under the brush; transparent where nothing was painted.
pub struct Sheet {
    w: usize,
    h: usize,
    pixels: Vec<Color32>,
}

impl Sheet {
    /// An empty one of this many pixels.
    pub fn new(w: usize, h: usize) -> Self {
        Self {
            w,
            h,
            pixels: vec![Color32::TRANSPARENT; w * h],
        }
    }

    /// What was painted.
    pub fn into_image(self) -> ColorImage {
        ColorImage::new([self.w, self.h], self.pixels)
    }

    /// Lays a colour over a pixel that it covers in part, 0 to 1.
    fn dab(&mut self, x: usize, y: usize, color: Color32, cover: f32) {
        let pixel = &mut self.pixels[y * self.w + x];
        let cover = (cover.clamp(0.0, 1.0) * 255.0) as u32;
        let part = |value: u8| u32::from(value) * cover / 255;
        let left = 255 - part(color.a());
        let mix = |new: u8, old: u8| (part(new) + u32::from(old) * left / 255).min(255) as u8;
        *pixel = Color32::from_rgba_premultiplied(
            mix(color.r(), pixel.r()),
            mix(color.g(), pixel.g()),
            mix(color.b(), pixel.b()),
            mix(color.a(), pixel.a()),
        );
    }

    /// A filled box.
    pub fn quad(&mut self, rect: Rect, color: Color32) {
        for (y, down) in cells(rect.min.y, rect.max.y, self.h) {
            for (x, across) in cells(rect.min.x, rect.max.x, self.w) {
                self.dab(x, y, color, across * down);
            }
        }
    }

    /// A straight line, `half` wide to each side.
    pub fn line(&mut self, a: Pos2, b: Pos2, half: f32, color: Color32) {
        let sheet = Rect::from_min_size(Pos2::ZERO, vec2(self.w as f32, self.h as f32));
        let Some((from, to)) = within(a, b, sheet.expand(half + 1.0)) else {
            return;
        };
        let (a, b) = (a + (b - a) * from, a + (b - a) * to);
        let way = b - a;
        let is_flat = way.x.abs() >= way.y.abs();
        let turn = |pos: Pos2| if is_flat { pos } else { pos2(pos.y, pos.x) };
        let (mut a, mut b) = (turn(a), turn(b));
        if a.x > b.x {
            std::mem::swap(&mut a, &mut b);
        }
        let long = b.x - a.x;
        if long < 1e-3 {
            return;
        }
        // How far the line reaches to each side, measured along a pixel's side.
        let reach = half * way.length() / long;
        let slope = (b.y - a.y) / long;
        let (n_along, n_across) = if is_flat {
            (self.w, self.h)
        } else {
            (self.h, self.w)
        };
        for (x, along) in cells(a.x, b.x, n_along) {
            let middle = (x as f32 + 0.5).clamp(a.x, b.x);
            let y = a.y + (middle - a.x) * slope;
            for (y, across) in cells(y - reach, y + reach, n_across) {
                let (x, y) = if is_flat { (x, y) } else { (y, x) };
                self.dab(x, y, color, along * across);
            }
        }
    }
}

/// Pixels of `0..n` that a stretch touches, each with the share of it that is covered.
fn cells(from: f32, to: f32, n: usize) -> impl Iterator<Item = (usize, f32)> {
    let (from, to) = (from.max(0.0), to.min(n as f32));
    let (first, last) = (from as usize, (to.ceil().max(0.0) as usize).min(n));
    (first..last).map(move |at| {
        let start = at as f32;
        (at, (to.min(start + 1.0) - from.max(start)).max(0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Color32 = Color32::RED;

    /// Whole pixels' worth of colour on a sheet.
    fn ink(sheet: &Sheet) -> f32 {
        let all = sheet.pixels.iter();
        all.map(|pixel| f32::from(pixel.a()) / 255.0).sum()
    }

    #[test]
    fn a_box_lays_as_much_colour_as_it_is_large() {
        for (min, size) in [
            (pos2(2.0, 3.0), vec2(4.0, 5.0)),
            (pos2(2.25, 3.75), vec2(4.5, 0.5)),
            (pos2(0.4, 0.4), vec2(0.2, 0.2)),
        ] {
            let mut sheet = Sheet::new(16, 16);
            sheet.quad(Rect::from_min_size(min, size), RED);
            let area = size.x * size.y;
            assert!(
                (ink(&sheet) - area).abs() < 0.1,
                "{} for {area}",
                ink(&sheet)
            );
        }
    }

    #[test]
    fn what_lies_on_the_sheet_in_part_or_not_at_all_is_cut() {
        let mut sheet = Sheet::new(8, 8);
        sheet.quad(Rect::from_min_max(pos2(-9.0, 4.0), pos2(99.0, 99.0)), RED);
        assert_eq!(ink(&sheet), 32.0);
        for (a, b) in [((-5.0, -5.0), (-1.0, 99.0)), ((20.0, 1.0), (90.0, 1.0))] {
            let before = ink(&sheet);
            sheet.line(pos2(a.0, a.1), pos2(b.0, b.1), 0.5, RED);
            assert_eq!(ink(&sheet), before);
        }
        sheet.line(pos2(-4e5, 1.5), pos2(4e5, 1.5), 0.5, RED);
        assert!((ink(&sheet) - 40.0).abs() < 1.0, "{}", ink(&sheet));
    }

    #[test]
    fn a_line_is_as_heavy_in_every_direction() {
        let middle = pos2(32.0, 32.0);
        for step in 0..24 {
            let angle = std::f32::consts::TAU * step as f32 / 24.0;
            let mut sheet = Sheet::new(64, 64);
            let end = middle + egui::Vec2::angled(angle) * 24.0;
            sheet.line(middle, end, 0.6, RED);
            let ink = ink(&sheet);
            assert!((ink - 28.8).abs() < 2.0, "{ink} at {angle}");
        }
        let mut sheet = Sheet::new(8, 8);
        sheet.line(middle, middle, 0.5, RED);
        assert_eq!(ink(&sheet), 0.0);
    }

    #[test]
    fn a_colour_covers_what_lay_there() {
        let mut sheet = Sheet::new(1, 1);
        let all = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        sheet.quad(all, RED);
        sheet.quad(all, Color32::BLUE);
        assert_eq!(sheet.into_image().pixels, [Color32::BLUE]);
    }
}

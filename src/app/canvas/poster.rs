//! The far picture of a very large flow, painted on a thread of its own and shown as one texture.
//!
//! A hundred thousand boxes are 20 MB of mesh in every frame; a texture is one box. While another is being
//! painted, the one before is shown where it belongs, moved and scaled with the camera. Unaware of what is
//! painted, which `far` knows.

use std::sync::Arc;

use egui::epaint::ColorImage;
use egui::{Color32, Pos2, TextureHandle, TextureOptions, pos2, vec2};

use crate::model::Rect;
use crate::runtime::Preview;

use super::camera::Camera;
use super::far::{Afar, Content};
use super::picture::Picture;
use super::raster::Sheet;
use super::scene::Visible;
use super::stage::Stage;
use crate::app::aside::Aside;

/// Nodes and edges in view up to which the far picture is a mesh: some 2 ms a frame.
pub const MESH_MAX: usize = 20_000;
/// How far it reaches beyond each side of the view, as a share of that: room for a hand that pans.
const MARGIN: f64 = 0.2;

/// What hangs, and what is being painted.
#[derive(Default)]
pub struct Poster {
    hung: Option<(TextureHandle, Content, Place)>,
    aside: Aside<Painted>,
}

/// Which part of the canvas it shows, and how large.
#[derive(Clone, Copy, PartialEq)]
struct Place {
    area: Rect,
    zoom: f32,
    /// Pixels of the screen per point.
    scale: f32,
}

struct Painted {
    image: ColorImage,
    content: Content,
    place: Place,
}

impl Place {
    /// The view and a margin; without that where the screen is as large as a texture may be.
    fn round(picture: &Picture<'_>) -> Self {
        let (seen, scale) = (&picture.seen, picture.ctx.pixels_per_point());
        let view = seen.camera.visible(seen.view);
        let side_max = picture.ctx.input(|input| input.max_texture_side) as f32;
        let longest = seen.view.size().max_elem() * scale;
        let margin = match longest * (1.0 + 2.0 * MARGIN as f32) < side_max {
            true => MARGIN,
            false => 0.0,
        };
        Self {
            area: Rect {
                x: view.x - view.w * margin,
                y: view.y - view.h * margin,
                w: view.w * (1.0 + 2.0 * margin),
                h: view.h * (1.0 + 2.0 * margin),
            },
            zoom: seen.camera.zoom,
            scale: scale.min(side_max / longest.max(1.0)),
        }
    }

    /// True when it shows all that `other` would, as sharply.
    fn serves(&self, picture: &Picture<'_>, other: &Self) -> bool {
        let view = picture.seen.camera.visible(picture.seen.view);
        self.zoom == other.zoom && self.scale == other.scale && self.area.encloses(&view)
    }
}

impl Poster {
    /// Hangs up what was painted last, and has it painted anew when it is not what is seen.
    pub fn paint(&mut self, picture: &Picture<'_>, stage: &Stage, preview: Option<&Arc<Preview>>) {
        if let Some(Painted {
            image,
            content,
            place,
        }) = self.aside.take()
        {
            let texture = match self.hung.take() {
                Some((mut texture, ..)) => {
                    texture.set(image, TextureOptions::LINEAR);
                    texture
                }
                None => picture
                    .ctx
                    .load_texture("far picture", image, TextureOptions::LINEAR),
            };
            self.hung = Some((texture, content, place));
        }
        let content = Content::of(picture, stage.generation);
        let place = Place::round(picture);
        let hangs = self
            .hung
            .as_ref()
            .is_some_and(|(_, of, hung)| *of == content && hung.serves(picture, &place));
        if !hangs && !self.aside.is_busy() {
            self.begin(picture, stage, preview.cloned(), content, place);
        }
        if let Some((texture, _, place)) = &self.hung {
            let mut rect = picture.seen.on_screen(place.area);
            if place.zoom == picture.seen.camera.zoom {
                // Pixel on pixel, or all of it would blur.
                let to_pixel = |at: f32| (at * place.scale).round() / place.scale;
                let min = pos2(to_pixel(rect.min.x), to_pixel(rect.min.y));
                rect = egui::Rect::from_min_size(min, texture.size_vec2() / place.scale);
            }
            let whole = egui::Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
            picture
                .painter
                .image(texture.id(), rect, whole, Color32::WHITE);
        }
    }

    fn begin(
        &mut self,
        picture: &Picture<'_>,
        stage: &Stage,
        preview: Option<Arc<Preview>>,
        content: Content,
        place: Place,
    ) {
        let (scene, standing) = (stage.scene.clone(), stage.standing.clone());
        let (selection, shift) = (picture.seen.selection.clone(), picture.seen.shift.cloned());
        let theme = picture.theme.clone();
        self.aside.begin(picture.ctx, "handmill-far", move || {
            let zoom = place.zoom * place.scale;
            let pixels = |length: f64| (length * f64::from(zoom)).ceil().max(1.0) as usize;
            let (w, h) = (pixels(place.area.w), pixels(place.area.h));
            let mut visible = Visible::default();
            let mut scratch = Default::default();
            scene.visible(place.area, shift.as_ref(), &mut scratch, &mut visible);
            let mut sheet = Sheet::new(w, h);
            let afar = Afar {
                scene: &scene,
                standing: &standing,
                selection: &selection,
                shift: shift.as_ref(),
                preview: preview
                    .as_ref()
                    .and_then(|preview| preview.nodes.as_ref().ok()),
                theme: &theme,
                camera: Camera {
                    origin: place.area.corner(),
                    zoom,
                },
                view: egui::Rect::from_min_size(Pos2::ZERO, vec2(w as f32, h as f32)),
                point: place.scale,
            };
            afar.plot(&visible, &mut sheet);
            Painted {
                image: sheet.into_image(),
                content,
                place,
            }
        });
    }
}

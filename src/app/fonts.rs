//! The faces of the window: Inter and JetBrains Mono from `assets/fonts`, egui's own for emoji,
//! and a CJK face of the system when it has one.
//!
//! Inter is shipped with tabular figures as its default, so numbers keep their width.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

const INTER: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.otf");
const INTER_SEMIBOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.otf");
const MONO: &[u8] = include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf");

/// Where systems keep a face with Chinese, Japanese and Korean letters; the first found serves.
const CJK_PATHS: &[&str] = &[
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/wenquanyi/wqy-microhei/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/droid/DroidSansFallback.ttf",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "C:\\Windows\\Fonts\\msyh.ttc",
    "C:\\Windows\\Fonts\\YuGothR.ttc",
    "C:\\Windows\\Fonts\\malgun.ttf",
];

/// The faces, with a CJK face behind them when one was found.
pub fn definitions(cjk: Option<Vec<u8>>) -> FontDefinitions {
    // egui's own faces stay behind ours: they have the emoji.
    let mut fonts = FontDefinitions::default();
    let faces = [
        ("Inter", INTER),
        ("Inter SemiBold", INTER_SEMIBOLD),
        ("JetBrains Mono", MONO),
    ];
    for (name, bytes) in faces {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let mut behind: Vec<String> = fonts
        .families
        .get(&FontFamily::Proportional)
        .cloned()
        .unwrap_or_default();
    if let Some(bytes) = cjk {
        fonts
            .font_data
            .insert("CJK".to_owned(), Arc::new(FontData::from_owned(bytes)));
        behind.push("CJK".to_owned());
    }
    let families = [
        (FontFamily::Proportional, vec!["Inter"]),
        (
            FontFamily::Name("semibold".into()),
            vec!["Inter SemiBold", "Inter"],
        ),
        (FontFamily::Monospace, vec!["JetBrains Mono", "Inter"]),
    ];
    for (family, first) in families {
        let mut names: Vec<String> = first.into_iter().map(str::to_owned).collect();
        names.extend(behind.iter().cloned());
        fonts.families.insert(family, names);
    }
    fonts
}

/// Looks for a CJK face on the system, on a thread of its own, and adds it when there is one.
pub fn add_cjk_later(ctx: &egui::Context) {
    let ctx = ctx.clone();
    let spawned = std::thread::Builder::new()
        .name("handmill-fonts".to_owned())
        .spawn(move || {
            let found = CJK_PATHS.iter().find_map(|path| std::fs::read(path).ok());
            if let Some(bytes) = found {
                ctx.set_fonts(definitions(Some(bytes)));
                ctx.request_repaint();
            }
        });
    // Without a thread there is no CJK face, and everything else goes on.
    drop(spawned);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::theme::{regular, semibold};

    #[test]
    fn digits_keep_their_width_and_every_face_is_ours() {
        let ctx = egui::Context::default();
        ctx.set_fonts(definitions(None));
        let mut out = ctx.run_ui(egui::RawInput::default(), |_| {});
        out.textures_delta.clear();
        ctx.fonts_mut(|fonts| {
            for font in [regular(13.0), regular(11.5)] {
                let widths: Vec<f32> = ('0'..='9').map(|c| fonts.glyph_width(&font, c)).collect();
                assert!(widths.iter().all(|w| *w == widths[0]), "{widths:?}");
            }
            for glyph in ['⇧', '⌘', '→', '…', '·', '×', '✓'] {
                assert!(fonts.has_glyph(&regular(13.0), glyph), "{glyph}");
                assert!(fonts.has_glyph(&semibold(13.0), glyph), "{glyph}");
            }
        });
    }
}

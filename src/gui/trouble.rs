//! What is said when no window can be had: one sentence, the package to install, and the way that
//! works without one.

use std::io::Write;

/// Prints why there is no window.
pub fn tell(why: &str) {
    // Nobody can be told when standard error is closed.
    writeln!(
        std::io::stderr(),
        "handmill: {}.",
        why.trim_end_matches('.')
    )
    .ok();
}

/// Libraries that the window system opens when it needs them, and the Debian package of each. The
/// first is looked for because its absence ends the program instead of giving an error.
const LIBRARIES: [(&str, &str); 6] = [
    ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    ("libX11-xcb.so.1", "libx11-xcb1"),
    ("libXcursor.so.1", "libxcursor1"),
    ("libXi.so.6", "libxi6"),
    ("libGL.so.1", "libgl1"),
    ("libEGL.so.1", "libegl1"),
];

/// Says which package is missing before the window system finds out the hard way.
pub fn look_for_libraries() -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !set("DISPLAY") && !set("WAYLAND_DISPLAY") && !set("WAYLAND_SOCKET") {
        return Err(NO_DISPLAY.to_owned());
    }
    if set("WAYLAND_DISPLAY") || set("WAYLAND_SOCKET") {
        return Ok(());
    }
    let missing: Vec<&str> = LIBRARIES
        .iter()
        .filter(|(file, _)| !is_installed(file))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the window needs libraries that are not installed; install them with `sudo apt install {}`",
        missing.join(" ")
    ))
}

const NO_DISPLAY: &str = "there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set); \
                          start it from a desktop, or run a flow without a window: `handmill run FLOW`";

/// True when the loader would find it. A folder it looks in and we do not know of counts as found,
/// so that an unusual machine is never refused.
fn is_installed(file: &str) -> bool {
    let usual = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"];
    let arch = format!("{}-linux-gnu", std::env::consts::ARCH);
    if std::env::var_os("LD_LIBRARY_PATH").is_some() {
        return true;
    }
    let mut folders = usual.iter().flat_map(|dir| {
        [
            std::path::PathBuf::from(dir),
            std::path::Path::new(dir).join(&arch),
        ]
    });
    let is_debian = std::path::Path::new("/etc/debian_version").exists();
    !is_debian || folders.any(|dir| dir.join(file).exists())
}

/// Why the window system gave no window, in our words.
pub fn no_window(why: &eframe::Error) -> String {
    let text = why.to_string();
    if text.contains("DISPLAY is set") {
        return NO_DISPLAY.to_owned();
    }
    if text.contains("open connection to X server") || text.contains("XOpenDisplay") {
        let display = std::env::var("DISPLAY").unwrap_or_default();
        return format!(
            "the display {display} does not answer; start a desktop, or use `handmill run FLOW` without one"
        );
    }
    if text.contains("glutin") || text.contains("GL") {
        // The window system's text goes on with every setting it asked for.
        let cause = text.split([' ', ':']).take(6).collect::<Vec<_>>().join(" ");
        return format!(
            "OpenGL cannot be had ({cause}); install it with `sudo apt install libgl1 libegl1 libgl1-mesa-dri`"
        );
    }
    format!("no window can be opened: {text}")
}

//! The desktop's own file dialogs, through `rfd`, each on a thread of its own.

use std::time::Duration;

use rfd::FileDialog;

use super::ports::{Ask, Desktop, Picked};

/// No person closes a dialog this fast: an answer before it means that there was no dialog.
const TOO_FAST: Duration = Duration::from_millis(250);

/// The desktop this program runs on.
pub struct NativeDesktop;

impl Desktop for NativeDesktop {
    fn ask(&self, ask: Ask, reply: Box<dyn FnOnce(Picked) + Send>) {
        if !has_dialogs() {
            reply(Picked::Unavailable);
            return;
        }
        let spawned = std::thread::Builder::new()
            .name("handmill-dialog".to_owned())
            .spawn(move || reply(pick(&ask)));
        // Without a thread there is no dialog and no answer: the window goes on as it was.
        drop(spawned);
    }
}

fn pick(ask: &Ask) -> Picked {
    let began = crate::runtime::now();
    let workfiles = ["graphml", "wf"];
    let path = match ask {
        Ask::OpenFile => FileDialog::new()
            .set_title("Open workfile")
            .add_filter("Workfiles", &workfiles)
            .add_filter("All files", &["*"])
            .pick_file(),
        Ask::OpenFolder => FileDialog::new()
            .set_title("Choose collection")
            .pick_folder(),
        Ask::WorkspaceFolder => FileDialog::new()
            .set_title("Set up a workspace in a folder")
            .pick_folder(),
        Ask::SaveFile(start) => {
            let mut dialog = FileDialog::new()
                .set_title("Save as")
                .add_filter("Workfiles", &workfiles);
            if let Some(folder) = start.parent() {
                dialog = dialog.set_directory(folder);
            }
            if let Some(name) = start.file_name() {
                dialog = dialog.set_file_name(name.to_string_lossy());
            }
            dialog.save_file()
        }
    };
    match path {
        Some(path) => Picked::Path(path),
        // Without a portal and without zenity, rfd answers at once as if it had been closed.
        None if crate::runtime::now().since(began) < TOO_FAST => Picked::Unavailable,
        None => Picked::Cancelled,
    }
}

/// False when it is plain that no dialog can come.
fn has_dialogs() -> bool {
    if cfg!(target_os = "linux") {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        return set("DBUS_SESSION_BUS_ADDRESS") || set("XDG_RUNTIME_DIR") || set("WAYLAND_DISPLAY");
    }
    true
}

//! The window put together: the real runtime, saver, watcher, settings and file dialogs behind the
//! ports of [`crate::app`], and what is said when no window can be had.
//!
//! Called by `main.rs` only; the one place that knows both sides.

mod files;
mod memory;
mod trouble;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use crate::app::ports::{Engine, HealthLook, Memory, ResourceDesk};
use crate::app::{App, NativeDesktop, Ports};
use crate::model::{Flow, Node, Notice, ResourceName, Timestamp, Wrapper};
use crate::runtime::resources::{Keep, ResourceView, Resources};
use crate::runtime::{self, Board, Config, Order, Processes, Runtime, RuntimeHandle};
use crate::store::{self, Home};

/// Opens the window on a workfile, a collection, or whatever was open last; `collection` is used
/// this once. Gives back when the
/// window has closed, every run is over and everything is stored.
pub fn window(path: Option<PathBuf>, collection: Option<PathBuf>) -> ExitCode {
    match open(path, collection.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            trouble::tell(&why);
            ExitCode::from(2)
        }
    }
}

fn open(path: Option<PathBuf>, collection: Option<&Path>) -> Result<(), String> {
    let home = Home::from_env().map_err(|why| why.to_string())?;
    let memory = memory::Kept::load(&home, collection);
    let mut workfiles = Vec::new();
    if let Some(path) = path {
        let path = std::path::absolute(&path).unwrap_or(path);
        match what_is(&path)? {
            Named::Workfile => workfiles.push(path),
            Named::Collection if collection.is_some() => {
                return Err(format!(
                    "a folder and --collection name two collections; leave one out: {}",
                    path.display()
                ));
            }
            Named::Collection => memory.use_collection(path),
        }
    }
    trouble::look_for_libraries()?;
    let context: Arc<OnceLock<egui::Context>> = Arc::default();
    let wake = waker(&context);
    let remembered = memory.load();
    let runtime = Runtime::start(Config {
        home: home.clone(),
        face: "window",
        manner: remembered.settings.manner(),
        processes: match std::env::current_exe() {
            Ok(binary) => Processes::Sitter(binary),
            // Its file is gone; what runs is held here then.
            Err(_) => Processes::Own,
        },
        control: crate::runtime::control::Setup::default(),
        wake: Some(Box::new(waker(&context))),
        events: None,
    })
    .map_err(|why| format!("failed to start the runtime: {why}"))?;
    // Also of flows that no tab shows: what a window left goes on in sight.
    runtime.handle().send(Order::AdoptRuns);
    for warning in memory.warnings() {
        runtime.handle().send(Order::Tell(crate::model::Notice::new(
            crate::model::Level::Warning,
            warning,
            "",
        )));
    }
    let files = files::Files::start(home.clone(), wake)
        .map_err(|why| format!("failed to start the saver: {why}"))?;
    let ports = Ports {
        engine: Box::new(RealEngine(runtime.handle(), home)),
        files: Box::new(files),
        memory: Box::new(memory),
        desktop: Box::new(NativeDesktop),
    };
    let icon = crate::app::window_icon();
    let size = remembered.layout.window;
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("Handmill")
        .with_app_id("handmill")
        .with_inner_size(size)
        .with_min_inner_size([480.0, 320.0])
        .with_maximized(remembered.layout.maximized);
    if let Some(icon) = icon {
        viewport = viewport.with_icon(icon);
    }
    let options = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        ..Default::default()
    };
    let make: eframe::AppCreator<'_> = Box::new(move |cc| {
        // Set once: there is one window.
        context.set(cc.egui_ctx.clone()).ok();
        Ok(Box::new(App::new(&cc.egui_ctx, ports, workfiles)))
    });
    let shown = eframe::run_native("handmill", options, make);
    // Also when the window never came: nothing runs then, and this ends at once.
    runtime.handle().send(Order::ShutDown);
    runtime.join();
    shown.map_err(|why| trouble::no_window(&why))
}

fn waker(context: &Arc<OnceLock<egui::Context>>) -> impl Fn() + Send + Sync + 'static {
    let context = context.clone();
    move || {
        if let Some(context) = context.get() {
            context.request_repaint();
        }
    }
}

enum Named {
    Workfile,
    Collection,
}

fn what_is(path: &Path) -> Result<Named, String> {
    if path.is_dir() {
        return Ok(Named::Collection);
    }
    if path.is_file() {
        return Ok(Named::Workfile);
    }
    match store::locate(path) {
        Err(why) => Err(format!("{why}. {}", why.hint())),
        Ok(_) => Err(format!("no such file or folder: {}", path.display())),
    }
}

/// The runtime as the window sees it.
struct RealEngine(RuntimeHandle, Home);

impl Engine for RealEngine {
    fn send(&self, order: Order) {
        self.0.send(order);
    }

    fn board(&self) -> Arc<Board> {
        self.0.board()
    }

    fn now(&self) -> Timestamp {
        runtime::now()
    }

    fn boot(&self) -> runtime::control::Moment {
        runtime::boot()
    }

    fn health(&self) -> HealthLook {
        let home = self.1.clone();
        Box::new(move |collection| runtime::health::look(&home, collection))
    }

    fn resources(&self) -> Arc<dyn ResourceDesk> {
        Arc::new(RealResources(Resources::new(&self.1)))
    }

    fn command_line(&self, flow: &Flow, node: &Node) -> String {
        let shell = if flow.shell.is_empty() {
            "bash"
        } else {
            &flow.shell
        };
        let line = match &flow.wrapper {
            Some(wrapper) => wrapper.line(&node.command),
            None => node.command.clone(),
        };
        Wrapper::new(format!("{shell} -c {{}}")).line(&line)
    }
}

/// The resources of this machine as the window sees them.
struct RealResources(Resources);

impl ResourceDesk for RealResources {
    fn look(&self) -> Result<ResourceView, Notice> {
        self.0.look()
    }

    fn keep(&self, name: &ResourceName, keep: Keep) -> Result<(), Notice> {
        self.0.keep(name, keep)
    }

    fn remove(&self, name: &ResourceName) -> Result<(), Notice> {
        // That another process removed it meanwhile is what was wished.
        self.0.remove(name).map(drop)
    }
}

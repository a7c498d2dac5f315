//! Settings and layout, read once before the window and written by a thread of their own.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use crate::app::ports::Memory;
use crate::app::{Layout, Remembered, Settings as Shown, ThemeChoice};
use crate::model::Retention;
use crate::store::{Collection, CollectionSource, Home, Settings, Theme};

/// What the window remembers, over the settings file.
pub struct Kept {
    settings: RefCell<Settings>,
    /// The collection of this process, where the command line or the environment names it: used, and
    /// not remembered.
    named: RefCell<Option<PathBuf>>,
    warnings: Vec<String>,
    // Unbounded: the window hands over a change of a few kilobytes now and then.
    writes: Option<Sender<Settings>>,
    writer: Option<JoinHandle<()>>,
}

impl Kept {
    /// Reads the settings of this machine; nothing is written before something changes.
    pub fn load(home: &Home, collection: Option<&Path>) -> Self {
        let loading = Settings::load(home);
        let named = Collection::of_process(collection, &loading.settings)
            .filter(|chosen| chosen.source != CollectionSource::Settings)
            .map(|chosen| chosen.root);
        let (writes, inbox) = channel::<Settings>();
        let home = home.clone();
        let write = move || {
            while let Ok(mut settings) = inbox.recv() {
                // Only the newest matters.
                while let Ok(newer) = inbox.try_recv() {
                    settings = newer;
                }
                // The window goes on as it is; the next change is written again.
                settings.save(&home).ok();
            }
        };
        let writer = std::thread::Builder::new()
            .name("settings".to_owned())
            .spawn(write)
            .ok();
        Self {
            settings: RefCell::new(loading.settings),
            named: RefCell::new(named),
            warnings: loading.warnings,
            writes: Some(writes),
            writer,
        }
    }

    /// What was odd about the settings file.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// Shows this collection from now on.
    pub fn use_collection(&self, root: PathBuf) {
        self.settings.borrow_mut().collection = Some(root);
        *self.named.borrow_mut() = None;
    }
}

impl Memory for Kept {
    fn load(&self) -> Remembered {
        let settings = self.settings.borrow();
        let layout: Layout = serde_json::from_value(settings.layout.clone()).unwrap_or_default();
        let shown = Shown {
            theme: match settings.theme {
                Theme::System => ThemeChoice::System,
                Theme::Dark => ThemeChoice::Dark,
                Theme::Light => ThemeChoice::Light,
            },
            slots: settings.slots,
            grace_s: Some(settings.grace_seconds),
            shell: settings.shell.clone(),
            retention_days: Some(settings.retention_days),
            log_bytes_max: Some(settings.log_bytes_max),
            keep_results: settings.keep_results,
            collection: self.named.borrow().clone().or(settings.collection.clone()),
        };
        Remembered {
            settings: shown,
            layout,
        }
    }

    fn save(&self, remembered: &Remembered) {
        let mut settings = self.settings.borrow_mut();
        settings.theme = match remembered.settings.theme {
            ThemeChoice::System => Theme::System,
            ThemeChoice::Dark => Theme::Dark,
            ThemeChoice::Light => Theme::Light,
        };
        settings.slots = remembered.settings.slots;
        settings.grace_seconds = remembered
            .settings
            .grace_s
            .unwrap_or(Settings::default().grace_seconds);
        settings.shell.clone_from(&remembered.settings.shell);
        let usual = Retention::default();
        settings.retention_days = remembered.settings.retention_days.unwrap_or(usual.days);
        settings.log_bytes_max = remembered
            .settings
            .log_bytes_max
            .unwrap_or(usual.log_bytes_max);
        settings.keep_results = remembered.settings.keep_results;
        let mut named = self.named.borrow_mut();
        if named.is_none() || *named != remembered.settings.collection {
            // Another was chosen in the window, and that is what is meant from now on.
            *named = None;
            settings
                .collection
                .clone_from(&remembered.settings.collection);
        }
        settings.layout = serde_json::to_value(&remembered.layout).unwrap_or_default();
        if let Some(writes) = &self.writes {
            writes.send(settings.clone()).ok();
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.writes.take());
        if let Some(writer) = self.writer.take() {
            writer.join().ok();
        }
    }
}

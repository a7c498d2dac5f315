//! The operator's settings on this machine, as JSON, version 1.
//!
//! Reading is tolerant: a field that makes no sense falls back to its default with a warning, and
//! the file as it was is kept aside. Fields of newer versions survive a save by this one.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::disk::{self, DiskError, Expect};
use crate::model::Retention;

use super::{Home, StoreError};

const VERSION: u64 = 1;
const BYTES_MAX: u64 = 4 << 20;
/// Recent files remembered.
const RECENT_MAX: usize = 20;

/// Which colours the window wears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// What the system wears.
    #[default]
    System,
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

/// What the operator has set on this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Root of the collection; `None` when none is configured.
    pub collection: Option<PathBuf>,
    /// Which colours the window wears.
    pub theme: Theme,
    /// Nodes that may run at once in this process; `None` means as many as there are cores.
    pub slots: Option<u32>,
    /// Seconds between asking a process to end and killing it.
    pub grace_seconds: u32,
    /// The shell of flows that name none; empty means `bash` where it exists, else `sh`.
    pub shell: String,
    /// Days that an ended run is kept in the history; 0 keeps it for ever.
    pub retention_days: u32,
    /// Bytes that the logs of one workspace may take; 0 sets no bound.
    pub log_bytes_max: u64,
    /// The results of a run are written into its workfile, too.
    pub keep_results: bool,
    /// Window geometry and panes, as the window wants them back.
    pub layout: Value,
    /// Workfiles opened last, newest first.
    pub recent: Vec<PathBuf>,
    /// Fields that this version does not know.
    other: Map<String, Value>,
    version: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            collection: None,
            theme: Theme::default(),
            slots: None,
            grace_seconds: 5,
            shell: String::new(),
            retention_days: Retention::default().days,
            log_bytes_max: Retention::default().log_bytes_max,
            keep_results: false,
            layout: Value::Null,
            recent: Vec::new(),
            other: Map::new(),
            version: VERSION,
        }
    }
}

/// Settings as they were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loading {
    /// What was understood, defaults for the rest.
    pub settings: Settings,
    /// What was not, as sentences for the operator.
    pub warnings: Vec<String>,
}

impl Settings {
    /// The settings of this machine; defaults when there are none yet. Never fails: what cannot be
    /// read is told and kept aside.
    pub fn load(home: &Home) -> Loading {
        let path = home.settings_file();
        if let Some(dir) = path.parent() {
            // What a save left that was killed; when there is nothing to look at, there is none.
            disk::sweep_temps(dir).ok();
        }
        let (mut loading, understood) = Self::read(&path);
        if understood && !loading.warnings.is_empty() {
            loading.warnings.push(match disk::set_aside(&path, "bad") {
                Ok(aside) => format!("The settings file as it was is kept as {}", aside.display()),
                Err(why) => format!("The settings file could not be kept: failed to {why}"),
            });
        }
        loading
    }

    /// The settings of this machine, read without mending or moving anything.
    pub fn look(home: &Home) -> Loading {
        Self::read(&home.settings_file()).0
    }

    /// What the file says, and whether its bytes could be read at all.
    fn read(path: &Path) -> (Loading, bool) {
        match disk::read_with_stamp(path, BYTES_MAX) {
            Ok((bytes, _)) => (Self::from_json(&bytes), true),
            Err(why) if why.is_not_found() => (Loading::default(), false),
            Err(why) => {
                let loading = Loading {
                    warnings: vec![format!("Defaults are used: failed to {why}")],
                    ..Loading::default()
                };
                (loading, false)
            }
        }
    }

    /// How long runs and their logs are kept.
    pub fn retention(&self) -> Retention {
        Retention {
            days: self.retention_days,
            log_bytes_max: self.log_bytes_max,
        }
    }

    /// Writes the settings, whole or not at all.
    pub fn save(&self, home: &Home) -> Result<(), StoreError> {
        let path = home.settings_file();
        if let Some(dir) = path.parent() {
            disk::make_private_folder(dir)?;
        }
        let text = format!("{:#}\n", self.to_json());
        disk::replace(&path, text.as_bytes(), Expect::Anything)
            .map(drop)
            .map_err(DiskError::into)
    }

    /// Puts a workfile first among the recent ones.
    pub fn add_recent(&mut self, path: PathBuf) {
        self.recent.retain(|other| *other != path);
        self.recent.insert(0, path);
        self.recent.truncate(RECENT_MAX);
    }

    fn from_json(bytes: &[u8]) -> Loading {
        let mut fields = match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Fields {
                fields,
                warnings: Vec::new(),
            },
            Ok(_) => return Self::bad("it is not a JSON object".to_owned()),
            Err(why) => return Self::bad(why.to_string()),
        };
        let default = Self::default();
        let mut settings = Self {
            version: fields.take("version", VERSION).max(VERSION),
            collection: fields.take("collection", default.collection),
            theme: fields.take("theme", default.theme),
            slots: fields.take("slots", default.slots),
            grace_seconds: fields.take("grace_seconds", default.grace_seconds),
            shell: fields.take("shell", default.shell),
            retention_days: fields.take("retention_days", default.retention_days),
            log_bytes_max: fields.take("log_bytes_max", default.log_bytes_max),
            keep_results: fields.take("keep_results", default.keep_results),
            layout: fields.take("layout", default.layout),
            recent: fields.take("recent", default.recent),
            other: Map::new(),
        };
        if settings.slots == Some(0) {
            fields.warnings.push(
                "Setting slots is 0, which would run nothing; the number of cores is used"
                    .to_owned(),
            );
            settings.slots = None;
        }
        settings.recent.truncate(RECENT_MAX);
        settings.other = fields.fields;
        Loading {
            settings,
            warnings: fields.warnings,
        }
    }

    fn bad(why: String) -> Loading {
        Loading {
            settings: Self::default(),
            warnings: vec![format!(
                "The settings file cannot be read, defaults are used: {why}"
            )],
        }
    }

    fn to_json(&self) -> Value {
        // JSON holds text only: a path that is not UTF-8 works until the window closes.
        let text = |path: &PathBuf| path.to_str().map(str::to_owned);
        let known = json!({
            "version": self.version,
            "collection": self.collection.as_ref().and_then(text),
            "theme": self.theme,
            "slots": self.slots,
            "grace_seconds": self.grace_seconds,
            "shell": self.shell,
            "retention_days": self.retention_days,
            "log_bytes_max": self.log_bytes_max,
            "keep_results": self.keep_results,
            "layout": self.layout,
            "recent": self.recent.iter().filter_map(text).collect::<Vec<_>>(),
        });
        let mut all = self.other.clone();
        if let Value::Object(known) = known {
            all.extend(known);
        }
        Value::Object(all)
    }
}

struct Fields {
    fields: Map<String, Value>,
    warnings: Vec<String>,
}

impl Fields {
    fn take<T: DeserializeOwned>(&mut self, name: &str, default: T) -> T {
        let Some(value) = self.fields.remove(name) else {
            return default;
        };
        serde_json::from_value(value).unwrap_or_else(|why| {
            self.warnings.push(format!(
                "Setting {name} makes no sense, its default is used: {why}"
            ));
            default
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path().join("home"));
        (dir, home)
    }

    fn home_with(text: &str) -> (tempfile::TempDir, Home) {
        let (dir, home) = home();
        fs::create_dir(dir.path().join("home")).expect("mkdir");
        fs::write(home.settings_file(), text).expect("write");
        (dir, home)
    }

    #[test]
    fn no_settings_are_the_defaults_and_make_no_folder() {
        let (dir, home) = home();
        assert_eq!(Settings::load(&home), Loading::default());
        assert_eq!(fs::read_dir(dir.path()).expect("list").count(), 0);
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let (_dir, home) = home();
        let mut settings = Settings {
            collection: Some("/data/flows".into()),
            theme: Theme::Light,
            slots: Some(3),
            grace_seconds: 9,
            shell: "zsh".into(),
            retention_days: 30,
            log_bytes_max: 0,
            layout: json!({"sidebar": 240.0}),
            ..Settings::default()
        };
        settings.add_recent("/a".into());
        settings.add_recent("/b".into());
        settings.add_recent("/a".into());
        settings.save(&home).expect("save");
        let loading = Settings::load(&home);
        assert_eq!(loading.warnings, [""; 0]);
        assert_eq!(loading.settings, settings);
        assert_eq!(loading.settings.recent, [PathBuf::from("/a"), "/b".into()]);
    }

    #[test]
    fn fields_and_version_of_a_newer_handmill_survive() {
        let (_dir, home) = home_with(r#"{"version": 7, "hologram": {"on": true}, "slots": 2}"#);
        let loading = Settings::load(&home);
        assert_eq!(loading.settings.slots, Some(2));
        loading.settings.save(&home).expect("save");
        let text = fs::read_to_string(home.settings_file()).expect("read");
        let value: Value = serde_json::from_str(&text).expect("json");
        assert_eq!(value["hologram"]["on"], true);
        assert_eq!(value["version"], 7);
    }

    #[test]
    fn a_bad_field_costs_only_itself_and_the_file_is_kept() {
        let (_dir, home) = home_with(r#"{"theme": "plaid", "slots": 0, "grace_seconds": 2}"#);
        let loading = Settings::load(&home);
        assert_eq!(loading.settings.grace_seconds, 2);
        assert_eq!(loading.settings.theme, Theme::System);
        assert_eq!(loading.settings.slots, None);
        assert_eq!(loading.warnings.len(), 3, "{:?}", loading.warnings);
        let aside = home.settings_file().with_file_name("settings.bad-1.json");
        assert!(fs::read_to_string(aside).expect("kept").contains("plaid"));
    }

    #[test]
    fn a_file_that_is_no_settings_gives_defaults_and_is_kept() {
        for bad in ["", "{\"slots\": ", "[1]", "\0\u{1b}"] {
            let (_dir, home) = home_with(bad);
            let loading = Settings::load(&home);
            assert_eq!(loading.settings, Settings::default());
            assert_eq!(loading.warnings.len(), 2, "{:?}", loading.warnings);
            let aside = home.settings_file().with_file_name("settings.bad-1.json");
            assert_eq!(fs::read_to_string(aside).expect("kept"), bad);
        }
    }

    #[test]
    fn settings_that_are_a_folder_are_told_and_left() {
        let (_dir, home) = home();
        fs::create_dir_all(home.settings_file()).expect("mkdir");
        let loading = Settings::load(&home);
        assert_eq!(loading.settings, Settings::default());
        assert!(
            loading.warnings[0].contains("a folder"),
            "{:?}",
            loading.warnings
        );
        assert!(home.settings_file().is_dir());
    }
}

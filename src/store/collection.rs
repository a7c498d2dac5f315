//! Which folder is the collection: named on the command line, by the environment, or in the settings.

use std::ffi::OsString;
use std::path::{Path, PathBuf, absolute};

use super::Settings;

/// Names the collection root for one process, or for all that a shell starts.
pub const COLLECTION_VARIABLE: &str = "HANDMILL_COLLECTION";

/// A collection root and who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Absolute; it need not exist.
    pub root: PathBuf,
    /// Who named it.
    pub source: CollectionSource,
}

/// Who named the collection root, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CollectionSource {
    /// `--collection`.
    Flag,
    /// `HANDMILL_COLLECTION`.
    Variable,
    /// The settings of this machine.
    Settings,
}

impl CollectionSource {
    /// Its name, as a person knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flag => "--collection",
            Self::Variable => COLLECTION_VARIABLE,
            Self::Settings => "the settings",
        }
    }
}

impl Collection {
    /// The collection of this process; `None` when nobody named one.
    pub fn of_process(flag: Option<&Path>, settings: &Settings) -> Option<Self> {
        Self::choose(flag, std::env::var_os(COLLECTION_VARIABLE), settings)
    }

    /// The same, with the variable's value as argument. An empty one names nothing.
    pub fn choose(
        flag: Option<&Path>,
        variable: Option<OsString>,
        settings: &Settings,
    ) -> Option<Self> {
        let variable = variable.filter(|value| !value.is_empty());
        let (root, source) = match (flag, variable, &settings.collection) {
            (Some(root), _, _) => (root.to_owned(), CollectionSource::Flag),
            (None, Some(root), _) => (root.into(), CollectionSource::Variable),
            (None, None, Some(root)) => (root.clone(), CollectionSource::Settings),
            (None, None, None) => return None,
        };
        // Whoever uses it may stand in another working folder.
        let root = absolute(&root).unwrap_or(root);
        Some(Self { root, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_is_stronger_than_the_variable_and_that_than_the_settings() {
        let none = Settings::default();
        let mut set = none.clone();
        set.collection = Some("/set".into());
        let chosen = |flag: Option<&str>, variable: Option<&str>, settings| {
            let found =
                Collection::choose(flag.map(Path::new), variable.map(OsString::from), settings)?;
            Some((found.root.display().to_string(), found.source))
        };
        use CollectionSource as Source;
        let is = |root: &str, source| Some((root.to_owned(), source));
        assert_eq!(chosen(Some("/f"), Some("/v"), &set), is("/f", Source::Flag));
        assert_eq!(chosen(None, Some("/v"), &set), is("/v", Source::Variable));
        assert_eq!(chosen(None, Some(""), &set), is("/set", Source::Settings));
        assert_eq!(chosen(None, Some(""), &none), None);
    }

    #[test]
    fn a_relative_folder_is_where_the_process_was_started() {
        let found = Collection::choose(Some(Path::new("here")), None, &Settings::default());
        let here = std::env::current_dir()
            .expect("a working folder")
            .join("here");
        assert_eq!(found.expect("named").root, here);
    }
}

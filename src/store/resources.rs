//! The names of the resources of this machine, and where the value of each is kept. Never a value.
//!
//! `resources.json`, version 1, in the home: a resource belongs to the person at this machine, as an environment
//! variable does, and so do the names. Two workspaces that need two values use two names. A file of its own, not part
//! of `settings.json`: the window writes that from memory and would forget what the command line added meanwhile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError, LockFile, Locked};
use crate::model::{ResourceName, ResourceSource};

use super::{Home, StoreError};

const VERSION: u32 = 1;
const BYTES_MAX: u64 = 1 << 20;
/// Names remembered. Every look asks the keyring once for each.
pub const RESOURCES_MAX: usize = 500;

/// The names with the source of each.
pub type ResourceList = BTreeMap<ResourceName, ResourceSource>;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Listed {
    version: u32,
    resources: BTreeMap<String, String>,
}

/// The names that are listed; none when nothing was ever listed. A name or source that makes no sense is left out.
pub fn read_resources(home: &Home) -> Result<ResourceList, StoreError> {
    Ok(read(home)?.unwrap_or_default())
}

/// Lists a name with its source, or under another one; tells the source before.
pub fn list_resource(
    home: &Home,
    name: &ResourceName,
    source: ResourceSource,
) -> Result<Option<ResourceSource>, StoreError> {
    change(home, |list| {
        if list.len() >= RESOURCES_MAX && !list.contains_key(name) {
            return Err(StoreError::TooManyResources { max: RESOURCES_MAX });
        }
        Ok(list.insert(name.clone(), source))
    })
}

/// Takes a name from the list; tells its source.
pub fn unlist_resource(
    home: &Home,
    name: &ResourceName,
) -> Result<Option<ResourceSource>, StoreError> {
    if !read_resources(home)?.contains_key(name) {
        return Ok(None);
    }
    change(home, |list| Ok(list.remove(name)))
}

/// The list; `None` when there is a file that is none.
fn read(home: &Home) -> Result<Option<ResourceList>, StoreError> {
    let bytes = match disk::read_with_stamp(&home.resources_file(), BYTES_MAX) {
        Ok((bytes, _)) => bytes,
        Err(why) if why.is_not_found() => return Ok(Some(ResourceList::new())),
        Err(why) => return Err(why.into()),
    };
    let listed: Option<Listed> = serde_json::from_slice(&bytes).ok();
    let Some(listed) = listed.filter(|listed| listed.version <= VERSION) else {
        return Ok(None);
    };
    let understood = listed.resources.iter().filter_map(|(name, source)| {
        let name = ResourceName::new(name).ok()?;
        Some((name, ResourceSource::from_word(source)?))
    });
    Ok(Some(understood.collect()))
}

/// Reads, changes and writes the list while no other process does.
fn change<T>(
    home: &Home,
    edit: impl FnOnce(&mut ResourceList) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let path = home.resources_file();
    if let Some(dir) = path.parent() {
        disk::make_private_folder(dir)?;
    }
    let lock_path = path.with_extension("lock");
    let _lock = loop {
        match LockFile::try_acquire(&lock_path)? {
            Locked::Ours(lock) => break lock,
            Locked::Theirs => LockFile::wait_free(&lock_path)?,
        }
    };
    // A list that cannot be read just now is not written over.
    let mut list = match read(home)? {
        Some(list) => list,
        None => {
            disk::set_aside(&path, "bad")?;
            ResourceList::new()
        }
    };
    let told = edit(&mut list)?;
    let words = |(name, source): (&ResourceName, &ResourceSource)| {
        (name.as_str().to_owned(), source.word().to_owned())
    };
    let listed = Listed {
        version: VERSION,
        resources: list.iter().map(words).collect(),
    };
    let text = serde_json::to_vec_pretty(&listed)
        .map_err(|why| DiskError::io("write file", &path, why.into()))?;
    disk::replace_private(&path, &text)?;
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path().join("home"));
        (dir, home)
    }

    fn name(text: &str) -> ResourceName {
        ResourceName::new(text).expect("a name")
    }

    #[test]
    fn names_are_listed_listed_otherwise_and_taken_from_the_list() {
        let (_dir, home) = home();
        assert_eq!(read_resources(&home).expect("none"), ResourceList::new());
        assert!(!home.data_dir().exists(), "a look makes no home");
        let (keyring, environment) = (ResourceSource::Keyring, ResourceSource::Environment);
        assert_eq!(
            list_resource(&home, &name("B"), keyring).expect("new"),
            None
        );
        assert_eq!(
            list_resource(&home, &name("A"), keyring).expect("new"),
            None
        );
        let before = list_resource(&home, &name("B"), environment).expect("listed");
        assert_eq!(before, Some(keyring));
        let listed = read_resources(&home).expect("listed");
        assert_eq!(
            listed,
            [(name("A"), keyring), (name("B"), environment)].into()
        );
        assert_eq!(
            unlist_resource(&home, &name("A")).expect("gone"),
            Some(keyring)
        );
        assert_eq!(unlist_resource(&home, &name("A")).expect("was gone"), None);
        assert_eq!(read_resources(&home).expect("listed").len(), 1);
    }

    #[test]
    fn a_list_that_is_none_is_empty_and_kept_aside_by_the_next_change() {
        let (dir, home) = home();
        std::fs::create_dir(dir.path().join("home")).expect("mkdir");
        for bad in ["no JSON", r#"{"version": 9, "resources": {"A": "vault"}}"#] {
            std::fs::write(home.resources_file(), bad).expect("write");
            assert!(read_resources(&home).expect("read").is_empty());
        }
        list_resource(&home, &name("A"), ResourceSource::Keyring).expect("listed");
        let aside = home.resources_file().with_file_name("resources.bad-1.json");
        assert!(
            std::fs::read_to_string(aside)
                .expect("kept")
                .contains("vault")
        );
        let odd =
            r#"{"version": 1, "resources": {"2X": "keyring", "OK": "vault", "Z": "keyring"}}"#;
        std::fs::write(home.resources_file(), odd).expect("write");
        assert_eq!(read_resources(&home).expect("read").len(), 1);
    }

    #[test]
    fn the_list_has_a_bound() {
        let (_dir, home) = home();
        let full = |n: usize| name(&format!("R{n}"));
        std::fs::create_dir_all(home.data_dir()).expect("mkdir");
        let all = (0..RESOURCES_MAX).map(|n| (full(n).to_string(), "keyring".to_owned()));
        let listed = Listed {
            version: 1,
            resources: all.collect(),
        };
        let text = serde_json::to_vec(&listed).expect("json");
        std::fs::write(home.resources_file(), text).expect("write");
        let keyring = ResourceSource::Keyring;
        let told = list_resource(&home, &full(RESOURCES_MAX), keyring).expect_err("full");
        assert!(told.to_string().contains("500"), "{told}");
        list_resource(&home, &full(0), keyring).expect("it is in the list");
    }
}

//! Resources of this machine: which names there are, whether the value of each can be had now, and the value itself
//! for a run that needs it.
//!
//! A value comes from the keyring, else from the environment that Handmill was started with. Names are in the store,
//! values in the keyring. Everything here may wait for a person to unlock a keyring, though never for ever: not for the
//! window's thread.

use std::collections::BTreeSet;
use std::ffi::OsString;

use zeroize::Zeroizing;

use crate::model::{Flow, NodeId, Notice, ResourceName, ResourceSource, Secret, Secrets};
use crate::secrets::{KeyringError, Look, Patience, Patient, os_keyring};
use crate::store::{self, Home, ResourceList, StoreError};

/// How the keyring stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyringState {
    /// Values can be had and kept.
    Ready,
    /// It asks for its password first.
    Locked,
    /// There is none: why, and what to do.
    Absent(String, &'static str),
    /// There is one and it does not answer as it should: why, and what to do.
    Troubled(String, &'static str),
}

impl KeyringState {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Locked => "locked",
            Self::Absent(..) => "absent",
            Self::Troubled(..) => "troubled",
        }
    }

    /// How it stands, as one sentence without its stop.
    pub fn text(&self) -> &str {
        match self {
            Self::Ready => "The keyring can be reached",
            Self::Locked => "The keyring is locked",
            Self::Absent(why, _) | Self::Troubled(why, _) => why,
        }
    }

    /// What to do about it; empty when there is nothing to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Ready => "",
            Self::Locked => {
                "It asks for its password when a value is needed; or unlock it with your desktop's password manager."
            }
            Self::Absent(_, remedy) | Self::Troubled(_, remedy) => remedy,
        }
    }

    fn of(look: &Result<Look, KeyringError>) -> Self {
        match look {
            Ok(look) if look.is_locked => Self::Locked,
            Ok(_) => Self::Ready,
            Err(why) if why.is_absence() => Self::Absent(failed(why), why.hint()),
            Err(why) => Self::Troubled(failed(why), why.hint()),
        }
    }
}

/// Whether a value can be had now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Yes, from there.
    There(ResourceSource),
    /// The keyring has it, and asks for its password first.
    Locked,
    /// Nobody has it.
    Missing,
    /// The keyring should have it and cannot be asked.
    OutOfReach,
}

impl Standing {
    /// What it means, in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::There(ResourceSource::Keyring) => "in the keyring",
            Self::There(ResourceSource::Environment) => "in the environment",
            Self::Locked => "in the keyring, which is locked",
            Self::Missing => "missing",
            Self::OutOfReach => "out of reach with the keyring",
        }
    }
}

/// A name and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRow {
    /// The name.
    pub name: ResourceName,
    /// Where its value is kept, as the operator chose.
    pub source: ResourceSource,
    /// Whether it can be had now.
    pub standing: Standing,
}

/// All resources of this machine as they stand now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceView {
    /// The keyring.
    pub keyring: KeyringState,
    /// The names, sorted.
    pub rows: Vec<ResourceRow>,
}

/// What is to be kept under a name.
#[derive(Clone)]
pub enum Keep {
    /// This value, in the keyring.
    Value(Secret),
    /// The name only: its value comes from the environment.
    Environment,
}

/// What the nodes of a run may be given.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// The values.
    pub secrets: Secrets,
    /// Names that no node has in its environment unless it names them.
    pub hidden: BTreeSet<ResourceName>,
    /// What cannot be had, and why.
    pub missing: Vec<(ResourceName, Notice)>,
}

impl Gathered {
    /// Why a run cannot start; `None` when it can.
    pub fn refusal(&self) -> Option<Notice> {
        let (_, first) = self.missing.first()?;
        let names: Vec<&str> = self.missing.iter().map(|(name, _)| name.as_str()).collect();
        let what = format!(
            "The run was not started for want of {}. {}",
            names.join(", "),
            first.what
        );
        Some(Notice::error(what, first.hint.clone()))
    }
}

/// The names that these nodes of a flow need.
pub fn needed<'a>(
    flow: &Flow,
    nodes: impl IntoIterator<Item = &'a NodeId>,
) -> BTreeSet<ResourceName> {
    let nodes = nodes.into_iter().filter_map(|id| flow.graph.node(id));
    nodes
        .flat_map(|node| node.resources.iter().cloned())
        .collect()
}

/// The resources of this machine.
#[derive(Clone)]
pub struct Resources {
    home: Home,
    keyring: Patient,
    environment: fn(&str) -> Option<OsString>,
}

impl Resources {
    /// Those of a home, with the keyring of the system.
    pub fn new(home: &Home) -> Self {
        let keyring = os_keyring(&home.keyring_scope());
        Self {
            home: home.clone(),
            keyring: Patient::new(keyring, Patience::default()),
            environment: |name| std::env::var_os(name),
        }
    }

    /// Looks at all names, without unlocking anything.
    pub fn look(&self) -> Result<ResourceView, Notice> {
        let listed = self.listed()?;
        let look = self.keyring.look(listed.keys().cloned().collect());
        let rows = listed
            .into_iter()
            .map(|(name, source)| ResourceRow {
                standing: self.standing(&name, source, &look),
                name,
                source,
            })
            .collect();
        Ok(ResourceView {
            keyring: KeyringState::of(&look),
            rows,
        })
    }

    /// The value of a resource; a locked keyring is unlocked for it. The error names it and says what to do.
    pub fn find(&self, name: &ResourceName) -> Result<Secret, Notice> {
        self.find_unless(name, &mut None)
    }

    /// The same, but for a keyring that was asked in vain.
    fn find_unless(
        &self,
        name: &ResourceName,
        in_vain: &mut Option<KeyringError>,
    ) -> Result<Secret, Notice> {
        let source = self.listed()?.get(name).copied();
        let kept = match (source, &in_vain) {
            (Some(ResourceSource::Environment), _) => Ok(None),
            (_, Some(why)) => Err(why.clone()),
            _ => self.keyring.get(name.clone()),
        };
        if let Err(why @ (KeyringError::Silent(_) | KeyringError::Dismissed)) = &kept {
            *in_vain = Some(why.clone());
        }
        if let Ok(Some(secret)) = kept {
            return Ok(secret);
        }
        if let Some(value) = self.in_environment(name) {
            return value.map_err(|why| {
                let what = format!("Environment variable {name} cannot be a resource. {why}");
                Notice::error(what, "Start Handmill with another value.")
            });
        }
        match (kept, source) {
            // Where it is not listed nothing says that the keyring should have it.
            (Err(why), Some(_)) => {
                let what = format!("Resource {name} cannot be had. {}.", failed(&why));
                Err(Notice::error(what, why.hint()))
            }
            _ => Err(Notice::error(
                format!("There is no resource {name}."),
                format!(
                    "Keep one with `handmill resource set {name}` or in Settings, Resources; or start Handmill with it \
                     in the environment."
                ),
            )),
        }
    }

    /// What the nodes of a flow may be given: the values of `names`, those of `given` before all others. What cannot be
    /// had is told by name, with why. Once the keyring was asked in vain for a password it is not asked again.
    pub fn gather(&self, flow: &Flow, names: &BTreeSet<ResourceName>, given: &Secrets) -> Gathered {
        let mut gathered = Gathered::default();
        let mut in_vain = None;
        for name in names {
            if let Some(secret) = given.get(name) {
                gathered.secrets.insert(name.clone(), secret.clone());
                continue;
            }
            match self.find_unless(name, &mut in_vain) {
                Ok(secret) => gathered.secrets.insert(name.clone(), secret),
                Err(why) => gathered.missing.push((name.clone(), why)),
            }
        }
        // In the environment of Handmill a value would reach every node.
        let named = flow.graph.nodes().flat_map(|node| &node.resources);
        gathered.hidden.extend(named.cloned());
        gathered
            .hidden
            .extend(self.listed().unwrap_or_default().into_keys());
        gathered
    }

    /// Keeps a value, or only the name, in place of what was kept before.
    pub fn keep(&self, name: &ResourceName, keep: Keep) -> Result<(), Notice> {
        let source = match keep {
            Keep::Value(_) => ResourceSource::Keyring,
            Keep::Environment => ResourceSource::Environment,
        };
        // The name first: a kill in between then leaves a name whose value is missing, not a value without a name.
        let before =
            store::list_resource(&self.home, name, source).map_err(|why| unlisted(&why))?;
        let done = match keep {
            Keep::Value(secret) => self.keyring.set(name.clone(), secret),
            Keep::Environment if before == Some(ResourceSource::Keyring) => {
                self.keyring.remove(name.clone())
            }
            Keep::Environment => Ok(()),
        };
        done.map_err(|why| {
            let restored = match before {
                None => store::unlist_resource(&self.home, name),
                Some(before) => store::list_resource(&self.home, name, before),
            };
            let mut what = format!("Resource {name} was not kept. {}.", failed(&why));
            if let Err(why) = restored {
                what = format!("{what} Its name stays in the list: failed to {why}.");
            }
            Notice::error(what, why.hint())
        })
    }

    /// Forgets a name and its value; false when there is no such name.
    pub fn remove(&self, name: &ResourceName) -> Result<bool, Notice> {
        match self.listed()?.get(name) {
            None => return Ok(false),
            Some(ResourceSource::Environment) => {}
            Some(ResourceSource::Keyring) => {
                self.keyring.remove(name.clone()).map_err(|why| {
                    let what = format!("Resource {name} was not removed. {}.", failed(&why));
                    Notice::error(what, why.hint())
                })?;
            }
        }
        let was = store::unlist_resource(&self.home, name).map_err(|why| unlisted(&why))?;
        Ok(was.is_some())
    }

    fn listed(&self) -> Result<ResourceList, Notice> {
        store::read_resources(&self.home).map_err(|why| unlisted(&why))
    }

    fn standing(
        &self,
        name: &ResourceName,
        source: ResourceSource,
        look: &Result<Look, KeyringError>,
    ) -> Standing {
        let kept = source == ResourceSource::Keyring
            && look.as_ref().is_ok_and(|look| look.kept.contains(name));
        let is_locked = look.as_ref().is_ok_and(|look| look.is_locked);
        if kept && !is_locked {
            return Standing::There(ResourceSource::Keyring);
        }
        if kept {
            return Standing::Locked;
        }
        if matches!(self.in_environment(name), Some(Ok(_))) {
            return Standing::There(ResourceSource::Environment);
        }
        match (source, look) {
            (ResourceSource::Keyring, Err(_)) => Standing::OutOfReach,
            _ => Standing::Missing,
        }
    }

    fn in_environment(&self, name: &ResourceName) -> Option<Result<Secret, &'static str>> {
        let value = (self.environment)(name.as_str()).filter(|value| !value.is_empty())?;
        Some(match value.into_string() {
            Ok(text) => Secret::new(Zeroizing::new(text)),
            Err(_) => Err("The value is not UTF-8."),
        })
    }
}

fn failed(why: &KeyringError) -> String {
    format!("Failed to {why}")
}

fn unlisted(why: &StoreError) -> Notice {
    Notice::error(format!("Failed to {why}."), why.hint())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::MemoryKeyring;
    use std::sync::Arc;
    use std::time::Duration;

    struct Desk {
        _dir: tempfile::TempDir,
        keyring: Arc<MemoryKeyring>,
        resources: Resources,
    }

    /// Resources over a keyring in memory; the environment has `IN_ENV` and `SHORT`.
    fn desk() -> Desk {
        let dir = tempfile::tempdir().expect("temp dir");
        let keyring = Arc::new(MemoryKeyring::default());
        let patience = Patience {
            look: Duration::from_secs(20),
            person: Duration::from_millis(50),
        };
        let resources = Resources {
            home: Home::at(dir.path().join("home")),
            keyring: Patient::new(keyring.clone(), patience),
            environment: |name| match name {
                "IN_ENV" => Some("from the environment".into()),
                "SHORT" => Some("ab".into()),
                _ => None,
            },
        };
        Desk {
            _dir: dir,
            keyring,
            resources,
        }
    }

    fn name(text: &str) -> ResourceName {
        ResourceName::new(text).expect("a name")
    }

    fn value(text: &str) -> Keep {
        Keep::Value(Secret::new(Zeroizing::new(text.to_owned())).expect("a value"))
    }

    impl Desk {
        fn standings(&self) -> Vec<(String, Standing)> {
            let rows = self.resources.look().expect("seen").rows;
            let rows = rows.into_iter();
            rows.map(|row| (row.name.to_string(), row.standing))
                .collect()
        }

        fn find(&self, text: &str) -> Result<String, String> {
            let found = self.resources.find(&name(text));
            found
                .map(|secret| secret.reveal().to_owned())
                .map_err(|why| format!("{} {}", why.what, why.hint))
        }
    }

    #[test]
    fn the_keyring_comes_before_the_environment_unless_the_name_says_otherwise() {
        let desk = desk();
        assert_eq!(desk.find("IN_ENV").expect("there"), "from the environment");
        let told = desk.find("NOWHERE").expect_err("missing");
        assert!(told.contains("handmill resource set NOWHERE"), "{told}");
        desk.resources
            .keep(&name("IN_ENV"), value("from the keyring"))
            .expect("kept");
        assert_eq!(desk.find("IN_ENV").expect("there"), "from the keyring");
        desk.resources
            .keep(&name("IN_ENV"), Keep::Environment)
            .expect("kept");
        assert_eq!(desk.find("IN_ENV").expect("there"), "from the environment");
        assert!(desk.resources.remove(&name("IN_ENV")).expect("removed"));
        assert!(!desk.resources.remove(&name("IN_ENV")).expect("was removed"));
    }

    #[test]
    fn a_locked_keyring_is_seen_without_asking_and_given_up_when_nobody_opens_it() {
        let desk = desk();
        desk.resources
            .keep(&name("DB_URL"), value("postgres://"))
            .expect("kept");
        desk.resources
            .keep(&name("IN_ENV"), Keep::Environment)
            .expect("kept");
        desk.keyring.lock();
        let view = desk.resources.look().expect("seen");
        assert_eq!(view.keyring, KeyringState::Locked);
        let there = Standing::There(ResourceSource::Environment);
        let wanted = [
            ("DB_URL".to_owned(), Standing::Locked),
            ("IN_ENV".to_owned(), there),
        ];
        assert_eq!(desk.standings(), wanted);
        let told = desk.find("DB_URL").expect_err("silent");
        assert!(told.contains("look for its window"), "{told}");
        assert_eq!(desk.find("IN_ENV").expect("there"), "from the environment");
        desk.keyring.unlock();
        assert_eq!(desk.find("DB_URL").expect("open"), "postgres://");
    }

    #[test]
    fn without_a_keyring_the_environment_serves_and_nothing_is_listed_that_was_not_kept() {
        let desk = desk();
        desk.resources
            .keep(&name("IN_ENV"), value("from the keyring"))
            .expect("kept");
        desk.resources
            .keep(&name("DB_URL"), value("postgres://"))
            .expect("kept");
        desk.keyring.fail(KeyringError::NoBus);
        let told = desk
            .resources
            .keep(&name("NEW"), value("some value"))
            .expect_err("no keyring");
        assert!(
            told.what.contains("there is no D-Bus session"),
            "{}",
            told.what
        );
        assert!(told.hint.contains("environment variable"), "{}", told.hint);
        let there = Standing::There(ResourceSource::Environment);
        let out = Standing::OutOfReach;
        let wanted = [("DB_URL".to_owned(), out), ("IN_ENV".to_owned(), there)];
        assert_eq!(desk.standings(), wanted);
        assert_eq!(desk.find("IN_ENV").expect("there"), "from the environment");
        assert!(
            desk.find("DB_URL")
                .expect_err("out of reach")
                .contains("D-Bus")
        );
        desk.resources
            .remove(&name("DB_URL"))
            .expect_err("the value would stay behind");
        assert_eq!(desk.standings().len(), 2);
    }

    #[test]
    fn what_a_run_is_given_comes_first_and_what_it_lacks_is_named() {
        let desk = desk();
        let mut flow = Flow::default();
        for (id, names) in [
            ("a", "GIVEN, IN_ENV"),
            ("b", "LACKED"),
            ("c", "OTHER SHORT"),
        ] {
            let mut node = crate::model::Node::new(id, "true", crate::model::Point::default());
            node.resources = crate::model::parse_resources(names).0;
            flow.graph.add_node(node).expect("fresh id");
        }
        let mut given = Secrets::default();
        let Keep::Value(secret) = value("for this run") else {
            unreachable!()
        };
        given.insert(name("GIVEN"), secret);
        let nodes = ["a".into(), "b".into(), "c".into()];
        let gather = |nodes: &[NodeId]| desk.resources.gather(&flow, &needed(&flow, nodes), &given);
        let of_a = gather(&nodes[..1]);
        assert!(of_a.refusal().is_none());
        let found = |name_: &str| {
            of_a.secrets
                .get(&name(name_))
                .map(|s| s.reveal().to_owned())
        };
        assert_eq!(found("GIVEN").as_deref(), Some("for this run"));
        assert_eq!(found("IN_ENV").as_deref(), Some("from the environment"));
        assert_eq!(of_a.hidden.len(), 5, "also what only other nodes name");
        let all = gather(&nodes).refusal().expect("some are missing");
        assert!(all.what.contains("LACKED, OTHER, SHORT"), "{}", all.what);
    }

    #[test]
    fn a_value_of_the_environment_that_cannot_be_hidden_is_told() {
        let told = desk().find("SHORT").expect_err("short");
        assert!(
            told.contains("SHORT") && told.contains("shorter than 4 bytes"),
            "{told}"
        );
    }
}

//! Resources: what a run needs and nobody may store, such as passwords and connection strings. Their names are
//! written down everywhere, their values nowhere.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Longest name of a resource in bytes.
const NAME_MAX: usize = 128;
/// Shortest value in bytes. What is shorter cannot be hidden in what a node prints without making that unreadable.
pub const SECRET_MIN: usize = 4;
/// Longest value in bytes; an environment variable holds little more.
pub const SECRET_MAX: usize = 64 << 10;
/// What begins with this is Handmill's own.
const OWN_PREFIX: &str = "HANDMILL_";

/// The name of a resource, which is the name of the environment variable that a node finds it in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceName(Arc<str>);

impl ResourceName {
    /// A name; the error says as one sentence why the text is none.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut letters = text.chars();
        let first = letters.next();
        let is_name = first.is_some_and(|c| c == '_' || c.is_ascii_alphabetic())
            && letters.all(|c| c == '_' || c.is_ascii_alphanumeric());
        if !is_name {
            return Err(
                "A name is made of letters, digits and _, and begins with no digit.".to_owned(),
            );
        }
        if text.len() > NAME_MAX {
            return Err(format!("A name has {NAME_MAX} letters at most."));
        }
        if text.starts_with(OWN_PREFIX) {
            return Err(format!("Names with {OWN_PREFIX} are Handmill's own."));
        }
        Ok(Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for ResourceName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Names from text: separated by line ends, spaces or commas, each once. Gives what is no name as errors.
pub fn parse_resources(text: &str) -> (Vec<ResourceName>, Vec<String>) {
    let mut names = Vec::new();
    let mut bad = Vec::new();
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    for word in words.filter(|word| !word.is_empty()) {
        match ResourceName::new(word) {
            Ok(name) if names.contains(&name) => {}
            Ok(name) => names.push(name),
            Err(_) => bad.push(word.to_owned()),
        }
    }
    (names, bad)
}

/// Names as text that [`parse_resources`] reads, one per line.
pub fn resources_text(names: &[ResourceName]) -> String {
    let names: Vec<&str> = names.iter().map(ResourceName::as_str).collect();
    names.join("\n")
}

/// Resources with their values. Shown, it tells the names alone.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<ResourceName, Secret>);

impl Secrets {
    /// The value of a name.
    pub fn get(&self, name: &ResourceName) -> Option<&Secret> {
        self.0.get(name)
    }

    /// Adds a value, or puts it in the place of another.
    pub fn insert(&mut self, name: ResourceName, secret: Secret) {
        self.0.insert(name, secret);
    }

    /// All of them by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceName, &Secret)> {
        self.0.iter()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        let all = |secrets: &Self| -> Vec<(ResourceName, Secret)> {
            let pairs = secrets.iter();
            pairs
                .map(|(name, secret)| (name.clone(), secret.clone()))
                .collect()
        };
        let (ours, theirs) = (all(self), all(other));
        ours.len() == theirs.len()
            && ours
                .iter()
                .zip(&theirs)
                .all(|(a, b)| a.0 == b.0 && a.1.reveal() == b.1.reveal())
    }
}

impl Eq for Secrets {}

/// The value of a resource. It can be neither printed nor written by accident, and its memory is overwritten when
/// the last copy goes; copies share it.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// A value; the error says as one sentence why the text is none.
    pub fn new(text: Zeroizing<String>) -> Result<Self, &'static str> {
        match text.len() {
            0 => Err("The value is empty."),
            n if n < SECRET_MIN => {
                Err("The value is shorter than 4 bytes and could not be hidden in logs.")
            }
            n if n > SECRET_MAX => Err("The value is longer than 64 KiB."),
            _ if text.contains('\0') => {
                Err("The value holds a zero byte, which no environment variable can.")
            }
            _ => Ok(Self(Arc::new(text))),
        }
    }

    /// A value from bytes, which must be UTF-8.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, &'static str> {
        match String::from_utf8(bytes) {
            Ok(text) => Self::new(Zeroizing::new(text)),
            Err(why) => {
                drop(Zeroizing::new(why.into_bytes()));
                Err("The value is not UTF-8.")
            }
        }
    }

    /// The value itself: for the keyring, the environment of a node, and what hides it in output.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Where a value is kept, as the operator chose for its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceSource {
    /// In the keyring of the system.
    Keyring,
    /// Nowhere: Handmill finds it in its own environment.
    Environment,
}

impl ResourceSource {
    /// Its word, in files and for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Environment => "environment",
        }
    }

    /// The source with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Keyring, Self::Environment]
            .into_iter()
            .find(|source| source.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_an_environment_variable() {
        for name in ["A", "_", "DB_URL", "aws_key_2", &"x".repeat(NAME_MAX)] {
            assert_eq!(ResourceName::new(name).expect(name).as_str(), name);
        }
        let long = "x".repeat(NAME_MAX + 1);
        for bad in [
            "",
            "2A",
            "A B",
            "A=B",
            "A-B",
            "Ä",
            "A\n",
            "HANDMILL_TOKEN",
            &long,
        ] {
            let why = ResourceName::new(bad).expect_err(bad);
            assert!(why.ends_with('.'), "{why}");
        }
    }

    #[test]
    fn names_are_read_from_a_list_and_told_back_line_by_line() {
        let (names, bad) = parse_resources(" A, B\n2C A\n\nD");
        assert_eq!(bad, ["2C"]);
        assert_eq!(resources_text(&names), "A\nB\nD");
        assert_eq!(
            parse_resources(&resources_text(&names)),
            (names, Vec::new())
        );
    }

    #[test]
    fn a_value_that_no_variable_can_hold_or_no_log_can_hide_is_refused() {
        let secret = |text: &str| Secret::new(Zeroizing::new(text.to_owned()));
        assert_eq!(secret("tiny").expect("long enough").reveal(), "tiny");
        for bad in ["", "abc", "a\0bcd", &"x".repeat(SECRET_MAX + 1)] {
            assert!(secret(bad).is_err(), "{} bytes", bad.len());
        }
        assert!(Secret::from_bytes(b"\xff\xfe\xfd\xfc".to_vec()).is_err());
    }
}

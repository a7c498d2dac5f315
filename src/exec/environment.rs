//! The environment of processes, laid out once as the system takes it.
//!
//! A run's nodes share all but a handful of settings. Built anew for each process, as a map and from
//! there as a list, it cost 25 µs of the 850 that a short node takes.

use std::collections::HashSet;
use std::ffi::{CStr, CString, NulError, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, OnceLock};

/// Names the tenure of control under which a node runs. That of whoever started us is not ours to pass on; and what has
/// it runs only as long as whoever holds it knows until when it may.
pub(super) const EPOCH: &str = "HANDMILL_EPOCH";

/// Settings that many processes have in common. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment(Result<Arc<[CString]>, NulError>);

impl Default for Environment {
    /// Nothing is set.
    fn default() -> Self {
        Self(Ok(Arc::default()))
    }
}

impl Environment {
    /// That of this process as it was when it was first asked for.
    pub fn of_process() -> Self {
        static FOUND: OnceLock<Environment> = OnceLock::new();
        let ours = || std::env::vars_os().filter(|(name, _)| name != EPOCH);
        let found = FOUND.get_or_init(|| Self::new(ours()));
        found.clone()
    }

    /// Whether something of this name is set.
    pub(super) fn has(&self, name: &str) -> bool {
        let is_it = |setting: &CString| {
            let rest = setting.to_bytes().strip_prefix(name.as_bytes());
            rest.is_some_and(|rest| rest.starts_with(b"="))
        };
        self.0
            .as_ref()
            .is_ok_and(|settings| settings.iter().any(is_it))
    }

    /// Just these settings; of two with the same name the later one counts. A NUL character in one
    /// of them is told by the start of a process.
    pub fn new(settings: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self::default().with(settings)
    }

    /// This one with settings put on top.
    pub fn with(&self, settings: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let on_top: Result<Vec<CString>, NulError> = settings
            .into_iter()
            .map(|(name, value)| setting(&name, &value))
            .collect();
        Self(on_top.and_then(|on_top| {
            let merged = self.merged(&on_top)?;
            Ok(merged.into_iter().map(CStr::to_owned).collect())
        }))
    }

    /// This one without the settings of these names.
    pub fn without<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: HashSet<&str> = names.into_iter().collect();
        let stays = |setting: &&CString| {
            let bytes = setting.to_bytes();
            let end = bytes.iter().position(|byte| *byte == b'=');
            let name = end.and_then(|end| std::str::from_utf8(&bytes[..end]).ok());
            name.is_none_or(|name| !names.contains(name))
        };
        Self(match &self.0 {
            Ok(settings) => Ok(settings.iter().filter(stays).cloned().collect()),
            Err(why) => Err(why.clone()),
        })
    }

    /// Each setting as `NAME=value`, for another process; [`Environment::of_settings`] reads them.
    pub(super) fn settings(&self) -> Vec<OsString> {
        use std::os::unix::ffi::OsStringExt as _;
        match &self.0 {
            Ok(settings) => settings
                .iter()
                .map(|setting| OsString::from_vec(setting.to_bytes().to_vec()))
                .collect(),
            // It says so there as it would here.
            Err(_) => vec!["\0".into()],
        }
    }

    /// The environment of these settings.
    pub(super) fn of_settings(settings: Vec<OsString>) -> Self {
        let settings = settings.iter().map(|text| CString::new(text.as_bytes()));
        Self(settings.collect())
    }

    /// Its settings with others on top, each as `NAME=value`.
    pub(super) fn merged<'a>(&'a self, on_top: &'a [CString]) -> Result<Vec<&'a CStr>, NulError> {
        let base = self.0.as_ref().map_err(Clone::clone)?;
        let mut merged = Vec::with_capacity(base.len() + on_top.len());
        let is_replaced = |setting: &CStr, by: &[CString]| {
            let mut by = by.iter();
            by.any(|by| have_one_name(setting.to_bytes(), by.to_bytes()))
        };
        for setting in base.iter() {
            if !is_replaced(setting, on_top) {
                merged.push(setting.as_c_str());
            }
        }
        for (place, setting) in on_top.iter().enumerate() {
            if !is_replaced(setting, &on_top[place + 1..]) {
                merged.push(setting.as_c_str());
            }
        }
        Ok(merged)
    }
}

/// One setting as the system takes it.
pub(super) fn setting(name: &OsStr, value: &OsStr) -> Result<CString, NulError> {
    CString::new([name.as_bytes(), b"=", value.as_bytes()].concat())
}

/// Whether two settings have the same name: all before the first `=`, but for one at the very start.
/// Mostly their first letters tell.
fn have_one_name(one: &[u8], other: &[u8]) -> bool {
    let mut same = one
        .iter()
        .zip(other)
        .take_while(|(one, other)| one == other);
    same.next().is_some() && same.any(|(byte, _)| *byte == b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(OsString, OsString)> {
        text.split_whitespace()
            .filter_map(|pair| pair.split_once(':'))
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    #[test]
    fn the_later_setting_of_a_name_counts() {
        let base = Environment::new(pairs("A:1 AB:2 A:3 C:")).with(pairs("B:4 C:5"));
        let on_top: Vec<CString> = pairs("B:6 AB:7 B:8")
            .iter()
            .map(|(name, value)| setting(name, value).expect("no NUL"))
            .collect();
        let merged = base.merged(&on_top).expect("no NUL");
        assert_eq!(merged, [c"A=3", c"C=5", c"AB=7", c"B=8"]);
    }

    #[test]
    fn a_name_is_taken_out_whole() {
        let base = Environment::new(pairs("A:1 AB:2 B:A=3")).without(["A", "C"]);
        assert_eq!(base.merged(&[]).expect("no NUL"), [c"AB=2", c"B=A=3"]);
    }

    #[test]
    fn a_setting_is_found_by_its_whole_name() {
        let env = Environment::new(pairs("HANDMILL_EPOCHS:1 A:HANDMILL_EPOCH=2"));
        assert!(!env.has(EPOCH) && env.has("A"));
        assert!(env.with(pairs("HANDMILL_EPOCH:7")).has(EPOCH));
        assert!(!Environment::of_process().has(EPOCH));
    }

    #[test]
    fn a_name_may_begin_with_the_sign_that_ends_it() {
        assert!(have_one_name(b"=C:=x", b"=C:=y") && !have_one_name(b"=C:=x", b"=D:=x"));
        assert!(have_one_name(b"A=", b"A=1") && !have_one_name(b"A=", b"AB="));
    }
}

//! The processes of the machine: who descends from whom, when they began, what their environment says.

use std::collections::{HashMap, HashSet};
use std::fs;

/// No process has this in its environment.
const NO_MARK: &str = "";

/// One process of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub pid: u32,
    pub parent: u32,
    pub group: u32,
    pub birth: u64,
    /// Ended and not reaped.
    pub dead: bool,
}

impl Seen {
    /// By number and start: parent and group may have changed since.
    pub fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && self.birth == other.birth
    }
}

/// The processes of the machine at one moment. Empty where the system has no `/proc`.
#[derive(Debug, Default)]
pub struct Table(Vec<Seen>);

impl Table {
    /// As it is now.
    pub fn read() -> Self {
        let own = std::process::id();
        let Ok(entries) = fs::read_dir("/proc") else {
            return Self::default();
        };
        let seen = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| *pid > 1 && *pid != own)
            .filter_map(seen)
            .collect();
        Self(seen)
    }

    /// The children of a process, dead ones that were not reaped included.
    pub fn children(&self, parent: u32) -> Vec<Seen> {
        let of = self.0.iter().filter(|seen| seen.parent == parent);
        of.copied().collect()
    }

    /// Everything that lives in groups whose leaders, given by number and start, may be gone.
    pub fn groups(&self, leaders: impl Iterator<Item = (u32, u64)>) -> Vec<Seen> {
        let births: HashMap<u32, u64> = leaders.collect();
        let is_theirs = |seen: &&Seen| {
            let birth = births.get(&seen.group);
            !seen.dead && birth.is_some_and(|birth| seen.birth >= *birth)
        };
        self.0.iter().filter(is_theirs).copied().collect()
    }

    /// These processes with everything that descends from them, as far as it lives.
    pub fn with_descendants(&self, roots: &[Seen]) -> Vec<Seen> {
        self.members(0, 0, NO_MARK, roots)
    }

    /// Everything that lives and belongs to an attempt: its group, the descendants of its leader
    /// whatever group they went to, and whoever carries its mark in the environment (those whose
    /// parents are gone), with their descendants. The leader itself is among them while it lives.
    /// `family` was found to belong to it before, and still does with its descendants.
    pub fn members(
        &self,
        leader: u32,
        leader_birth: u64,
        mark: &str,
        family: &[Seen],
    ) -> Vec<Seen> {
        let mut ours = HashSet::new();
        // A later process with the leader's number has nothing to do with us, nor has its group.
        let leader_known = self
            .0
            .iter()
            .any(|seen| seen.pid == leader && seen.birth == leader_birth);
        for seen in &self.0 {
            if (leader_known && (seen.pid == leader || seen.group == leader))
                || family.iter().any(|one| one.is(seen))
                || (seen.birth >= leader_birth && !seen.dead && has_mark(seen.pid, mark))
            {
                ours.insert(seen.pid);
            }
        }
        loop {
            let before = ours.len();
            for seen in &self.0 {
                if ours.contains(&seen.parent) {
                    ours.insert(seen.pid);
                }
            }
            if ours.len() == before {
                break;
            }
        }
        self.0
            .iter()
            .filter(|seen| ours.contains(&seen.pid) && !seen.dead)
            .copied()
            .collect()
    }
}

#[cfg(target_os = "linux")]
pub(super) fn seen(pid: u32) -> Option<Seen> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may itself hold blanks and parentheses.
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let text = std::str::from_utf8(&stat[end + 1..]).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    // Field 22 of the line, of which the name was the second.
    let birth = fields.nth(16)?.parse().ok()?;
    Some(Seen {
        pid,
        parent,
        group,
        birth,
        dead: matches!(state, "Z" | "X" | "x"),
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn seen(_pid: u32) -> Option<Seen> {
    None
}

/// When a process began, in the system's own count (Linux: clock ticks since boot).
pub fn birth_of(pid: u32) -> Option<u64> {
    seen(pid).map(|seen| seen.birth)
}

/// The same process as the one with this start time, and it has not ended.
pub fn lives(pid: u32, birth: u64) -> bool {
    birth != 0 && seen(pid).is_some_and(|seen| seen.birth == birth && !seen.dead)
}

/// Every living process that has `name` in its environment, with what it is set to. Other users'
/// processes cannot be looked into.
pub fn all_with(name: &str) -> Vec<(Seen, String)> {
    let value = |pid: u32| {
        let env = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let mut vars = env.split(|byte| *byte == 0);
        let value = vars.find_map(|var| var.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
        String::from_utf8(value.to_vec()).ok()
    };
    let living = Table::read().0.into_iter().filter(|seen| !seen.dead);
    living
        .filter_map(|seen| Some((seen, value(seen.pid)?)))
        .collect()
}

/// Whether the process has `name` in its environment, whatever it is set to.
pub fn has_setting(pid: u32, name: &str) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|env| {
        env.split(|byte| *byte == 0).any(|var| {
            var.strip_prefix(name.as_bytes())
                .is_some_and(|rest| rest.starts_with(b"="))
        })
    })
}

/// Whether the process has just this setting, `NAME=value`, in its environment.
pub fn has_mark(pid: u32, mark: &str) -> bool {
    if mark == NO_MARK {
        return false;
    }
    // Unreadable means another user's process, or one that is just ending.
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|env| {
        env.split(|byte| *byte == 0)
            .any(|var| var == mark.as_bytes())
    })
}

//! Both sides of a workfile that git could not merge.
//!
//! Git keeps them in its index until the conflict is settled; where it does not (no repository, another tool), they
//! are taken from the markers in the file. Git is asked only when a person asks for it, and only for bytes of its
//! store: never is a file looked at on the way that could name a program to run.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::disk::{self, Stamp};

use super::{StoreError, WORKFILE_BYTES_MAX};

/// The three versions of a conflict, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sides {
    /// What both grew from; `None` where nobody knows.
    pub base: Option<Vec<u8>>,
    /// The branch that is checked out.
    pub ours: Vec<u8>,
    /// The branch that is merged into it.
    pub theirs: Vec<u8>,
    /// The file as it was when the sides were taken from it.
    pub stamp: Stamp,
}

/// Takes both sides of the workfile at `path` from git's index, else from the markers in it.
pub fn sides(path: &Path) -> Result<Sides, StoreError> {
    let (bytes, stamp) = disk::read_with_stamp(path, WORKFILE_BYTES_MAX)?;
    if let Some((base, ours, theirs)) = stages(path)? {
        return Ok(Sides {
            base,
            ours,
            theirs,
            stamp,
        });
    }
    match in_markers(&bytes) {
        Some((base, ours, theirs)) => Ok(Sides {
            base,
            ours,
            theirs,
            stamp,
        }),
        None => Err(failed(path, "there is no conflict in this file")),
    }
}

type Three = (Option<Vec<u8>>, Vec<u8>, Vec<u8>);

/// From the index; `None` when the file has no stages there, or is in no repository.
fn stages(path: &Path) -> Result<Option<Three>, StoreError> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(None);
    };
    let listed = git(dir)
        .args(["ls-files", "--unmerged", "-z", "--"])
        .arg(Path::new(".").join(name))
        .output();
    let Ok(listed) = listed else {
        // No git on this machine; the markers are all there is.
        return Ok(None);
    };
    if !listed.status.success() {
        return Ok(None);
    }
    let mut found: [Option<Vec<u8>>; 3] = [None, None, None];
    for entry in listed.stdout.split(|byte| *byte == 0) {
        // `<mode> <object> <stage>\t<name>`
        let head = entry.split(|byte| *byte == b'\t').next();
        let words = String::from_utf8_lossy(head.unwrap_or_default()).into_owned();
        let words: Vec<&str> = words.split(' ').collect();
        if let [_, object, stage] = words[..]
            && let Some(place) = stage.parse::<usize>().ok().and_then(|n| n.checked_sub(1))
            && let Some(slot) = found.get_mut(place)
        {
            *slot = Some(blob(dir, path, object)?);
        }
    }
    match found {
        [None, None, None] => Ok(None),
        [base, Some(ours), Some(theirs)] => Ok(Some((base, ours, theirs))),
        [_, _, None] => Err(failed(path, "the other branch removed this file")),
        [_, None, _] => Err(failed(path, "this branch removed this file")),
    }
}

fn blob(dir: &Path, path: &Path, object: &str) -> Result<Vec<u8>, StoreError> {
    let out = git(dir)
        .args(["cat-file", "blob", object])
        .output()
        .map_err(|why| failed(path, &why.to_string()))?;
    if out.status.success() {
        return Ok(out.stdout);
    }
    let said = String::from_utf8_lossy(&out.stderr);
    Err(failed(path, said.lines().next().unwrap_or("no answer")))
}

/// Git in a folder, told to run nothing that the folder names.
fn git(dir: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(dir)
        .args(["-c", "core.fsmonitor=false"])
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null());
    git
}

/// Writes the two lines that make Handmill git's merge driver for workfiles, for this user or for the repository
/// at `dir`.
pub fn set_merge_driver(dir: Option<&Path>, lines: &[(String, String)]) -> Result<(), StoreError> {
    let at = dir.unwrap_or(Path::new("."));
    for (name, value) in lines {
        let mut command = git(at);
        command.arg("config");
        if dir.is_none() {
            command.arg("--global");
        }
        let out = command
            .args([name, value])
            .output()
            .map_err(|why| failed(at, &why.to_string()))?;
        if !out.status.success() {
            let said = String::from_utf8_lossy(&out.stderr);
            return Err(failed(at, said.lines().next().unwrap_or("no answer")));
        }
    }
    Ok(())
}

fn failed(path: &Path, why: &str) -> StoreError {
    StoreError::Git {
        why: why.to_owned(),
        path: path.to_owned(),
    }
}

/// From the markers; `None` when there are none, or they do not pair.
fn in_markers(bytes: &[u8]) -> Option<Three> {
    #[derive(PartialEq)]
    enum At {
        Both,
        Ours,
        Base,
        Theirs,
    }
    let (mut base, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let (mut at, mut n, mut has_base) = (At::Both, 0, true);
    let mut this_has_base = false;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is = |marker: &str| {
            line.strip_prefix(marker.as_bytes())
                .is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\n' | b'\r')))
        };
        match at {
            At::Both if is("<<<<<<<") => {
                (at, this_has_base) = (At::Ours, false);
                n += 1;
            }
            At::Ours if is("|||||||") => (at, this_has_base) = (At::Base, true),
            At::Ours | At::Base if is("=======") => at = At::Theirs,
            At::Theirs if is(">>>>>>>") => {
                at = At::Both;
                has_base &= this_has_base;
            }
            At::Both => {
                for side in [&mut base, &mut ours, &mut theirs] {
                    side.extend(line);
                }
            }
            At::Ours => ours.extend(line),
            At::Base => base.extend(line),
            At::Theirs => theirs.extend(line),
        }
    }
    (n > 0 && at == At::Both).then_some((has_base.then_some(base), ours, theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_told_apart_by_the_markers() {
        let text = "a\n<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> b\nz\n<<<<<<< HEAD\n=======\nnew\n>>>>>>> b\n";
        let (base, ours, theirs) = in_markers(text.as_bytes()).expect("markers");
        assert_eq!(base, None);
        assert_eq!(ours, b"a\nours\nz\n");
        assert_eq!(theirs, b"a\ntheirs\nz\nnew\n");
        let text = "<<<<<<< x\no\n||||||| 1\nb\n=======\nt\n>>>>>>> y\n";
        let (base, ours, theirs) = in_markers(text.as_bytes()).expect("markers");
        assert_eq!(base.as_deref(), Some(&b"b\n"[..]));
        assert_eq!((&*ours, &*theirs), (&b"o\n"[..], &b"t\n"[..]));
        for none in [
            "",
            "a\n",
            "<<<<<<< x\na\n",
            "<<<<<<<x\na\n=======\n>>>>>>> y\n",
        ] {
            assert_eq!(in_markers(none.as_bytes()), None, "{none}");
        }
    }
}

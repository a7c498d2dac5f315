//! Which shell runs commands, and commands too long for one argument.

use std::collections::HashMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::Job;
use super::unix;

/// The absolute path of a flow's shell: a name is looked up in `PATH`, blank means bash where it
/// exists, else sh. A name that is nowhere is looked for in `/bin`, where the spawn then says that
/// it is missing. Each name is looked up once per process.
pub fn shell_for(flow_shell: &str) -> PathBuf {
    static FOUND: OnceLock<Mutex<HashMap<String, PathBuf>>> = OnceLock::new();
    let name = flow_shell.trim();
    let mut found = FOUND
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(path) = found.get(name) {
        return path.clone();
    }
    let path = match name {
        "" => in_path("bash")
            .or_else(|| in_path("sh"))
            .unwrap_or_else(|| "/bin/sh".into()),
        _ if name.contains('/') => PathBuf::from(name),
        _ => in_path(name).unwrap_or_else(|| Path::new("/bin").join(name)),
    };
    found.insert(name.to_owned(), path.clone());
    path
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH");
    let path = path.as_deref().unwrap_or(OsStr::new("/usr/bin:/bin"));
    env::split_paths(path)
        // A relative entry would depend on the folder the app was started in.
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|file| unix::is_executable(file))
}

/// The arguments as they can be handed over. A line longer than one argument may be is written
/// beside the log (`00012.1.1.sh`), and the shell gets that file: the command still runs, only `$0`
/// names the file then.
pub(super) fn passable_args(job: &Job) -> io::Result<Vec<OsString>> {
    match job.args.as_slice() {
        [dash_c, line] if dash_c == "-c" && line.len() >= unix::ARG_BYTES_MAX => {
            let script = job.stdout.with_extension("sh");
            unix::write_private(&script, line.as_encoded_bytes())?;
            Ok(vec![script.into()])
        }
        args => Ok(args.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_an_absolute_path() {
        assert!(shell_for("").is_absolute());
        assert_eq!(
            shell_for("sh").file_name(),
            Some(OsStr::new("sh")),
            "looked up in PATH"
        );
        assert_eq!(shell_for("/opt/odd/shell"), Path::new("/opt/odd/shell"));
        assert_eq!(shell_for("no-such-shell"), Path::new("/bin/no-such-shell"));
    }
}

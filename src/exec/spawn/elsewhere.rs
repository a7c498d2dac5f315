//! Starting a process through the standard library, which uses posix_spawn for what is asked here.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::Start;

pub fn start(start: &Start<'_>) -> io::Result<u32> {
    let [stdin, stdout, stderr] = start.files;
    let env = start.env.iter().map(|setting| {
        let setting = setting.to_bytes();
        let name = name_of(setting);
        let value = setting.get(name.len() + 1..).unwrap_or_default();
        (OsStr::from_bytes(name), OsStr::from_bytes(value))
    });
    // Only what posix_spawn can do: a closure between fork and exec, or another user, would make
    // std fork, which takes 100 ms for a process of 1 GB.
    let child = Command::new(start.program)
        .args(start.args)
        .current_dir(start.cwd)
        .env_clear()
        .envs(env)
        .stdin(stdin.try_clone()?)
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?)
        .process_group(0)
        .spawn()?;
    // Dropped without a wait: the caller reaps it by its number.
    Ok(child.id())
}

/// What stands before the `=`, which is there; one at the very start is part of the name.
fn name_of(setting: &[u8]) -> &[u8] {
    let end = setting.iter().skip(1).position(|byte| *byte == b'=');
    end.map_or(setting, |end| &setting[..=end])
}

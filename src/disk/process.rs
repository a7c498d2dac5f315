//! Whether the process that wrote a file still lives.
//!
//! A process id alone is not enough: ids are used again. Where the system tells when a process
//! began (Linux), both together name it.

/// What became of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Alive,
    /// It has ended, or its id belongs to another process by now.
    Dead,
}

/// When a process began, as the system counts it; `None` when it is gone or the system is silent.
#[cfg(target_os = "linux")]
pub fn birth_of(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets, and may itself hold brackets and blanks.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    // A zombie holds no lock and writes nothing any more.
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    // Field 22 of the line; the state taken above was field 3.
    fields.nth(18)?.parse().ok()
}

/// When a process began, as the system counts it; `None` when it is gone or the system is silent.
#[cfg(not(target_os = "linux"))]
pub fn birth_of(_pid: u32) -> Option<u64> {
    None
}

/// Whether the process `pid` lives; when `birth` is known, whether it is still that same one.
pub fn life_of(pid: u32, birth: Option<u64>) -> Life {
    let alive = if cfg!(target_os = "linux") {
        match (birth_of(pid), birth) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(now), Some(then)) => now == then,
        }
    } else {
        answers(pid)
    };
    if alive { Life::Alive } else { Life::Dead }
}

#[cfg(unix)]
fn answers(pid: u32) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // Refused permission means that there is somebody to refuse it.
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn answers(_pid: u32) -> bool {
    // Not known here: then a leftover is kept rather than a living process robbed.
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_of_another_birth_does_not() {
        let me = std::process::id();
        let birth = birth_of(me);
        assert_eq!(life_of(me, birth), Life::Alive);
        assert_eq!(life_of(me, birth.map(|b| b + 1)), Life::Dead);
    }

    #[test]
    fn a_child_that_ended_is_dead_even_before_it_is_reaped() {
        let mut child = std::process::Command::new("/bin/cat")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("spawn");
        let birth = birth_of(child.id());
        assert_eq!(life_of(child.id(), birth), Life::Alive);
        child.kill().expect("kill");
        // Its output closes when it ends; it stays a zombie until waited for.
        let mut out = child.stdout.take().expect("piped");
        std::io::copy(&mut out, &mut std::io::sink()).expect("read to the end");
        while life_of(child.id(), birth) == Life::Alive {
            std::thread::yield_now();
        }
        child.wait().expect("wait");
        assert_eq!(life_of(child.id(), birth), Life::Dead);
    }
}

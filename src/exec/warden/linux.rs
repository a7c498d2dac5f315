//! The table in memory, the line, and what is done when it ends.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use rustix::fs::MemfdFlags;
use rustix::net::RecvFlags;

use super::super::launcher::lock;
use super::super::{sweep, unix};
use super::{Bound, Called};

/// One child in the table: its number, its start, the length of its mark, the mark.
const SLOT: usize = 256;
const HEAD: usize = 16;
/// More children than these are not noted: the system still kills those themselves.
const SLOTS_MAX: u64 = 1 << 16;

/// The sitter's side. Without a program to call it notes nothing.
#[derive(Default)]
pub struct Warden {
    pub called: Called,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    table: Option<File>,
    line: Option<UnixStream>,
    pid: u32,
    /// Places that are free again, and the first that was never used.
    free: Vec<u64>,
    n_used: u64,
}

impl Warden {
    /// Notes a child; gives its place in the table. `None` when it cannot be noted.
    pub fn hold(&self, bound: &Bound) -> Option<u64> {
        let (program, args) = self.called.get()?;
        let mut state = lock(&self.state);
        let state = &mut *state;
        if state.table.is_none() {
            let table = rustix::fs::memfd_create("bound nodes", MemfdFlags::CLOEXEC).ok()?;
            state.table = Some(table.into());
        }
        let table = state.table.as_ref()?;
        if !state.line.as_ref().is_some_and(is_heard) {
            let mut command = Command::new(program);
            command.args(*args);
            // What is noted is not lost by its death: the next one has the same table.
            let (line, pid) = call(command, table).ok()?;
            (state.line, state.pid) = (Some(line), pid);
        }
        let place = state.free.pop().or_else(|| {
            let next = (state.n_used < SLOTS_MAX).then_some(state.n_used);
            state.n_used += u64::from(next.is_some());
            next
        })?;
        if table
            .write_all_at(&slot(bound), place * SLOT as u64)
            .is_err()
        {
            state.free.push(place);
            return None;
        }
        Some(place)
    }

    /// The child has ended; its number is still its own.
    pub fn let_go(&self, place: u64) {
        let mut state = lock(&self.state);
        if let Some(table) = &state.table
            && table.write_all_at(&[0; HEAD], place * SLOT as u64).is_ok()
        {
            state.free.push(place);
        }
    }

    /// Whether the process of this number is the warden.
    pub fn is(&self, pid: u32) -> bool {
        lock(&self.state).pid == pid
    }
}

/// Nobody writes to the line: there is nothing to read as long as the other end is open.
fn is_heard(line: &UnixStream) -> bool {
    let mut byte = [0; 1];
    let read = rustix::net::recv(line, &mut byte, RecvFlags::DONTWAIT | RecvFlags::PEEK);
    matches!(
        read,
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR)
    )
}

fn call(mut command: Command, table: &File) -> io::Result<(UnixStream, u32)> {
    let (line, theirs) = UnixStream::pair()?;
    let child = command
        .stdin(OwnedFd::from(theirs))
        .stdout(table.try_clone()?)
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    // Reaped with the strays.
    Ok((line, child.id()))
}

fn slot(bound: &Bound) -> Vec<u8> {
    let mark = bound.mark.as_bytes();
    // One that does not fit is not looked for: half of it would be another's.
    let mark = if mark.len() <= SLOT - HEAD { mark } else { &[] };
    let length = u32::try_from(mark.len()).unwrap_or_default();
    let mut slot = Vec::with_capacity(SLOT);
    slot.extend(bound.pid.to_le_bytes());
    slot.extend(length.to_le_bytes());
    slot.extend(bound.birth.to_le_bytes());
    slot.extend(mark);
    slot.resize(SLOT, 0);
    slot
}

fn parsed(slot: &[u8]) -> Option<Bound> {
    let (pid, rest) = slot.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (birth, rest) = rest.split_first_chunk()?;
    let pid = u32::from_le_bytes(*pid);
    let mark = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    (pid != 0).then(|| Bound {
        pid,
        birth: u64::from_le_bytes(*birth),
        mark: String::from_utf8_lossy(mark).into_owned(),
    })
}

fn noted(table: &File) -> io::Result<Vec<Bound>> {
    let mut bytes = vec![0; usize::try_from(table.metadata()?.len()).unwrap_or_default()];
    table.read_exact_at(&mut bytes, 0)?;
    Ok(bytes.chunks(SLOT).filter_map(parsed).collect())
}

pub fn stand_by() -> io::Result<()> {
    let table = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    unix::leave_session();
    let mut line = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut said = [0; 64];
    loop {
        match line.read(&mut said) {
            Ok(0) => break,
            Ok(_) => {}
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    sweep::kill_bound(&noted(&table)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_until_it_is_let_go_and_a_place_is_used_again() {
        let warden = Warden::default();
        let one = |pid| Bound {
            pid,
            birth: 7,
            mark: format!("MARK=run/{pid}.1.1"),
        };
        assert_eq!(warden.hold(&one(5)), None, "there is nobody to call");
        let cat = (std::path::PathBuf::from("/bin/sleep"), &["60"][..]);
        warden.called.set(cat).expect("once");
        let places: Vec<_> = (5..8).map(|pid| warden.hold(&one(pid))).collect();
        assert_eq!(places, [Some(0), Some(1), Some(2)]);
        let pid = lock(&warden.state).pid;
        assert!(pid != 0 && warden.is(pid));
        warden.let_go(1);
        let read = || {
            let state = lock(&warden.state);
            noted(state.table.as_ref().expect("made")).expect("read")
        };
        assert_eq!(read(), [one(5), one(7)]);
        assert_eq!(warden.hold(&one(9)), Some(1));
        assert_eq!(read(), [one(5), one(9), one(7)]);
        // One that was killed is called again, with the same table.
        unix::kill_group(pid);
        unix::reap(pid);
        assert_eq!(warden.hold(&one(10)), Some(3));
        let next = lock(&warden.state).pid;
        assert_ne!(next, pid);
        assert_eq!(read().len(), 4);
        unix::kill_group(next);
        unix::reap(next);
    }
}

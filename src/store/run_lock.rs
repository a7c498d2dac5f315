//! One run of a flow at a time on this machine, among all processes; and asking its runner to stop.
//!
//! The system's file lock decides, and ends with its holder however that dies. The note in the file
//! (JSON) says who holds it; it is trusted only while the process it names lives. Network folders
//! play no part: locks lie in [`Home::locks_dir`].

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::disk::{self, Expect, LockFile};
use crate::model::{FlowRef, RunId, Timestamp};

use super::machine::folder_name;
use super::note::{self, Held, LockError, Note, to_text};
use super::{Home, StoreError};

/// The right to run one flow on this machine; given back when dropped.
#[derive(Debug)]
pub struct RunLock {
    file: LockFile,
    note: Note,
    stop_file: PathBuf,
}

/// The wish of another process that a run stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRequest {
    /// Kill without grace.
    pub at_once: bool,
}

impl RunLock {
    /// Tells other processes which run this is.
    pub fn name_run(&mut self, run: &RunId) -> Result<(), StoreError> {
        self.note.name_run(run);
        Ok(self.file.write_note(&to_text(&self.note))?)
    }

    /// The file that appears when another process wants this run stopped; for the watch.
    pub fn stop_file(&self) -> &std::path::Path {
        &self.stop_file
    }
}

/// Takes the right to run a flow. `face` is shown to whoever is refused.
pub fn acquire(
    home: &Home,
    flow: &FlowRef,
    face: &str,
    now: Timestamp,
) -> Result<RunLock, LockError> {
    let dir = home.make_locks_dir()?;
    let path = dir.join(lock_name(flow));
    let file = note::acquire(&path, now)?;
    take_up(home, flow, file, face, now)
}

fn take_up(
    home: &Home,
    flow: &FlowRef,
    mut file: LockFile,
    face: &str,
    now: Timestamp,
) -> Result<RunLock, LockError> {
    let note = Note::of_us(face, now);
    let stop_file = stop_file(home, flow);
    // Meant for an earlier run that ended before it was read, or for whoever carried this one.
    disk::remove(&stop_file).map_err(StoreError::from)?;
    disk::remove(&yield_file(home, flow)).map_err(StoreError::from)?;
    file.write_note(&to_text(&note)).map_err(StoreError::from)?;
    Ok(RunLock {
        file,
        note,
        stop_file,
    })
}

/// Who runs a flow now; `None` when nobody does. Cheap: reads the note and asks whether the process
/// it names lives, and so never stands in the way of one that wants the lock.
pub fn holder(home: &Home, flow: &FlowRef) -> Option<Held> {
    note::holder(&lock_file(home, flow))
}

/// Waits until nobody runs the flow. May wait for as long as a run takes.
pub fn wait_released(home: &Home, flow: &FlowRef) -> Result<(), StoreError> {
    Ok(LockFile::wait_free(&lock_file(home, flow))?)
}

/// Asks the process that runs a flow to stop it. Gives who that is; `None` when nobody runs it, and
/// then nothing is left behind.
pub fn request_stop(
    home: &Home,
    flow: &FlowRef,
    at_once: bool,
) -> Result<Option<Held>, StoreError> {
    let Some(held) = holder(home, flow) else {
        return Ok(None);
    };
    let text = to_text(&StopRequest { at_once });
    disk::replace(&stop_file(home, flow), text.as_bytes(), Expect::Anything)?;
    Ok(Some(held))
}

/// The request to stop a flow's run, if there is one; it is given once. For the lock's holder.
pub fn take_stop_request(home: &Home, flow: &FlowRef) -> Result<Option<StopRequest>, StoreError> {
    let Some(bytes) = disk::take(&stop_file(home, flow))? else {
        return Ok(None);
    };
    // Somebody wanted a stop, whatever the file says: the gentle kind is safe.
    let gentle = StopRequest { at_once: false };
    Ok(Some(serde_json::from_slice(&bytes).unwrap_or(gentle)))
}

/// Asks the process that carries a flow's run to let another carry it on. For runs that outlive
/// their processes.
pub fn request_yield(home: &Home, flow: &FlowRef) -> Result<(), StoreError> {
    if holder(home, flow).is_some() {
        disk::replace(&yield_file(home, flow), b"{}", Expect::Anything)?;
    }
    Ok(())
}

/// Whether another process wants to carry the run on; said once. For the lock's holder.
pub fn take_yield_request(home: &Home, flow: &FlowRef) -> Result<bool, StoreError> {
    Ok(disk::take(&yield_file(home, flow))?.is_some())
}

fn yield_file(home: &Home, flow: &FlowRef) -> PathBuf {
    lock_file(home, flow).with_extension("yield")
}

/// The file that asks a flow's runner to stop.
pub fn stop_file(home: &Home, flow: &FlowRef) -> PathBuf {
    lock_file(home, flow).with_extension("stop")
}

fn lock_file(home: &Home, flow: &FlowRef) -> PathBuf {
    home.locks_dir().join(lock_name(flow))
}

fn lock_name(flow: &FlowRef) -> String {
    let hash = blake3::hash(flow.file.as_bytes()).to_hex();
    format!("{}-{}.lock", folder_name(&flow.workspace), &hash[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::sync::Arc;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().expect("temp dir");
        let home = Home::at(dir.path().join("home"));
        (dir, home)
    }

    fn flow(file: &str) -> FlowRef {
        FlowRef {
            workspace: "ws-01234567".into(),
            root: Arc::from(Path::new("/ws")),
            file: file.into(),
        }
    }

    #[test]
    fn a_second_runner_is_told_who_the_first_is() {
        let (_dir, home) = home();
        let flow_a = flow("flow_modules/a.wf");
        assert_eq!(holder(&home, &flow_a), None);
        let mut lock = acquire(&home, &flow_a, "window", Timestamp(7)).expect("free");
        lock.name_run(&RunId::new("r1")).expect("note");
        let told = acquire(&home, &flow_a, "command line", Timestamp(9)).expect_err("held");
        assert_eq!(
            told.to_string(),
            format!(
                "run flow: it is running already, in the window (process {})",
                std::process::id()
            )
        );
        let LockError::Held(held) = told else {
            panic!("{told}");
        };
        assert_eq!(held.pid, std::process::id());
        assert_eq!(held.face, "window");
        assert_eq!(held.since, Timestamp(7));
        assert_eq!(held.run, Some(RunId::new("r1")));
        assert_eq!(holder(&home, &flow_a), Some(held));
        acquire(&home, &flow("flow_modules/b.wf"), "window", Timestamp(9)).expect("another flow");
        drop(lock);
        assert_eq!(holder(&home, &flow_a), None);
        acquire(&home, &flow_a, "window", Timestamp(9)).expect("free again");
    }

    #[test]
    fn asking_who_holds_a_lock_leaves_no_folder() {
        let (dir, home) = home();
        assert_eq!(holder(&home, &flow("a")), None);
        assert_eq!(request_stop(&home, &flow("a"), true).expect("nobody"), None);
        assert_eq!(take_stop_request(&home, &flow("a")).expect("none"), None);
        wait_released(&home, &flow("a")).expect("free");
        assert_eq!(std::fs::read_dir(dir.path()).expect("list").count(), 0);
    }

    #[test]
    fn a_note_of_a_dead_process_holds_nothing() {
        let (_dir, home) = home();
        let flow = flow("a");
        let lock = acquire(&home, &flow, "window", Timestamp(1)).expect("free");
        let path = lock_file(&home, &flow);
        let note = std::fs::read_to_string(&path).expect("read");
        drop(lock);
        // As kill -9 leaves it: the note is there, the lock and the process are not.
        let mut child = std::process::Command::new("/bin/true")
            .spawn()
            .expect("spawn");
        let pid = child.id();
        child.wait().expect("wait");
        let stale = note.replace(
            &format!("\"pid\":{}", std::process::id()),
            &format!("\"pid\":{pid}"),
        );
        assert_ne!(stale, note);
        std::fs::write(&path, stale).expect("write");
        assert_eq!(holder(&home, &flow), None);
        acquire(&home, &flow, "window", Timestamp(2)).expect("free");
    }

    #[test]
    fn a_lock_ends_with_its_holder_even_by_kill_9() {
        use std::io::{Read as _, Write as _};
        use std::process::{Command, Stdio};
        let (_dir, home) = home();
        let flow = flow("a");
        home.make_locks_dir().expect("mkdir");
        // Another program that knows nothing of notes; its echo proves that it has the lock.
        let mut child = Command::new("flock")
            .arg("--no-fork")
            .arg(lock_file(&home, &flow))
            .arg("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("flock of util-linux");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(b"?").expect("write");
        let mut echo = [0];
        let mut stdout = child.stdout.take().expect("piped");
        stdout.read_exact(&mut echo).expect("echo");
        match acquire(&home, &flow, "window", Timestamp(1)) {
            Err(LockError::Held(held)) => assert_eq!(held.pid, 0, "nobody knows who"),
            other => panic!("{other:?}"),
        }
        child.kill().expect("kill");
        child.wait().expect("wait");
        wait_released(&home, &flow).expect("free");
        acquire(&home, &flow, "window", Timestamp(2)).expect("free");
    }

    #[test]
    fn a_stop_request_is_given_once_and_the_stronger_one_wins() {
        let (_dir, home) = home();
        let flow = flow("a");
        let lock = acquire(&home, &flow, "window", Timestamp(1)).expect("free");
        assert!(request_stop(&home, &flow, false).expect("asked").is_some());
        assert!(lock.stop_file().exists());
        request_stop(&home, &flow, true).expect("asked");
        assert_eq!(
            take_stop_request(&home, &flow).expect("taken"),
            Some(StopRequest { at_once: true })
        );
        assert_eq!(take_stop_request(&home, &flow).expect("none"), None);
    }

    #[test]
    fn a_stop_request_for_an_earlier_run_does_not_stop_the_next() {
        let (_dir, home) = home();
        let flow = flow("a");
        let lock = acquire(&home, &flow, "window", Timestamp(1)).expect("free");
        request_stop(&home, &flow, false).expect("asked");
        drop(lock);
        let _lock = acquire(&home, &flow, "window", Timestamp(2)).expect("free");
        assert_eq!(take_stop_request(&home, &flow).expect("none"), None);
    }

    #[test]
    fn waiting_ends_when_the_lock_is_let_go_and_waiters_refuse_nobody() {
        let (_dir, home) = home();
        let flow = flow("a");
        let lock = acquire(&home, &flow, "window", Timestamp(1)).expect("free");
        let waiters: Vec<_> = (0..4)
            .map(|_| {
                let (home, flow) = (home.clone(), flow.clone());
                std::thread::spawn(move || wait_released(&home, &flow))
            })
            .collect();
        drop(lock);
        // Waiters may have it just now; that must not look like a run.
        let again = acquire(&home, &flow, "window", Timestamp(2)).expect("free");
        drop(again);
        for waiter in waiters {
            waiter.join().expect("thread").expect("released");
        }
    }
}

//! Starting a process by a clone that borrows our memory until it is another program.
//!
//! That is what the C library's posix_spawn does too. Done here because of what that does besides,
//! for each process: it asks for all 64 signals one by one (38 µs on a virtual machine), and maps
//! and unmaps a stack (25 µs, since every core we run on must hear of the unmapping). Here each thread
//! keeps its stack and has asked for the signals once.

#![expect(
    unsafe_code,
    reason = "no safe interface makes a process without a fork of the whole memory"
)]

use std::cell::RefCell;
use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use libc::{c_char, c_int, c_void};

use super::Start;

/// Stack of the new process while it uses our memory: a few calls deep, none of which is ours.
const STACK_BYTES: usize = 32 * 1024;

/// What a thread that starts processes keeps.
struct Seat {
    /// In units of the alignment that a stack needs.
    stack: Box<[MaybeUninit<u128>]>,
    /// Signals that this program has handlers for. They are set at its start; one that is set
    /// later might be called by a new process that is signalled within its first microseconds, and
    /// notes the signal as if we had got it.
    caught: Vec<c_int>,
}

thread_local! {
    static SEAT: RefCell<Seat> = RefCell::new(Seat {
        stack: Box::new_uninit_slice(STACK_BYTES / size_of::<u128>()),
        caught: caught(),
    });
}

/// All that the new process reads, and the one word that it writes.
struct Plan<'a> {
    program: &'a CStr,
    argv: *const *const c_char,
    envp: *const *const c_char,
    cwd: &'a CStr,
    files: [RawFd; 3],
    caught: &'a [c_int],
    /// The process to die with, when it is bound to it.
    bound_to: Option<libc::pid_t>,
    /// Error number of the step that failed; 0 as long as none has.
    failed: AtomicI32,
}

pub fn start(start: &Start<'_>) -> io::Result<u32> {
    let program = text(start.program.as_os_str())?;
    let cwd = text(start.cwd.as_os_str())?;
    let args: Vec<CString> = start
        .args
        .iter()
        .map(|arg| text(arg))
        .collect::<io::Result<_>>()?;
    let args = args.iter().map(CString::as_c_str);
    let argv = pointers(std::iter::once(program.as_c_str()).chain(args));
    let envp = pointers(start.env.iter().copied());
    SEAT.with_borrow_mut(|seat| {
        let plan = Plan {
            program: &program,
            argv: argv.as_ptr(),
            envp: envp.as_ptr(),
            cwd: &cwd,
            files: start.files.map(AsRawFd::as_raw_fd),
            caught: &seat.caught,
            bound_to: start.is_bound.then(|| std::process::id().cast_signed()),
            failed: AtomicI32::new(0),
        };
        let pid = clone(&mut seat.stack, &plan)?;
        match plan.failed.load(Ordering::Relaxed) {
            0 => Ok(pid.cast_unsigned()),
            code => {
                // It has ended already, and nobody else knows of it.
                super::super::unix::reap(pid.cast_unsigned());
                Err(io::Error::from_raw_os_error(code))
            }
        }
    })
}

fn text(text: &OsStr) -> io::Result<CString> {
    Ok(CString::new(text.as_bytes())?)
}

fn pointers<'a>(texts: impl Iterator<Item = &'a CStr>) -> Vec<*const c_char> {
    texts.map(CStr::as_ptr).chain([ptr::null()]).collect()
}

/// Makes the process. Returns when it is another program or has ended.
fn clone(stack: &mut [MaybeUninit<u128>], plan: &Plan<'_>) -> io::Result<c_int> {
    let top = stack.as_mut_ptr_range().end;
    let plan = ptr::from_ref(plan).cast_mut().cast::<c_void>();
    // A signal that came to the new process would run our handler in our memory.
    let before = mask(&all_signals())?;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: this thread is held (CLONE_VFORK) until the new process has left our memory, so the
    // stack is used by nobody else and all that the plan points to outlives its use. `run` neither
    // returns into our frames nor unwinds. `top` is aligned to 16, as stacks must be.
    let pid = unsafe { libc::clone(run, top.cast(), flags, plan) };
    let made = match pid {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(pid),
    };
    mask(&before)?;
    made
}

/// The new process, in our memory.
extern "C" fn run(plan: *mut c_void) -> c_int {
    // SAFETY: `clone` hands over a plan and holds it in place meanwhile.
    let plan = unsafe { &*plan.cast::<Plan<'_>>() };
    let code = become_another(plan);
    plan.failed.store(code, Ordering::Relaxed);
    // SAFETY: ends this process only, without running anything that was registered by ours.
    unsafe { libc::_exit(127) }
}

/// Gives the error number of the step that failed. Allocates nothing and takes no lock: one that
/// another thread of ours holds would never be released here.
fn become_another(plan: &Plan<'_>) -> c_int {
    // SAFETY: system calls, each of which may be called in a child of a program with threads. The
    // pointers are those of the plan, whose lists end in a null.
    unsafe {
        // First of all: from here on no Ctrl-C of a terminal reaches it.
        if libc::setpgid(0, 0) != 0 {
            return errno();
        }
        if let Some(parent) = plan.bound_to {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return errno();
            }
            // It may have died before: then nobody tells us any more.
            if libc::getppid() != parent {
                return libc::ESRCH;
            }
        }
        // Handlers are ours alone; what we ignore stays ignored, as `nohup` wants it. Except the
        // end of a pipe, which every Rust program ignores and no shell expects.
        for &signal in plan.caught.iter().chain(&[libc::SIGPIPE]) {
            if libc::signal(signal, libc::SIG_DFL) == libc::SIG_ERR {
                return errno();
            }
        }
        for (target, &file) in (0..).zip(&plan.files) {
            // Ours are never the three themselves: those stay open as long as the program lives.
            if libc::dup2(file, target) == -1 {
                return errno();
            }
        }
        if libc::chdir(plan.cwd.as_ptr()) != 0 {
            return errno();
        }
        if mask(&no_signals()).is_err() {
            return errno();
        }
        libc::execve(plan.program.as_ptr(), plan.argv, plan.envp);
    }
    errno()
}

fn errno() -> c_int {
    // SAFETY: the C library's own place of it, which is this thread's.
    unsafe { *libc::__errno_location() }
}

fn all_signals() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: fills the set, which is then whole.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        set.assume_init()
    }
}

fn no_signals() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: as above.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}

/// Sets which signals this thread does not hear, and gives which those were.
fn mask(signals: &libc::sigset_t) -> io::Result<libc::sigset_t> {
    let mut before = MaybeUninit::uninit();
    // SAFETY: reads one set and, when it succeeds, fills the other.
    unsafe {
        match libc::pthread_sigmask(libc::SIG_SETMASK, signals, before.as_mut_ptr()) {
            0 => Ok(before.assume_init()),
            code => Err(io::Error::from_raw_os_error(code)),
        }
    }
}

/// Signals that have a handler now.
fn caught() -> Vec<c_int> {
    let is_caught = |&signal: &c_int| {
        let mut now = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: only asks, and fills `now` when it succeeds.
        let handler = unsafe {
            match libc::sigaction(signal, ptr::null(), now.as_mut_ptr()) {
                0 => now.assume_init().sa_sigaction,
                // No signal of that number, or one that the C library keeps for itself.
                _ => return false,
            }
        };
        handler != libc::SIG_DFL && handler != libc::SIG_IGN
    };
    (1..=libc::SIGRTMAX()).filter(is_caught).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    /// Runs a shell line in a folder; gives what it printed.
    fn said(line: &str) -> String {
        let dir = tempfile::tempdir().expect("a folder");
        let out = File::create(dir.path().join("out")).expect("made");
        let null = File::open("/dev/null").expect("open");
        let pid = start(&Start {
            program: "/bin/sh".as_ref(),
            args: &["-c".into(), line.into()],
            cwd: dir.path(),
            env: &[c"A=1", c"PATH=/usr/bin:/bin"],
            files: [&null, &out, &out],
            is_bound: false,
        });
        super::super::super::unix::reap(pid.expect("started"));
        fs::read_to_string(dir.path().join("out")).expect("read")
    }

    /// A set of signals as `/proc/<pid>/status` tells it.
    fn signals(status: &str, field: &str) -> u64 {
        let mut lines = status.lines();
        let set = lines
            .find_map(|line| line.strip_prefix(field))
            .expect(field);
        u64::from_str_radix(set.trim_start_matches(':').trim(), 16).expect("hexadecimal")
    }

    #[test]
    fn a_child_hears_every_signal_and_ignores_what_the_user_ignores() {
        let own = fs::read_to_string("/proc/self/status").expect("Linux");
        let pipe = 1 << (libc::SIGPIPE - 1);
        let ignored = signals(&own, "SigIgn");
        assert_eq!(
            ignored & pipe,
            pipe,
            "Rust ignores it, so there is something to undo"
        );
        assert_ne!(signals(&own, "SigCgt"), 0, "there are handlers to lose");
        let status = said("cat /proc/self/status");
        assert_eq!(signals(&status, "SigIgn"), ignored & !pipe);
        assert_eq!(signals(&status, "SigBlk"), 0);
        assert_eq!(signals(&status, "SigCgt"), 0);
    }

    #[test]
    fn a_child_leads_its_group_and_has_its_log_as_output_only() {
        let told = said("echo $$; cat /proc/$$/stat; readlink /proc/self/fd/0 /proc/$$/fd/*");
        let mut lines = told.lines();
        let (pid, stat) = (lines.next(), lines.next().expect("a line"));
        assert_eq!(stat.split(' ').nth(4), pid);
        let files: Vec<&str> = lines.collect();
        assert_eq!(files.first(), Some(&"/dev/null"));
        let logs = files.iter().filter(|file| file.ends_with("/out"));
        assert_eq!(logs.count(), 2, "{files:?}");
    }

    #[test]
    fn a_bound_child_dies_with_the_thread_that_started_it() {
        use std::os::unix::process::ExitStatusExt as _;
        let null = File::open("/dev/null").expect("open");
        let started = std::thread::spawn(move || {
            start(&Start {
                program: "/bin/sleep".as_ref(),
                args: &["1000".into()],
                cwd: "/".as_ref(),
                env: &[],
                files: [&null, &null, &null],
                is_bound: true,
            })
        });
        let pid = started.join().expect("no panic").expect("started");
        let exit = super::super::super::unix::reap(pid);
        let killed = std::process::ExitStatus::from_raw(libc::SIGKILL);
        assert_eq!(
            exit,
            crate::model::Exit::Signal(killed.signal().expect("one"))
        );
    }

    #[test]
    fn a_step_that_fails_is_told_and_leaves_no_child() {
        let null = File::open("/dev/null").expect("open");
        for (program, cwd, code) in [
            ("/no/such/shell", "/", libc::ENOENT),
            ("/bin/sh", "/no/such/folder", libc::ENOENT),
            ("/", "/", libc::EACCES),
        ] {
            let failed = start(&Start {
                program: program.as_ref(),
                args: &[],
                cwd: cwd.as_ref(),
                env: &[],
                files: [&null, &null, &null],
                is_bound: true,
            });
            let err = failed.expect_err("nothing to start");
            assert_eq!(err.raw_os_error(), Some(code), "{program}");
        }
    }
}

//! What a child prints while the disk of its log is short of room: it passes through here.
//!
//! As a rule a child writes its log itself, which costs nothing and goes on when we are killed. On a
//! full disk that would be the child's failure: `echo` fails, and the node with it. So a child that
//! starts while there is little room prints into a pipe. What its log cannot take is dropped,
//! counted and told, and the log says where it is missing as soon as there is room again. The price:
//! such a child meets a broken pipe when this process is killed.
//!
//! A child that is given secrets always prints through here, since they are hidden on the way (`mask`).
//!
//! Unaware of what the child is. Called by whoever waits for it.

use std::fs::File;
use std::io::{self, PipeReader, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};

use super::launcher::{Shared, lock};
use super::mask::{Forms, Mask};
use super::unix;

/// A child that starts with less room than this for its log, in bytes, prints through us.
pub(super) const ROOM_SHORT: u64 = 64 << 20;

const BUFFER_BYTES: usize = 64 * 1024;
const STACK_BYTES: usize = 256 * 1024;

/// The way of one child's output and error.
pub(super) struct Pump {
    shared: Arc<Shared>,
    streams: [Stream; 2],
}

struct Stream {
    from: PipeReader,
    log: Mutex<Log>,
    /// Hides secrets; locked with the log held.
    mask: Option<Mutex<Mask>>,
}

/// A log and what it lacks.
struct Log {
    path: PathBuf,
    /// `None` until it could be opened.
    file: Option<File>,
    gap: Option<Gap>,
    /// Nobody prints into it any more.
    over: bool,
}

/// What a log could not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub bytes: u64,
    /// What the system said.
    pub why: String,
}

impl Gap {
    fn sentence(&self) -> String {
        format!(
            "\n[handmill: {} bytes are missing here: {}]\n",
            self.bytes, self.why
        )
    }
}

impl Pump {
    /// A pump into these logs, and the two ends that the child prints into. What `hides` are the forms of does not get
    /// there. Its thread ends when nobody holds the ends any more.
    pub fn start(
        logs: [(&Path, Option<File>); 2],
        hides: Option<&Forms>,
        shared: Arc<Shared>,
    ) -> io::Result<(Arc<Self>, [File; 2])> {
        let mut ends = Vec::new();
        let [out, err] = logs.map(|(path, file)| {
            let (from, to) = io::pipe()?;
            rustix::io::ioctl_fionbio(&from, true)?;
            ends.push(File::from(OwnedFd::from(to)));
            let log = Log {
                path: path.to_owned(),
                file,
                gap: None,
                over: false,
            };
            let log = Mutex::new(log);
            let mask = hides.map(|forms| Mutex::new(Mask::new(forms.clone())));
            Ok::<_, io::Error>(Stream { from, log, mask })
        });
        let pump = Arc::new(Self {
            shared,
            streams: [out?, err?],
        });
        let ends = ends.try_into().map_err(|_| io::ErrorKind::Other)?;
        let own = Arc::clone(&pump);
        thread::Builder::new()
            .name("output".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || own.work())?;
        Ok((pump, ends))
    }

    fn work(&self) {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let open: Vec<&Stream> = self.streams.iter().filter(|one| !one.is_over()).collect();
            if open.is_empty() {
                return;
            }
            let mut fds: Vec<_> = open
                .iter()
                .map(|one| PollFd::new(&one.from, PollFlags::IN))
                .collect();
            // Interrupted: the reads below find nothing.
            poll(&mut fds, None).ok();
            for stream in open {
                stream.carry(&self.shared, &mut buffer);
            }
        }
    }

    /// Everything that was printed until now is in the logs, or is known to be missing there. What
    /// the child left in the background may print on.
    pub fn drain(&self) {
        let mut buffer = vec![0; BUFFER_BYTES];
        for stream in &self.streams {
            stream.carry(&self.shared, &mut buffer);
            let mut log = lock(&stream.log);
            if !log.fill_gap()
                && let Some(gap) = log.gap.take()
            {
                self.shared.losses.owe(&log.path, gap);
            }
        }
    }
}

impl Stream {
    fn is_over(&self) -> bool {
        lock(&self.log).over
    }

    /// Takes what lies in the pipe.
    fn carry(&self, shared: &Shared, buffer: &mut [u8]) {
        let mut log = lock(&self.log);
        while !log.over {
            match (&self.from).read(buffer) {
                Ok(0) => {
                    if let Some(mask) = &self.mask {
                        let rest = lock(mask).finish();
                        keep(&mut log, &rest, shared);
                    }
                    log.over = true;
                }
                Ok(n) => match &self.mask {
                    Some(mask) => {
                        let shown = lock(mask).push(&buffer[..n]);
                        buffer[..n].fill(0);
                        keep(&mut log, &shown, shared);
                    }
                    None => keep(&mut log, &buffer[..n], shared),
                },
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => log.over = true,
            }
        }
    }
}

/// Puts bytes into a log, or tells that they are lost.
fn keep(log: &mut Log, bytes: &[u8], shared: &Shared) {
    if !bytes.is_empty()
        && let Some(lost) = log.write(bytes)
    {
        shared.losses.lost(&log.path, &lost, shared);
    }
}

impl Log {
    /// Writes bytes; gives what of them was lost.
    fn write(&mut self, bytes: &[u8]) -> Option<Gap> {
        let n = if self.fill_gap() {
            self.put(bytes)
        } else {
            Ok(0)
        };
        let (n, why) = match n {
            Ok(n) if n == bytes.len() => return None,
            Ok(n) => (n, self.gap.as_ref().map(|gap| gap.why.clone())),
            Err((n, err)) => (n, Some(err.to_string())),
        };
        let lost = Gap {
            bytes: (bytes.len() - n) as u64,
            why: why.unwrap_or_default(),
        };
        let gap = self.gap.get_or_insert(Gap {
            bytes: 0,
            why: lost.why.clone(),
        });
        gap.bytes += lost.bytes;
        Some(lost)
    }

    /// Appends bytes; gives how many the log took, and with fewer than all of them why.
    fn put(&mut self, bytes: &[u8]) -> Result<usize, (usize, io::Error)> {
        if self.file.is_none() {
            self.file = Some(unix::open_log(&self.path).map_err(|err| (0, err))?);
        }
        let mut n = 0;
        while let Some(file) = &mut self.file
            && n < bytes.len()
        {
            match file.write(&bytes[n..]) {
                Ok(0) => return Err((n, io::ErrorKind::WriteZero.into())),
                Ok(wrote) => n += wrote,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err((n, err)),
            }
        }
        Ok(n)
    }

    /// Says in the log what it lacks; true when it lacks nothing without saying so.
    fn fill_gap(&mut self) -> bool {
        let Some(gap) = self.gap.take() else {
            return true;
        };
        let before = self
            .file
            .as_ref()
            .and_then(|file| Some(file.metadata().ok()?.len()));
        let Err((n, _)) = self.put(gap.sentence().as_bytes()) else {
            return true;
        };
        // Half a sentence would be read as the child's; nobody else appends here.
        if n > 0
            && let (Some(file), Some(before)) = (&self.file, before)
        {
            file.set_len(before).ok();
        }
        self.gap = Some(gap);
        false
    }
}

/// Says in the log of a child that has ended what it lacks; false when there is no room for that.
pub(super) fn note_gap(path: &Path, gap: &Gap) -> bool {
    let mut log = Log {
        path: path.to_owned(),
        file: unix::open_log(path).ok(),
        gap: Some(gap.clone()),
        over: true,
    };
    log.fill_gap()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_a_log_cannot_take_is_counted_and_said_in_it_once_it_can() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut log = Log {
            path: "/dev/full".into(),
            file: None,
            gap: None,
            over: false,
        };
        let lost = log.write(b"abc").expect("lost");
        assert_eq!(lost.bytes, 3);
        assert_eq!(log.write(b"de").expect("lost").bytes, 2);
        assert!(!log.fill_gap());
        let path = dir.path().join("x.out");
        (log.path, log.file) = (path.clone(), None);
        assert_eq!(log.write(b"later\n"), None);
        assert_eq!(log.write(b"and later\n"), None);
        let text = std::fs::read_to_string(path).expect("read");
        let gap = format!("[handmill: 5 bytes are missing here: {}]", lost.why);
        assert_eq!(text, format!("\n{gap}\nlater\nand later\n"));
    }
}

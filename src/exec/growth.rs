//! Tells which log has grown, while runs live.
//!
//! Linux: one inotify watch per run's folder and one thread for all, asleep while nothing is
//! printed. After telling, it rests for 16 ms, so a flooding child costs one report per file and
//! rest; the kernel merges what it did meanwhile. Elsewhere: the lengths of the logs are looked at
//! each 100 ms while a run lives.

use std::path::Path;
use std::time::Duration;

use super::Report;
use crate::model::RunId;

/// Shortest time between two reports of one file.
const REST: Duration = Duration::from_millis(16);

/// Follows the log folders of live runs. Dropping it ends its thread.
pub struct Growth(system::Growth);

impl Growth {
    /// Reports growth as [`Report::Output`] through a function that must not wait for anything.
    pub fn new(reports: impl Fn(Report) + Send + Sync + 'static) -> Self {
        Self(system::Growth::new(Box::new(reports)))
    }

    /// Follows a run's log folder, which exists. An error means that growth is not seen, and only
    /// that: logs are written and can be read all the same.
    pub fn watch(&self, run: &RunId, run_dir: &Path) -> std::io::Result<()> {
        self.0.watch(run, run_dir)
    }

    /// Stops following a run; what was not told yet is not told any more.
    pub fn unwatch(&self, run: &RunId) {
        self.0.unwatch(run);
    }
}

type Reports = Box<dyn Fn(Report) + Send + Sync>;

#[cfg(target_os = "linux")]
#[path = "growth/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "growth/elsewhere.rs"]
mod system;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::model::Stream;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn a_grown_log_is_told_with_its_length() {
        let dir = tempfile::tempdir().expect("a folder");
        let (sender, reports) = channel();
        let growth = Growth::new(move |report| {
            sender.send(report).ok();
        });
        let run = RunId::from("r");
        growth.watch(&run, dir.path()).expect("watched");
        fs::write(dir.path().join("other.txt"), "no log").expect("written");
        let mut log = fs::File::create(dir.path().join("00004.1.2.err")).expect("made");
        for length in [3, 6] {
            log.write_all(b"abc").expect("written");
            let Report::Output {
                id,
                stream,
                bytes_total,
            } = reports.recv_timeout(PATIENCE).expect("a report")
            else {
                panic!("only growth is told");
            };
            assert_eq!((id.node.0, id.attempt, stream), (4, 2, Stream::Err));
            assert_eq!(bytes_total, length);
        }
        growth.unwatch(&run);
        drop(growth);
        assert!(
            reports.recv_timeout(PATIENCE).is_err(),
            "its thread has ended"
        );
    }

    #[test]
    fn a_flood_is_told_a_few_times_only() {
        let dir = tempfile::tempdir().expect("a folder");
        let (sender, reports) = channel();
        let growth = Growth::new(move |report| {
            sender.send(report).ok();
        });
        let run = RunId::from("r");
        growth.watch(&run, dir.path()).expect("watched");
        let mut logs: Vec<_> = ["00001.1.1.out", "00002.1.1.out"]
            .map(|name| fs::File::create(dir.path().join(name)).expect("made"))
            .into();
        let writes = 20_000;
        let start = std::time::Instant::now();
        for _ in 0..writes {
            for log in &mut logs {
                log.write_all(b"x").expect("written");
            }
        }
        let mut told = 0;
        let mut whole = 0;
        while whole < 2 {
            if let Ok(Report::Output { bytes_total, .. }) = reports.recv_timeout(PATIENCE) {
                told += 1;
                whole += u32::from(bytes_total == writes);
            }
        }
        let rests = start.elapsed().as_millis() / REST.as_millis() + 1;
        assert!(told <= 2 * rests, "{told} reports in {rests} rests");
    }
}

//! The real window: how soon its history is on the screen, and what it costs while nobody touches it.
//!
//! `xvfb-run -a -s "-screen 0 1280x800x24" cargo bench --bench window` prints both; Linux with X11 only. A
//! start is measured from outside, from the process's start until the list of runs on the screen no longer
//! changes, with an empty ledger and one of 10 000 runs of 200 nodes in turns (`RUNS` for another number).
//! Rest is measured over `REST` seconds (60) with 2 000 followed flows: processor time of everything that
//! belongs to that home, and how often its threads woke.

#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "a program that prints figures, not a library"
)]

#[cfg(target_os = "linux")]
#[path = "shared/past.rs"]
mod past;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("measured on Linux with X11 only");
}

#[cfg(target_os = "linux")]
fn main() {
    let what = std::env::args().nth(1).filter(|arg| !arg.starts_with('-'));
    if what.as_deref() != Some("rest") {
        linux::starts();
    }
    if what.as_deref() != Some("start") {
        linux::rest();
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, Stdio};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use handmill::graphml;
    use handmill::ledger::Ledger;
    use handmill::model::{Flow, FlowRef, Timestamp};
    use handmill::store::{self, Home};
    use x11rb::connection::Connection;
    use x11rb::protocol::xproto::{ConnectionExt, ImageFormat};
    use x11rb::rust_connection::RustConnection;

    use super::past;

    const STARTS: usize = 9;
    /// A start is over when nothing has changed for this long.
    const SETTLED: Duration = Duration::from_millis(1_500);

    pub fn starts() {
        let runs = number("RUNS", 10_000);
        let homes =
            [("empty ledger", 0), ("10 000 runs of 200 nodes", runs)].map(|(name, runs)| {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let file = workspace(folder.path(), 1, 200).remove(0);
                let begin = Instant::now();
                fill(folder.path(), &file, runs);
                if runs > 0 {
                    println!(
                        "{runs} runs recorded in {:.1} s",
                        begin.elapsed().as_secs_f64()
                    );
                }
                (name, folder, file)
            });
        let screen = Screen::new();
        println!(
            "{:<28} {:>14} {:>14} {:>14}",
            "start of the window", "first frame", "runs listed", "worst"
        );
        let mut times = vec![Vec::new(); homes.len()];
        for _ in 0..STARTS {
            for (at, (_, folder, file)) in homes.iter().enumerate() {
                times[at].push(screen.start(folder.path(), file));
            }
        }
        for ((name, ..), times) in homes.iter().zip(&mut times) {
            let worst = times.iter().map(|time| time.1).fold(0.0, f64::max);
            let median = |mut of: Vec<f64>| {
                of.sort_by(f64::total_cmp);
                of[of.len() / 2]
            };
            let first = median(times.iter().map(|time| time.0).collect());
            let listed = median(times.iter().map(|time| time.1).collect());
            println!("{name:<28} {first:>11.0} ms {listed:>11.0} ms {worst:>11.0} ms");
        }
    }

    pub fn rest() {
        let seconds = number("REST", 60);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files = workspace(folder.path(), 2_000, 20);
        for file in files.iter().take(50) {
            fill(folder.path(), file, 3);
        }
        let screen = Screen::new();
        let mut window = Window::start(folder.path(), &files[0]);
        screen.settle(Duration::from_secs(8));
        let before = window.spent();
        std::thread::sleep(Duration::from_secs(seconds.into()));
        let after = window.spent();
        println!("at rest for {seconds} s with 2 000 followed flows:");
        for (name, (ticks, woke)) in &after {
            let (ticks_before, woke_before) = before.get(name).copied().unwrap_or_default();
            // A tick of /proc is 10 ms everywhere.
            let ms = (ticks - ticks_before) * 10;
            if ms > 0 || *woke > woke_before {
                println!(
                    "  {name:<34} {ms:>6} ms, woke {:>5} times",
                    woke - woke_before
                );
            }
        }
        let sum = |of: &BTreeMap<String, (u64, u64)>| of.values().map(|spent| spent.0).sum::<u64>();
        println!(
            "  {:<34} {:>6} ms of {} threads",
            "all",
            (sum(&after) - sum(&before)) * 10,
            after.len()
        );
        window.end();
    }

    /// A number from the environment.
    fn number(name: &str, usual: u32) -> u32 {
        let given = std::env::var(name).ok();
        given.and_then(|n| n.parse().ok()).unwrap_or(usual)
    }

    /// A collection of one workspace with flows in it.
    fn workspace(folder: &Path, n_flows: usize, n_nodes: u32) -> Vec<PathBuf> {
        let modules = folder.join("collection/mill/flow_modules");
        fs::create_dir_all(&modules).expect("made");
        (0..n_flows)
            .map(|n| {
                let mut flow = Flow::clone(&past::flow(n_nodes));
                flow.title = format!("Flow {n}");
                let file = modules.join(format!("flow-{n}.graphml"));
                let text = graphml::write(&flow, None).expect("a flow");
                fs::write(&file, text).expect("written");
                file
            })
            .collect()
    }

    /// Lets a flow have run, the last time a minute ago.
    fn fill(folder: &Path, file: &Path, runs: u32) {
        if runs == 0 {
            return;
        }
        let flow: FlowRef = store::locate(file).expect("a workfile");
        let home = Home::at(folder.join("home"));
        let place = home.make_workspace_dir(&flow.workspace).expect("made");
        let ledger = Ledger::open(&place.join("ledger.sqlite"), Timestamp(0), |notice| {
            println!("{notice:?}");
        });
        let ledger = ledger.expect("a ledger");
        let text = fs::read(file).expect("written before");
        let frozen = Arc::new(graphml::read(&text).expect("well-formed").flow);
        let minute = 60_000_000;
        let now = handmill::runtime::now().0;
        for run in 0..runs {
            // Within the last day, or retention would have them go.
            let at = Timestamp(now - minute - i64::from(runs - run) * (minute / 8));
            past::record(
                &ledger,
                &flow,
                &frozen,
                &format!("{}-r{run:06}", flow.file),
                at,
            );
            if run % 100 == 99 {
                ledger.flush().expect("on disk");
            }
        }
        ledger.flush().expect("on disk");
    }

    /// A window of the real program.
    struct Window {
        process: Child,
        home: PathBuf,
    }

    impl Window {
        fn start(folder: &Path, file: &Path) -> Self {
            let home = folder.join("home");
            fs::create_dir_all(&home).expect("made");
            let process = Command::new(env!("CARGO_BIN_EXE_handmill"))
                .arg("--collection")
                .arg(folder.join("collection"))
                .arg(file)
                .env("HANDMILL_HOME", &home)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the program starts");
            Self { process, home }
        }

        /// Ticks of the processor and wake-ups of every thread that belongs to this home, by name.
        fn spent(&self) -> BTreeMap<String, (u64, u64)> {
            let mark = format!("HANDMILL_HOME={}\0", self.home.display());
            let mut spent = BTreeMap::new();
            for process in fs::read_dir("/proc").expect("Linux").flatten() {
                let environ = fs::read(process.path().join("environ")).unwrap_or_default();
                let environ = String::from_utf8_lossy(&environ).into_owned();
                if !environ.contains(&mark) {
                    continue;
                }
                for thread in fs::read_dir(process.path().join("task"))
                    .into_iter()
                    .flatten()
                    .flatten()
                {
                    let read = |name: &str| {
                        fs::read_to_string(thread.path().join(name)).unwrap_or_default()
                    };
                    let stat = read("stat");
                    let Some((name, fields)) = stat.rsplit_once(')') else {
                        continue;
                    };
                    let fields: Vec<&str> = fields.split_whitespace().collect();
                    let ticks = [11, 12].map(|at| fields[at].parse::<u64>().unwrap_or_default());
                    let woke = read("status")
                        .lines()
                        .filter(|line| line.contains("ctxt_switches"))
                        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
                        .sum();
                    let name = name.replace(" (", " ");
                    spent.insert(name, (ticks.iter().sum(), woke));
                }
            }
            spent
        }

        fn end(&mut self) {
            self.process.kill().ok();
            self.process.wait().ok();
        }
    }

    impl Drop for Window {
        fn drop(&mut self) {
            self.end();
        }
    }

    /// The screen, seen from outside.
    struct Screen {
        x: RustConnection,
        root: u32,
        size: (u16, u16),
    }

    impl Screen {
        fn new() -> Self {
            let (x, screen) = x11rb::connect(None).expect("an X display: run this under xvfb-run");
            let screen = &x.setup().roots[screen];
            let (root, size) = (
                screen.root,
                (screen.width_in_pixels, screen.height_in_pixels),
            );
            Self { x, root, size }
        }

        /// Milliseconds from the start of a window to the first frame on the screen, and to the last change of its
        /// list of runs.
        fn start(&self, folder: &Path, file: &Path) -> (f64, f64) {
            let empty = self.look();
            let begin = Instant::now();
            let mut window = Window::start(folder, file);
            let (first, listed) = self.watch(begin, &empty, SETTLED);
            window.end();
            std::thread::sleep(Duration::from_millis(200));
            (first, listed)
        }

        fn settle(&self, quiet: Duration) {
            self.watch(Instant::now(), &[], quiet);
        }

        fn watch(&self, begin: Instant, empty: &[u8], quiet: Duration) -> (f64, f64) {
            let ms = |at: Instant| at.duration_since(begin).as_secs_f64() * 1e3;
            let (mut first, mut last) = (None, begin);
            let mut seen = empty.to_vec();
            while first.is_none() || last.elapsed() < quiet {
                assert!(
                    begin.elapsed() < Duration::from_secs(60),
                    "nothing was shown"
                );
                let now = self.look();
                if now != seen {
                    last = Instant::now();
                    first = first.or(Some(last));
                    seen = now;
                }
                std::thread::sleep(Duration::from_millis(3));
            }
            (first.map(ms).unwrap_or_default(), ms(last))
        }

        /// The pixels of the list of runs: at the right, above the footer.
        fn look(&self) -> Vec<u8> {
            let (w, h) = self.size;
            let (list_w, list_h) = (300, 150);
            let (x, y) = ((w - list_w) as i16, (h - 28 - list_h) as i16);
            let image =
                self.x
                    .get_image(ImageFormat::Z_PIXMAP, self.root, x, y, list_w, list_h, !0);
            image.expect("asked").reply().expect("pixels").data
        }
    }
}

//! A desk to sit at: a virtual display with the real program in a real window, real keys and a real mouse.
//!
//! It is unaware of what the window shows. It types, clicks, keeps pictures, and waits for facts that can be
//! checked from outside (files, the ledger through `handmill status --json`), never for a time to pass.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Width and height of the screen, in pixels. The window fills it.
pub const SCREEN: (i32, i32) = (1600, 1000);

/// How long a fact may take. Software rendering on a busy machine is slow; a fact that comes is waited for no
/// longer than it takes.
const DEADLINE: Duration = Duration::from_secs(30);

/// Between two looks at a fact.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Between two motions of the hand. A window that draws between press, move and release is what a person sees;
/// this is the pace of the input, no result is waited for by it.
const PACE: Duration = Duration::from_millis(40);

/// What egui takes for a new series of clicks.
const BETWEEN_CLICKS: Duration = Duration::from_millis(1_100);

/// A virtual display of its own.
pub struct Screen {
    server: Child,
    name: String,
}

impl Screen {
    /// Starts a display on a number that is free.
    pub fn start() -> Self {
        let (width, height) = SCREEN;
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0"])
            .arg(format!("{width}x{height}x24"))
            .args(["-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|why| panic!("start Xvfb: {why}. `bash tests/run.sh` installs it."));
        // The server writes its number when it listens.
        let mut number = String::new();
        let stdout = server.stdout.take().expect("stdout is piped");
        BufReader::new(stdout)
            .read_line(&mut number)
            .expect("Xvfb tells its display");
        let number = number.trim();
        assert!(!number.is_empty(), "Xvfb ended before it listened");
        let name = format!(":{number}");
        Self { server, name }
    }

    /// Keeps a picture of the screen where CI collects them; gives its path.
    pub fn screenshot(&self, name: &str) -> PathBuf {
        let folder = std::env::var_os("HANDMILL_SCREENSHOTS").map_or_else(
            || Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots"),
            PathBuf::from,
        );
        fs::create_dir_all(&folder).expect("make the folder of screenshots");
        let path = folder.join(format!("{name}.png"));
        self.ask("import", ["-window", "root", &path.to_string_lossy()]);
        path
    }

    /// Runs an X client to its end and gives what it printed; it must succeed.
    fn ask<A: AsRef<OsStr>>(&self, program: &str, args: impl IntoIterator<Item = A>) -> String {
        let output = self.try_ask(program, args);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {complaint}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn try_ask<A: AsRef<OsStr>>(&self, program: &str, args: impl IntoIterator<Item = A>) -> Output {
        Command::new(program)
            .args(args)
            .env("DISPLAY", &self.name)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|why| {
                panic!("start {program}: {why}. `bash tests/run.sh` installs it.")
            })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}

/// The program at work on a screen, with a home of its own.
pub struct Desk {
    screen: Screen,
    app: Child,
    /// The program's window, as X numbers it.
    window: String,
    /// Holds everything machine-local, and the person's files in `files/`.
    home: tempfile::TempDir,
    program: PathBuf,
    /// What the program is told by its environment besides.
    settings: Settings,
    /// It was waited for to end: facts may come true without it.
    has_left: bool,
}

/// Names and values of the environment.
type Settings = &'static [(&'static str, &'static str)];

impl Desk {
    /// Starts Handmill with these arguments, in a folder of its own, and waits for its window.
    pub fn start<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        Self::start_with(|_| {}, args)
    }

    /// The same, after `lay_out` has put files into the folder that the arguments are relative to.
    pub fn start_with<A: AsRef<OsStr>>(
        lay_out: impl FnOnce(&Path),
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self::set_up(lay_out, None, &[], args)
    }

    /// The same, with files that lie in a folder which other desks work in too.
    pub fn start_sharing<A: AsRef<OsStr>>(
        folder: &Path,
        settings: Settings,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self::set_up(|_| {}, Some(folder), settings, args)
    }

    fn set_up<A: AsRef<OsStr>>(
        lay_out: impl FnOnce(&Path),
        shared: Option<&Path>,
        settings: Settings,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let home = tempfile::tempdir().expect("make a home");
        let files = home.path().join("files");
        fs::create_dir(&files).expect("make a folder");
        lay_out(&files);
        let screen = Screen::start();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_handmill"));
        // Files made by the person at this desk: none is asked about before it runs.
        let root = fs::canonicalize(shared.unwrap_or(&files)).expect("a real path");
        let trust = format!("{{\"version\":1,\"roots\":[{root:?}]}}");
        fs::write(home.path().join("trust.json"), trust).expect("write what is trusted");
        let app = launch(&program, &screen, (home.path(), settings), args);
        let mut desk = Self {
            screen,
            app,
            window: String::new(),
            home,
            program,
            settings,
            has_left: false,
        };
        desk.take_window();
        desk
    }

    /// Starts the program anew on the same screen and home, after it has ended or was killed.
    pub fn start_again<A: AsRef<OsStr>>(&mut self, args: impl IntoIterator<Item = A>) {
        end(&mut self.app);
        self.has_left = false;
        self.app = launch(
            &self.program,
            &self.screen,
            (self.home.path(), self.settings),
            args,
        );
        self.take_window();
    }

    /// Waits for the window, lets it fill the screen, and gives it the keyboard. There is no window manager to
    /// do so.
    fn take_window(&mut self) {
        let pid = self.app.id().to_string();
        self.window.clear();
        let mut window = String::new();
        self.wait_until("a window is shown", || {
            let search = ["search", "--onlyvisible", "--pid", &pid, "--name", "."];
            let found = self.screen.try_ask("xdotool", search);
            let found = String::from_utf8_lossy(&found.stdout);
            window = found.lines().last().unwrap_or_default().to_owned();
            !window.is_empty()
        });
        self.window = window;
        let (width, height) = (SCREEN.0.to_string(), SCREEN.1.to_string());
        self.xdotool(["windowmove", &self.window, "0", "0"]);
        self.xdotool(["windowsize", &self.window, &width, &height]);
        self.xdotool(["windowfocus", &self.window]);
        self.wait_until("the window fills the screen and has the keyboard", || {
            let shape = self.xdotool(["getwindowgeometry", "--shell", &self.window]);
            let is = |line: &str| shape.lines().any(|l| l == line);
            is(&format!("WIDTH={width}"))
                && is(&format!("HEIGHT={height}"))
                && self.xdotool(["getwindowfocus"]).trim() == self.window
        });
    }

    /// The folder that arguments are relative to.
    pub fn files(&self) -> PathBuf {
        self.home.path().join("files")
    }

    /// The folder of everything machine-local.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.app.id()
    }

    /// Text of a file in that folder; empty when there is none yet.
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.files().join(file)).unwrap_or_default()
    }

    /// The window's title.
    pub fn title(&self) -> String {
        self.xdotool(["getwindowname", &self.window])
            .trim()
            .to_owned()
    }

    /// Presses a key or a chord, as xdotool names them: `r`, `shift+r`, `ctrl+period`, `Return`.
    pub fn key(&self, chord: &str) {
        self.xdotool(["key", chord]);
        thread::sleep(PACE);
    }

    /// Types text; a line break is the Return key.
    pub fn type_text(&self, text: &str) {
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                self.key("Return");
            }
            if !line.is_empty() {
                self.xdotool(["type", "--delay", "10", "--", line]);
            }
        }
        thread::sleep(PACE);
    }

    /// Brings the pointer to a place of the window, in pixels.
    pub fn point(&self, x: i32, y: i32) {
        self.xdotool(["mousemove", &x.to_string(), &y.to_string()]);
        thread::sleep(PACE);
    }

    /// Clicks with the left button.
    pub fn click(&self, x: i32, y: i32) {
        self.press(x, y, "1", &[]);
    }

    /// Clicks with the left button while keys are held, such as `shift`.
    pub fn click_with(&self, x: i32, y: i32, held: &[&str]) {
        self.press(x, y, "1", held);
    }

    /// Clicks with the right button.
    pub fn right_click(&self, x: i32, y: i32) {
        self.press(x, y, "3", &[]);
    }

    /// Clicks twice with the left button.
    pub fn double_click(&self, x: i32, y: i32) {
        self.point(x, y);
        // Soon after another click the second of these would count as a third.
        thread::sleep(BETWEEN_CLICKS);
        self.xdotool(["click", "--repeat", "2", "--delay", "80", "1"]);
        thread::sleep(PACE);
    }

    /// Turns the wheel; positive is away from the person.
    pub fn wheel(&self, x: i32, y: i32, steps: i32) {
        self.point(x, y);
        let button = if steps > 0 { "4" } else { "5" };
        for _ in 0..steps.abs() {
            self.xdotool(["click", button]);
        }
        thread::sleep(PACE);
    }

    /// Drags with the left button.
    pub fn drag(&self, from: (i32, i32), to: (i32, i32)) {
        self.drag_with(from, to, "1", &[]);
    }

    /// Drags with a button (`1` left, `2` middle, `3` right) while keys are held.
    pub fn drag_with(&self, from: (i32, i32), to: (i32, i32), button: &str, held: &[&str]) {
        const STEPS: i32 = 8;
        self.point(from.0, from.1);
        for key in held {
            self.xdotool(["keydown", key]);
        }
        self.xdotool(["mousedown", button]);
        thread::sleep(PACE);
        for step in 1..=STEPS {
            let along = |a: i32, b: i32| a + (b - a) * step / STEPS;
            self.point(along(from.0, to.0), along(from.1, to.1));
        }
        self.xdotool(["mouseup", button]);
        for key in held.iter().rev() {
            self.xdotool(["keyup", key]);
        }
        thread::sleep(PACE);
    }

    fn press(&self, x: i32, y: i32, button: &str, held: &[&str]) {
        self.point(x, y);
        for key in held {
            self.xdotool(["keydown", key]);
        }
        self.xdotool(["click", button]);
        for key in held.iter().rev() {
            self.xdotool(["keyup", key]);
        }
        thread::sleep(PACE);
    }

    /// Keeps a picture of the screen where CI collects them; gives its path.
    pub fn screenshot(&self, name: &str) -> PathBuf {
        self.screen.screenshot(name)
    }

    /// Colour of one pixel of the screen: red, green, blue.
    pub fn colour_at(&self, x: i32, y: i32) -> [u8; 3] {
        let place = format!("1x1+{x}+{y}");
        let args = ["-window", "root", "-crop", &place, "-depth", "8", "txt:-"];
        let told = self.screen.ask("import", args);
        // `0,0: (242,120,107)  #F2786B  …`
        let hex = told.rsplit('#').next().unwrap_or_default();
        [0, 2, 4].map(|at| {
            let byte = hex.get(at..at + 2).unwrap_or_default();
            u8::from_str_radix(byte, 16).unwrap_or(0)
        })
    }

    /// Runs the command line in the same home and folder.
    pub fn handmill<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        Command::new(&self.program)
            .args(args)
            .env("HANDMILL_HOME", self.home.path())
            .envs(self.settings.iter().copied())
            .current_dir(self.files())
            .stdin(Stdio::null())
            .output()
            .expect("start the command line")
    }

    /// What `handmill status FLOW --json` says; null while it says nothing that can be read.
    pub fn status(&self, flow: &str) -> serde_json::Value {
        let output = self.handmill(["status", flow, "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Looks until `fact` holds. When it does not within the deadline, or the program ends meanwhile, keeps a
    /// picture and fails with `what` and all that the program said.
    #[track_caller]
    pub fn wait_until(&self, what: &str, mut fact: impl FnMut() -> bool) {
        let mut holds = false;
        self.look_for(what, || {
            holds = fact();
            holds || !self.has_left && self.has_ended()
        });
        if !holds {
            self.fail(what);
        }
    }

    #[track_caller]
    fn look_for(&self, what: &str, mut fact: impl FnMut() -> bool) {
        let start = Instant::now();
        while !fact() {
            if start.elapsed() > DEADLINE {
                self.fail(what);
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// True when the program is no longer there, or is only a remnant that nobody has asked for its status.
    fn has_ended(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.app.id())).unwrap_or_default();
        stat.rsplit_once(") ")
            .is_none_or(|(_, fields)| fields.starts_with('Z'))
    }

    /// Ends the program without warning, as a power cut would.
    pub fn kill(&mut self) {
        end(&mut self.app);
    }

    /// Ends everything that this home has running, nodes included, as when the machine loses its power.
    pub fn lose_power(&mut self) {
        end(&mut self.app);
        let setting = format!("HANDMILL_HOME={}", self.home.path().display());
        let ours = |pid: &u32| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environ
                .split(|byte| *byte == 0)
                .any(|s| s == setting.as_bytes())
        };
        self.look_for("nothing of this machine is left", || {
            let entries = fs::read_dir("/proc").expect("read /proc");
            let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
            let left: Vec<u32> = pids.filter(ours).collect();
            for pid in &left {
                Command::new("kill")
                    .args(["-9", &pid.to_string()])
                    .output()
                    .ok();
            }
            left.is_empty()
        });
    }

    /// Waits until the program has ended by itself.
    #[track_caller]
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.app.try_wait().expect("ask for the program") {
                self.has_left = true;
                return status;
            }
            if start.elapsed() > DEADLINE {
                self.fail("the program ends");
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Processor time that the program has used so far, its children left out.
    pub fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.app.id()))
            .expect("read the program's times");
        // Fields are counted after the name, which may hold blanks: user time is the 12th, system time the 13th.
        let (_, fields) = stat.rsplit_once(')').expect("the name is in brackets");
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().expect("a number of ticks"))
            .sum();
        // Linux counts in hundredths of a second.
        Duration::from_millis(ticks * 10)
    }

    fn xdotool<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        self.screen.ask("xdotool", args)
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        let name = format!(
            "failed-{}",
            what.replace(|c: char| !c.is_alphanumeric(), "-")
        );
        let picture = self.screenshot(&name);
        let said = fs::read_to_string(self.home.path().join("said.txt")).unwrap_or_default();
        let control = self.handmill(["control", "log", "mill"]).stdout;
        panic!(
            "waited in vain until {what}; picture: {}; the program said:\n{said}\ncontrol:\n{}",
            picture.display(),
            String::from_utf8_lossy(&control)
        )
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // Before the screen goes, so that the program's last words are its own.
        end(&mut self.app);
    }
}

fn launch<A: AsRef<OsStr>>(
    program: &Path,
    screen: &Screen,
    (home, settings): (&Path, Settings),
    args: impl IntoIterator<Item = A>,
) -> Child {
    let said = File::options()
        .create(true)
        .append(true)
        .open(home.join("said.txt"))
        .expect("make a file for what the program says");
    Command::new(program)
        .args(args)
        .env("DISPLAY", &screen.name)
        .env("HANDMILL_HOME", home)
        .envs(settings.iter().copied())
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        // The same picture on every machine: one pixel is one point, and no desktop session is asked for anything.
        .env("WINIT_X11_SCALE_FACTOR", "1")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        // Without it the program asks for paths itself instead of through the desktop's dialogs.
        .env_remove("XDG_RUNTIME_DIR")
        .current_dir(home.join("files"))
        .stdin(Stdio::null())
        .stdout(said.try_clone().expect("write to the same file"))
        .stderr(said)
        .spawn()
        .expect("start the program")
}

/// Kills a process, if it is still there, and takes its status.
fn end(process: &mut Child) {
    process.kill().ok();
    process.wait().ok();
}

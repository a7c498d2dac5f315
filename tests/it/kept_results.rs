//! Results in the workfile, for those who share it with programs that look for them there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_handmill");

/// A workspace with one flow, in a home of its own.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new(keep: bool) -> Self {
        let dir = tempfile::tempdir().expect("make a folder");
        let desk = Self { dir };
        fs::create_dir_all(desk.dir.path().join("home")).expect("make a home");
        let settings = format!("{{\"version\":1,\"keep_results\":{keep}}}");
        fs::write(desk.dir.path().join("home/settings.json"), settings).expect("write settings");
        let file = desk.file();
        fs::create_dir_all(file.parent().expect("a folder")).expect("make the workspace");
        let node = |id: &str, command: &str| {
            format!(
                "    <node id=\"{id}\">\n      <data key=\"d1\">{command}</data>\n    </node>\n"
            )
        };
        let text = format!(
            "<?xml version='1.0' encoding='utf-8'?>\n\
             <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n  \
             <key id=\"d1\" for=\"node\" attr.name=\"label\" attr.type=\"string\" />\n  \
             <graph edgedefault=\"directed\">\n{}{}    \
             <edge source=\"good\" target=\"bad\" />\n  </graph>\n</graphml>\n",
            node("good", "true"),
            node("bad", "test -e mended || exit 7"),
        );
        fs::write(file, text).expect("write the flow");
        desk
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("mill/flow_modules/flow.graphml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).expect("read the flow")
    }

    fn handmill(&self, args: &[&str]) -> Output {
        Command::new(BINARY)
            .args(args)
            .env("HANDMILL_HOME", self.dir.path().join("home"))
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .output()
            .expect("start handmill")
    }

    /// Runs and tells how the two nodes stand then.
    fn after(&self, verb: &str) -> [String; 2] {
        self.handmill(&[verb, "mill/flow_modules/flow.graphml"]);
        self.standing()
    }

    fn standing(&self) -> [String; 2] {
        let status = self.handmill(&["status", "mill/flow_modules/flow.graphml", "--json"]);
        let status: serde_json::Value = serde_json::from_slice(&status.stdout).expect("JSON");
        [0, 1].map(|n| {
            status["nodes"][n]["status"]
                .as_str()
                .unwrap_or("?")
                .to_owned()
        })
    }

    fn n_runs(&self) -> usize {
        let told = self.handmill(&["history", "mill/flow_modules/flow.graphml", "--json"]);
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        told.matches("\"choice\"").count()
    }
}

fn data(text: &str) -> (usize, usize) {
    (
        text.matches(">ran</data>").count(),
        text.matches(">fail</data>").count(),
    )
}

fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder).expect("read the folder").count()
}

#[test]
fn a_run_writes_its_results_into_the_file_and_never_takes_them_for_anothers() {
    let desk = Desk::new(true);
    let before = desk.text();
    assert_eq!(desk.after("run"), ["ran", "failed"]);
    let text = desk.text();
    assert_eq!(data(&text), (1, 1), "{text}");
    assert!(text.contains(">7</data>"), "its exit code: {text}");
    for line in before.lines().filter(|line| !line.contains("<graphml")) {
        assert!(text.contains(line.trim()), "lost {line} of {text}");
    }

    // Resumed from the ledger, and the file tells the newest.
    fs::write(desk.dir.path().join("mill/mended"), "").expect("mend it");
    assert_eq!(desk.after("resume"), ["ran", "ran"]);
    assert_eq!(data(&desk.text()), (2, 0), "{}", desk.text());
    assert_eq!(
        desk.n_runs(),
        2,
        "what stands in the file was taken over as a run"
    );

    // A node taken out by hand makes other results of them, and still none of another program.
    let text = desk.text();
    let from = text.find("    <node id=\"good\"").expect("it is there");
    let to = text.find("    <node id=\"bad\"").expect("it is there");
    let mut cut = text.clone();
    cut.replace_range(from..to, "");
    let edge = cut.find("    <edge").expect("an edge");
    let end = cut[edge..].find('\n').expect("a line") + edge + 1;
    cut.replace_range(edge..end, "");
    fs::write(desk.file(), &cut).expect("write it");
    desk.after("resume");
    assert_eq!(desk.n_runs(), 2, "{}", desk.text());

    // What another program writes there is taken over.
    fs::write(desk.file(), cut.replace(">ran</data>", ">fail</data>")).expect("write it");
    assert_eq!(
        desk.after("resume")[0],
        "ran",
        "it was resumed from what stood there"
    );
    assert_eq!(desk.n_runs(), 4, "theirs and the resume");
    assert_eq!(
        files_in(&desk.dir.path().join("mill/flow_modules")),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn without_the_setting_a_run_changes_no_byte_of_the_file() {
    let desk = Desk::new(false);
    let before = desk.text();
    assert_eq!(desk.after("run"), ["ran", "failed"]);
    assert_eq!(desk.text(), before);
}

#[test]
fn a_file_that_is_gone_or_damaged_is_left_alone() {
    let desk = Desk::new(true);
    let text = desk
        .text()
        .replace("true<", "rm flow_modules/flow.graphml<");
    fs::write(desk.file(), text).expect("write it");
    desk.handmill(&["run", "mill/flow_modules/flow.graphml"]);
    assert!(!desk.file().exists(), "made anew");

    let desk = Desk::new(true);
    let broken = "printf '&lt;graphml&gt;&lt;' &gt; flow_modules/flow.graphml<";
    let text = desk.text().replace("true<", broken);
    fs::write(desk.file(), text).expect("write it");
    let run = desk.handmill(&["run", "mill/flow_modules/flow.graphml"]);
    assert_eq!(desk.text(), "<graphml><", "written over");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(
        said.contains("were not written into its workfile"),
        "{said}"
    );
}

use super::*;
use crate::model::{Edge, EdgeKind, EdgeSpec, Env, Frame, FrameId, Point, Rect, Wrapper, seeds};
use std::time::Duration;

pub(crate) fn flow(commands: &[&str]) -> Flow {
    let mut flow = Flow::default();
    for (n, command) in commands.iter().enumerate() {
        let at = Point {
            x: n as f64 * 100.0,
            y: 20.0,
        };
        let node = Node::new(format!("n{n}").as_str(), *command, at);
        flow.graph.add_node(node).expect("fresh id");
        if n > 0 {
            let (source, target) = (format!("n{}", n - 1), format!("n{n}"));
            let spec = EdgeSpec {
                edge: Edge {
                    id: format!("e{n}").as_str().into(),
                    kind: EdgeKind::Blocking,
                },
                source: source.as_str().into(),
                target: target.as_str().into(),
            };
            flow.graph.add_edge(spec).expect("ends are there");
        }
    }
    flow
}

struct Place {
    _dir: tempfile::TempDir,
    path: std::path::PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().expect("temp dir");
    let path = dir.path().join("a.graphml");
    Place { _dir: dir, path }
}

#[test]
fn what_is_saved_is_loaded_and_can_be_saved_again() {
    let at = place();
    let one = flow(&["echo a", "echo \"<b>\" & \n\tc"]);
    let saved = save(&at.path, &one, None).expect("new");
    let loaded = load(&at.path).expect("load");
    assert_eq!(loaded.flow, one);
    assert_eq!(loaded.stamp, saved.stamp);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let two = flow(&["echo a", "echo b", "echo c"]);
    let saved = save(&at.path, &two, Some(&saved.stamp)).expect("again");
    assert_eq!(load(&at.path).expect("load").flow, two);
    assert_eq!(disk::stamp(&at.path).expect("stamp"), saved.stamp);
}

#[test]
fn a_save_without_changes_does_not_touch_the_file() {
    let at = place();
    let flow = flow(&["echo a"]);
    let first = save(&at.path, &flow, None).expect("new").stamp;
    let second = save(&at.path, &flow, Some(&first)).expect("again").stamp;
    assert_eq!(second, first, "the same inode and time: no new file");
}

#[test]
fn an_outside_change_is_never_overwritten_unasked() {
    let at = place();
    let mine = flow(&["mine"]);
    let stamp = save(&at.path, &flow(&["base"]), None).expect("new").stamp;
    let theirs = save(&at.path, &flow(&["theirs"]), Some(&stamp)).expect("theirs");
    match save(&at.path, &mine, Some(&stamp)) {
        Err(SaveError::ChangedOutside { now, .. }) => assert_eq!(now, Some(theirs.stamp)),
        other => panic!("{other:?}"),
    }
    assert_eq!(load(&at.path).expect("load").flow, flow(&["theirs"]));
    save_over(&at.path, &mine).expect("asked for");
    assert_eq!(load(&at.path).expect("load").flow, mine);
}

#[test]
fn a_file_that_went_away_is_told_and_a_new_one_puts_it_back() {
    let at = place();
    let flow = flow(&["a"]);
    let stamp = save(&at.path, &flow, None).expect("new").stamp;
    fs::remove_file(&at.path).expect("remove");
    let told = save(&at.path, &flow, Some(&stamp)).expect_err("gone");
    assert!(matches!(told, SaveError::Gone { .. }), "{told}");
    assert!(!at.path.exists());
    save(&at.path, &flow, None).expect("back");
    let told = save(&at.path, &flow, None).expect_err("exists");
    assert!(matches!(told, SaveError::Exists { .. }), "{told}");
}

#[test]
fn what_is_no_workfile_is_neither_loaded_nor_overwritten() {
    let at = place();
    fs::write(&at.path, "<graphml><graph><node id=").expect("write");
    if let Ok(loaded) = load(&at.path) {
        assert!(loaded.damaged);
    }
    let stamp = disk::stamp(&at.path).expect("stamp");
    let mine = flow(&["a"]);
    for told in [
        save(&at.path, &mine, Some(&stamp)).expect_err("damaged"),
        save_over(&at.path, &mine).expect_err("damaged"),
        save_copy(&at.path, &mine, Some(&at.path), true).expect_err("damaged"),
    ] {
        assert!(matches!(told, SaveError::Damaged { .. }), "{told}");
        assert!(told.hint().contains("copy"));
    }
    assert_eq!(disk::stamp(&at.path).expect("stamp"), stamp);
    let copy = at.path.with_file_name("b.graphml");
    save_copy(&copy, &mine, Some(&at.path), false).expect("copy");
    assert_eq!(load(&copy).expect("load").flow, mine);
}

#[test]
fn a_copy_replaces_a_file_only_when_told_to() {
    let at = place();
    let (one, two) = (flow(&["one"]), flow(&["two"]));
    save(&at.path, &one, None).expect("new");
    let told = save_copy(&at.path, &two, None, false).expect_err("exists");
    assert!(matches!(told, SaveError::Exists { .. }), "{told}");
    save_copy(&at.path, &two, None, true).expect("told to");
    assert_eq!(load(&at.path).expect("load").flow, two);
}

#[test]
fn a_missing_file_a_folder_and_a_huge_one_are_told_in_one_sentence() {
    let at = place();
    let told = load(&at.path).expect_err("missing").to_string();
    assert!(told.contains("no such file"), "{told}");
    let dir = at.path.parent().expect("parent");
    let told = load(dir).expect_err("folder").to_string();
    assert!(told.contains("a folder"), "{told}");
    let huge = fs::File::create(&at.path).expect("create");
    huge.set_len(WORKFILE_BYTES_MAX + 1).expect("sparse");
    let told = load(&at.path).expect_err("huge").to_string();
    assert!(told.contains("more than 64 MiB"), "{told}");
}

/// Any flow, with text that XML, shells and people find hard.
fn any_flow(random: &mut fastrand::Rng) -> Flow {
    let hard = [
        "",
        " ",
        "a",
        "é€😀",
        "<&>\"'",
        "]]>",
        "a\nb",
        "\ttab ",
        "\r\n",
        "a\rb",
        " lead",
        "trail ",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "{}",
        "--",
        "<!-- x -->",
        "%41",
        "\\",
        "\n\n",
    ];
    let text = |random: &mut fastrand::Rng| {
        (0..random.usize(..3))
            .map(|_| hard[random.usize(..hard.len())])
            .collect::<String>()
    };
    let env = |random: &mut fastrand::Rng| {
        Env((0..random.usize(..3))
            .map(|n| (format!("V{n}"), "x y=z".into()))
            .collect())
    };
    let number = |random: &mut fastrand::Rng| match random.u8(..4) {
        0 => 0.0,
        1 => f64::from(random.i32(-5_000..5_000)),
        2 => random.f64() * 1e4 - 5e3,
        _ => f64::from(random.i32(..)) * 1e-7,
    };
    let number = |random: &mut fastrand::Rng| {
        // As a file holds it, so that flows can be compared exactly.
        (number(random) * 100.0).round() / 100.0
    };
    let mut flow = Flow {
        title: text(random),
        group: text(random),
        wrapper: random
            .bool()
            .then(|| Wrapper::new(format!("bash -c {{}}{}", text(random)))),
        shell: text(random),
        cwd: text(random),
        env: env(random),
        max_passes: random.bool().then(|| random.u32(1..=10_000)),
        jobs_max: random.bool().then(|| random.u32(1..=10_000)),
        ..Flow::default()
    };
    for n in 0..random.usize(..5) {
        let at = Point {
            x: number(random),
            y: number(random),
        };
        let id = format!("{}{n}", text(random));
        let mut node = Node::new(id.as_str(), text(random), at);
        node.title = text(random);
        node.disabled = random.bool();
        node.cwd = text(random);
        node.env = env(random);
        node.timeout = random
            .bool()
            .then(|| Duration::from_millis(random.u64(1..100_000)));
        node.retries = random.u32(..3);
        node.retry_delay = Duration::from_millis(random.u64(..3) * 1_500);
        flow.graph
            .add_node(node)
            .expect("ids differ by their number");
    }
    let ids: Vec<_> = flow.graph.nodes().map(|node| node.id.clone()).collect();
    for n in 0..random.usize(..6) {
        if ids.is_empty() {
            break;
        }
        let spec = EdgeSpec {
            edge: Edge {
                id: format!("{}e{n}", text(random)).as_str().into(),
                kind: [EdgeKind::Blocking, EdgeKind::NonBlocking][random.usize(..2)],
            },
            source: ids[random.usize(..ids.len())].clone(),
            target: ids[random.usize(..ids.len())].clone(),
        };
        flow.graph
            .add_edge(spec)
            .expect("ids differ by their number");
    }
    for n in 0..random.usize(..3) {
        flow.frames.push(Frame {
            id: FrameId(format!("f{n}")),
            rect: Rect {
                x: number(random),
                y: number(random),
                w: number(random).abs(),
                h: number(random).abs(),
            },
            title: text(random),
            text: text(random),
        });
    }
    flow
}

#[test]
fn places_between_two_decimals_are_saved_rounded() {
    let at = place();
    let mut flow = flow(&["a", "b"]);
    let exact = Point {
        x: 10.123_456,
        y: -1e6 / 3.0,
    };
    flow.graph.node_mut(&"n1".into()).expect("there").pos = exact;
    save(&at.path, &flow, None).expect("save");
    let loaded = load(&at.path).expect("load").flow;
    let near = loaded.graph.node(&"n1".into()).expect("there").pos;
    assert!(
        (near.x - exact.x).abs() < 0.01 && (near.y - exact.y).abs() < 0.01,
        "{near:?}"
    );
    let mut far = flow.clone();
    far.graph.node_mut(&"n1".into()).expect("there").pos.x += 0.1;
    assert!(same_but_rounded(&flow, &loaded));
    assert!(!same_but_rounded(&far, &loaded));
}

#[test]
fn any_flow_is_saved_over_any_other_and_loaded_back() {
    seeds::each(seeds::drawn(50), |random| {
        let at = place();
        let before = save(&at.path, &any_flow(random), None).expect("saved");
        let flow = any_flow(random);
        save(&at.path, &flow, Some(&before.stamp)).expect("saved");
        let loaded = load(&at.path).expect("load");
        assert_eq!(loaded.flow, flow);
        assert_eq!(loaded.warnings, [""; 0]);
    });
}

//! Workfiles of every generation, hostile ones, and what NetworkX makes of ours.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fastrand::Rng;
use handmill::graphml::{Reading, limits, read, same_meaning, subgraph_text, write};
use handmill::model::{
    Edge, EdgeKind, EdgeSpec, Edit, Env, Flow, FlowField, Frame, FrameId, Node, NodeField, NodeId,
    NodeStatus, Point, Rect, Wrapper,
};
use serde_json::Value;

use crate::shared::shared_dir;

/// Name and bytes of every workfile among the fixtures.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    let Some(shared) = shared_dir() else {
        return Vec::new();
    };
    let dir = shared.join("fixtures/workforce");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&dir).expect("the fixtures are there") {
        let path = entry.expect("readable").path();
        let name = path
            .file_name()
            .expect("named")
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".graphml") || name.ends_with(".wf") {
            files.push((name, std::fs::read(&path).expect("readable")));
        }
    }
    files.sort();
    assert!(files.len() >= 21, "only {} fixtures", files.len());
    files
}

fn must_read(name: &str, bytes: &[u8]) -> Reading {
    match read(bytes) {
        Ok(reading) => reading,
        Err(why) => panic!("{name}: {why}"),
    }
}

fn n_non_blocking(flow: &Flow) -> usize {
    let edges = flow.graph.edges();
    edges.filter(|e| e.2.kind == EdgeKind::NonBlocking).count()
}

/// The wrapper that `expected.json`'s graph keys mean.
fn expected_wrapper(graph: &Value) -> Option<String> {
    let text = |key: &str| graph[key].as_str().unwrap_or_default().to_owned();
    if !graph["wrapper"].is_null() {
        return Some(text("wrapper")).filter(|w| w != "{}");
    }
    match (text("prefix").as_str(), text("suffix").as_str()) {
        ("", "") => None,
        // A word before the command stands apart from it; an open quote does not.
        (prefix, "") => Some(format!("{prefix} {{}}")),
        (prefix, suffix) => Some(format!("{prefix}{{}}{suffix}")),
    }
}

#[test]
fn every_fixture_reads_as_networkx_reads_it() {
    let Some(shared) = shared_dir() else { return };
    let expected = std::fs::read(shared.join("fixtures/workforce/expected.json")).expect("there");
    let expected: BTreeMap<String, Value> = serde_json::from_slice(&expected).expect("JSON");
    let files: BTreeMap<String, Vec<u8>> = fixtures().into_iter().collect();
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    for (name, want) in &expected {
        let Reading { flow, results, .. } = must_read(name, &files[name]);
        if want["readable_by_networkx"] == false {
            // The control characters in its output are recovered.
            assert_eq!(
                (flow.graph.n_nodes(), flow.graph.n_edges()),
                (2, 1),
                "{name}"
            );
            continue;
        }
        let count = |what: &str, word: &str| {
            usize::try_from(want[what][word].as_u64().unwrap_or(0)).expect("small")
        };
        let total =
            |what: &str| usize::try_from(want[what].as_u64().expect("a count")).expect("small");
        assert_eq!(flow.graph.n_nodes(), total("nodes"), "{name}");
        if name == "nx-multi-parallel-edges.graphml" {
            // A DiGraph keeps one of two parallel edges; both are in the file, and we keep both.
            assert_eq!(
                (flow.graph.n_edges(), n_non_blocking(&flow)),
                (2, 1),
                "{name}"
            );
        } else {
            assert_eq!(flow.graph.n_edges(), total("edges"), "{name}");
            assert_eq!(
                n_non_blocking(&flow),
                count("edge_type", "non-blocking"),
                "{name}"
            );
        }
        let n_status = |status| {
            results
                .nodes
                .values()
                .filter(|r| r.status == status)
                .count()
        };
        assert_eq!(
            n_status(NodeStatus::Ran),
            count("node_status", "ran"),
            "{name}"
        );
        assert_eq!(
            n_status(NodeStatus::Failed),
            count("node_status", "fail"),
            "{name}"
        );
        assert_eq!(
            results.marks.len(),
            count("edge_status", "to_run"),
            "{name}"
        );
        let wrapper = flow.wrapper.as_ref().map(|w| w.template().to_owned());
        assert_eq!(wrapper, expected_wrapper(&want["graph"]), "{name}");
        for sample in want["sample_nodes"].as_array().expect("a list") {
            let id = sample["id"].as_str().expect("an id");
            let node = flow.graph.node(&id.into()).expect(id);
            assert_eq!(
                node.command,
                sample["label"].as_str().unwrap_or_default(),
                "{name} {id}"
            );
            let number = |v: &Value| v.as_f64().or_else(|| v.as_str()?.parse().ok());
            if let (Some(x), Some(y)) = (number(&sample["x"]), number(&sample["y"])) {
                // The reader of the expected numbers may be off by the last bit.
                let off = (node.pos.x - x).abs() + (node.pos.y - y).abs();
                assert!(off < 1e-9, "{name} {id}: {:?}", node.pos);
            }
            if let Some(code) = number(&sample["error_code"]) {
                let exit = results.nodes[&NodeId::from(id)].exit.map(f64::from);
                assert_eq!(exit, Some(code), "{name} {id}");
            }
        }
        for sample in want["sample_edges"].as_array().expect("a list") {
            let text = |key: &str| sample[key].as_str();
            let (source, target) = (text("source").expect("one"), text("target").expect("one"));
            let mut between = flow
                .graph
                .edges()
                .filter(|e| e.0.id.as_str() == source && e.1.id.as_str() == target);
            let found = match text("id") {
                Some(id) => between.any(|e| e.2.id.as_str() == id),
                None => between.next().is_some(),
            };
            assert!(found, "{name}: {sample}");
        }
    }
}

#[test]
fn the_odd_things_of_each_fixture_are_told_with_their_line() {
    let warned = |name: &str| -> Vec<String> {
        let files: BTreeMap<String, Vec<u8>> = fixtures().into_iter().collect();
        let reading = must_read(name, &files[name]);
        reading.warnings.iter().map(ToString::to_string).collect()
    };
    if shared_dir().is_none() {
        return;
    }
    for (name, wanted) in [
        (
            "broken-1.1.23-ansi-escape-in-stdout.wf",
            vec![
                "line 21: control characters",
                "nodes marked as running by another program (1)",
            ],
        ),
        (
            "nx-undirected.graphml",
            vec!["line 4: the graph is undirected"],
        ),
        (
            "nx-1k-tree.graphml",
            vec!["nodes marked as running by another program (400)"],
        ),
        (
            "made-1.1.23-api-labels-types-log.wf",
            vec![
                "line 55: status ‘bogus’ of node",
                "line 99: edge type ‘weird’",
            ],
        ),
        (
            "nx-noindent-latin1.graphml",
            vec!["line 2: nodes without a usable position (1, the first here)"],
        ),
        ("repo-v1.1.5-Workfile.graphml", vec![]),
        ("repo-HEAD-Workfile.graphml", vec![]),
    ] {
        let told = warned(name);
        assert_eq!(told.len(), wanted.len(), "{name}: {told:?}");
        for (told, wanted) in told.iter().zip(&wanted) {
            assert!(told.starts_with(wanted), "{name}: {told}");
        }
    }
}

#[test]
fn outputs_of_older_generations_are_split_and_kept() {
    for (name, bytes) in fixtures() {
        let results = must_read(&name, &bytes).results;
        match name.as_str() {
            "repo-v1.1.5-Workfile.graphml" => {
                let first = &results.nodes[&NodeId::from("864cd165-6568-421b-a805-7db8fe430a2c")];
                assert_eq!(
                    (first.stdout.as_str(), first.stderr.as_str()),
                    ("asdfad\n", "")
                );
            }
            "made-1.1.23-run-diamond-pass.wf" => {
                let prep = &results.nodes[&NodeId::from("prep")];
                assert_eq!(
                    (prep.stdout.as_str(), prep.stderr.as_str()),
                    ("prep & <go>\n", "warn\n")
                );
            }
            "broken-1.1.23-ansi-escape-in-stdout.wf" => {
                let n0 = &results.nodes[&NodeId::from("n0")];
                assert_eq!(n0.stdout, "\u{1b}[31mred\u{1b}[0m\n");
            }
            _ => {}
        }
    }
}

#[test]
fn open_and_save_changes_no_byte() {
    for (name, bytes) in fixtures() {
        let reading = must_read(&name, &bytes);
        let same = write(&reading.flow, Some(&reading.source)).expect("writes");
        assert!(same == bytes, "{name}");
        // The same with a byte order mark, with CRLF, and in UTF-16.
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let utf16 = std::iter::once(0xfeff).chain(text.encode_utf16());
        let variants = [
            format!("\u{feff}{text}").into_bytes(),
            text.replace('\n', "\r\n").into_bytes(),
            utf16.flat_map(u16::to_le_bytes).collect(),
        ];
        for (i, bytes) in variants.into_iter().enumerate() {
            let reading = must_read(&name, &bytes);
            let same = write(&reading.flow, Some(&reading.source)).expect("writes");
            assert!(same == bytes, "{name}, variant {i}");
        }
    }
}

/// Lines that differ, when nothing else was added or taken out.
fn differing_lines(before: &[u8], after: &[u8]) -> Vec<String> {
    let lines = |bytes: &[u8]| -> Vec<String> {
        bytes
            .split(|b| *b == b'\n')
            .map(|l| String::from_utf8_lossy(l).into_owned())
            .collect()
    };
    let (before, after) = (lines(before), lines(after));
    assert_eq!(before.len(), after.len(), "lines were added or taken out");
    let pairs = after.into_iter().zip(before);
    pairs.filter(|(a, b)| a != b).map(|(a, _)| a).collect()
}

#[test]
fn a_drag_changes_two_lines_and_a_command_one() {
    let mut n_checked = 0;
    for (name, bytes) in fixtures() {
        let reading = must_read(&name, &bytes);
        let has_lines = bytes.iter().filter(|b| **b == b'\n').count() > 10;
        let has_places = !name.starts_with("nx-multi") && !name.starts_with("nx-undirected");
        if !has_lines || !has_places || name.starts_with("broken") {
            continue;
        }
        for node in reading.flow.graph.nodes().take(20) {
            let mut flow = reading.flow.clone();
            let to = Point {
                x: node.pos.x + 33.0,
                y: node.pos.y - 7.25,
            };
            Edit::Move(vec![(node.id.clone(), to)])
                .apply(&mut flow)
                .expect("applies");
            let moved = write(&flow, Some(&reading.source)).expect("writes");
            let lines = differing_lines(&bytes, &moved);
            // A key that was typed for whole numbers may have to admit a fraction, once.
            let n_keys = lines.iter().filter(|l| l.contains("<key ")).count();
            assert_eq!(lines.len() - n_keys, 2, "{name}: {lines:?}");
            assert!(n_keys == 0 || name.contains("long-xy"), "{name}: {lines:?}");

            if node.command.contains('\n') {
                continue;
            }
            let mut flow = reading.flow.clone();
            let field = NodeField::Command("echo <changed>".to_owned());
            Edit::SetNode {
                id: node.id.clone(),
                field,
            }
            .apply(&mut flow)
            .expect("applies");
            let edited = write(&flow, Some(&reading.source)).expect("writes");
            let lines = differing_lines(&bytes, &edited);
            assert_eq!(lines.len(), 1, "{name}: {lines:?}");
            n_checked += 1;
        }
    }
    assert!(n_checked > 50 || shared_dir().is_none(), "{n_checked}");
}

const TEXTS: [&str; 12] = [
    "",
    "echo plain",
    "  blanks  ",
    "a\nb\n",
    "tab\there",
    "<&>\"'",
    "]]> <![CDATA[x]]>",
    "cr\r\nlf\r",
    "häß → 日本語 🙂",
    "{}",
    "&amp;amp; &#10;",
    "-> \\ \" ' `date` $HOME",
];

fn text(rng: &mut Rng) -> String {
    TEXTS[rng.usize(..TEXTS.len())].to_owned()
}

fn point(rng: &mut Rng) -> Point {
    let mut side =
        || f64::from(rng.i32(-100_000..100_000)) / [1.0, 4.0, 7.0, 100.0][rng.usize(..4)];
    Point {
        x: side(),
        y: side(),
    }
}

fn some_node(flow: &Flow, rng: &mut Rng) -> Option<NodeId> {
    let n = flow.graph.n_nodes();
    let node = flow.graph.nodes().nth(rng.usize(..n.max(1)))?;
    Some(node.id.clone())
}

/// One edit such as a person makes, on whatever is there.
fn random_edit(flow: &Flow, rng: &mut Rng) -> Option<Edit> {
    let env = |rng: &mut Rng| {
        let value = text(rng).replace(['\n', '\r'], " ");
        Env(vec![
            ("A".to_owned(), value),
            ("_b2".to_owned(), "=".to_owned()),
        ])
    };
    Some(match rng.u32(..10) {
        0 => {
            let id = format!("{}{}", text(rng), rng.u32(..1_000_000));
            let node = Node::new(id.as_str(), text(rng), point(rng));
            Edit::Add {
                nodes: vec![node],
                edges: vec![],
            }
        }
        1 => Edit::Remove {
            nodes: vec![some_node(flow, rng)?],
            edges: vec![],
        },
        2 | 3 => {
            let (source, target) = (some_node(flow, rng)?, some_node(flow, rng)?);
            let kind = if rng.bool() {
                EdgeKind::Blocking
            } else {
                EdgeKind::NonBlocking
            };
            let edge = Edge {
                id: flow.graph.free_edge_id(&source, &target),
                kind,
            };
            Edit::Add {
                nodes: vec![],
                edges: vec![EdgeSpec {
                    edge,
                    source,
                    target,
                }],
            }
        }
        4 => {
            let n = flow.graph.n_edges();
            let id = flow.graph.edges().nth(rng.usize(..n.max(1)))?.2.id.clone();
            Edit::Remove {
                nodes: vec![],
                edges: vec![id],
            }
        }
        5 => {
            let n = flow.graph.n_edges();
            let id = flow.graph.edges().nth(rng.usize(..n.max(1)))?.2.id.clone();
            let kind = if rng.bool() {
                EdgeKind::Blocking
            } else {
                EdgeKind::NonBlocking
            };
            Edit::SetEdgeKind(vec![(id, kind)])
        }
        6 => Edit::Move(vec![(some_node(flow, rng)?, point(rng))]),
        7 | 8 => {
            let field = match rng.u32(..8) {
                0 => NodeField::Title(text(rng)),
                1 => NodeField::Command(text(rng)),
                2 => NodeField::Disabled(rng.bool()),
                3 => NodeField::Cwd(text(rng)),
                4 => NodeField::Env(if rng.bool() { env(rng) } else { Env::default() }),
                5 => NodeField::Timeout(
                    rng.bool()
                        .then(|| Duration::from_millis(rng.u64(1..10_000_000))),
                ),
                6 => NodeField::Retries(rng.u32(..5)),
                _ => NodeField::RetryDelay(Duration::from_millis(rng.u64(..5) * 250)),
            };
            Edit::SetNode {
                id: some_node(flow, rng)?,
                field,
            }
        }
        _ => Edit::SetFlow(match rng.u32(..9) {
            0 => FlowField::Title(text(rng)),
            1 => FlowField::Group(text(rng)),
            2 => FlowField::Wrapper(rng.bool().then(|| Wrapper::new(text(rng)))),
            3 => FlowField::Shell(text(rng)),
            4 => FlowField::Cwd(text(rng)),
            5 => FlowField::Env(if rng.bool() { env(rng) } else { Env::default() }),
            6 => FlowField::MaxPasses(rng.bool().then(|| rng.u32(1..100))),
            7 => FlowField::JobsMax(rng.bool().then(|| rng.u32(1..100))),
            _ => FlowField::Frames(frames(rng)),
        }),
    })
}

fn frames(rng: &mut Rng) -> Vec<Frame> {
    let frame = |i: u32| Frame {
        id: FrameId(format!("f{i}")),
        rect: Rect {
            x: f64::from(i),
            y: -0.5,
            w: 100.0,
            h: 50.25,
        },
        title: text(rng),
        text: text(rng),
    };
    (0..2).map(frame).collect()
}

/// Bytes to begin with: the fixtures, some of them laid out otherwise, and a new file.
fn beginnings() -> Vec<(String, Vec<u8>)> {
    let mut all = fixtures();
    let crlf: Vec<_> = (all.iter())
        .filter(|(name, bytes)| bytes.len() < 5_000 && !name.contains("latin1"))
        .map(|(name, bytes)| {
            let text = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
            (format!("{name} with CRLF"), text.into_bytes())
        })
        .collect();
    all.extend(crlf);
    all.retain(|(_, bytes)| bytes.len() < 20_000);
    all.push((
        "new".to_owned(),
        write(&Flow::default(), None).expect("writes"),
    ));
    all
}

#[test]
fn random_edits_are_read_back_and_a_second_write_changes_nothing() {
    for (name, bytes) in beginnings() {
        for seed in 0..12 {
            let mut rng = Rng::with_seed(seed);
            let mut reading = must_read(&name, &bytes);
            for _ in 0..4 {
                let mut flow = reading.flow.clone();
                for _ in 0..rng.usize(1..8) {
                    if let Some(edit) = random_edit(&flow, &mut rng) {
                        // Refused when it repeats an id; then nothing was edited.
                        drop(edit.apply(&mut flow));
                    }
                }
                let written = match write(&flow, Some(&reading.source)) {
                    Ok(written) => written,
                    Err(why) => panic!("{name}, seed {seed}: {why}"),
                };
                let again = must_read(&format!("{name}, seed {seed}"), &written);
                let shown = String::from_utf8_lossy(&written);
                assert!(
                    !again.damaged,
                    "{name}, seed {seed}: {:?}\n{shown}",
                    again.warnings
                );
                assert!(
                    same_meaning(&again.flow, &flow),
                    "{name}, seed {seed}\n{flow:#?}\n{:#?}\n{shown}",
                    again.flow
                );
                let twice = write(&again.flow, Some(&again.source)).expect("writes");
                assert!(twice == written, "{name}, seed {seed}");
                // As a new file, too.
                let new = must_read(&name, &write(&flow, None).expect("writes"));
                assert!(same_meaning(&new.flow, &flow), "{name}, seed {seed}, new");
                reading = again;
            }
        }
    }
}

#[test]
fn results_in_the_file_survive_edits() {
    for (name, bytes) in fixtures() {
        let reading = must_read(&name, &bytes);
        let mut flow = reading.flow.clone();
        flow.title = "Edited".to_owned();
        let written = write(&flow, Some(&reading.source)).expect("writes");
        let again = must_read(&name, &written);
        if !name.starts_with("broken") {
            assert_eq!(again.results, reading.results, "{name}");
        }
    }
}

fn refusal(bytes: &[u8]) -> String {
    match read(bytes) {
        Err(why) => why.to_string(),
        Ok(reading) => panic!("read as {} nodes", reading.flow.graph.n_nodes()),
    }
}

fn graphml(inside: &str) -> String {
    format!("<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n{inside}</graphml>")
}

#[test]
fn hostile_files_are_refused_in_one_clear_sentence() {
    let lol = "<?xml version='1.0'?>\n<!DOCTYPE lolz [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;'>]>\n<graphml/>";
    let passwd = "<!DOCTYPE g [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><graphml>&x;</graphml>";
    let deep = graphml(&"<a>".repeat(1_000_000));
    let attribute = graphml(&format!(
        "<graph id='{}'/>",
        "x".repeat(limits::ATTRIBUTE_BYTES_MAX + 1)
    ));
    let many: String = (0..100_000).map(|i| format!(" a{i}=''")).collect();
    let attributes = graphml(&format!("<graph{many}/>"));
    let nodes: String = (0..=limits::NODES_MAX)
        .map(|i| format!("<node id='{i}'/>"))
        .collect();
    let nodes = graphml(&format!("<graph>{nodes}</graph>"));
    let twice = graphml("<graph>\n<node id='a'/>\n<node id='b'/>\n<node id='a'/></graph>");
    let keys = graphml("<key id='k' for='node'/>\n<key id='k'/><graph/>");
    let text = graphml(&format!(
        "<graph><data key='k'>{}</data></graph>",
        "x".repeat(limits::TEXT_BYTES_MAX + 1)
    ));
    let conflict = "<graphml>\n<graph>\n<<<<<<< ours\n<node id='a'/>\n=======\n>>>>>>> theirs\n</graph></graphml>";
    for (bytes, says) in [
        (
            lol.as_bytes(),
            "DOCTYPE with entities is not allowed (line 2)",
        ),
        (
            passwd.as_bytes(),
            "DOCTYPE with entities is not allowed (line 1)",
        ),
        (deep.as_bytes(), "nested deeper than 64"),
        (attribute.as_bytes(), "attribute longer than 1 MiB"),
        (attributes.as_bytes(), "more than 256 attributes"),
        (nodes.as_bytes(), "more than 200 000 nodes"),
        (
            twice.as_bytes(),
            "node id ‘a’ stands at lines 3 and 5; rename one",
        ),
        (
            keys.as_bytes(),
            "key id ‘k’ stands at lines 2 and 3; rename one",
        ),
        (text.as_bytes(), "text longer than 16 MiB"),
        (b"<graphml>\xff</graphml>", "not UTF-8 at byte 9"),
        (
            b"<?xml version='1.0' encoding='UTF-7'?><graphml/>",
            "encoding utf-7 is not supported",
        ),
        (b"<graphml>\n\0</graphml>", "NUL byte on line 2"),
        (b"", "empty file"),
        (conflict.as_bytes(), "git conflict markers on line 3"),
        (b"\x1f\x8b\x08\0\0", "this is a gzip file"),
        (b"PK\x03\x04", "this is a zip file"),
        (b"#!/bin/sh\necho", "not XML: it begins with ‘#!/bin/sh"),
        (b"   \n", "not XML"),
        (
            b"<svg>\n</svg>",
            "not GraphML: the outermost element is ‘svg’ on line 1",
        ),
        (b"<graphml>", "no <graph>"),
        (b"<graphml", "not well-formed XML on line 1"),
    ] {
        let why = refusal(bytes);
        assert!(why.contains(says), "{why}\nis not: {says}");
        assert!(why.len() < 200 && !why.contains('\n'), "{why}");
    }
    let huge = vec![b' '; limits::FILE_BYTES_MAX + 1];
    assert!(refusal(&huge).starts_with("larger than 64 MiB"));
}

#[test]
fn hostile_names_are_read_and_shown_inert() {
    let long = "x".repeat(10_000);
    let ids = [
        "../../etc/cron.d/x",
        "CON",
        "nul.txt",
        "a.",
        "a\u{202e}b\u{200b}",
        "$(rm -rf ~)",
        &long,
    ];
    let nodes: String = ids
        .iter()
        .map(|id| format!("<node id='{id}'/><edge source='{id}' target='no'/>"))
        .collect();
    let text = graphml(&format!("<graph>{nodes}</graph>"));
    let reading = must_read("names", text.as_bytes());
    for id in ids {
        assert!(reading.flow.graph.contains(&id.into()), "{id}");
    }
    for warning in &reading.warnings {
        let shown = warning.to_string();
        assert!(
            shown.len() < 300 && !shown.contains(['\u{202e}', '\u{200b}']),
            "{shown}"
        );
    }
    // Self-edges and cycles are for the scheduler to judge; other namespaces are told.
    let text = "<graphml xmlns='http://example.org'><graph><node id='a'/><edge source='a' target='a'/></graph></graphml>";
    let reading = must_read("namespace", text.as_bytes());
    assert_eq!(reading.flow.graph.n_edges(), 1);
    assert!(
        reading.warnings[0].text.contains("namespace"),
        "{:?}",
        reading.warnings
    );
}

#[test]
fn what_grows_with_the_square_elsewhere_does_not_here() {
    // Each of these takes minutes when one part of reading or writing is quadratic.
    let parallel = format!(
        "<node id='a'/><node id='b'/>{}",
        "<edge source='a' target='b'/>".repeat(20_000)
    );
    let missing = "<edge source='x' target='y' id='e'/>".repeat(20_000);
    let ampersands = format!("<data key='k'>{}</data>", "&#".repeat(500_000));
    let data = format!(
        "<node id='a'>{}</node>",
        "<data key='k'>&lt;</data>".repeat(20_000)
    );
    let keys: String = (0..20_000)
        .map(|i| format!("<key id='k{i}' for='node' attr.name='title'><default>x</default></key>"))
        .collect();
    let nodes: String = (0..20_000).map(|i| format!("<node id='{i}'/>")).collect();
    for inside in [
        parallel,
        missing,
        ampersands,
        data,
        format!("{keys}{nodes}"),
    ] {
        let text = graphml(&format!("<graph>{inside}</graph>"));
        let reading = must_read(&inside[..40], text.as_bytes());
        let mut flow = reading.flow.clone();
        flow.title = "T".to_owned();
        if let Some((_, _, edge)) = reading.flow.graph.edges().next() {
            flow.graph.remove_edge(&edge.id).expect("there");
        }
        let written = write(&flow, Some(&reading.source)).expect("writes");
        assert!(same_meaning(&must_read("again", &written).flow, &flow));
    }
}

/// A Python that can import networkx: the machine's, else with networkx installed for this test.
fn python() -> (Command, PathBuf) {
    let site = Path::new(env!("CARGO_TARGET_TMPDIR")).join("networkx");
    let import = |site: &Path| {
        let mut python = Command::new("python3");
        python
            .args(["-c", "import networkx"])
            .env("PYTHONPATH", site);
        python
            .output()
            .expect("python3 is needed to run this test: install python3")
            .status
            .success()
    };
    if !import(&site) {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--target"])
            .arg(&site)
            .arg("networkx");
        let out = pip.output().expect("python3 starts");
        assert!(
            out.status.success() && import(&site),
            "networkx cannot be installed; install python3-pip or python3-networkx: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    (Command::new("python3"), site)
}

const NETWORKX: &str = r#"
import json, sys, networkx
out = {}
for path in sys.argv[1:]:
    graph = networkx.read_graphml(path, force_multigraph=True)
    assert graph.is_directed(), path
    kinds = {"non-blocking", "non_blocking", "nonblocking"}
    out[path] = {
        "nodes": {n: [d.get("label") or "", d.get("title") or ""] for n, d in graph.nodes(data=True)},
        "edges": sorted([s, t, d.get("edge_type") in kinds] for s, t, d in graph.edges(data=True)),
        "graph": {k: v for k, v in graph.graph.items() if isinstance(v, str)},
    }
json.dump(out, sys.stdout)
"#;

#[test]
fn networkx_sees_the_same_graph_in_what_we_write() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut wanted: BTreeMap<String, Flow> = BTreeMap::new();
    let mut put = |name: &str, bytes: &[u8], flow: &Flow| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        wanted.insert(path.to_string_lossy().into_owned(), flow.clone());
    };
    let mut rng = Rng::with_seed(7);
    for (i, (name, bytes)) in beginnings().into_iter().enumerate() {
        let reading = must_read(&name, &bytes);
        let mut flow = reading.flow.clone();
        for _ in 0..12 {
            if let Some(edit) = random_edit(&flow, &mut rng) {
                drop(edit.apply(&mut flow));
            }
        }
        let z = flow.graph.free_node_id();
        flow.graph
            .add_node(Node::new(z.as_str(), "echo <z>", Point { x: 1.5, y: 2.0 }))
            .expect("fresh");
        let loops = flow.graph.free_edge_id(&z, &z);
        let edge = Edge {
            id: loops,
            kind: EdgeKind::NonBlocking,
        };
        flow.graph
            .add_edge(EdgeSpec {
                edge,
                source: z.clone(),
                target: z,
            })
            .expect("fresh");
        let patched = write(&flow, Some(&reading.source)).expect("writes");
        put(&format!("{i}-patched.graphml"), &patched, &flow);
        put(
            &format!("{i}-new.graphml"),
            &write(&flow, None).expect("writes"),
            &flow,
        );
        let all: Vec<NodeId> = flow.graph.nodes().map(|n| n.id.clone()).collect();
        let part = subgraph_text(&flow, &all);
        let part_flow = Flow {
            graph: flow.graph.clone(),
            ..Flow::default()
        };
        put(&format!("{i}-part.graphml"), part.as_bytes(), &part_flow);
    }
    let (mut python, site) = python();
    let out = python
        .env("PYTHONPATH", site)
        .env("PYTHONIOENCODING", "utf-8")
        .args(["-c", NETWORKX])
        .args(wanted.keys())
        .output()
        .expect("starts");
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let seen: BTreeMap<String, Value> = serde_json::from_slice(&out.stdout).expect("JSON");
    for (path, flow) in &wanted {
        let seen = &seen[path];
        let nodes: BTreeMap<&str, [&str; 2]> = (flow.graph.nodes())
            .map(|n| (n.id.as_str(), [n.command.as_str(), n.title.as_str()]))
            .collect();
        assert_eq!(seen["nodes"], serde_json::json!(nodes), "{path}");
        let mut edges: Vec<(&str, &str, bool)> = (flow.graph.edges())
            .map(|(s, t, e)| {
                (
                    s.id.as_str(),
                    t.id.as_str(),
                    e.kind == EdgeKind::NonBlocking,
                )
            })
            .collect();
        edges.sort_unstable();
        assert_eq!(seen["edges"], serde_json::json!(edges), "{path}");
        let title = seen["graph"]["title"].as_str().unwrap_or_default();
        assert_eq!(title, flow.title, "{path}");
    }
}

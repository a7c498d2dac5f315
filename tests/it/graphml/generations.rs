//! Every fixture means what it meant to the program that wrote it.

use std::collections::BTreeMap;

use handmill::graphml::Reading;
use handmill::model::{EdgeKind, Flow, NodeId, NodeStatus};
use serde_json::Value;

use super::files::{fixtures, must_read};
use crate::shared::shared_dir;

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

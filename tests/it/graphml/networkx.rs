//! NetworkX, the reader of every other program, sees in our files what we see.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use fastrand::Rng;
use handmill::graphml::{subgraph_text, write};
use handmill::model::{Edge, EdgeKind, EdgeSpec, Flow, Node, NodeId, Point};
use serde_json::Value;

use super::files::{beginnings, must_read};
use super::random_edit::random_edit;

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

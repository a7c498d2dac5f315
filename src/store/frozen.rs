//! What another process needs to carry a run on: its flow, frozen, and the facts of its start.
//!
//! Two files in the run's log folder: the flow as a workfile, and the rest as JSON. Not synced: they
//! are of use only while the machine runs on. Absent for runs that end with their process.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::graphml;
use crate::model::{Choice, EdgeId, Flow, FlowRef, NodeId, NodeIdx, RunId, RunStart, Timestamp};

/// Of `run.json`.
const FORMAT: u32 = 1;

const FLOW_FILE: &str = "flow.graphml";
const RUN_FILE: &str = "run.json";

#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    run: String,
    choice: String,
    chosen: Vec<String>,
    resumes: Option<String>,
    at: i64,
    jobs_max: Option<u32>,
    /// Of flows that name none.
    shell: String,
    subset: Vec<u32>,
    kept: Vec<u32>,
    marks: Vec<String>,
    triggers: Vec<(u32, u32)>,
}

/// A run as it was at its start.
#[derive(Clone, Debug, PartialEq)]
pub struct FrozenRun {
    /// The facts of its start; the flow has what was mended since.
    pub start: RunStart,
    /// Nodes at once for this run only.
    pub jobs_max: Option<u32>,
    /// The shell of flows that name none.
    pub shell: String,
}

/// Leaves a run in its folder. The error is a fragment.
pub fn freeze(run_dir: &Path, run: &FrozenRun) -> Result<(), String> {
    let start = &run.start;
    freeze_flow(run_dir, &start.frozen)?;
    let places = |nodes: &[NodeIdx]| nodes.iter().map(|node| node.0).collect();
    let record = Record {
        format: FORMAT,
        run: start.run.to_string(),
        choice: start.choice.word().to_owned(),
        chosen: match &start.choice {
            Choice::Selection(ids) | Choice::From(ids) | Choice::UpTo(ids) => {
                ids.iter().map(ToString::to_string).collect()
            }
            Choice::Auto | Choice::Full | Choice::Resume => Vec::new(),
        },
        resumes: start.resumes.as_ref().map(ToString::to_string),
        at: start.at.0,
        jobs_max: run.jobs_max,
        shell: run.shell.clone(),
        subset: places(&start.subset),
        kept: places(&start.kept),
        marks: start.marks.iter().map(ToString::to_string).collect(),
        triggers: start
            .triggers
            .iter()
            .map(|(n, times)| (n.0, *times))
            .collect(),
    };
    let text = serde_json::to_vec(&record).map_err(|why| why.to_string())?;
    put(run_dir, RUN_FILE, &text)
}

/// Leaves the flow alone anew: nodes of it were mended while the run lives.
pub fn freeze_flow(run_dir: &Path, flow: &Flow) -> Result<(), String> {
    let bytes = graphml::write(flow, None).map_err(|why| why.to_string())?;
    put(run_dir, FLOW_FILE, &bytes)
}

/// The run that was left in a folder; `nodes` are the ids at the places of its flow, and must be those
/// of the file, since every fact of the run names places. The error is a fragment.
pub fn thaw(run_dir: &Path, flow: &FlowRef, nodes: &[NodeId]) -> Result<FrozenRun, String> {
    let read = |name: &str| {
        let path = run_dir.join(name);
        fs::read(&path).map_err(|why| format!("{why}: {}", path.display()))
    };
    let record: Record = serde_json::from_slice(&read(RUN_FILE)?)
        .map_err(|why| format!("{why}: {}", run_dir.join(RUN_FILE).display()))?;
    if record.format != FORMAT {
        return Err(format!("a later Handmill began run {}", record.run));
    }
    let reading = graphml::read(&read(FLOW_FILE)?).map_err(|why| why.to_string())?;
    let same = reading.flow.graph.nodes().map(|node| &node.id).eq(nodes);
    if reading.damaged || !same {
        let path = run_dir.join(FLOW_FILE);
        return Err(format!(
            "not the flow that run {} froze: {}",
            record.run,
            path.display()
        ));
    }
    let chosen: Vec<NodeId> = record.chosen.into_iter().map(NodeId::new).collect();
    let choice = [
        Choice::Full,
        Choice::Resume,
        Choice::Selection(chosen.clone()),
        Choice::From(chosen.clone()),
        Choice::UpTo(chosen),
    ];
    let choice = choice
        .into_iter()
        .find(|choice| choice.word() == record.choice)
        .unwrap_or(Choice::Full);
    Ok(FrozenRun {
        start: RunStart {
            run: RunId::new(record.run),
            flow: flow.clone(),
            frozen: reading.flow.into(),
            choice,
            resumes: record.resumes.map(RunId::new),
            subset: record.subset.into_iter().map(NodeIdx).collect(),
            kept: record.kept.into_iter().map(NodeIdx).collect(),
            marks: record.marks.into_iter().map(EdgeId::new).collect(),
            triggers: record
                .triggers
                .into_iter()
                .map(|(node, times)| (NodeIdx(node), times))
                .collect(),
            at: Timestamp(record.at),
        },
        jobs_max: record.jobs_max,
        shell: record.shell,
    })
}

/// Whole or not at all for whoever reads after a kill.
fn put(run_dir: &Path, name: &str, bytes: &[u8]) -> Result<(), String> {
    let path = run_dir.join(name);
    let new = run_dir.join(format!("{name}.new"));
    let put = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        options.open(&new)?.write_all(bytes)?;
        fs::rename(&new, &path)
    };
    put().map_err(|why| format!("{why}: {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Edge, EdgeKind, EdgeSpec, Node, Point};

    #[test]
    fn a_frozen_run_thaws_as_it_was() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut flow = Flow {
            shell: "zsh".into(),
            ..Flow::default()
        };
        for id in ["b", "a\nx", "c"] {
            let mut node = Node::new(id, format!("echo '{id}' \t<&>"), Point { x: 1.0, y: 2.5 });
            node.retries = 3;
            flow.graph.add_node(node).expect("fresh");
        }
        let edge = Edge {
            id: "e".into(),
            kind: EdgeKind::NonBlocking,
        };
        let (source, target) = ("b".into(), "c".into());
        let edge = EdgeSpec {
            edge,
            source,
            target,
        };
        flow.graph.add_edge(edge).expect("fresh");
        let flow_ref = FlowRef {
            workspace: "w".into(),
            root: Path::new("/w").into(),
            file: "f.graphml".into(),
        };
        let nodes: Vec<NodeId> = flow.graph.nodes().map(|node| node.id.clone()).collect();
        let run = FrozenRun {
            start: RunStart {
                run: "r1".into(),
                flow: flow_ref.clone(),
                frozen: flow.into(),
                choice: Choice::From(vec!["b".into()]),
                resumes: Some("r0".into()),
                subset: [NodeIdx(0), NodeIdx(2)].into(),
                kept: [NodeIdx(0)].into(),
                marks: ["e".into()].into(),
                triggers: [(NodeIdx(2), 2)].into(),
                at: Timestamp(77),
            },
            jobs_max: Some(4),
            shell: "fish".into(),
        };
        freeze(dir.path(), &run).expect("written");
        assert_eq!(thaw(dir.path(), &flow_ref, &nodes), Ok(run));
        let why = thaw(dir.path(), &flow_ref, &nodes[1..]).expect_err("other nodes");
        assert!(why.contains("not the flow that run r1 froze"), "{why}");
    }
}

//! What the folder of a run says was begun, for when the ledger could not be told any more.
//!
//! The log of an attempt is made before its process, so after a kill of Handmill the folder knows
//! attempts of the last moment that the ledger does not. The names of logs hold places in the frozen
//! flow; a file beside them says which node stood at each.

use std::fs;
use std::io;
use std::path::Path;

use super::{parse_log_file, unix};
use crate::model::{NodeId, NodeRunId, RunId};

/// Node ids of the frozen flow in its order, each ended by a NUL, which no workfile can hold.
const NODES_FILE: &str = "nodes";

/// Leaves in the folder of a run which node stands at which place.
pub fn write_nodes<'a>(run_dir: &Path, nodes: impl Iterator<Item = &'a NodeId>) -> io::Result<()> {
    let mut text = Vec::new();
    for node in nodes {
        text.extend_from_slice(node.as_str().as_bytes());
        text.push(0);
    }
    unix::write_private(&run_dir.join(NODES_FILE), &text)
}

/// The node at each place of the run's frozen flow; empty when the folder is gone.
pub fn nodes_of(run_dir: &Path) -> Vec<NodeId> {
    let text = fs::read_to_string(run_dir.join(NODES_FILE)).unwrap_or_default();
    text.split_terminator('\0').map(NodeId::new).collect()
}

/// Attempts of a run that may have had a process, in no order. Empty when the folder is gone.
pub fn attempts_begun(run_dir: &Path, run: &RunId) -> Vec<(NodeRunId, NodeId)> {
    let nodes = nodes_of(run_dir);
    let Ok(entries) = fs::read_dir(run_dir) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let (id, stream) = parse_log_file(run, entry.file_name().to_str()?)?;
            let node = nodes.get(id.node.0 as usize)?;
            (stream == crate::model::Stream::Out).then(|| (id, node.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NodeIdx;

    #[test]
    fn logs_tell_which_nodes_had_begun() {
        let dir = tempfile::tempdir().expect("a folder");
        let run = RunId::from("r");
        assert_eq!(attempts_begun(dir.path(), &run), []);
        let nodes = ["a", "b\nc", ""].map(NodeId::from);
        write_nodes(dir.path(), nodes.iter()).expect("written");
        let id = |node, attempt| NodeRunId {
            run: run.clone(),
            node: NodeIdx(node),
            pass: 1,
            attempt,
        };
        // One place that the flow does not have.
        for id in [id(1, 1), id(1, 2), id(2, 1), id(3, 1)] {
            let (out, err) = super::super::log_files(dir.path(), &id);
            fs::write(out, "").expect("written");
            fs::write(err, "").expect("written");
        }
        let mut begun = attempts_begun(dir.path(), &run);
        begun.sort_by_key(|(id, _)| (id.node, id.attempt));
        let b = NodeId::from("b\nc");
        let wanted = [
            (id(1, 1), b.clone()),
            (id(1, 2), b),
            (id(2, 1), NodeId::from("")),
        ];
        assert_eq!(begun, wanted);
    }
}

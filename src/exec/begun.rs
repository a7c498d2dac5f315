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

/// The node at each place of the run's frozen flow; empty when the folder is gone. The error is a fragment.
pub fn nodes_of(run_dir: &Path) -> Result<Vec<NodeId>, String> {
    let bytes = read_if_there(&run_dir.join(NODES_FILE))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.split_terminator('\0').map(NodeId::new).collect())
}

/// Attempts of a run that may have had a process, in no order. Empty when the folder is gone. The error is
/// a fragment.
pub fn attempts_begun(run_dir: &Path, run: &RunId) -> Result<Vec<(NodeRunId, NodeId)>, String> {
    let failed = |why: io::Error| unreadable(&why, run_dir);
    let nodes = nodes_of(run_dir)?;
    let entries = match fs::read_dir(run_dir) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut begun = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        let parsed = name.to_str().and_then(|name| parse_log_file(run, name));
        if let Some((id, crate::model::Stream::Out)) = parsed
            && let Some(node) = nodes.get(id.node.0 as usize)
        {
            begun.push((id, node.clone()));
        }
    }
    Ok(begun)
}

/// What a file of the run's folder holds; nothing when it is not there. The error is a fragment.
pub(super) fn read_if_there(path: &Path) -> Result<Vec<u8>, String> {
    match fs::read(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|why| unreadable(&why, path)),
    }
}

fn unreadable(why: &io::Error, path: &Path) -> String {
    format!("read what a run left ({why}): {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NodeIdx;

    #[test]
    fn logs_tell_which_nodes_had_begun() {
        let dir = tempfile::tempdir().expect("a folder");
        let run = RunId::from("r");
        assert_eq!(attempts_begun(dir.path(), &run), Ok(vec![]));
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
        let mut begun = attempts_begun(dir.path(), &run).expect("readable");
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

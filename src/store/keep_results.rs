//! Results of a run into the workfile that it ran, where the operator wants them there.
//!
//! The file as it is now is patched: edits that are not saved, and those of other programs, are not
//! touched. Unaware of runs; called by the runtime when one has ended, under the flow's lock.

use std::collections::HashMap;
use std::path::Path;

use crate::disk::{self, Expect};
use crate::graphml;
use crate::model::{FileResult, FileResults, NodeId};

use super::SaveError;
use super::workfile::{WORKFILE_BYTES_MAX, put, source};

/// Times that the file is read anew because another program wrote it meanwhile.
const TRIES: u32 = 4;

/// Writes results into the workfile at `path`, and gives all results that it tells now; `None` when
/// there is no such file. Writes nothing when the file says so already. The version before is not
/// kept: nothing that a person wrote is replaced.
pub fn keep_results(
    path: &Path,
    results: &HashMap<NodeId, FileResult>,
) -> Result<Option<FileResults>, SaveError> {
    let mut tries = 0;
    loop {
        let (old, stamp) = match disk::read_with_stamp(path, WORKFILE_BYTES_MAX) {
            Ok(old) => old,
            Err(why) if why.is_not_found() => return Ok(None),
            Err(why) => return Err(SaveError::Disk(why)),
        };
        let base = source(path, &old)?;
        let unwritable = |why: String| SaveError::Unwritable {
            why,
            path: path.to_owned(),
        };
        let bytes =
            graphml::write_results(&base, results).map_err(|why| unwritable(why.to_string()))?;
        let unfaithful = || SaveError::Unfaithful {
            path: path.to_owned(),
        };
        // Proven before the file is touched: the same flow, with these results.
        let read = graphml::read(&bytes).map_err(|_| unfaithful())?;
        let was = graphml::read(&old).map_err(|_| unfaithful())?;
        let told = |id: &NodeId| read.results.nodes.get(id);
        let faithful = read.flow == was.flow
            && results.iter().all(|(id, result)| {
                let is_there = read.flow.graph.node(id).is_some();
                !is_there || told(id).cloned().unwrap_or_default() == *result
            });
        if read.damaged || !faithful {
            return Err(unfaithful());
        }
        if bytes == old {
            return Ok(Some(read.results));
        }
        match put(path, &bytes, Expect::Content(&stamp)) {
            Err(SaveError::ChangedOutside { .. }) if tries < TRIES => tries += 1,
            Err(why) => return Err(why),
            Ok(_) => return Ok(Some(read.results)),
        }
    }
}

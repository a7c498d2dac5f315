//! Attempts whose sitter died: their processes live, and nobody can tell how they end.

use std::sync::Arc;
use std::thread;

use super::book::Process;
use super::sitter::Inner;
use crate::exec::{End, Report, sweep};
use crate::model::{Exit, NodeRunId};

/// Waits on a thread of its own until the process of such an attempt has ended, and reports that.
pub(super) fn wait(inner: &Arc<Inner>, id: NodeRunId, process: Option<Process>) {
    let (of_thread, attempt) = (Arc::clone(inner), id.clone());
    let work = move || {
        let find = || {
            let of_run = sweep::survivors(std::slice::from_ref(&attempt.run));
            let own = of_run.into_iter().find(|one| one.id == attempt);
            own.map(|one| (one.pid, one.birth))
        };
        if let Some((pid, birth)) = process.or_else(find) {
            of_thread.act(|state, _| state.book.found(&attempt, (pid, birth)));
            sweep::await_orphan(pid, birth, &attempt);
        }
        tell(&of_thread, attempt);
    };
    let thread = thread::Builder::new().name("orphan".to_owned());
    if thread.spawn(work).is_err() {
        tell(inner, id);
    }
}

fn tell(inner: &Arc<Inner>, id: NodeRunId) {
    let exit = Exit::Unknown;
    inner.report(Report::Exited { id, exit });
}

/// Ends a process that is not ours any more, on a thread of its own.
pub(super) fn end(id: NodeRunId, (pid, birth): Process, end: End) {
    let work = move || {
        if !end.force {
            sweep::ask_orphan(pid, birth, &id);
            let Some(grace) = end.grace else { return };
            thread::sleep(grace);
        }
        sweep::kill_orphan(pid, birth, &id);
    };
    // Without a thread it lives on, and is listed as what it is.
    thread::Builder::new()
        .name("orphan".to_owned())
        .spawn(work)
        .ok();
}

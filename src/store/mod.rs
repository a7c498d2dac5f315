//! What Handmill keeps in files: workfiles, the catalog of a collection, settings, run locks.
//!
//! Unaware of what runs and of windows. `editor`, `runtime` and the faces call it, never on the
//! window's thread: every function here may wait for a disk.
//!
//! Files, all machine-local unless said otherwise, under the folders of [`Home`]:
//! - `settings.json`, version 1 ([`Settings`]); a bad one is kept as `settings.bad-<n>.json`;
//! - `workspaces/<workspace id>/`, the place of the ledger and the logs;
//! - `locks/<workspace id>-<hash>.lock` and `.stop` ([`RunLock`]): who runs a flow, and the wish
//!   that it stop;
//! - `workspaces/<workspace id>/control/`, what the Handmills of this machine leave each other about control of it
//!   ([`ControlText`]), and `locks/<workspace id>-control.lock`, which of them keeps it ([`ControlLock`]);
//! - the folders of a workspace that is set up, and its `.vscode/settings.json` ([`provision()`]);
//! - `backups/`, earlier versions of workfiles ([`backups()`]); `trust.json`, which of them may run unasked
//!   ([`Trust`]);
//! - `resources.json`, the names of resources, never their values ([`ResourceList`]);
//! - `journals/`, what was typed and not saved ([`JournalFile`]);
//! - workfiles, wherever the operator keeps them ([`load`], [`save`]).

mod backups;
mod catalog;
mod collection;
mod control;
mod error;
mod frozen;
mod git;
mod journal;
mod keep_results;
mod locate;
mod machine;
mod merge_text;
mod note;
mod provision;
mod resources;
mod run_lock;
mod settings;
mod trust;
mod workfile;

pub use crate::disk::{FileSystem, Reach, file_system, sync_service};
pub use crate::model::merge::Side;
pub use backups::{Backup, backups, prune_backups, read_backup};
pub use catalog::{Effort, Scan, Scanner, folder_place, list_folder, scan};
pub use collection::{COLLECTION_VARIABLE, Collection, CollectionSource};
pub use control::{
    ControlLock, ControlText, acquire_control, control_holder, forget_control, has_guests,
    join_guests, leave_guests, leave_wish, make_control_dir, read_control, take_wishes,
    wait_control_released, wishes_dir, write_control,
};
pub use error::{SaveError, StoreError};
pub use frozen::{FrozenRun, freeze, freeze_flow, thaw};
pub use git::{Sides, set_merge_driver, sides};
pub use journal::{
    Header, JOURNAL_BYTES_MAX, JournalFile, Left, SyncHandle, left_journals, remove_journal,
};
pub use keep_results::keep_results;
pub use locate::{
    is_controlled, is_workfile_name, lies_in_modules, locate, stands_alone, workspace_id,
    workspace_id_of,
};
pub use machine::{Home, make_folder};
pub use merge_text::{MergeError, MergedText, Three, merge_files};
pub use note::{Held, LockError};
pub use provision::{Provisioned, collection_showing, provision};
pub use resources::{RESOURCES_MAX, ResourceList, list_resource, read_resources, unlist_resource};
pub use run_lock::{
    RunLock, StopRequest, acquire, holder, request_stop, request_yield, stop_file,
    take_stop_request, take_yield_request, wait_released,
};
pub use settings::{Loading, Settings, Theme};
pub use trust::{Trust, trust_file, trust_root};
pub use workfile::{
    Loaded, Saved, WORKFILE_BYTES_MAX, Writer, load, load_backup, save, save_copy, save_over,
};

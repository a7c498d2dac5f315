//! Rows of the shared tables as plain values, in the columns of the seed system.
//!
//! Unaware of files. `runtime` makes them from its ledger and puts what it reads into its ledger;
//! `table` turns them into columns and back. Statuses are the seed's words (`success`, `failed`,
//! `started`, `stopped`), because its programs read them.

use crate::model::Timestamp;

use super::table::{BadCell, Cells, Reading, Row, Table};

/// A row of a snapshot, which can be told apart from others and replaced by a newer one.
pub trait StateRow: Row {
    /// What makes it the same row in a later snapshot.
    fn key(&self) -> RowKey;

    /// The run it belongs to: it goes when that run is no longer in the snapshot.
    fn run(&self) -> Option<&str>;

    /// True when no newer version of it is to be expected.
    fn is_settled(&self) -> bool;
}

/// Names a row among those of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey(u128);

impl RowKey {
    /// Of a number.
    pub fn number(id: i64) -> Self {
        Self(u128::from(id.cast_unsigned()))
    }

    /// Of one or more texts.
    pub fn text(parts: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(u128::from_le_bytes(key))
    }
}

/// A run of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its id.
    pub run_id: String,
    /// Its flow.
    pub flow_name: String,
    /// The flow's group.
    pub group_name: Option<String>,
    /// The file it was started for.
    pub source_path: Option<String>,
    /// How it stands.
    pub status: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error_text: Option<String>,
}

impl Row for RunRow {
    const TABLE: Table = Table::Runs;

    fn put(&self, cells: &mut Cells) {
        cells.text(&self.run_id);
        cells.text(&self.flow_name);
        cells.maybe_text(self.group_name.as_deref());
        cells.maybe_text(self.source_path.as_deref());
        cells.text(&self.status);
        cells.time(self.started_at);
        cells.maybe_time(self.finished_at);
        cells.maybe_text(self.error_text.as_deref());
    }

    fn take(cells: &mut Reading<'_>) -> Result<Self, BadCell> {
        Ok(Self {
            run_id: cells.text()?,
            flow_name: cells.text()?,
            group_name: cells.maybe_text()?,
            source_path: cells.maybe_text()?,
            status: cells.text()?,
            started_at: cells.time()?,
            finished_at: cells.maybe_time()?,
            error_text: cells.maybe_text()?,
        })
    }
}

impl StateRow for RunRow {
    fn key(&self) -> RowKey {
        RowKey::text(&[&self.run_id])
    }

    fn run(&self) -> Option<&str> {
        Some(&self.run_id)
    }

    fn is_settled(&self) -> bool {
        self.finished_at.is_some()
    }
}

/// One step of a run: for Handmill, an attempt of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Its number, unique in the workspace.
    pub id: i64,
    /// The run it belongs to.
    pub run_id: String,
    /// That run's flow.
    pub flow_name: String,
    /// What the step is called.
    pub step_label: String,
    /// How it stands.
    pub status: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: Option<i64>,
    /// Why it failed.
    pub error_text: Option<String>,
    /// The file that it made.
    pub output_path: Option<String>,
}

impl Row for StepRow {
    const TABLE: Table = Table::StepRuns;

    fn put(&self, cells: &mut Cells) {
        cells.int(self.id);
        cells.text(&self.run_id);
        cells.text(&self.flow_name);
        cells.text(&self.step_label);
        cells.text(&self.status);
        cells.time(self.started_at);
        cells.maybe_time(self.finished_at);
        cells.maybe_int(self.elapsed_ms);
        cells.maybe_text(self.error_text.as_deref());
        cells.maybe_text(self.output_path.as_deref());
    }

    fn take(cells: &mut Reading<'_>) -> Result<Self, BadCell> {
        Ok(Self {
            id: cells.int()?,
            run_id: cells.text()?,
            flow_name: cells.text()?,
            step_label: cells.text()?,
            status: cells.text()?,
            started_at: cells.time()?,
            finished_at: cells.maybe_time()?,
            elapsed_ms: cells.maybe_int()?,
            error_text: cells.maybe_text()?,
            output_path: cells.maybe_text()?,
        })
    }
}

impl StateRow for StepRow {
    fn key(&self) -> RowKey {
        RowKey::number(self.id)
    }

    fn run(&self) -> Option<&str> {
        Some(&self.run_id)
    }

    fn is_settled(&self) -> bool {
        self.finished_at.is_some()
    }
}

/// A line of a log that is worth sharing: one of the last 200 of a run, or an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Its number, unique in the workspace.
    pub id: i64,
    /// The run that printed it.
    pub run_id: Option<String>,
    /// That run's flow.
    pub flow_name: Option<String>,
    /// The step that printed it.
    pub step_label: Option<String>,
    /// `INFO` or `ERROR`.
    pub level: String,
    /// The line.
    pub message: String,
    /// When it was printed.
    pub created_at: Timestamp,
}

impl Row for LogRow {
    const TABLE: Table = Table::Logs;

    fn put(&self, cells: &mut Cells) {
        cells.int(self.id);
        cells.maybe_text(self.run_id.as_deref());
        cells.maybe_text(self.flow_name.as_deref());
        cells.maybe_text(self.step_label.as_deref());
        cells.text(&self.level);
        cells.text(&self.message);
        cells.time(self.created_at);
    }

    fn take(cells: &mut Reading<'_>) -> Result<Self, BadCell> {
        Ok(Self {
            id: cells.int()?,
            run_id: cells.maybe_text()?,
            flow_name: cells.maybe_text()?,
            step_label: cells.maybe_text()?,
            level: cells.text()?,
            message: cells.text()?,
            created_at: cells.time()?,
        })
    }
}

impl StateRow for LogRow {
    fn key(&self) -> RowKey {
        RowKey::number(self.id)
    }

    fn run(&self) -> Option<&str> {
        self.run_id.as_deref()
    }

    fn is_settled(&self) -> bool {
        true
    }
}

/// What became of a file that a flow watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStateRow {
    /// The flow.
    pub flow_name: String,
    /// The file.
    pub source_path: String,
    /// Its time of modification, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Its length in bytes.
    pub size_bytes: i64,
    /// The run that last succeeded for it.
    pub last_success_run_id: Option<String>,
    /// When that was.
    pub last_success_at: Option<Timestamp>,
    /// How its last run ended.
    pub last_status: String,
    /// Why it failed.
    pub last_error_text: Option<String>,
}

impl Row for FileStateRow {
    const TABLE: Table = Table::FileState;

    fn put(&self, cells: &mut Cells) {
        cells.text(&self.flow_name);
        cells.text(&self.source_path);
        cells.int(self.mtime_ns);
        cells.int(self.size_bytes);
        cells.maybe_text(self.last_success_run_id.as_deref());
        cells.maybe_time(self.last_success_at);
        cells.text(&self.last_status);
        cells.maybe_text(self.last_error_text.as_deref());
    }

    fn take(cells: &mut Reading<'_>) -> Result<Self, BadCell> {
        Ok(Self {
            flow_name: cells.text()?,
            source_path: cells.text()?,
            mtime_ns: cells.int()?,
            size_bytes: cells.int()?,
            last_success_run_id: cells.maybe_text()?,
            last_success_at: cells.maybe_time()?,
            last_status: cells.text()?,
            last_error_text: cells.maybe_text()?,
        })
    }
}

impl StateRow for FileStateRow {
    fn key(&self) -> RowKey {
        RowKey::text(&[&self.flow_name, &self.source_path])
    }

    fn run(&self) -> Option<&str> {
        None
    }

    fn is_settled(&self) -> bool {
        true
    }
}

/// Who controls a workspace, as every program of the seed's kind reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// The snapshot that belongs to it: `<epoch, twelve digits>-<uuid>` when Handmill wrote it.
    pub generation: String,
    /// The workspace, by the name it has in the shared folder.
    pub workspace_id: String,
    /// The machine.
    pub machine_id: String,
    /// That machine's name, for people.
    pub host_name: String,
    /// The engine process, by an id of its own.
    pub daemon_id: String,
    /// Its process id on that machine; never used to judge another machine.
    pub pid: i64,
    /// `idle` or `running`.
    pub status: String,
    /// The owner's clock at its last checkpoint; shown, never compared with ours. Absent when it
    /// makes no sense.
    pub last_checkpoint_at: Option<Timestamp>,
    /// The owner's clock when it began.
    pub started_at: Option<Timestamp>,
    /// The owner's version.
    pub app_version: String,
}

impl Row for LeaseRow {
    const TABLE: Table = Table::Lease;

    fn put(&self, cells: &mut Cells) {
        cells.text(&self.generation);
        cells.text(&self.workspace_id);
        cells.text(&self.machine_id);
        cells.text(&self.host_name);
        cells.text(&self.daemon_id);
        cells.int(self.pid);
        cells.text(&self.status);
        cells.maybe_time(self.last_checkpoint_at);
        cells.maybe_time(self.started_at);
        cells.text(&self.app_version);
    }

    fn take(cells: &mut Reading<'_>) -> Result<Self, BadCell> {
        Ok(Self {
            generation: cells.text()?,
            workspace_id: cells.text()?,
            machine_id: cells.text()?,
            host_name: cells.text()?,
            daemon_id: cells.text()?,
            pid: cells.int()?,
            status: cells.text()?,
            last_checkpoint_at: cells.time_if_sane()?,
            started_at: cells.time_if_sane()?,
            app_version: cells.text()?,
        })
    }
}

/// The last request for control, as every program of the seed's kind reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// The workspace, by the name it has in the shared folder.
    pub workspace_id: String,
    /// The machine that asks.
    pub requester_machine_id: String,
    /// Its name, for people.
    pub requester_host_name: String,
    /// Its process id there.
    pub requester_pid: i64,
    /// `ui` or another face.
    pub requester_client_kind: String,
    /// The requester's clock.
    pub requested_at: Option<Timestamp>,
}

impl Row for RequestRow {
    const TABLE: Table = Table::Request;

    fn put(&self, cells: &mut Cells) {
        cells.text(&self.workspace_id);
        cells.text(&self.requester_machine_id);
        cells.text(&self.requester_host_name);
        cells.int(self.requester_pid);
        cells.text(&self.requester_client_kind);
        cells.maybe_time(self.requested_at);
    }

    fn take(cells: &mut Reading<'_>) -> Result<Self, BadCell> {
        Ok(Self {
            workspace_id: cells.text()?,
            requester_machine_id: cells.text()?,
            requester_host_name: cells.text()?,
            requester_pid: cells.int()?,
            requester_client_kind: cells.text()?,
            requested_at: cells.time_if_sane()?,
        })
    }
}

/// A lease row of the protocol as the tables hold it.
pub(super) fn of_lease(row: &crate::lease::LeaseRow, workspace: &str) -> LeaseRow {
    LeaseRow {
        generation: row.generation.to_string(),
        workspace_id: workspace.to_owned(),
        machine_id: row.machine.0.clone(),
        host_name: row.host.clone(),
        daemon_id: row.daemon.clone(),
        pid: row.pid,
        status: row.status.as_str().to_owned(),
        last_checkpoint_at: Some(row.checkpoint_at),
        started_at: Some(row.started_at),
        app_version: row.app_version.clone(),
    }
}

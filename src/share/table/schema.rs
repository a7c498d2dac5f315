//! The six tables: their columns, and how many bytes a file of each may have.

/// What a column holds. Every column may be empty in a file, as in the seed's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A 64-bit integer.
    Int,
}

/// One of the shared tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// `leases/<ws>.parquet`: one row, who controls the workspace.
    Lease,
    /// `control_requests/<ws>.parquet`: one row, who asked last.
    Request,
    /// `state/runs/<ws>.parquet`.
    Runs,
    /// `state/step_runs/<ws>.parquet`.
    StepRuns,
    /// `state/logs/<ws>.parquet`.
    Logs,
    /// `state/file_state/<ws>.parquet`.
    FileState,
}

use Kind::{Int, Text};

/// The column that ties a state file to its lease row.
pub(super) const GENERATION: &str = "snapshot_generation_id";

const LEASE: &[(&str, Kind)] = &[
    (GENERATION, Text),
    ("workspace_id", Text),
    ("machine_id", Text),
    ("host_name", Text),
    ("daemon_id", Text),
    ("pid", Int),
    ("status", Text),
    ("last_checkpoint_at_utc", Text),
    ("started_at_utc", Text),
    ("app_version", Text),
];

const REQUEST: &[(&str, Kind)] = &[
    ("workspace_id", Text),
    ("requester_machine_id", Text),
    ("requester_host_name", Text),
    ("requester_pid", Int),
    ("requester_client_kind", Text),
    ("requested_at_utc", Text),
];

const RUNS: &[(&str, Kind)] = &[
    ("run_id", Text),
    ("flow_name", Text),
    ("group_name", Text),
    ("source_path", Text),
    ("status", Text),
    ("started_at_utc", Text),
    ("finished_at_utc", Text),
    ("error_text", Text),
];

const STEP_RUNS: &[(&str, Kind)] = &[
    ("id", Int),
    ("run_id", Text),
    ("flow_name", Text),
    ("step_label", Text),
    ("status", Text),
    ("started_at_utc", Text),
    ("finished_at_utc", Text),
    ("elapsed_ms", Int),
    ("error_text", Text),
    ("output_path", Text),
];

const LOGS: &[(&str, Kind)] = &[
    ("id", Int),
    ("run_id", Text),
    ("flow_name", Text),
    ("step_label", Text),
    ("level", Text),
    ("message", Text),
    ("created_at_utc", Text),
];

const FILE_STATE: &[(&str, Kind)] = &[
    ("flow_name", Text),
    ("source_path", Text),
    ("mtime_ns", Int),
    ("size_bytes", Int),
    ("last_success_run_id", Text),
    ("last_success_at_utc", Text),
    ("last_status", Text),
    ("last_error_text", Text),
];

impl Table {
    /// All of them; the place in this list stands for a table between processes.
    pub const ALL: [Self; 6] = [
        Self::Lease,
        Self::Request,
        Self::Runs,
        Self::StepRuns,
        Self::Logs,
        Self::FileState,
    ];

    /// The four of a snapshot, in the order they are published.
    pub const STATE: [Self; 4] = [Self::Runs, Self::StepRuns, Self::Logs, Self::FileState];

    /// True for the four whose files begin with the generation's column.
    pub fn is_state(self) -> bool {
        Self::STATE.contains(&self)
    }

    /// Columns in the seed's order, without the generation of state tables.
    pub fn columns(self) -> &'static [(&'static str, Kind)] {
        match self {
            Self::Lease => LEASE,
            Self::Request => REQUEST,
            Self::Runs => RUNS,
            Self::StepRuns => STEP_RUNS,
            Self::Logs => LOGS,
            Self::FileState => FILE_STATE,
        }
    }

    /// The folder of its files inside `.workspace_state`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Lease => "leases",
            Self::Request => "control_requests",
            Self::Runs => "state/runs",
            Self::StepRuns => "state/step_runs",
            Self::Logs => "state/logs",
            Self::FileState => "state/file_state",
        }
    }

    /// For people: what cannot be read when a file of it cannot.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Request => "control request",
            Self::Runs => "snapshot of runs",
            Self::StepRuns => "snapshot of steps",
            Self::Logs => "snapshot of logs",
            Self::FileState => "snapshot of file states",
        }
    }

    /// The most bytes a file of it may have; more is not read at all.
    pub fn bytes_max(self) -> u64 {
        if self.is_state() { 256 << 20 } else { 64 << 10 }
    }
}

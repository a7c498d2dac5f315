//! The tables, their version, and how a connection is set up.
//!
//! Format 4; `migrate.rs` brings older files up. Ids of flows, nodes, runs and commands are small
//! integers so that the one table that grows with every attempt, `node_runs`, stays narrow: no text
//! but a status word, no index but its key. Sets of nodes that are only ever read whole (`subset`, `kept`, `skipped`) are one blob each.
//! Retention deletes from `node_runs` and `log_index` by their leading `run` (`retain.rs`); every reader
//! copes with a node run that is gone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{LedgerError, migrate};
use crate::model::{Level, Notice, Timestamp};

/// Marks an SQLite file as a ledger of ours: `HmLg`.
pub const APPLICATION_ID: i64 = 0x486d_4c67;

/// Version of the tables, kept as `user_version`.
pub const FORMAT: i64 = 4;

/// Larger files are not read through at the start (that is what `health` is for): 64 MiB take
/// about 0.2 s.
const CHECKED_BYTES_MAX: u64 = 64 << 20;

/// Time a connection waits for another process's transaction.
const BUSY_WAIT_MS: u32 = 5_000;

/// Between two tries of what SQLite did not wait for.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

const TABLES: &str = "
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value
) WITHOUT ROWID;

CREATE TABLE flows (
    id       INTEGER PRIMARY KEY,
    file     TEXT NOT NULL UNIQUE,
    last_run INTEGER REFERENCES runs (id),       -- null: none, or all statuses were cleared since
    group_name TEXT                              -- as its last run here found it
);

CREATE TABLE nodes (
    id   INTEGER PRIMARY KEY,
    flow INTEGER NOT NULL REFERENCES flows (id),
    name TEXT NOT NULL,                          -- id in the workfile
    title TEXT,                                  -- as its last run here found it
    UNIQUE (flow, name)
);

CREATE TABLE commands (
    id   INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,                       -- command_hash; equal text is stored once
    text TEXT NOT NULL
);
CREATE INDEX commands_by_hash ON commands (hash);

CREATE TABLE runs (
    id        INTEGER PRIMARY KEY,
    name      TEXT NOT NULL UNIQUE,              -- RunId
    flow      INTEGER NOT NULL REFERENCES flows (id),
    choice    TEXT NOT NULL,                     -- Choice::word, or 'imported'
    resumes   INTEGER REFERENCES runs (id),
    whole     INTEGER NOT NULL,                  -- 1: bound to the whole flow
    subset    BLOB,                              -- sets of node keys, see row.rs
    kept      BLOB,
    skipped   BLOB,
    started   INTEGER NOT NULL,                  -- microseconds since the epoch
    ended     INTEGER,
    outcome   TEXT,
    n_subset  INTEGER NOT NULL DEFAULT 0,
    n_ran     INTEGER NOT NULL DEFAULT 0,
    n_failed  INTEGER NOT NULL DEFAULT 0,
    n_stopped INTEGER NOT NULL DEFAULT 0,
    n_skipped INTEGER NOT NULL DEFAULT 0,
    n_kept    INTEGER NOT NULL DEFAULT 0,
    owner_pid INTEGER,
    pinned    INTEGER NOT NULL DEFAULT 0,        -- 1: a person wants it kept
    gone      INTEGER NOT NULL DEFAULT 0,        -- 1: retention took it; the row waits for the rest to go
    log_bytes INTEGER,                           -- of its log files; null: not measured yet
    host      TEXT                               -- the machine that ran it; null: this one
);
CREATE INDEX runs_by_flow ON runs (flow, started);
CREATE INDEX runs_open ON runs (flow) WHERE ended IS NULL;
CREATE INDEX runs_by_start ON runs (started, id, log_bytes) WHERE gone = 0;
CREATE INDEX runs_resumed ON runs (resumes) WHERE resumes IS NOT NULL;

CREATE TABLE node_runs (
    run         INTEGER NOT NULL REFERENCES runs (id),
    node        INTEGER NOT NULL REFERENCES nodes (id),
    pass        INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    idx         INTEGER NOT NULL,                -- place in the run's frozen flow
    status      TEXT NOT NULL,
    exit        TEXT,                            -- kind, see row.rs
    exit_value,
    started     INTEGER,
    ended       INTEGER,
    started_seq INTEGER,                         -- order of facts in the run; null: not a fact
    ended_seq   INTEGER,
    pid         INTEGER,
    birth       INTEGER,
    command     INTEGER REFERENCES commands (id),
    PRIMARY KEY (run, node, pass, attempt)
) WITHOUT ROWID;

CREATE TABLE node_status (
    node    INTEGER PRIMARY KEY REFERENCES nodes (id),
    at_run  INTEGER NOT NULL REFERENCES runs (id), -- gave the status
    status  TEXT,                                -- null: that of the node run below
    run     INTEGER REFERENCES runs (id),        -- newest node run; null: none
    pass    INTEGER,
    attempt INTEGER
);

CREATE TABLE imports (
    flow INTEGER NOT NULL REFERENCES flows (id),
    hash INTEGER NOT NULL,
    run  INTEGER REFERENCES runs (id),           -- null: it told nothing new
    at   INTEGER NOT NULL,
    PRIMARY KEY (flow, hash)
) WITHOUT ROWID;

CREATE TABLE import_nodes (
    run    INTEGER NOT NULL REFERENCES runs (id),
    node   INTEGER NOT NULL REFERENCES nodes (id),
    status TEXT NOT NULL,
    exit   INTEGER,
    PRIMARY KEY (run, node)
) WITHOUT ROWID;

CREATE TABLE import_logs (
    run    INTEGER NOT NULL REFERENCES runs (id),
    node   INTEGER NOT NULL REFERENCES nodes (id),
    stdout TEXT NOT NULL,
    stderr TEXT NOT NULL,
    PRIMARY KEY (run, node)
);

CREATE TABLE marks (
    run  INTEGER NOT NULL REFERENCES runs (id),
    edge TEXT NOT NULL,
    PRIMARY KEY (run, edge)
) WITHOUT ROWID;

CREATE TABLE log_index (
    run     INTEGER NOT NULL REFERENCES runs (id),
    idx     INTEGER NOT NULL,
    pass    INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    stream  INTEGER NOT NULL,                    -- 1 stdout, 2 stderr
    at_byte INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (run, idx, pass, attempt, stream, at_byte)
) WITHOUT ROWID;
";

/// What other machines published, as far as no other table has a place for it. Format 3.
pub(super) const ELSEWHERE: &str = "
CREATE TABLE runs_elsewhere (
    run       INTEGER PRIMARY KEY REFERENCES runs (id),
    status    TEXT NOT NULL,                     -- the shared table's own word, as all below
    group_name TEXT,
    source    TEXT,
    error     TEXT,
    seen      INTEGER NOT NULL                   -- when this machine took it over last
);

CREATE TABLE steps_elsewhere (
    run       INTEGER NOT NULL REFERENCES runs (id),
    node      INTEGER NOT NULL REFERENCES nodes (id),
    pass      INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    label     TEXT NOT NULL,
    status    TEXT NOT NULL,
    elapsed   INTEGER,                           -- milliseconds
    error     TEXT,
    output    TEXT,
    PRIMARY KEY (run, node, pass, attempt)
) WITHOUT ROWID;

CREATE TABLE lines_elsewhere (
    run       INTEGER NOT NULL,                  -- 0: of no run
    at        INTEGER NOT NULL,
    hash      INTEGER NOT NULL,                  -- of the other columns
    flow      TEXT,
    label     TEXT,                              -- of its step
    level     TEXT NOT NULL,
    message   TEXT NOT NULL,
    PRIMARY KEY (run, at, hash)
) WITHOUT ROWID;

CREATE TABLE file_states (
    flow      TEXT NOT NULL,
    source    TEXT NOT NULL,
    mtime_ns  INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    success_run TEXT,
    success_at  INTEGER,
    status    TEXT NOT NULL,
    error     TEXT,
    PRIMARY KEY (flow, source)
) WITHOUT ROWID;
";

/// What the writer's connection is set to before anything else. An mmap'd file that shrinks is a
/// SIGBUS, so mmap stays off. SQLite's own checkpoint is passive and runs on the writer's thread,
/// where nobody waits for it; the size limit gives the space of a long burst back. Foreign keys are
/// checked by `health` instead of at each of the three per attempt.
const WRITER: &str = "
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -16000;
PRAGMA mmap_size = 0;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA foreign_keys = OFF;
PRAGMA wal_autocheckpoint = 1000;
PRAGMA journal_size_limit = 67108864;
PRAGMA synchronous = NORMAL;
";

const READER: &str = "
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -16000;
PRAGMA mmap_size = 0;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA query_only = ON;
";

/// Opens the writer's connection; makes folder, file and tables when they are missing.
pub(super) fn open_writer(path: &Path, now: Timestamp) -> Result<Connection, Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|err| LedgerError::open(err, folder))?;
    }
    let conn = Connection::open(path)?;
    let wait = Duration::from_millis(BUSY_WAIT_MS.into());
    conn.busy_timeout(wait)?;
    conn.set_prepared_statement_cache_capacity(64);
    // SQLite does not wait where two could wait for each other, as two do that make one file.
    let mut pauses = wait.as_millis() / BUSY_PAUSE.as_millis();
    loop {
        match prepare(&conn, path, now) {
            Err(Failure::Sql(err)) if is_busy(&err) && pauses > 0 => {
                pauses -= 1;
                std::thread::sleep(BUSY_PAUSE);
            }
            prepared => return prepared.map(|()| conn),
        }
    }
}

fn is_busy(err: &rusqlite::Error) -> bool {
    err.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Brings the file behind `conn` to [`FORMAT`], and sets the connection up. May be done again.
fn prepare(conn: &Connection, path: &Path, now: Timestamp) -> Result<(), Failure> {
    let found = format_of(conn, path)?;
    if (1..FORMAT).contains(&found) {
        migrate::migrate(conn, path)?;
    }
    if found == 0 {
        // Must precede the first table, and the switch to WAL.
        conn.execute_batch("PRAGMA auto_vacuum = INCREMENTAL;")?;
    }
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.execute_batch(WRITER)?;
    if found == 0 {
        create(conn, path, now)?;
    }
    Ok(())
}

/// Opens a connection that can only read.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(Duration::from_millis(BUSY_WAIT_MS.into()))?;
    conn.execute_batch(READER)?;
    Ok(conn)
}

/// True when the file behind `conn` has no tables yet.
pub(super) fn is_empty(conn: &Connection) -> rusqlite::Result<bool> {
    let format: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(format == 0)
}

/// Format of the file behind `conn`; 0 for one without tables. Refuses what is not ours to write.
pub(super) fn format_of(conn: &Connection, path: &Path) -> Result<i64, Failure> {
    // One view of the file: another process may be making the tables between two looks.
    let view = match conn.is_autocommit() {
        true => Some(conn.unchecked_transaction()?),
        false => None,
    };
    let pragma = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let format = pragma("user_version")?;
    let application = pragma("application_id")?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    drop(view);
    let path = path.to_owned();
    match (application, format) {
        (0, 0) if tables == 0 => Ok(0),
        (APPLICATION_ID, 1..=FORMAT) => Ok(format),
        (APPLICATION_ID, found) => Err(LedgerError::Newer {
            found,
            known: FORMAT,
            path,
        }
        .into()),
        _ => Err(LedgerError::Foreign { path }.into()),
    }
}

fn create(conn: &Connection, path: &Path, now: Timestamp) -> Result<(), Failure> {
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let made = (|| {
        // Another process may have made the tables while this one waited for the lock.
        if format_of(conn, path)? == 0 {
            conn.execute_batch(TABLES)?;
            conn.execute_batch(ELSEWHERE)?;
            conn.execute_batch(super::control::TABLE)?;
            conn.pragma_update(None, "application_id", APPLICATION_ID)?;
            conn.pragma_update(None, "user_version", FORMAT)?;
            conn.execute(
                "INSERT INTO meta (key, value) VALUES ('created', ?1)",
                [now.0],
            )?;
        }
        conn.execute_batch("COMMIT")?;
        Ok(())
    })();
    if made.is_err() && !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK")?;
    }
    made
}

/// Opens an existing file for writing, after a look at its health; a damaged one is moved aside.
/// `None` when there is no file (any more).
pub(super) fn open_existing(
    path: &Path,
    now: Timestamp,
) -> Result<(Option<Connection>, Option<Notice>), LedgerError> {
    match checked(path, now) {
        Ok(conn) => return Ok((conn, None)),
        Err(Failure::Ledger(err)) => return Err(err),
        Err(Failure::Sql(err)) if !is_damage(&err) => return Err(LedgerError::open(err, path)),
        Err(Failure::Sql(_)) => {}
    }
    // Two processes may find the damage at once: the second must not move the new file aside.
    let lock_path = path.with_file_name("ledger.lock");
    let lock = File::create(&lock_path).map_err(|err| LedgerError::open(err, &lock_path))?;
    lock.lock()
        .map_err(|err| LedgerError::open(err, &lock_path))?;
    match checked(path, now) {
        Ok(conn) => Ok((conn, None)),
        Err(Failure::Ledger(err)) => Err(err),
        Err(Failure::Sql(err)) if is_damage(&err) => {
            let aside = move_aside(path).map_err(|err| LedgerError::open(err, path))?;
            let notice = Notice::new(
                Level::Warning,
                format!(
                    "The run history of this workspace was damaged ({err}) and a new one was begun."
                ),
                format!(
                    "Log files are untouched. The damaged history was kept: {}",
                    aside.display()
                ),
            );
            Ok((None, Some(notice)))
        }
        Err(Failure::Sql(err)) => Err(LedgerError::open(err, path)),
    }
}

fn checked(path: &Path, now: Timestamp) -> Result<Option<Connection>, Failure> {
    let len = match fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(LedgerError::open(err, path).into()),
    };
    let conn = open_writer(path, now)?;
    if len <= CHECKED_BYTES_MAX {
        let said: String =
            conn.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?;
        if said != "ok" {
            return Err(damage(said).into());
        }
    }
    Ok(Some(conn))
}

fn damage(said: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        Some(said),
    )
}

pub(super) fn is_damage(err: &rusqlite::Error) -> bool {
    matches!(
        err.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Renames the file and its companions to the first free `ledger.corrupt-<n>.sqlite`. A `-wal` left
/// behind would be replayed into the new file.
fn move_aside(path: &Path) -> std::io::Result<PathBuf> {
    let aside = (1u32..)
        .map(|n| path.with_file_name(format!("ledger.corrupt-{n}.sqlite")))
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| path.with_file_name("ledger.corrupt.sqlite"));
    for ending in ["-wal", "-shm", ""] {
        let from = with_ending(path, ending);
        match fs::rename(&from, with_ending(&aside, ending)) {
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => {}
            moved => moved?,
        }
    }
    Ok(aside)
}

/// The path of a companion file: `-wal`, `-shm`.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A refusal with its own words, or what SQLite said.
#[derive(Debug)]
pub(super) enum Failure {
    /// To be told as it is.
    Ledger(LedgerError),
    /// To be judged by its code.
    Sql(rusqlite::Error),
}

impl From<LedgerError> for Failure {
    fn from(err: LedgerError) -> Self {
        Self::Ledger(err)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(err: rusqlite::Error) -> Self {
        Self::Sql(err)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ledger(err) => err.fmt(f),
            Self::Sql(err) => err.fmt(f),
        }
    }
}

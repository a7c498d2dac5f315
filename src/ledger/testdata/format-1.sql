-- A ledger as Handmill 0.1.0 wrote it: `mend.graphml` failed once and was resumed.
PRAGMA application_id = 0x486d4c67;
PRAGMA user_version = 1;
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE commands (
    id   INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,                       -- command_hash; equal text is stored once
    text TEXT NOT NULL
);
INSERT INTO "commands" VALUES(1,-4893509384109923145,'echo a');
INSERT INTO "commands" VALUES(2,7323059410158338739,'test -e mended || exit 3');
INSERT INTO "commands" VALUES(3,-4893507185086666723,'echo c');
CREATE TABLE flows (
    id       INTEGER PRIMARY KEY,
    file     TEXT NOT NULL UNIQUE,
    last_run INTEGER REFERENCES runs (id)        -- null: none, or all statuses were cleared since
);
INSERT INTO "flows" VALUES(1,'mend.graphml',2);
CREATE TABLE import_logs (
    run    INTEGER NOT NULL REFERENCES runs (id),
    node   INTEGER NOT NULL REFERENCES nodes (id),
    stdout TEXT NOT NULL,
    stderr TEXT NOT NULL,
    PRIMARY KEY (run, node)
);
CREATE TABLE import_nodes (
    run    INTEGER NOT NULL REFERENCES runs (id),
    node   INTEGER NOT NULL REFERENCES nodes (id),
    status TEXT NOT NULL,
    exit   INTEGER,
    PRIMARY KEY (run, node)
) WITHOUT ROWID;
CREATE TABLE imports (
    flow INTEGER NOT NULL REFERENCES flows (id),
    hash INTEGER NOT NULL,
    run  INTEGER REFERENCES runs (id),           -- null: it told nothing new
    at   INTEGER NOT NULL,
    PRIMARY KEY (flow, hash)
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
INSERT INTO "log_index" VALUES(1,0,1,1,1,2,1795271724748044);
INSERT INTO "log_index" VALUES(2,2,1,1,1,2,1795271724802344);
CREATE TABLE marks (
    run  INTEGER NOT NULL REFERENCES runs (id),
    edge TEXT NOT NULL,
    PRIMARY KEY (run, edge)
) WITHOUT ROWID;
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value
) WITHOUT ROWID;
INSERT INTO "meta" VALUES('created',1795271724739106);
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
INSERT INTO "node_runs" VALUES(1,1,1,1,0,'ran','code',0,1795271724741130,1795271724748176,1,2,16097,242755,1);
INSERT INTO "node_runs" VALUES(1,2,1,1,1,'failed','code',3,1795271724748176,1795271724749916,3,4,16098,242755,2);
INSERT INTO "node_runs" VALUES(2,2,1,1,1,'ran','code',0,1795271724794976,1795271724799875,1,2,16114,242760,2);
INSERT INTO "node_runs" VALUES(2,3,1,1,2,'ran','code',0,1795271724799875,1795271724802463,3,4,16115,242760,3);
CREATE TABLE node_status (
    node    INTEGER PRIMARY KEY REFERENCES nodes (id),
    at_run  INTEGER NOT NULL REFERENCES runs (id), -- gave the status
    status  TEXT,                                -- null: that of the node run below
    run     INTEGER REFERENCES runs (id),        -- newest node run; null: none
    pass    INTEGER,
    attempt INTEGER
);
INSERT INTO "node_status" VALUES(1,1,NULL,1,1,1);
INSERT INTO "node_status" VALUES(2,2,NULL,2,1,1);
INSERT INTO "node_status" VALUES(3,2,NULL,2,1,1);
CREATE TABLE nodes (
    id   INTEGER PRIMARY KEY,
    flow INTEGER NOT NULL REFERENCES flows (id),
    name TEXT NOT NULL,                          -- id in the workfile
    UNIQUE (flow, name)
);
INSERT INTO "nodes" VALUES(1,1,'a');
INSERT INTO "nodes" VALUES(2,1,'b');
INSERT INTO "nodes" VALUES(3,1,'c');
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
    owner_pid INTEGER
);
INSERT INTO "runs" VALUES(1,'20261121-143524.740-a0e3',1,'full',NULL,1,NULL,NULL,X'03',1795271724741130,1795271724749916,'failed',3,1,1,0,1,0,16084);
INSERT INTO "runs" VALUES(2,'20261121-143524.792-a0d3',1,'resume',1,1,NULL,X'01',NULL,1795271724794976,1795271724802463,'succeeded',3,2,0,0,0,1,16100);
CREATE INDEX commands_by_hash ON commands (hash);
CREATE INDEX runs_by_flow ON runs (flow);
CREATE INDEX runs_open ON runs (flow) WHERE ended IS NULL;
COMMIT;

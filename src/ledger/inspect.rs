//! A look at a ledger's file without opening the ledger: nothing is written, mended or moved aside.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::Connection;

use super::schema::{self, Failure};
use super::{Health, LedgerError, recover};

/// How the ledger at `path` is; `None` when there is none. Checks the order of every page, but not
/// the indexes against the tables: about a second for 300 MB.
pub fn inspect(path: &Path) -> Result<Option<Health>, LedgerError> {
    let bytes = match fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(LedgerError::open(err, path)),
    };
    let mut health = match read(path) {
        Ok(health) => health,
        Err(Failure::Ledger(err)) => return Err(err),
        Err(Failure::Sql(err)) if schema::is_damage(&err) => Health {
            troubles: vec![err.to_string()],
            ..Health::default()
        },
        Err(Failure::Sql(err)) => return Err(LedgerError::read(err, path)),
    };
    health.path = path.to_owned();
    health.bytes = bytes;
    health.wal_bytes = fs::metadata(schema::with_ending(path, "-wal")).map_or(0, |meta| meta.len());
    Ok(Some(health))
}

fn read(path: &Path) -> Result<Health, Failure> {
    let mut conn = schema::open_reader(path)?;
    let mut health = Health {
        format: schema::format_of(&conn, path)?,
        ..Health::default()
    };
    if health.format == 0 {
        return Ok(health);
    }
    health.troubles = quick_check(&conn)?;
    let view = conn.transaction()?;
    health.runs = view
        .query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0))?
        .cast_unsigned();
    let open = recover::open_runs(&view)?;
    health.open_runs = open.into_iter().map(|(_, run)| run).collect();
    Ok(health)
}

fn quick_check(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut said = conn.prepare("PRAGMA quick_check(5)")?;
    let lines = said.query_map([], |row| row.get::<_, String>(0))?;
    let lines: rusqlite::Result<Vec<String>> = lines.collect();
    Ok(lines?.into_iter().filter(|line| line != "ok").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_ledger_and_a_file_that_is_none_are_told_and_left() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("ledger.sqlite");
        assert_eq!(inspect(&path), Ok(None));
        assert_eq!(fs::read_dir(dir.path()).expect("list").count(), 0);
        fs::write(
            &path,
            "no database at all, but long enough to be looked at".repeat(20),
        )
        .expect("write");
        let health = inspect(&path).expect("told in the health").expect("there");
        assert!(!health.troubles.is_empty());
        assert_eq!(
            fs::read_dir(dir.path()).expect("list").count(),
            1,
            "nothing was moved"
        );
    }
}

//! An empty table of the same shape under another name, so that rows can be
//! built beside those that readers see.

use super::worker::unavailable;
use commands::ports::StoreError;
use rusqlite::{Connection, OptionalExtension};

const TABLE: &str = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?1";
const INDEXES: &str = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL";
const IS_TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = ?1)";
/// Between the name of an index and the number of its table's generation:
/// names of indexes are shared by all tables of a file.
const MARK: &str = "__";

/// Makes the twin, in place of one that is left from before.
pub(crate) fn make(db: &Connection, table: &str, twin: &str) -> Result<(), StoreError> {
    let strange = |what: &str| StoreError::Unavailable(format!("{what} of {table} is strange"));
    let run = |sql: &str| db.execute(sql, []).map(|_| ()).map_err(unavailable);
    run(&format!("DROP TABLE IF EXISTS {twin}"))?;
    let made: Option<String> = db
        .query_row(TABLE, [table], |row| row.get(0))
        .optional()
        .map_err(unavailable)?;
    let made = made.ok_or_else(|| strange("definition"))?;
    let columns = made.find('(').ok_or_else(|| strange("definition"))?;
    run(&format!("CREATE TABLE {twin} {}", &made[columns..]))?;
    let mut statement = db.prepare(INDEXES).map_err(unavailable)?;
    let indexes = statement
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect::<rusqlite::Result<Vec<(String, String)>>>)
        .map_err(unavailable)?;
    for (name, made) in indexes {
        let columns = made.find('(').ok_or_else(|| strange("index"))?;
        let is_unique = made.to_ascii_uppercase().starts_with("CREATE UNIQUE");
        let unique = if is_unique { "UNIQUE " } else { "" };
        let name = free(db, &name)?;
        run(&format!(
            "CREATE {unique}INDEX {name} ON {twin} {}",
            &made[columns..]
        ))?;
    }
    Ok(())
}

/// A name for the same index of another table.
fn free(db: &Connection, name: &str) -> Result<String, StoreError> {
    let base = name.split(MARK).next().unwrap_or(name);
    for number in 1_u32.. {
        let name = format!("{base}{MARK}{number}");
        let is_taken: bool = db
            .query_row(IS_TAKEN, [&name], |row| row.get(0))
            .map_err(unavailable)?;
        if !is_taken {
            return Ok(name);
        }
    }
    Err(StoreError::Unavailable(format!(
        "no name is free for {name}"
    )))
}

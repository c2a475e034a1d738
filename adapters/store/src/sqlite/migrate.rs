//! Brings a SQLite file to this program's version.

use crate::{
    migrate::{ALL, MigrateError, Migration, Target, missing},
    open::OpenError,
};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT";

/// Applies what is missing, each step in a transaction of its own.
pub(crate) fn run(db: &mut Connection, target: Target, path: &Path) -> Result<(), OpenError> {
    run_all(db, ALL, target, path)
}

fn run_all(
    db: &mut Connection,
    all: &'static [Migration],
    target: Target,
    path: &Path,
) -> Result<(), OpenError> {
    let applied = applied(db).map_err(|error| OpenError::of_file(path, &error))?;
    let steps = missing(all, target, &applied).map_err(|cause| of(path, cause))?;
    for step in steps {
        apply(db, step).map_err(|error| {
            let reason = error.to_string();
            let name = step.name;
            of(path, MigrateError::Failed { name, reason })
        })?;
    }
    Ok(())
}

/// Refuses a file that a newer program has changed; changes nothing.
pub(crate) fn check(db: &Connection, target: Target, path: &Path) -> Result<(), OpenError> {
    let refused = |error: rusqlite::Error| OpenError::of_file(path, &error);
    let applied = numbers(db).map_err(refused)?;
    missing(ALL, target, &applied).map_err(|cause| of(path, cause))?;
    Ok(())
}

fn of(path: &Path, cause: MigrateError) -> OpenError {
    OpenError::Schema {
        database: path.display().to_string(),
        cause,
    }
}

fn applied(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    db.execute(TABLE, [])?;
    numbers(db)
}

fn numbers(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut statement = db.prepare("SELECT number FROM schema_migrations")?;
    let numbers = statement.query_map([], |row| row.get(0))?;
    numbers.collect()
}

fn apply(db: &mut Connection, step: &Migration) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(step.sqlite)?;
    transaction.execute(
        "INSERT INTO schema_migrations (number, name, applied_at) VALUES (?1, ?2, datetime('now'))",
        (step.number, step.name),
    )?;
    transaction.commit()
}

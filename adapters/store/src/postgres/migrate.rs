//! Brings a PostgreSQL database to this program's version.

use super::{connect::unreachable, reason};
use crate::{
    migrate::{ALL, MigrateError, Migration, Target, missing},
    open::OpenError,
};
use sqlx::{Connection, PgConnection};

/// Two programs must not migrate at once.
const LOCK: &str = "SELECT pg_advisory_xact_lock(731087090303)";
const RECORD: &str = "INSERT INTO schema_migrations (number, name) VALUES ($1, $2)";
const TARGETS: [Target; 3] = [Target::Log, Target::Read, Target::Secrets];

fn schema(target: Target) -> &'static str {
    match target {
        Target::Log => "public",
        Target::Read => "read_models",
        Target::Secrets => "secrets",
    }
}

/// Applies what is missing, each step in a transaction of its own.
pub(crate) async fn run(db: &mut PgConnection, name: &str) -> Result<(), OpenError> {
    for target in TARGETS {
        let refused = |cause| OpenError::Schema {
            database: format!("{name}, schema {}", schema(target)),
            cause,
        };
        let applied = prepare(db, target)
            .await
            .map_err(|error| unreachable(&error))?;
        for step in missing(ALL, target, &applied).map_err(refused)? {
            apply(db, step).await.map_err(|error| {
                refused(MigrateError::Failed {
                    name: step.name,
                    reason: reason(&error),
                })
            })?;
        }
    }
    Ok(())
}

/// Refuses a database that a newer program has changed; changes nothing.
pub(crate) async fn check(db: &mut PgConnection, name: &str) -> Result<(), OpenError> {
    for target in [Target::Log, Target::Read] {
        let schema = schema(target);
        let sql = format!("SELECT number FROM {schema}.schema_migrations ORDER BY number");
        let applied: Vec<i64> = sqlx::query_scalar(&sql)
            .fetch_all(&mut *db)
            .await
            .map_err(|error| unreachable(&error))?;
        missing(ALL, target, &applied).map_err(|cause| OpenError::Schema {
            database: format!("{name}, schema {schema}"),
            cause,
        })?;
    }
    Ok(())
}

/// Makes the schema and its list of steps, and returns that list.
async fn prepare(db: &mut PgConnection, target: Target) -> Result<Vec<i64>, sqlx::Error> {
    let schema = schema(target);
    let mut transaction = db.begin().await?;
    sqlx::raw_sql(LOCK).execute(&mut *transaction).await?;
    let exists: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(format!("{schema}.schema_migrations"))
        .fetch_one(&mut *transaction)
        .await?;
    // Asked first, so that a role which may not create can still start.
    if !exists {
        sqlx::raw_sql(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; \
             CREATE TABLE {schema}.schema_migrations (number bigint PRIMARY KEY, \
             name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        ))
        .execute(&mut *transaction)
        .await?;
    }
    let sql = format!("SELECT number FROM {schema}.schema_migrations ORDER BY number");
    let applied = sqlx::query_scalar(&sql)
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(applied)
}

async fn apply(db: &mut PgConnection, step: &Migration) -> Result<(), sqlx::Error> {
    let schema = schema(step.target);
    let mut transaction = db.begin().await?;
    sqlx::raw_sql(LOCK).execute(&mut *transaction).await?;
    sqlx::raw_sql(&format!("SET LOCAL search_path = {schema}"))
        .execute(&mut *transaction)
        .await?;
    let done: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM schema_migrations WHERE number = $1)")
            .bind(step.number)
            .persistent(false)
            .fetch_one(&mut *transaction)
            .await?;
    if !done {
        sqlx::raw_sql(step.postgres)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(RECORD)
            .bind(step.number)
            .bind(step.name)
            .persistent(false)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

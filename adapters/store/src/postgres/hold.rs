//! Who has a database: one node of each name, or somebody who needs it alone.
//! Locks that belong to a connection, so that the database frees them when the
//! process is gone.

use super::{
    connect::{Database, silent, unreachable},
    pool::is_alive,
};
use crate::open::OpenError;
use sqlx::PgConnection;
use std::time::Duration;
use tokio::{task::AbortHandle, time::Instant};

const TAKE_ALONE: &str = "SELECT pg_try_advisory_lock(731087090302)";
const TAKE_SHARED: &str = "SELECT pg_try_advisory_lock_shared(731087090302)";
/// Two keys make a space of locks of its own.
const TAKE_NAME: &str = "SELECT pg_try_advisory_lock(731087, hashtext($1))";
/// The database sees the closed socket of a killed server at once, but it may
/// have to end that server's last statement first.
const PATIENCE: Duration = Duration::from_secs(5);
const RETRY_EVERY: Duration = Duration::from_millis(50);
/// How often the connection is looked after.
const WATCH_EVERY: Duration = Duration::from_millis(500);
/// A connection that says nothing for so long is given up.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// As whom the database is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holder<'a> {
    /// Nobody else may be there.
    Alone,
    /// A node: those of other names may be there.
    Node(&'a str),
}

/// The name of the node, or none.
#[derive(Debug, Clone)]
struct Name(Option<String>);

/// The database is ours as long as this lives.
#[derive(Debug)]
pub(crate) struct Hold(AbortHandle);

impl Drop for Hold {
    fn drop(&mut self) {
        // The connection goes with the task, and the lock with the connection.
        self.0.abort();
    }
}

impl Hold {
    /// Takes the database, or says who is in the way.
    pub(crate) async fn take(database: &Database, holder: Holder<'_>) -> Result<Self, OpenError> {
        let name = Name(match holder {
            Holder::Alone => None,
            Holder::Node(name) => Some(name.to_owned()),
        });
        let until = Instant::now() + PATIENCE;
        let mut connection = database
            .connect_watched()
            .await
            .map_err(|error| unreachable(&error))?;
        loop {
            let taken = take(&mut connection, &name)
                .await
                .map_err(|error| unreachable(&error))?;
            if taken {
                let watch = tokio::spawn(watch(database.clone(), connection, name));
                return Ok(Self(watch.abort_handle()));
            }
            if Instant::now() > until {
                return Err(OpenError::InUse(database.name().to_owned()));
            }
            tokio::time::sleep(RETRY_EVERY).await;
        }
    }
}

async fn take(connection: &mut PgConnection, name: &Name) -> Result<bool, sqlx::Error> {
    let Some(name) = &name.0 else {
        return lock(connection, TAKE_ALONE).await;
    };
    let taken: bool = sqlx::query_scalar(TAKE_NAME)
        .bind(name)
        .persistent(false)
        .fetch_one(&mut *connection)
        .await?;
    if !taken {
        return Ok(false);
    }
    let shared = lock(connection, TAKE_SHARED).await?;
    if !shared {
        // Taken again with the next try: the lock counts.
        sqlx::query("SELECT pg_advisory_unlock_all()")
            .execute(connection)
            .await?;
    }
    Ok(shared)
}

async fn lock(connection: &mut PgConnection, sql: &'static str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(sql)
        .persistent(false)
        .fetch_one(connection)
        .await
}

/// Looks after the connection and takes the lock again when it was lost. A
/// server that came in between has a newer run number, which refuses every
/// append of this one.
async fn watch(database: Database, connection: PgConnection, name: Name) {
    let mut held = Some(connection);
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        if let Some(mut connection) = held.take()
            && is_alive(&mut connection, ANSWER_MAX).await
        {
            held = Some(connection);
        } else {
            held = again(&database, &name).await;
        }
    }
}

async fn again(database: &Database, name: &Name) -> Option<PgConnection> {
    let mut connection = database.connect_watched().await.ok()?;
    let taken = tokio::time::timeout(ANSWER_MAX, take(&mut connection, name)).await;
    match taken.unwrap_or_else(|_| Err(silent(ANSWER_MAX))) {
        Ok(true) => {
            tracing::info!("database is held again");
            Some(connection)
        }
        Ok(false) => {
            let database = database.name();
            tracing::error!(database, "another server has taken the database");
            None
        }
        Err(_) => None,
    }
}

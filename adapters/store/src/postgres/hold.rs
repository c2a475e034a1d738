//! One server at a time runs on a database: a lock that belongs to a
//! connection, so that the database frees it when the process is gone.

use super::connect::{Database, unreachable};
use crate::open::OpenError;
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use tokio::{task::AbortHandle, time::Instant};

const TAKE: &str = "SELECT pg_try_advisory_lock(731087090302)";
/// The database sees the closed socket of a killed server at once, but it may
/// have to end that server's last statement first.
const PATIENCE: Duration = Duration::from_secs(5);
const RETRY_EVERY: Duration = Duration::from_millis(50);
/// How often the connection is looked after.
const WATCH_EVERY: Duration = Duration::from_millis(500);

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
    pub(crate) async fn take(database: &Database) -> Result<Self, OpenError> {
        let until = Instant::now() + PATIENCE;
        let mut connection = database
            .connect_watched()
            .await
            .map_err(|error| unreachable(&error))?;
        loop {
            let taken = take(&mut connection)
                .await
                .map_err(|error| unreachable(&error))?;
            if taken {
                let watch = tokio::spawn(watch(database.clone(), connection));
                return Ok(Self(watch.abort_handle()));
            }
            if Instant::now() > until {
                return Err(OpenError::InUse(database.name().to_owned()));
            }
            tokio::time::sleep(RETRY_EVERY).await;
        }
    }
}

async fn take(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(TAKE)
        .persistent(false)
        .fetch_one(connection)
        .await
}

/// Looks after the connection and takes the lock again when it was lost. A
/// server that came in between has a newer run number, which refuses every
/// append of this one.
async fn watch(database: Database, connection: PgConnection) {
    let mut held = Some(connection);
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        if let Some(mut connection) = held.take()
            && connection.ping().await.is_ok()
        {
            held = Some(connection);
        } else {
            held = again(&database).await;
        }
    }
}

async fn again(database: &Database) -> Option<PgConnection> {
    let mut connection = database.connect_watched().await.ok()?;
    match take(&mut connection).await {
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

//! How each part of the store connects.

use super::{
    migrate,
    pool::{Pool, is_alive},
    reason,
};
use crate::open::OpenError;
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};

/// How long a connection may take to be made, or to become free.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// A database that says nothing for so long when the log, keys or credentials are read
/// is taken to be away.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// The same of the read models: to count a long table takes longer.
const COUNTED_MAX: Duration = Duration::from_secs(30);
/// A connection that nobody used for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(300);
/// One that rested is asked whether it is there for so long: an answer comes at once or
/// not at all, and there is time for another.
const PING_MAX: Duration = Duration::from_secs(3);
/// A connection that was used in this time is taken to be alive.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// A node that is paused in the middle of a transaction must not hold its locks
/// for longer: the node that takes its place waits for them. Milliseconds; less
/// than a lease.
const TRANSACTION_IDLE_MAX_MS: &str = "3000";
/// Statements kept prepared per connection.
const STATEMENTS_MAX: usize = 256;

/// A database, and how to connect to it.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    options: PgConnectOptions,
    name: String,
}

impl Database {
    /// The database that the url names.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        // The url may hold a password, so it is not shown.
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| OpenError::Url("postgres://..".into()))?
            .application_name("ringledger")
            .options([(
                "idle_in_transaction_session_timeout",
                TRANSACTION_IDLE_MAX_MS,
            )])
            .statement_cache_capacity(STATEMENTS_MAX)
            .disable_statement_logging();
        let name = format!(
            "postgres://{}:{}/{}",
            options.get_host(),
            options.get_port(),
            options
                .get_database()
                .unwrap_or_else(|| options.get_username())
        );
        Ok(Self { options, name })
    }

    /// Where it is, without the password.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A connection whose commits survive a power cut when they are answered.
    pub(crate) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let settings = [("synchronous_commit", "on"), ("search_path", "public")];
        within(PgConnection::connect_with(
            &self.options.clone().options(settings),
        ))
        .await
    }

    /// A connection that a dead peer does not keep open for long.
    pub(crate) async fn connect_watched(&self) -> Result<PgConnection, sqlx::Error> {
        let settings = [
            ("tcp_keepalives_idle", "5"),
            ("tcp_keepalives_interval", "2"),
            ("tcp_keepalives_count", "3"),
        ];
        within(PgConnection::connect_with(
            &self.options.clone().options(settings),
        ))
        .await
    }

    /// Connections for reading the log, and for keys and credentials.
    pub(crate) fn pool(&self, connections_max: u32) -> Pool {
        let settings = [("synchronous_commit", "on"), ("search_path", "public")];
        let options = self.options.clone().options(settings);
        Pool::new(pool(options, connections_max), ANSWER_MAX)
    }

    /// Connections for queries of the read models.
    pub(crate) fn read_pool(&self, connections_max: u32) -> Pool {
        Pool::new(pool(self.read_models(), connections_max), COUNTED_MAX)
    }

    /// A connection that writes the read models. Its plans are made once: they find
    /// rows by their key, whatever the values are.
    pub(crate) async fn connect_read_models(&self) -> Result<PgConnection, sqlx::Error> {
        let settings = [
            ("plan_cache_mode", "force_generic_plan"),
            ("standard_conforming_strings", "on"),
        ];
        let options = self.read_models().options(settings);
        within(PgConnection::connect_with(&options)).await
    }

    /// A power cut may take the last commits of the read models: all of it can be
    /// rebuilt from the log.
    fn read_models(&self) -> PgConnectOptions {
        let settings = [
            ("synchronous_commit", "off"),
            ("search_path", "read_models"),
        ];
        self.options.clone().options(settings)
    }

    /// Brings the schemas up to date.
    pub(crate) async fn migrate(&self) -> Result<(), OpenError> {
        let mut connection = self.connect().await.map_err(|error| unreachable(&error))?;
        migrate::run(&mut connection, &self.name).await?;
        // Everything is committed: how the connection ends does not matter.
        let _ = connection.close().await;
        Ok(())
    }
}

impl Database {
    /// Refuses schemas of a newer program; changes nothing.
    pub(crate) async fn check(&self) -> Result<(), OpenError> {
        let mut connection = self.connect().await.map_err(|error| unreachable(&error))?;
        migrate::check(&mut connection, &self.name).await?;
        // Nothing was changed: how the connection ends does not matter.
        let _ = connection.close().await;
        Ok(())
    }
}

pub(crate) fn unreachable(error: &sqlx::Error) -> OpenError {
    OpenError::Unreachable(reason(error))
}

fn pool(options: PgConnectOptions, connections_max: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(CONNECT_WAIT)
        .idle_timeout(IDLE_MAX)
        // A connection that rested may be dead by now, one that was just used is
        // taken as it is: asking costs as much as the statement itself.
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for > TRUSTED_FOR && !is_alive(connection, PING_MAX).await {
                    return Err(silent(PING_MAX));
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}

async fn within<T>(
    connecting: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(CONNECT_WAIT, connecting)
        .await
        .unwrap_or_else(|_| Err(silent(CONNECT_WAIT)))
}

/// Nothing was heard from the database for so long.
pub(crate) fn silent(waited: Duration) -> sqlx::Error {
    let reason = format!("no answer within {} s", waited.as_secs());
    std::io::Error::new(std::io::ErrorKind::TimedOut, reason).into()
}

//! A private PostgreSQL for tests, started once a process.

use crate::{
    cluster::{Cluster, Settings},
    open::{OpenError, Stores, join_postgres},
    postgres,
};
use sqlx::{Connection, PgConnection};
use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A fresh, empty database. It lives as long as the process.
#[derive(Debug)]
pub struct Database {
    url: String,
}

impl Database {
    /// Where it is: also other processes can use it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements in it, as a person or an older program would.
    ///
    /// # Errors
    /// What the server says.
    pub async fn run(&self, sql: &str) -> Result<(), String> {
        let run = async {
            let mut connection = PgConnection::connect(&self.url).await?;
            sqlx::raw_sql(sql).execute(&mut connection).await?;
            connection.close().await
        };
        run.await.map_err(|error| error.to_string())
    }

    /// One more node on this database, as several servers on it would be.
    ///
    /// # Errors
    /// Those of [`crate::open()`].
    pub async fn node(&self) -> Result<Stores, OpenError> {
        let database = postgres::Database::parse(&self.url)?;
        database.migrate().await?;
        join_postgres(&database, None).await
    }
}

/// A fresh, empty database in this process' own server.
///
/// # Panics
/// When there is no PostgreSQL on this machine or it does not start: a test
/// that needs it must not pass without it.
pub async fn database() -> Database {
    let started = tokio::task::spawn_blocking(|| {
        CLUSTER.get_or_init(|| Cluster::start(&Settings::default()))
    })
    .await
    .expect("starting a database does not panic");
    let cluster = match started {
        Ok(cluster) => cluster,
        Err(reason) => unreachable!("no PostgreSQL for the tests: {reason}"),
    };
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::connect(&cluster.url("postgres"))
        .await
        .expect("the server has started");
    sqlx::raw_sql(&format!("CREATE DATABASE {name} TEMPLATE template0"))
        .execute(&mut admin)
        .await
        .expect("the name is new");
    Database {
        url: cluster.url(&name),
    }
}

//! Where the logs of the bench are: folders of their own, and a private
//! PostgreSQL.

use anyhow::{Context as _, anyhow};
use clap::ValueEnum;
use sqlx::{Connection as _, PgConnection};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};
use store::{
    Stores,
    cluster::{Cluster, Settings},
};
use tempfile::TempDir;

/// A store that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// The embedded store.
    Sqlite,
    /// A private server, from the programs that are installed.
    Postgres,
}

impl Kind {
    pub(super) const fn shown(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// What the server of all PostgreSQL figures, also of the stock crate's, is
/// given: room for the log that a bench writes, so that no checkpoint falls
/// into one figure and not into the other.
const PARAMETERS: [&str; 3] = [
    "shared_buffers=256MB",
    "max_wal_size=4GB",
    "checkpoint_timeout=30min",
];

/// The places.
#[derive(Debug)]
pub(super) struct Places {
    folder: PathBuf,
    cluster: Option<Cluster>,
    next: AtomicUsize,
}

/// An empty store for one contender, removed with this.
#[derive(Debug)]
pub(super) struct Place {
    /// How [`store::open()`] is told of it.
    pub url: String,
    folder: TempDir,
}

impl Place {
    /// A folder of its own.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Our store in it.
    pub(super) async fn open(&self) -> anyhow::Result<Stores> {
        Ok(store::open(&self.url).await?)
    }
}

impl Places {
    pub(super) async fn start(kinds: &[Kind], folder: &Path) -> anyhow::Result<Self> {
        let cluster = if kinds.contains(&Kind::Postgres) {
            let settings = Settings {
                parameters: PARAMETERS.map(str::to_owned).to_vec(),
                parent: Some(folder.to_owned()),
                ..Settings::default()
            };
            let started = tokio::task::spawn_blocking(move || Cluster::start(&settings)).await?;
            Some(started.map_err(|reason| anyhow!("PostgreSQL does not start: {reason}"))?)
        } else {
            None
        };
        Ok(Self {
            folder: folder.to_owned(),
            cluster,
            next: AtomicUsize::new(0),
        })
    }

    /// A new, empty one.
    pub(super) async fn fresh(&self, kind: Kind) -> anyhow::Result<Place> {
        let folder = tempfile::Builder::new()
            .prefix("ringledger-bench-")
            .tempdir_in(&self.folder)?;
        let url = match kind {
            Kind::Sqlite => format!("sqlite:{}", folder.path().display()),
            Kind::Postgres => self.database().await?,
        };
        Ok(Place { url, folder })
    }

    async fn database(&self) -> anyhow::Result<String> {
        let cluster = self.cluster.as_ref().context("no PostgreSQL was started")?;
        let name = format!("bench_{}", self.next.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect(&cluster.url("postgres")).await?;
        sqlx::raw_sql(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .execute(&mut admin)
            .await?;
        admin.close().await?;
        Ok(cluster.url(&name))
    }
}

//! The stock event stores of cqrs-es, used as their documentation says: a
//! framework over their default pool, one aggregate, no queries. They have no
//! command ids and look for no duplicate; sqlite-es does not wait for the disk
//! unless it is told to.

use super::{
    Kind, Place,
    appends::{Appender, Contender, STREAM_EVENTS},
};
use anyhow::Context as _;
use async_trait::async_trait;
use commands::{
    ports::{Clock as _, Entropy},
    system::{SystemClock, SystemEntropy},
};
use cqrs_es::{
    Aggregate, CqrsFramework, DomainEvent,
    event_sink::EventSink,
    persist::{PersistedEventRepository, PersistedEventStore},
};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlite_es::SqliteEventRepository;
use sqlx::{
    PgPool, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{str::FromStr as _, sync::Arc, time::Instant};
use uuid::Uuid;

/// The schema that postgres-es documents.
const POSTGRES: &str = "CREATE TABLE events (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL,
    sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
    event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence))";
/// The schema that sqlite-es documents.
const SQLITE: &str = "CREATE TABLE events (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL,
    sequence integer CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
    event_version text NOT NULL, payload text NOT NULL, metadata text NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)) STRICT";
/// As many connections as the crates' own default pools have.
const CONNECTIONS: u32 = 10;

/// The same aggregate as ours, in the crates' own words.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Device {
    bindings: Vec<Uuid>,
}

/// A command: a phone was registered.
#[derive(Debug)]
pub(super) struct Register {
    agent: Uuid,
    binding: Uuid,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Registered {
    at: String,
    agent: Uuid,
    binding: Uuid,
    transport: String,
}

impl DomainEvent for Registered {
    fn event_type(&self) -> String {
        "device_registered".into()
    }

    fn event_version(&self) -> String {
        "1".into()
    }
}

impl Aggregate for Device {
    const TYPE: &'static str = "device";
    type Command = Register;
    type Event = Registered;
    type Error = std::io::Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        let event = Registered {
            at: "2026-11-27T00:00:00.000000Z".into(),
            agent: command.agent,
            binding: command.binding,
            transport: "udp".into(),
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        self.bindings.push(event.binding);
    }
}

/// A stock crate, set up in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    Postgres,
    Sqlite,
    SqliteFull,
}

/// All of them.
pub(super) const CONTENDERS: [Peer; 3] = [Peer::Postgres, Peer::Sqlite, Peer::SqliteFull];

impl Peer {
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Postgres => Kind::Postgres,
            Self::Sqlite | Self::SqliteFull => Kind::Sqlite,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres-es 0.5.0",
            Self::Sqlite => "sqlite-es 0.5.0 (does not wait for the disk)",
            Self::SqliteFull => "sqlite-es 0.5.0, synchronous FULL",
        }
    }

    pub(super) async fn open(self, place: &Place) -> anyhow::Result<Box<dyn Contender>> {
        Ok(match self {
            Self::Postgres => {
                let pool = postgres_pool(&place.url).await?;
                Box::new(Stock::new(self, PostgresEventRepository::new(pool)))
            }
            Self::Sqlite | Self::SqliteFull => {
                let pool = sqlite_pool(place, self == Self::SqliteFull).await?;
                Box::new(Stock::new(self, SqliteEventRepository::new(pool)))
            }
        })
    }

    /// Stores so many events with the crate's own schema, then streams all of
    /// them back through the crate; returns events a second.
    pub(super) async fn replay(self, place: &Place, events: u64) -> anyhow::Result<f64> {
        match self {
            Self::Postgres => {
                let pool = postgres_pool(&place.url).await?;
                sqlx::query(
                    "INSERT INTO events SELECT 'device', 'device-' || (n / 8), n % 8 + 1, \
                     'device_registered', '1', $2::json, '{}' FROM generate_series(0, $1 - 1) n",
                )
                .bind(i64::try_from(events)?)
                .bind(sample()?)
                .execute(&pool)
                .await?;
                stream(&PostgresEventRepository::new(pool), events).await
            }
            Self::Sqlite | Self::SqliteFull => {
                let pool = sqlite_pool(place, self == Self::SqliteFull).await?;
                sqlx::query(
                    "WITH RECURSIVE s(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM s WHERE n < $1 - 1) \
                     INSERT INTO events SELECT 'device', 'device-' || (n / 8), n % 8 + 1, \
                     'device_registered', '1', $2, '{}' FROM s",
                )
                .bind(i64::try_from(events)?)
                .bind(sample()?)
                .execute(&pool)
                .await?;
                stream(&SqliteEventRepository::new(pool), events).await
            }
        }
    }
}

fn sample() -> anyhow::Result<String> {
    Ok(serde_json::to_string(&Registered {
        at: "2026-11-27T00:00:00.000000Z".into(),
        agent: Uuid::from_u128(7),
        binding: Uuid::from_u128(8),
        transport: "udp".into(),
    })?)
}

async fn stream(repository: &impl PersistedEventRepository, events: u64) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut replay = repository.stream_all_events::<Device>().await?;
    let mut seen = 0;
    while let Some(event) = replay.next::<Device>(&[]).await {
        event?;
        seen += 1;
    }
    anyhow::ensure!(seen == events, "{seen} of {events} events came back");
    Ok(events as f64 / began.elapsed().as_secs_f64())
}

async fn postgres_pool(url: &str) -> anyhow::Result<PgPool> {
    let pool = postgres_es::default_postgress_pool(url).await;
    sqlx::raw_sql(POSTGRES)
        .execute(&pool)
        .await
        .context("the schema of postgres-es")?;
    Ok(pool)
}

async fn sqlite_pool(place: &Place, full: bool) -> anyhow::Result<SqlitePool> {
    let url = format!("sqlite://{}/stock.db", place.folder().display());
    let pool = if full {
        let options = SqliteConnectOptions::from_str(&url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true);
        SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect_with(options)
            .await?
    } else {
        sqlite_es::default_sqlite_pool(&url).await
    };
    sqlx::raw_sql(SQLITE)
        .execute(&pool)
        .await
        .context("the schema of sqlite-es")?;
    Ok(pool)
}

type Framework<R> = CqrsFramework<Device, PersistedEventStore<R, Device>>;

struct Stock<R: PersistedEventRepository> {
    peer: Peer,
    framework: Arc<Framework<R>>,
    entropy: Arc<dyn Entropy>,
}

impl<R: PersistedEventRepository + Send + Sync + 'static> Stock<R> {
    fn new(peer: Peer, repository: R) -> Self {
        let store = PersistedEventStore::new_event_store(repository);
        Self {
            peer,
            framework: Arc::new(CqrsFramework::new(store, vec![], ())),
            entropy: Arc::new(SystemEntropy::default()),
        }
    }
}

#[async_trait]
impl<R: PersistedEventRepository + Send + Sync + 'static> Contender for Stock<R> {
    fn name(&self) -> String {
        self.peer.name().into()
    }

    fn writer(&self) -> Box<dyn Appender> {
        Box::new(StockWriter {
            framework: self.framework.clone(),
            entropy: self.entropy.clone(),
            agent: self.entropy.uuid(SystemClock.now()),
            count: 0,
        })
    }
}

struct StockWriter<R: PersistedEventRepository> {
    framework: Arc<Framework<R>>,
    entropy: Arc<dyn Entropy>,
    agent: Uuid,
    count: u64,
}

#[async_trait]
impl<R: PersistedEventRepository + Send + Sync + 'static> Appender for StockWriter<R> {
    async fn append(&mut self) -> anyhow::Result<()> {
        let at = SystemClock.now();
        if self.count == STREAM_EVENTS {
            self.agent = self.entropy.uuid(at);
            self.count = 0;
        }
        let command = Register {
            agent: self.agent,
            binding: self.entropy.uuid(at),
        };
        self.framework
            .execute(&self.agent.to_string(), command)
            .await?;
        self.count += 1;
        Ok(())
    }
}

//! The run numbers of nodes, and when each was last alive.

use crate::{postgres::PostgresLog, sqlite::SqliteLog};
use commands::ports::{ReadStore, Statement, StoreError, Value};
use domain::time::Timestamp;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Where run numbers come from: beside the log, as durable as it is.
#[derive(Debug)]
pub(crate) enum Epochs {
    Memory(AtomicU64),
    Sqlite(Arc<SqliteLog>),
    Postgres(Arc<PostgresLog>),
}

/// A sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Run number of the node.
    pub node_epoch: u64,
    /// When it was last alive.
    pub at: Timestamp,
}

/// Starts and signs of life of the nodes of an installation.
pub struct Nodes {
    epochs: Epochs,
    read: Arc<dyn ReadStore>,
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodes").finish_non_exhaustive()
    }
}

const BEAT: &str = "INSERT INTO node_heartbeats (node_epoch, at) VALUES ($1, $2) \
     ON CONFLICT (node_epoch) DO UPDATE SET at = excluded.at";
const LAST_BEAT: &str =
    "SELECT node_epoch, at FROM node_heartbeats ORDER BY node_epoch DESC LIMIT 1";
const LAST_BEAT_OF: &str = "SELECT node_epoch, at FROM node_heartbeats WHERE node_epoch = $1";

impl Nodes {
    pub(crate) fn new(epochs: Epochs, read: Arc<dyn ReadStore>) -> Self {
        Self { epochs, read }
    }

    /// The next run number, higher than any before, stored durably for the node
    /// of that name. An older run of that name can not write any more.
    ///
    /// # Errors
    /// When the log can not be written.
    pub async fn next_epoch(&self, name: &str) -> Result<u64, StoreError> {
        match &self.epochs {
            Epochs::Memory(last) => Ok(last.fetch_add(1, Ordering::SeqCst) + 1),
            Epochs::Sqlite(log) => log.next_epoch(name).await,
            Epochs::Postgres(log) => log.next_epoch(name).await,
        }
    }

    /// Notes that the node is alive.
    ///
    /// # Errors
    /// When the read store can not be written.
    pub async fn beat(&self, node_epoch: u64, at: Timestamp) -> Result<(), StoreError> {
        let node_epoch = i64::try_from(node_epoch).unwrap_or(i64::MAX);
        let statement = Statement {
            sql: BEAT,
            parameters: vec![Value::Int(node_epoch), Value::Int(at.micros())],
            must_touch: Some(1),
        };
        self.read.transact(vec![statement]).await
    }

    /// The last sign of life of the newest run that gave one.
    ///
    /// # Errors
    /// When the read store can not be read.
    pub async fn last_beat(&self) -> Result<Option<Heartbeat>, StoreError> {
        let rows = self.read.query(LAST_BEAT, vec![]).await?;
        Ok(first(&rows))
    }

    /// The last sign of life of one run.
    ///
    /// # Errors
    /// When the read store can not be read.
    pub async fn last_beat_of(&self, node_epoch: u64) -> Result<Option<Heartbeat>, StoreError> {
        let node_epoch = i64::try_from(node_epoch).unwrap_or(i64::MAX);
        let rows = self
            .read
            .query(LAST_BEAT_OF, vec![Value::Int(node_epoch)])
            .await?;
        Ok(first(&rows))
    }
}

fn first(rows: &[Vec<Value>]) -> Option<Heartbeat> {
    match rows.first()?.as_slice() {
        [Value::Int(node_epoch), Value::Int(at)] => Some(Heartbeat {
            node_epoch: u64::try_from(*node_epoch).ok()?,
            at: Timestamp::from_micros(*at),
        }),
        _ => None,
    }
}

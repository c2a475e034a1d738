//! The run numbers of nodes, and when each was last alive.

use crate::{
    memory::MemoryLog,
    postgres::{Members, PostgresLog},
    sqlite::SqliteLog,
};
use commands::ports::{ReadStore, Statement, StoreError, Value};
use domain::time::Timestamp;
use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};
use tokio::sync::watch;

/// Where run numbers come from: beside the log, as durable as it is.
#[derive(Debug)]
pub(crate) enum Epochs {
    Memory(Arc<MemoryLog>),
    Sqlite(Arc<SqliteLog>),
    Postgres(Arc<PostgresLog>, Members),
}

/// A sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Run number of the node.
    pub node_epoch: u64,
    /// When it was last alive.
    pub at: Timestamp,
}

/// A run of a node that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// Run number.
    pub node_epoch: u64,
    /// Name of the node.
    pub name: String,
    /// Where other nodes reach its SIP.
    pub sip: Option<SocketAddr>,
    /// Where its HTTP listens.
    pub http: Option<SocketAddr>,
    /// When it began, by its own clock.
    pub started_at: Timestamp,
    /// When it was last alive, by its own clock.
    pub last_beat_at: Timestamp,
    /// How long it may be silent.
    pub lease_ms: u64,
    /// The fencing token under which it leads.
    pub leading: Option<u64>,
}

/// Starts and signs of life of the nodes of an installation.
pub struct Nodes {
    epochs: Epochs,
    read: Arc<dyn ReadStore>,
    /// Says that another server has taken the log, where the log itself knows.
    is_lost: OnceLock<watch::Receiver<bool>>,
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
const TOKEN: &str = "SELECT token FROM process_lead WHERE id = 1";
const TAKE_TOKEN: &str = "UPDATE process_lead SET token = $1 WHERE id = 1 AND token = $2";
const LAST_BEAT_OF: &str = "SELECT node_epoch, at FROM node_heartbeats WHERE node_epoch = $1";

impl Nodes {
    pub(crate) fn new(epochs: Epochs, read: Arc<dyn ReadStore>) -> Self {
        Self {
            epochs,
            read,
            is_lost: OnceLock::new(),
        }
    }

    /// Every run is over when this becomes true.
    #[cfg(feature = "kurrentdb")]
    pub(crate) fn end_with(&self, is_lost: watch::Receiver<bool>) {
        // There is one log.
        let _ = self.is_lost.set(is_lost);
    }

    /// The next run number, higher than any before, stored durably for the node
    /// of that name. An older run of that name can not write any more.
    ///
    /// # Errors
    /// When the log can not be written.
    pub async fn next_epoch(&self, name: &str) -> Result<u64, StoreError> {
        match &self.epochs {
            Epochs::Memory(log) => Ok(log.next_epoch(name)),
            Epochs::Sqlite(log) => log.next_epoch(name).await,
            Epochs::Postgres(log, _) => log.next_epoch(name).await,
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
        if let Some(members) = self.members()
            && let Some(beat) = members.last_beat().await?
        {
            return Ok(Some(beat));
        }
        let rows = self.read.query(LAST_BEAT, vec![]).await?;
        Ok(first(&rows))
    }

    /// The last sign of life of one run.
    ///
    /// # Errors
    /// When the read store can not be read.
    pub async fn last_beat_of(&self, node_epoch: u64) -> Result<Option<Heartbeat>, StoreError> {
        if let Some(members) = self.members()
            && let Some(beat) = members.last_beat_of(node_epoch).await?
        {
            return Ok(Some(beat));
        }
        let node_epoch = i64::try_from(node_epoch).unwrap_or(i64::MAX);
        let rows = self
            .read
            .query(LAST_BEAT_OF, vec![Value::Int(node_epoch)])
            .await?;
        Ok(first(&rows))
    }
}

/// Several nodes on one store. On a store of one node nobody else should be there: a run
/// that is over is told so all the same.
impl Nodes {
    fn members(&self) -> Option<&Members> {
        match &self.epochs {
            Epochs::Memory(_) | Epochs::Sqlite(_) => None,
            Epochs::Postgres(_, members) => Some(members),
        }
    }

    /// Whether other nodes can run on the store.
    pub fn are_shared(&self) -> bool {
        self.members().is_some()
    }

    /// The run may act from now on, as long as it renews its lease. Older runs
    /// of its name are over.
    ///
    /// # Errors
    /// When the store can not be written.
    pub async fn join(
        &self,
        node_epoch: u64,
        name: &str,
        at: Timestamp,
        lease_ms: u64,
    ) -> Result<(), StoreError> {
        match self.members() {
            Some(members) => members.join(node_epoch, name, at, lease_ms).await,
            None => Ok(()),
        }
    }

    /// Tells the other nodes where this one is reached.
    ///
    /// # Errors
    /// When the store can not be written.
    pub async fn announce(
        &self,
        node_epoch: u64,
        sip: SocketAddr,
        http: SocketAddr,
    ) -> Result<(), StoreError> {
        match self.members() {
            Some(members) => {
                let (sip, http) = (sip.to_string(), http.to_string());
                members.announce(node_epoch, &sip, &http).await
            }
            None => Ok(()),
        }
    }

    /// A sign of life that prolongs the lease; false when the run is over for
    /// the others: it was fenced.
    ///
    /// # Errors
    /// When the store can not be written.
    pub async fn renew(
        &self,
        node_epoch: u64,
        at: Timestamp,
        lease_ms: u64,
    ) -> Result<bool, StoreError> {
        if self.is_lost.get().is_some_and(|is_lost| *is_lost.borrow()) {
            return Ok(false);
        }
        let is_over = match &self.epochs {
            Epochs::Postgres(_, members) => return members.renew(node_epoch, at, lease_ms).await,
            Epochs::Memory(log) => log.is_over(node_epoch),
            Epochs::Sqlite(log) => log.is_over(node_epoch).await?,
        };
        if !is_over {
            self.beat(node_epoch, at).await?;
        }
        Ok(!is_over)
    }

    /// Every run that is not over, the oldest first.
    ///
    /// # Errors
    /// When the store can not be read.
    pub async fn all(&self) -> Result<Vec<MemberRow>, StoreError> {
        match self.members() {
            Some(members) => members.all().await,
            None => Ok(vec![]),
        }
    }

    /// Fences these runs if they have given no sign of life since: nothing of them is
    /// appended any more. A run that is over itself fences nobody. Says which were
    /// fenced.
    ///
    /// # Errors
    /// When the store can not be written.
    pub async fn fence(
        &self,
        by: u64,
        silent: &[(u64, Timestamp)],
    ) -> Result<Vec<u64>, StoreError> {
        match self.members() {
            Some(members) => members.fence(by, silent).await,
            None => Ok(vec![]),
        }
    }

    /// Takes the lead if nobody has it, or a run that is over: the fencing token.
    ///
    /// # Errors
    /// When the store can not be written.
    pub async fn take_lead(&self, node_epoch: u64) -> Result<Option<u64>, StoreError> {
        match self.members() {
            Some(members) => members.take_lead(node_epoch).await,
            None => self.next_token().await.map(Some),
        }
    }

    /// A token that is higher than any under which a row was saved: it is counted where
    /// the rows are, so that it also is when the log was put back to an earlier day.
    async fn next_token(&self) -> Result<u64, StoreError> {
        loop {
            let rows = self.read.query(TOKEN, vec![]).await?;
            let Some([Value::Int(last)]) = rows.first().map(Vec::as_slice) else {
                let reason = "read store does not say who leads";
                return Err(StoreError::Unavailable(reason.into()));
            };
            let next = last + 1;
            let statement = Statement {
                sql: TAKE_TOKEN,
                parameters: vec![Value::Int(next), Value::Int(*last)],
                must_touch: Some(1),
            };
            match self.read.transact(vec![statement]).await {
                Ok(()) => return Ok(next.unsigned_abs()),
                // Another one has counted at the same time.
                Err(StoreError::Fenced) => {}
                Err(error @ (StoreError::Unavailable(_) | StoreError::Refused(_))) => {
                    return Err(error);
                }
            }
        }
    }

    /// The run is over by its own will.
    ///
    /// # Errors
    /// When the store can not be written.
    pub async fn leave(&self, node_epoch: u64, at: Timestamp) -> Result<(), StoreError> {
        match self.members() {
            Some(members) => members.leave(node_epoch, at).await,
            None => Ok(()),
        }
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

//! A log that takes only what it is told to take: the store is away for the rest.

use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, EventLog, Page, Position, ReadError, Recorded, StreamId, Written,
};
use domain::id::CommandId;
use std::{fmt, sync::Arc};
use tokio::sync::watch;

/// What becomes of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is stored, and whoever appends hears so.
    Taken,
    /// It is not stored.
    Refused,
    /// It is stored, and the answer is lost.
    Unanswered,
}

/// Tells what becomes of an append.
pub type Tells = dyn Fn(&Append) -> Fate + Send + Sync;

/// The log behind, and what it takes.
pub struct Gate {
    log: Arc<dyn EventLog>,
    tells: Box<Tells>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Gate {
    /// Before that log.
    pub fn before(
        log: Arc<dyn EventLog>,
        takes: impl Fn(&Append) -> bool + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::telling(log, move |append| match takes(append) {
            true => Fate::Taken,
            false => Fate::Refused,
        })
    }

    /// The same, which may lose an answer too.
    pub fn telling(
        log: Arc<dyn EventLog>,
        tells: impl Fn(&Append) -> Fate + Send + Sync + 'static,
    ) -> Arc<Self> {
        let tells = Box::new(tells);
        Arc::new(Self { log, tells })
    }
}

#[async_trait]
impl EventLog for Gate {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        let mut results = vec![];
        for append in batch {
            let away = || Err(AppendError::Unavailable("it is away".into()));
            match (self.tells)(&append) {
                Fate::Taken => results.extend(self.log.append(vec![append]).await),
                Fate::Refused => results.push(away()),
                Fate::Unanswered => {
                    self.log.append(vec![append]).await;
                    results.push(away());
                }
            }
        }
        results
    }

    async fn read_stream(&self, stream: &StreamId, after: u64) -> Result<Vec<Recorded>, ReadError> {
        self.log.read_stream(stream, after).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        self.log.read_all(after, limit).await
    }

    async fn find_command(&self, id: CommandId) -> Result<Option<(StreamId, Written)>, ReadError> {
        self.log.find_command(id).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.log.head().await
    }

    fn wakeups(&self) -> watch::Receiver<Position> {
        self.log.wakeups()
    }
}

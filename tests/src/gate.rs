//! A log that takes only what it is told to take: the store is away for the rest.

use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, EventLog, Page, Position, ReadError, Recorded, StreamId, Written,
};
use domain::id::CommandId;
use std::{fmt, sync::Arc};
use tokio::sync::watch;

/// Whether an append is taken.
pub type Takes = dyn Fn(&Append) -> bool + Send + Sync;

/// The log behind, and what it takes.
pub struct Gate {
    log: Arc<dyn EventLog>,
    takes: Box<Takes>,
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
        let takes = Box::new(takes);
        Arc::new(Self { log, takes })
    }
}

#[async_trait]
impl EventLog for Gate {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        let mut results = vec![];
        for append in batch {
            if (self.takes)(&append) {
                results.extend(self.log.append(vec![append]).await);
            } else {
                results.push(Err(AppendError::Unavailable("it is away".into())));
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

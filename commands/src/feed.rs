//! The one ordered feed of committed events, for processes, projections and
//! adapters. Each reader keeps its own position; reading twice is harmless.

use crate::{
    ports::{EventLog, Position, ReadError, Recorded},
    tail::{Entry, Tail},
};
use domain::any::{Fact, decode};
use std::sync::Arc;
use tokio::sync::watch;

/// A handle on the feed; cheap to clone.
#[derive(Clone)]
pub struct Feed {
    log: Arc<dyn EventLog>,
    tail: Arc<Tail>,
    head: watch::Receiver<Position>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed")
            .field("head", &*self.head.borrow())
            .finish_non_exhaustive()
    }
}

impl Feed {
    pub(crate) fn new(
        log: Arc<dyn EventLog>,
        tail: Arc<Tail>,
        head: watch::Receiver<Position>,
    ) -> Self {
        Self { log, tail, head }
    }

    /// The log behind it.
    pub fn log(&self) -> &Arc<dyn EventLog> {
        &self.log
    }

    /// Position of the last event that this node knows to be committed.
    pub fn head(&self) -> Position {
        *self.head.borrow()
    }

    /// Up to `limit` events after the position, in order. Empty at the head.
    ///
    /// # Errors
    /// When the log can not be read or a stored event is not understood: the
    /// error names the position; nothing is ever skipped.
    pub async fn read(&self, after: Position, limit: usize) -> Result<Vec<Arc<Entry>>, ReadError> {
        if let Some(entries) = self.tail.read(after, limit)
            && (!entries.is_empty() || after >= self.head())
        {
            return Ok(entries);
        }
        let page = self.log.read_all(after, limit).await?;
        page.events
            .into_iter()
            .map(|recorded| understand(recorded).map(Arc::new))
            .collect()
    }

    /// Waits until there is an event after the position. Returns at once when
    /// there is; never when the writer has ended and none will come.
    pub async fn wait_beyond(&self, position: Position) {
        let mut head = self.head.clone();
        if head.wait_for(|head| *head > position).await.is_err() {
            std::future::pending().await
        }
    }

    /// Waits until the writer has ended: a reader without an end of its own
    /// ends then, and lets go of the log.
    pub(crate) async fn ended(&self) {
        let mut head = self.head.clone();
        while head.changed().await.is_ok() {}
    }
}

/// Decodes a stored event.
///
/// # Errors
/// `Corrupt`, with the position and what was wrong.
pub fn understand(recorded: Recorded) -> Result<Entry, ReadError> {
    let stream = &recorded.stream;
    let (at, event) = decode(
        stream.category(),
        stream.key(),
        &recorded.event_type,
        recorded.event_version,
        &recorded.payload,
    )
    .map_err(|error| ReadError::Corrupt {
        position: recorded.position,
        reason: error.to_string(),
    })?;
    let fact = Fact {
        position: recorded.position.0,
        version: recorded.version,
        event_id: recorded.event_id,
        at,
        node_epoch: recorded.metadata.node_epoch,
        tenant: recorded.metadata.tenant,
        event,
    };
    Ok(Entry { fact, recorded })
}

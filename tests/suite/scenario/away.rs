//! A log that is away for one append.

use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, EventLog, Page, Position, ReadError, Recorded, StreamId, Written,
};
use domain::id::CommandId;
use std::sync::{Arc, Mutex};
use store::Stores;
use tokio::sync::watch;

/// What is not stored.
#[derive(Default)]
pub(crate) struct Away {
    next: Mutex<Option<&'static str>>,
}

impl Away {
    /// The next append that begins with that event fails.
    pub(crate) fn refuse_next(&self, event_type: &'static str) {
        *self.next.lock().expect("no test panics while it holds it") = Some(event_type);
    }

    /// Stores in memory with such a log.
    pub(crate) async fn stores(self: &Arc<Self>) -> Stores {
        let mut stores = store::open("memory:")
            .await
            .expect("memory is always there");
        stores.log = Arc::new(Log(stores.log.clone(), self.clone()));
        stores
    }

    fn takes(&self, append: &Append) -> bool {
        let mut next = self.next.lock().expect("no test panics while it holds it");
        let mut events = append.changes.iter().flat_map(|change| &change.events);
        let is_refused = next.is_some() && events.next().map(|event| event.event_type) == *next;
        if is_refused {
            *next = None;
        }
        !is_refused
    }
}

struct Log(Arc<dyn EventLog>, Arc<Away>);

#[async_trait]
impl EventLog for Log {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        let mut results = vec![];
        for append in batch {
            match self.1.takes(&append) {
                true => results.extend(self.0.append(vec![append]).await),
                false => results.push(Err(AppendError::Unavailable("it is away".into()))),
            }
        }
        results
    }
    async fn read_stream(&self, stream: &StreamId, after: u64) -> Result<Vec<Recorded>, ReadError> {
        self.0.read_stream(stream, after).await
    }
    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        self.0.read_all(after, limit).await
    }
    async fn find_command(&self, id: CommandId) -> Result<Option<(StreamId, Written)>, ReadError> {
        self.0.find_command(id).await
    }
    async fn head(&self) -> Result<Position, ReadError> {
        self.0.head().await
    }
    fn wakeups(&self) -> watch::Receiver<Position> {
        self.0.wakeups()
    }
}

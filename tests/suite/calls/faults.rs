//! A write side whose log and read store can be away.

use crate::world::{World, open_on, options};
use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, EventLog, Page, Position, ReadError, ReadStore, Recorded,
    Statement, StoreError, StreamId, Value, Written,
};
use domain::id::CommandId;
use ringledger_tests::office::Office;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::watch;

/// What does not work at the moment.
#[derive(Default)]
pub struct Faults {
    /// The read store is away.
    pub rows: AtomicBool,
    /// Appends of events with that name fail so many times more.
    pub events: Mutex<HashMap<&'static str, u32>>,
}

impl Faults {
    /// The next appends of that event fail.
    pub fn refuse(&self, event_type: &'static str, times: u32) {
        self.events.lock().unwrap().insert(event_type, times);
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.rows.store(false, Ordering::Relaxed);
        self.events.lock().unwrap().clear();
    }

    fn takes(&self, append: &Append) -> bool {
        let mut events = self.events.lock().unwrap();
        let names = append.changes.iter().flat_map(|change| &change.events);
        for event in names {
            if let Some(left) = events.get_mut(event.event_type).filter(|left| **left > 0) {
                *left -= 1;
                return false;
            }
        }
        true
    }
}

struct Log(Arc<dyn EventLog>, Arc<Faults>);

#[async_trait]
impl EventLog for Log {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        let mut results = vec![];
        for append in batch {
            if self.1.takes(&append) {
                results.extend(self.0.append(vec![append]).await);
            } else {
                results.push(Err(AppendError::Unavailable("it is away".into())));
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

struct Rows(Arc<dyn ReadStore>, Arc<Faults>);

#[async_trait]
impl ReadStore for Rows {
    async fn transact(&self, statements: Vec<Statement>) -> Result<(), StoreError> {
        if self.1.rows.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("it is away".into()));
        }
        self.0.transact(statements).await
    }

    async fn query(
        &self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        self.0.query(sql, parameters).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.0.scrub().await
    }
}

/// Opens on a store with faults, none of them there yet.
pub async fn open_faulty() -> (World, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let mut stores = store::open("memory:").await.unwrap();
    stores.log = Arc::new(Log(stores.log, faults.clone()));
    stores.read = Arc::new(Rows(stores.read, faults.clone()));
    let office = Arc::new(Office::open_on(stores).await);
    (open_on(office, options()).await, faults)
}

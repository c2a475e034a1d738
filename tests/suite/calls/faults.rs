//! A write side whose log and read store can be away.

use crate::world::{World, open_on, options};
use async_trait::async_trait;
use commands::ports::{Append, ReadStore, Statement, StoreError, Value};
use ringledger_tests::{gate::Gate, office::Office};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

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
    let taking = faults.clone();
    stores.log = Gate::before(stores.log, move |append| taking.takes(append));
    stores.read = Arc::new(Rows(stores.read, faults.clone()));
    let office = Arc::new(Office::open_on(stores).await);
    (open_on(office, options()).await, faults)
}

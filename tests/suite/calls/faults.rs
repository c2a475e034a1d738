//! A write side whose log, keys and read store can be away.

use crate::world::{World, open_on, options};
use async_trait::async_trait;
use commands::ports::{
    Append, Erasure, Position, ReadStore, Statement, StoreError, Value, Vault, VaultError,
};
use domain::{
    id::SubjectId,
    sealed::{Note, Party, Sealed},
};
use ringledger_tests::{
    gate::{Fate, Gate},
    office::Office,
};
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
    /// Nothing can be sealed.
    pub keys: AtomicBool,
    /// Whoever has it holds up all that is to be sealed.
    pub sealing: tokio::sync::Mutex<()>,
    /// Appends of events with that name have that fate so many times more.
    pub events: Mutex<HashMap<&'static str, (u32, Fate)>>,
}

impl Faults {
    /// The next appends of that event fail.
    pub fn refuse(&self, event_type: &'static str, times: u32) {
        let mut events = self.events.lock().unwrap();
        events.insert(event_type, (times, Fate::Refused));
    }

    /// The next append of that event is stored, and its answer lost.
    pub fn lose_answer(&self, event_type: &'static str) {
        let mut events = self.events.lock().unwrap();
        events.insert(event_type, (1, Fate::Unanswered));
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.rows.store(false, Ordering::Relaxed);
        self.keys.store(false, Ordering::Relaxed);
        self.events.lock().unwrap().clear();
    }

    fn tells(&self, append: &Append) -> Fate {
        let mut events = self.events.lock().unwrap();
        let names = append.changes.iter().flat_map(|change| &change.events);
        for event in names {
            let fault = events.get_mut(event.event_type);
            if let Some((left, fate)) = fault.filter(|(left, _)| *left > 0) {
                *left -= 1;
                return *fate;
            }
        }
        Fate::Taken
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

struct Keys(Arc<dyn Vault>, Arc<Faults>);

impl Keys {
    fn are_there(&self) -> Result<(), VaultError> {
        match self.1.keys.load(Ordering::Relaxed) {
            true => Err(VaultError::Unavailable("they are away".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Vault for Keys {
    fn subject_of(&self, user: &str) -> SubjectId {
        self.0.subject_of(user)
    }

    async fn seal_for(
        &self,
        subject: SubjectId,
        party: &Party,
    ) -> Result<Sealed<Party>, VaultError> {
        drop(self.1.sealing.lock().await);
        self.are_there()?;
        self.0.seal_for(subject, party).await
    }

    async fn open(&self, sealed: &Sealed<Party>) -> Result<Option<Party>, VaultError> {
        self.0.open(sealed).await
    }

    async fn seal_note(&self, subject: SubjectId, note: &Note) -> Result<Sealed<Note>, VaultError> {
        self.are_there()?;
        self.0.seal_note(subject, note).await
    }

    async fn open_note(&self, sealed: &Sealed<Note>) -> Result<Option<Note>, VaultError> {
        self.0.open_note(sealed).await
    }

    async fn seal_bytes(&self, subject: SubjectId, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.are_there()?;
        self.0.seal_bytes(subject, plain).await
    }

    async fn open_bytes(
        &self,
        subject: SubjectId,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, VaultError> {
        self.0.open_bytes(subject, sealed).await
    }

    async fn keys_through(&self, subject: SubjectId) -> Result<u32, VaultError> {
        self.0.keys_through(subject).await
    }

    async fn shred(&self, erasure: &Erasure) -> Result<(), VaultError> {
        self.0.shred(erasure).await
    }

    async fn scrub(&self) -> Result<(), VaultError> {
        self.0.scrub().await
    }

    async fn shredded(&self) -> Result<Position, VaultError> {
        self.0.shredded().await
    }
}

/// Opens on a store with faults, none of them there yet.
pub async fn open_faulty() -> (World, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let mut stores = store::open("memory:").await.unwrap();
    let taking = faults.clone();
    stores.log = Gate::telling(stores.log, move |append| taking.tells(append));
    stores.vault = Arc::new(Keys(stores.vault, faults.clone()));
    stores.read = Arc::new(Rows(stores.read, faults.clone()));
    let office = Arc::new(Office::open_on(stores).await);
    (open_on(office, options()).await, faults)
}

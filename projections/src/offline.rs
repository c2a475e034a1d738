//! The read models without a runner: for a command that only reads, beside a
//! server that runs or after it has stopped.

use crate::{
    changed::View,
    past::Past,
    registry,
    slot::Generation,
    standing::{self, standings},
    views::{Parked, Progress, Status, Views},
};
use async_trait::async_trait;
use commands::ports::{Erasure, EventLog, Position, ReadStore, StoreError, Vault, VaultError};
use domain::{
    id::SubjectId,
    sealed::{Note, Party, Sealed},
};
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};

/// The read models as they are stored, each with how far it was when they were
/// opened. A view that another version of the program has made, or that was
/// never made, is at position 0 and says so.
///
/// # Errors
/// When the read store can not be reached.
pub async fn open(log: Arc<dyn EventLog>, read: Arc<dyn ReadStore>) -> Result<Views, StoreError> {
    let mut progress = vec![];
    let standings = standings(read.as_ref()).await?;
    for view in View::ALL {
        let part = registry::slot(view, Generation::Live);
        let stored = standings.get(part.checkpoint());
        let (position, parked) = match stored {
            Some(stored) if stored.version == part.version() => {
                (stored.position, stored.parked.clone())
            }
            Some(_) | None => {
                let reason = "made by another version of the program, or never".into();
                let parked = Parked {
                    position: 0,
                    reason,
                };
                (Position::default(), Some(Arc::new(parked)))
            }
        };
        progress.push(Status {
            view,
            version: part.version(),
            position,
            parked,
            next: standing::next(&standings, part.checkpoint()),
        });
    }
    // Nobody writes: what was read is how far it is.
    let (_, progress) = watch::channel(Progress::from(progress));
    let (changes, _) = broadcast::channel(1);
    let past = Past::new(log, read.clone(), Arc::new(Closed));
    // Nobody hears an order.
    let (orders, _) = mpsc::channel(1);
    Ok(Views::new(read, progress, changes, past, orders))
}

/// The keys, which were not opened: the read models have personal data open.
struct Closed;

const REASON: &str = "keys were not opened";

#[async_trait]
impl Vault for Closed {
    fn subject_of(&self, _: &str) -> SubjectId {
        SubjectId(uuid::Uuid::nil())
    }
    async fn seal_for(&self, _: SubjectId, _: &Party) -> Result<Sealed<Party>, VaultError> {
        Err(VaultError::Unavailable(REASON.into()))
    }
    async fn open(&self, _: &Sealed<Party>) -> Result<Option<Party>, VaultError> {
        Err(VaultError::Unavailable(REASON.into()))
    }
    async fn seal_note(&self, _: SubjectId, _: &Note) -> Result<Sealed<Note>, VaultError> {
        Err(VaultError::Unavailable(REASON.into()))
    }
    async fn open_note(&self, _: &Sealed<Note>) -> Result<Option<Note>, VaultError> {
        Err(VaultError::Unavailable(REASON.into()))
    }
    async fn seal_bytes(&self, _: SubjectId, _: &[u8]) -> Result<Vec<u8>, VaultError> {
        Err(VaultError::Unavailable(REASON.into()))
    }
    async fn open_bytes(&self, _: SubjectId, _: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        Err(VaultError::Unavailable(REASON.into()))
    }
    async fn keys_through(&self, _: SubjectId) -> Result<u32, VaultError> {
        Err(VaultError::Unavailable(REASON.into()))
    }
    async fn shred(&self, _: &Erasure) -> Result<(), VaultError> {
        Err(VaultError::Unavailable(REASON.into()))
    }
    async fn scrub(&self) -> Result<(), VaultError> {
        Err(VaultError::Unavailable(REASON.into()))
    }
    async fn shredded(&self) -> Result<Position, VaultError> {
        Err(VaultError::Unavailable(REASON.into()))
    }
}

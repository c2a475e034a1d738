//! Recordings in memory.

use async_trait::async_trait;
use commands::ports::{Recordings, SealedSound, StoreError};
use domain::{id::VoicemailId, time::Timestamp};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

type Table = BTreeMap<VoicemailId, (Timestamp, SealedSound)>;

/// Recordings in memory.
#[derive(Debug, Default)]
pub struct MemoryRecordings(Mutex<Table>);

impl MemoryRecordings {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Recordings for MemoryRecordings {
    async fn put(
        &self,
        message: VoicemailId,
        stored_at: Timestamp,
        sound: SealedSound,
    ) -> Result<(), StoreError> {
        self.table().entry(message).or_insert((stored_at, sound));
        Ok(())
    }

    async fn get(&self, message: VoicemailId) -> Result<Option<SealedSound>, StoreError> {
        let table = self.table();
        Ok(table.get(&message).map(|(_, sound)| sound.clone()))
    }

    async fn remove(&self, message: VoicemailId) -> Result<(), StoreError> {
        self.table().remove(&message);
        Ok(())
    }

    async fn kept_before(&self, before: Timestamp) -> Result<Vec<VoicemailId>, StoreError> {
        let table = self.table();
        let kept = table.iter().filter(|(_, (at, _))| *at < before);
        Ok(kept.map(|(message, _)| *message).collect())
    }
}

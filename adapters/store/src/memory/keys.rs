//! A vault whose keys follow from the subject alone.

use crate::{
    crypto::{DataKey, Nonces},
    vault::{Found, KeyTable, KeyedVault},
};
use async_trait::async_trait;
use commands::ports::{Erasure, Position, VaultError};
use domain::id::SubjectId;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A vault in memory: the same value is sealed to the same text in every run.
/// For tests only, its keys are no secret.
pub fn vault() -> KeyedVault {
    let master = DataKey::from_stored(b"keys of the simulation: 32 bytes")
        .expect("the literal is as long as a key");
    KeyedVault::new(master, Box::new(MemoryKeys::default()), Nonces::Derived)
}

/// Every key that a subject ever had; `None` once destroyed.
type Keys = BTreeMap<SubjectId, Vec<Option<DataKey>>>;

/// The keys, and the latest erasure.
#[derive(Debug, Default)]
struct MemoryKeys(Mutex<(Keys, Position)>);

impl MemoryKeys {
    fn lock(&self) -> MutexGuard<'_, (Keys, Position)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyTable for MemoryKeys {
    async fn current(
        &self,
        subject: SubjectId,
        fresh: DataKey,
    ) -> Result<(u32, DataKey), VaultError> {
        let (subjects, _) = &mut *self.lock();
        let keys = subjects.entry(subject).or_default();
        if let Some(Some(key)) = keys.last() {
            return Ok((keys.len() as u32, key.clone()));
        }
        let number = keys.len() as u32 + 1;
        // A key after a destroyed one is another key.
        let key = DataKey::derived(&fresh, &number.to_be_bytes());
        keys.push(Some(key.clone()));
        Ok((number, key))
    }

    async fn find(&self, subject: SubjectId, number: u32) -> Result<Found, VaultError> {
        let (subjects, _) = &*self.lock();
        let keys = subjects.get(&subject).map_or(&[][..], Vec::as_slice);
        let index = (number as usize).checked_sub(1);
        Ok(match index.and_then(|index| keys.get(index)) {
            Some(Some(key)) => Found::Key(key.clone()),
            Some(None) => Found::Destroyed,
            None => Found::Unknown,
        })
    }

    async fn newest(&self, subject: SubjectId) -> Result<u32, VaultError> {
        let (subjects, _) = &*self.lock();
        Ok(subjects.get(&subject).map_or(0, Vec::len) as u32)
    }

    async fn destroy(&self, erasure: &Erasure) -> Result<(), VaultError> {
        let (subjects, latest) = &mut *self.lock();
        let keys = subjects.entry(erasure.subject).or_default();
        for key in keys.iter_mut().take(erasure.keys_through as usize) {
            *key = None;
        }
        *latest = erasure.position.max(*latest);
        Ok(())
    }

    async fn scrub(&self) -> Result<(), VaultError> {
        Ok(())
    }

    async fn destroyed(&self) -> Result<Position, VaultError> {
        Ok(self.lock().1)
    }
}

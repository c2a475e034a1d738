//! A vault whose keys follow from the subject alone.

use crate::{
    crypto::{DataKey, Nonces},
    vault::{Found, KeyTable, KeyedVault},
};
use async_trait::async_trait;
use commands::ports::VaultError;
use domain::id::SubjectId;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// A vault in memory: the same value is sealed to the same text in every run.
/// For tests only, its keys are no secret.
pub fn vault() -> KeyedVault {
    let master = DataKey::from_stored(b"keys of the simulation: 32 bytes")
        .expect("the literal is as long as a key");
    KeyedVault::new(master, Box::new(MemoryKeys::default()), Nonces::Derived)
}

/// Every key that a subject ever had; `None` once destroyed.
#[derive(Debug, Default)]
struct MemoryKeys(Mutex<BTreeMap<SubjectId, Vec<Option<DataKey>>>>);

#[async_trait]
impl KeyTable for MemoryKeys {
    async fn current(
        &self,
        subject: SubjectId,
        fresh: DataKey,
    ) -> Result<(u32, DataKey), VaultError> {
        let mut subjects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let subjects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = subjects.get(&subject).map_or(&[][..], Vec::as_slice);
        let index = (number as usize).checked_sub(1);
        Ok(match index.and_then(|index| keys.get(index)) {
            Some(Some(key)) => Found::Key(key.clone()),
            Some(None) => Found::Destroyed,
            None => Found::Unknown,
        })
    }

    async fn destroy(&self, subject: SubjectId) -> Result<(), VaultError> {
        let mut subjects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in subjects.entry(subject).or_default() {
            *key = None;
        }
        Ok(())
    }
}

//! Credentials in memory.

use async_trait::async_trait;
use commands::ports::{Secrets, StoreError};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

type Table = BTreeMap<(String, String), String>;

/// Credentials in memory.
#[derive(Default)]
pub struct MemorySecrets(Mutex<Table>);

impl std::fmt::Debug for MemorySecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySecrets").finish_non_exhaustive()
    }
}

impl MemorySecrets {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Secrets for MemorySecrets {
    async fn put(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError> {
        self.table()
            .insert((kind.to_owned(), key.to_owned()), value.to_owned());
        Ok(())
    }

    async fn put_new(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError> {
        let mut table = self.table();
        let entry = table.entry((kind.to_owned(), key.to_owned()));
        entry.or_insert_with(|| value.to_owned());
        Ok(())
    }

    async fn get(&self, kind: &str, key: &str) -> Result<Option<String>, StoreError> {
        let at = (kind.to_owned(), key.to_owned());
        Ok(self.table().get(&at).cloned())
    }

    async fn remove(&self, kind: &str, key: &str) -> Result<(), StoreError> {
        self.table().remove(&(kind.to_owned(), key.to_owned()));
        Ok(())
    }

    async fn list(&self, kind: &str) -> Result<Vec<(String, String)>, StoreError> {
        Ok(self
            .table()
            .iter()
            .filter(|((of, _), _)| of == kind)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect())
    }
}

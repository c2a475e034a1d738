//! The vault: seals personal data under one key per data subject, and destroys
//! keys. The same for every store; only where the keys are kept differs.

use crate::crypto::{self, DataKey, Nonces};
use async_trait::async_trait;
use commands::ports::{Erasure, Position, Vault, VaultError};
use domain::{
    id::SubjectId,
    sealed::{Note, Party, Personal, Sealed},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How many keys are kept in memory.
const KEYS_MAX: usize = 100_000;

/// What a table knows about a key.
#[derive(Debug)]
pub(crate) enum Found {
    /// It is there.
    Key(DataKey),
    /// It was there.
    Destroyed,
    /// It was never there.
    Unknown,
}

/// Where data keys are kept.
#[async_trait]
pub(crate) trait KeyTable: fmt::Debug + Send + Sync + 'static {
    /// The subject's newest key that is not destroyed and its number; `fresh`
    /// becomes it, durably, if there is none.
    async fn current(
        &self,
        subject: SubjectId,
        fresh: DataKey,
    ) -> Result<(u32, DataKey), VaultError>;
    /// One key of the subject.
    async fn find(&self, subject: SubjectId, number: u32) -> Result<Found, VaultError>;
    /// Number of the subject's newest key, destroyed or not; 0 for none.
    async fn newest(&self, subject: SubjectId) -> Result<u32, VaultError>;
    /// Destroys the subject's keys up to that number and notes it, both durably or
    /// neither.
    async fn destroy(&self, erasure: &Erasure) -> Result<(), VaultError>;
    /// Takes the bytes of what was destroyed out of the files, if that was not done.
    async fn scrub(&self) -> Result<(), VaultError>;
    /// The latest position that was noted with a destruction.
    async fn destroyed(&self) -> Result<Position, VaultError>;
}

#[derive(Default)]
struct Cache {
    current: HashMap<SubjectId, u32>,
    keys: HashMap<(SubjectId, u32), DataKey>,
    /// Grows with every destruction: a key that was read before one must not
    /// come into the cache after it.
    destructions: u64,
}

/// Seals and opens under keys of a table.
pub struct KeyedVault {
    master: DataKey,
    table: Box<dyn KeyTable>,
    nonces: Nonces,
    cache: Mutex<Cache>,
}

impl fmt::Debug for KeyedVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedVault").finish_non_exhaustive()
    }
}

impl KeyedVault {
    pub(crate) fn new(master: DataKey, table: Box<dyn KeyTable>, nonces: Nonces) -> Self {
        Self {
            master,
            table,
            nonces,
            cache: Mutex::default(),
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn current(&self, subject: SubjectId) -> Result<(u32, DataKey), VaultError> {
        let destructions = {
            let cache = self.cache();
            if let Some(number) = cache.current.get(&subject)
                && let Some(key) = cache.keys.get(&(subject, *number))
            {
                return Ok((*number, key.clone()));
            }
            cache.destructions
        };
        let fresh = match self.nonces {
            Nonces::Random => DataKey::random()?,
            Nonces::Derived => DataKey::derived(&self.master, subject.0.as_bytes()),
        };
        let (number, key) = self.table.current(subject, fresh).await?;
        self.remember(destructions, subject, number, &key);
        self.cache().current.insert(subject, number);
        Ok((number, key))
    }

    async fn find(&self, subject: SubjectId, number: u32) -> Result<Found, VaultError> {
        let destructions = {
            let cache = self.cache();
            if let Some(key) = cache.keys.get(&(subject, number)) {
                return Ok(Found::Key(key.clone()));
            }
            cache.destructions
        };
        let found = self.table.find(subject, number).await?;
        if let Found::Key(key) = &found {
            self.remember(destructions, subject, number, key);
        }
        Ok(found)
    }

    /// What was sealed; none once its key was destroyed.
    async fn unsealed(
        &self,
        subject: SubjectId,
        parts: crypto::Parts,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let key = match self.find(subject, parts.number).await? {
            Found::Key(key) => key,
            Found::Destroyed => return Ok(None),
            Found::Unknown => return Err(VaultError::Broken("its key was never made".into())),
        };
        crypto::open(&key, subject, parts).map(Some)
    }

    async fn seal_value<T: Personal>(
        &self,
        subject: SubjectId,
        plain: &T::Plain,
    ) -> Result<Sealed<T>, VaultError>
    where
        T::Plain: Sync,
    {
        let plain = serde_json::to_vec(plain)
            .map_err(|error| VaultError::Broken(format!("value has no JSON: {error}")))?;
        let (number, key) = self.current(subject).await?;
        let data = crypto::seal(&key, number, subject, &plain, self.nonces)?;
        Ok(Sealed::new(subject, data))
    }

    async fn open_value<T: Personal>(
        &self,
        sealed: &Sealed<T>,
    ) -> Result<Option<T::Plain>, VaultError> {
        let parts = crypto::parts(&sealed.data)?;
        let Some(plain) = self.unsealed(sealed.subject, parts).await? else {
            return Ok(None);
        };
        serde_json::from_slice(&plain)
            .map(Some)
            .map_err(|error| VaultError::Broken(format!("it is not what was sealed: {error}")))
    }

    fn forget(&self, erasure: &Erasure) {
        let mut cache = self.cache();
        cache.destructions += 1;
        cache.current.remove(&erasure.subject);
        cache.keys.retain(|(subject, number), _| {
            *subject != erasure.subject || *number > erasure.keys_through
        });
    }

    fn remember(&self, destructions: u64, subject: SubjectId, number: u32, key: &DataKey) {
        let mut cache = self.cache();
        if cache.destructions != destructions {
            return;
        }
        if cache.keys.len() >= KEYS_MAX {
            cache.keys.clear();
            cache.current.clear();
        }
        cache.keys.insert((subject, number), key.clone());
    }
}

#[async_trait]
impl Vault for KeyedVault {
    fn subject_of(&self, user: &str) -> SubjectId {
        crypto::subject_of(&self.master, user)
    }

    async fn seal_for(
        &self,
        subject: SubjectId,
        party: &Party,
    ) -> Result<Sealed<Party>, VaultError> {
        self.seal_value(subject, party).await
    }

    async fn open(&self, sealed: &Sealed<Party>) -> Result<Option<Party>, VaultError> {
        self.open_value(sealed).await
    }

    async fn seal_note(&self, subject: SubjectId, note: &Note) -> Result<Sealed<Note>, VaultError> {
        self.seal_value(subject, note).await
    }

    async fn open_note(&self, sealed: &Sealed<Note>) -> Result<Option<Note>, VaultError> {
        self.open_value(sealed).await
    }

    async fn seal_bytes(&self, subject: SubjectId, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (number, key) = self.current(subject).await?;
        crypto::seal_bytes(&key, number, subject, plain, self.nonces)
    }

    async fn open_bytes(
        &self,
        subject: SubjectId,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let parts = crypto::parts_of_bytes(sealed)?;
        self.unsealed(subject, parts).await
    }

    async fn keys_through(&self, subject: SubjectId) -> Result<u32, VaultError> {
        self.table.newest(subject).await
    }

    async fn shred(&self, erasure: &Erasure) -> Result<(), VaultError> {
        let destroyed = self.table.destroy(erasure).await;
        // An error may hide that it was done: the table knows, not the cache.
        self.forget(erasure);
        destroyed
    }

    async fn scrub(&self) -> Result<(), VaultError> {
        self.table.scrub().await
    }

    async fn shredded(&self) -> Result<Position, VaultError> {
        self.table.destroyed().await
    }
}

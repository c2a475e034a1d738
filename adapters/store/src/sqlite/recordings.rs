//! Recordings in the file of the log, by a writer of their own: a long message is
//! written beside the events and not among them, and a copy of the file has both.

use super::{
    connection::{Durability, Folder, open_writer},
    statement,
    worker::Worker,
};
use crate::{migrate::Target, open::OpenError};
use async_trait::async_trait;
use commands::ports::{Recordings, SealedSound, Statement, StoreError, Value};
use domain::{id::VoicemailId, time::Timestamp};
use std::sync::Arc;

/// Recordings on SQLite.
#[derive(Debug)]
pub struct SqliteRecordings {
    file: Worker,
}

const PUT: &str = "INSERT INTO recordings (voicemail_id, subject, stored_at, sealed) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (voicemail_id) DO NOTHING";
const GET: &str = "SELECT subject, sealed FROM recordings WHERE voicemail_id = $1";
const REMOVE: &str = "DELETE FROM recordings WHERE voicemail_id = $1";
const KEPT: &str = "SELECT voicemail_id FROM recordings WHERE stored_at < $1";

impl SqliteRecordings {
    /// Opens the file of the log, whose own writer has brought it up to date.
    pub(crate) fn open(folder: &Arc<Folder>) -> Result<Self, OpenError> {
        let path = folder.file("log.db");
        let db = open_writer(&path, Target::Log, Durability::Full)?;
        // What was taken away must not be left in free pages.
        db.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))
            .map_err(|error| OpenError::of_file(&path, &error))?;
        Worker::start("recordings-writer", db, None, Arc::clone(folder))
            .map(|file| Self { file })
            .map_err(|error| OpenError::thread(&error))
    }

    async fn change(&self, sql: &'static str, parameters: Vec<Value>) -> Result<(), StoreError> {
        let statement = Statement {
            sql,
            parameters,
            must_touch: None,
        };
        self.file
            .call(move |db| statement::execute(db, &statement))
            .await
    }

    async fn rows(
        &self,
        sql: &'static str,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        self.file
            .call(move |db| statement::query(db, sql, &parameters))
            .await
    }
}

fn broken() -> StoreError {
    StoreError::Unavailable("a recording's row is not what was written".into())
}

#[async_trait]
impl Recordings for SqliteRecordings {
    async fn put(
        &self,
        message: VoicemailId,
        stored_at: Timestamp,
        sound: SealedSound,
    ) -> Result<(), StoreError> {
        let parameters = vec![
            Value::Text(message.to_string()),
            Value::Text(sound.subject.to_string()),
            Value::Int(stored_at.micros()),
            Value::Bytes(sound.sealed),
        ];
        self.change(PUT, parameters).await
    }

    async fn get(&self, message: VoicemailId) -> Result<Option<SealedSound>, StoreError> {
        let mut rows = self
            .rows(GET, vec![Value::Text(message.to_string())])
            .await?;
        let Some(row) = rows.pop() else {
            return Ok(None);
        };
        let Ok([Value::Text(subject), Value::Bytes(sealed)]) = <[Value; 2]>::try_from(row) else {
            return Err(broken());
        };
        let subject = subject.parse().map_err(|_| broken())?;
        Ok(Some(SealedSound { subject, sealed }))
    }

    async fn remove(&self, message: VoicemailId) -> Result<(), StoreError> {
        self.change(REMOVE, vec![Value::Text(message.to_string())])
            .await
    }

    async fn kept_before(&self, before: Timestamp) -> Result<Vec<VoicemailId>, StoreError> {
        let rows = self.rows(KEPT, vec![Value::Int(before.micros())]).await?;
        let ids = rows.into_iter().flatten().map(|value| match value {
            Value::Text(text) => text.parse().map_err(|_| broken()),
            Value::Null | Value::Int(_) | Value::Bytes(_) => Err(broken()),
        });
        ids.collect()
    }
}

//! Recordings in the schema `public`, beside the events: every node reads and writes
//! the same.

use super::{pool::Pool, unavailable};
use async_trait::async_trait;
use commands::ports::{Recordings, SealedSound, StoreError};
use domain::{
    id::{SubjectId, VoicemailId},
    time::Timestamp,
};
use uuid::Uuid;

const PUT: &str = "INSERT INTO public.recordings (voicemail_id, subject, stored_at, sealed) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (voicemail_id) DO NOTHING";
const GET: &str = "SELECT subject, sealed FROM public.recordings WHERE voicemail_id = $1";
const REMOVE: &str = "DELETE FROM public.recordings WHERE voicemail_id = $1";
const KEPT: &str = "SELECT voicemail_id FROM public.recordings WHERE stored_at < $1";

/// Recordings on PostgreSQL.
#[derive(Debug)]
pub struct PostgresRecordings {
    pool: Pool,
}

impl PostgresRecordings {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Recordings for PostgresRecordings {
    async fn put(
        &self,
        message: VoicemailId,
        stored_at: Timestamp,
        sound: SealedSound,
    ) -> Result<(), StoreError> {
        let put = sqlx::query(PUT)
            .bind(message.0)
            .bind(sound.subject.0)
            .bind(stored_at.micros())
            .bind(sound.sealed);
        put.execute(&self.pool).await.map_err(unavailable)?;
        Ok(())
    }

    async fn get(&self, message: VoicemailId) -> Result<Option<SealedSound>, StoreError> {
        let get = sqlx::query_as(GET).bind(message.0);
        let row: Option<(Uuid, Vec<u8>)> =
            get.fetch_optional(&self.pool).await.map_err(unavailable)?;
        Ok(row.map(|(subject, sealed)| SealedSound {
            subject: SubjectId(subject),
            sealed,
        }))
    }

    async fn remove(&self, message: VoicemailId) -> Result<(), StoreError> {
        let remove = sqlx::query(REMOVE).bind(message.0);
        remove.execute(&self.pool).await.map_err(unavailable)?;
        Ok(())
    }

    async fn kept_before(&self, before: Timestamp) -> Result<Vec<VoicemailId>, StoreError> {
        let kept = sqlx::query_scalar(KEPT).bind(before.micros());
        let ids: Vec<Uuid> = kept.fetch_all(&self.pool).await.map_err(unavailable)?;
        Ok(ids.into_iter().map(VoicemailId).collect())
    }
}

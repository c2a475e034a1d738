//! A person whose data is kept, or was: known by a keyed hash only.

use crate::{
    error::Fault,
    query::services,
    scalar::{Cursor, DateTime},
    types::words::{ErasureReason, SubjectState},
};
use async_graphql::{Context, ID, Result, SimpleObject};
use domain::id::SubjectId;
use projections::{erasures, views::Views};

/// A person whose data is kept, or was.
#[derive(SimpleObject)]
pub(crate) struct Subject {
    /// The keyed hash of the number or address; the `subject` of callers.
    id: ID,
    /// What is left of the person's data.
    state: SubjectState,
    /// When the person was last forgotten.
    erased_at: Option<DateTime>,
    /// On what ground.
    reason: Option<ErasureReason>,
    /// The event that says so.
    position: Option<Cursor>,
    /// How often the person was forgotten.
    erasures_count: i32,
}

impl Subject {
    /// What is known of the person; `None` if nothing was ever kept.
    pub(crate) async fn find(
        ctx: &Context<'_>,
        views: &Views,
        subject: SubjectId,
    ) -> Result<Option<Self>> {
        let vault = &services(ctx)?.vault;
        let keys_through = vault.keys_through(subject).await.map_err(Fault::from)?;
        let row = views.erasure(subject).await.map_err(Fault::from)?;
        if keys_through == 0 && row.is_none() {
            return Ok(None);
        }
        let clean = views.clean_through().await.map_err(Fault::from)?;
        Ok(Some(Self::of(subject, keys_through, row.as_ref(), clean.0)))
    }

    /// Somebody who was forgotten.
    pub(crate) fn forgotten(row: &erasures::Row, clean_through: u64) -> Self {
        Self::of(row.subject, row.keys_through, Some(row), clean_through)
    }

    fn of(
        subject: SubjectId,
        keys_through: u32,
        row: Option<&erasures::Row>,
        clean_through: u64,
    ) -> Self {
        let state = match row {
            None => SubjectState::Kept,
            Some(row) if row.keys_through < keys_through => SubjectState::Kept,
            Some(row) if row.position > clean_through => SubjectState::Erasing,
            Some(_) => SubjectState::Erased,
        };
        Self {
            id: ID(subject.to_string()),
            state,
            erased_at: row.map(|row| DateTime(row.erased_at)),
            reason: row.map(|row| row.reason.into()),
            position: row.map(|row| Cursor(row.position)),
            erasures_count: row.map_or(0, |row| crate::scalar::count(row.erasures_count)),
        }
    }
}

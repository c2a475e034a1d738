//! Which version of a deck an import makes: one that was cut off goes on where it was,
//! whoever imports; one that is there already is not made again; and another table is the
//! next version, whatever was left unfinished before it.

use crate::{
    error::DispatchError,
    ports::{EventLog, ReadError, StreamId},
};
use domain::{
    any::read_event,
    billing::{
        DeckVersionId,
        deck::{Deck, Header, Phase, Row},
    },
    decider::Decider as _,
    id::{DeckId, TenantId},
};

/// The version that an import of these rows makes, and how it stands.
///
/// # Errors
/// When the log can not be read.
pub async fn version(
    log: &dyn EventLog,
    tenant: TenantId,
    header: &Header,
    rows: &[Row],
) -> Result<(DeckVersionId, Deck), DispatchError> {
    let mut id = DeckVersionId {
        deck: DeckId::named(tenant, &header.name),
        version: 1,
    };
    loop {
        let there = folded(log, id).await?;
        let is_this = there.header.as_ref() == Some(header);
        match there.phase {
            Phase::Unborn => return Ok((id, there)),
            // The same again: it was cut off, or it is there already.
            Phase::Open if is_this && rows.starts_with(&there.rows) => return Ok((id, there)),
            Phase::Published if is_this && rows == there.rows => {
                if folded(log, next(id)).await?.phase == Phase::Unborn {
                    return Ok((id, there));
                }
            }
            Phase::Open | Phase::Published | Phase::Retired => {}
        }
        id = next(id);
    }
}

const fn next(id: DeckVersionId) -> DeckVersionId {
    DeckVersionId {
        deck: id.deck,
        version: id.version + 1,
    }
}

async fn folded(log: &dyn EventLog, id: DeckVersionId) -> Result<Deck, DispatchError> {
    let stream = StreamId::new(Deck::CATEGORY, id);
    let corrupt = |reason: String| DispatchError::Corrupt(format!("{stream}: {reason}"));
    let recorded = log.read_stream(&stream, 0).await;
    let recorded = recorded.map_err(|error| match error {
        ReadError::Unavailable(reason) => DispatchError::Unavailable(reason),
        error @ ReadError::Corrupt { .. } => corrupt(error.to_string()),
    })?;
    let mut deck = Deck::default();
    for event in recorded {
        let (kind, version) = (&event.event_type, event.event_version);
        let read = read_event(kind, version, &event.payload);
        let (at, event) = read.map_err(|error| corrupt(error.to_string()))?;
        deck = Deck::evolve(deck, at, &event);
    }
    Ok(deck)
}

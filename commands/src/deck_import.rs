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
    money::Currency,
};

/// Why there is no version for an import.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log can not be read.
    #[error(transparent)]
    Log(#[from] DispatchError),
    /// A deck keeps its currency: whatever names it is in that one.
    #[error("currency: the deck is in {0}")]
    OtherCurrency(Currency),
}

/// The version that an import of these rows makes, and how it stands.
///
/// # Errors
/// See [`Error`].
pub async fn version(
    log: &dyn EventLog,
    tenant: TenantId,
    header: &Header,
    rows: &[Row],
) -> Result<(DeckVersionId, Deck), Error> {
    let mut id = DeckVersionId {
        deck: DeckId::named(tenant, &header.name),
        version: 1,
    };
    loop {
        let there = folded(log, id).await?;
        let is_this = there.header.as_ref() == Some(header);
        let currency = there.header.as_ref().map(|header| header.currency);
        let is_it = match there.phase {
            Phase::Unborn => return Ok((id, there)),
            // The same again: it was cut off, or it is there already.
            Phase::Open => is_this && rows.starts_with(&there.rows),
            Phase::Published => is_this && rows == there.rows,
            Phase::Retired => false,
        };
        // What came later counts: this one would never apply.
        if is_it && folded(log, next(id)).await?.phase == Phase::Unborn {
            return Ok((id, there));
        }
        match (there.phase, currency) {
            (Phase::Published | Phase::Retired, Some(known)) if known != header.currency => {
                return Err(Error::OtherCurrency(known));
            }
            (Phase::Published | Phase::Retired | Phase::Open | Phase::Unborn, _) => {}
        }
        id = next(id);
    }
}

/// Of which currency that version of a deck is; none where there is none.
///
/// # Errors
/// When the log can not be read.
pub async fn currency(
    log: &dyn EventLog,
    id: DeckVersionId,
) -> Result<Option<Currency>, DispatchError> {
    let deck = folded(log, id).await?;
    Ok(deck.header.map(|header| header.currency))
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

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

/// What there is for an import of a table.
#[derive(Debug)]
pub struct Found {
    /// The versions that were published with just this table, the first first: this import
    /// may have made one of them before.
    pub same: Vec<DeckVersionId>,
    /// The version that the import makes, and how it stands.
    pub next: Result<(DeckVersionId, Deck), OtherCurrency>,
}

/// A deck keeps its currency: whatever names it is in that one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deck is in {0}")]
pub struct OtherCurrency(pub Currency);

/// Looks for what an import of these rows makes.
///
/// # Errors
/// When the log can not be read.
pub async fn version(
    log: &dyn EventLog,
    tenant: TenantId,
    header: &Header,
    rows: &[Row],
) -> Result<Found, DispatchError> {
    let mut id = DeckVersionId {
        deck: DeckId::named(tenant, &header.name),
        version: 1,
    };
    let (mut same, mut in_force, mut retired) = (vec![], None, None);
    let mut there = folded(log, id).await?;
    loop {
        let is_this = there.header.as_ref() == Some(header);
        let currency = there.header.as_ref().map(|header| header.currency);
        let is_all = is_this && rows == there.rows;
        let is_it = match there.phase {
            Phase::Unborn => true,
            // The same again: it was cut off, or it is there already.
            Phase::Open => is_this && rows.starts_with(&there.rows),
            Phase::Published => is_all,
            Phase::Retired => false,
        };
        match there.phase {
            Phase::Published => in_force = currency,
            Phase::Retired => retired = currency,
            Phase::Open | Phase::Unborn => {}
        }
        if is_all && matches!(there.phase, Phase::Published | Phase::Retired) {
            same.push(id);
        }
        // What came later counts: this one would never apply.
        let later = match there.phase {
            Phase::Unborn => Deck::default(),
            Phase::Open | Phase::Published | Phase::Retired => folded(log, next(id)).await?,
        };
        if is_it && later.phase == Phase::Unborn {
            // Earlier versions may be in another: what is in force counts.
            let known = in_force.or(retired);
            let next = match known.filter(|known| *known != header.currency) {
                Some(known) => Err(OtherCurrency(known)),
                None => Ok((id, there)),
            };
            return Ok(Found { same, next });
        }
        (id, there) = (next(id), later);
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

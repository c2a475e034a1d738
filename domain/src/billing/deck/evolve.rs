//! The state after an event. No rules here.

use super::{
    event::Event,
    state::{Deck, Phase},
};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: Deck, _at: Timestamp, event: &Event) -> Deck {
    match event {
        Event::Opened { header } => {
            state.phase = Phase::Open;
            state.header = Some(header.clone());
        }
        Event::RowsAdded { rows, .. } => state.rows.extend(rows.iter().cloned()),
        Event::Published { .. } => state.phase = Phase::Published,
        Event::Retired {} => state.phase = Phase::Retired,
    }
    state
}

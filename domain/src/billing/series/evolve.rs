//! The state after an event. No rules here.

use super::{event::Event, state::Series};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: Series, _at: Timestamp, event: &Event) -> Series {
    match event {
        Event::NumberIssued {
            document, number, ..
        } => {
            state.last = *number;
            state.kind = Some(document.kind());
            state.documents.insert(document.id());
        }
    }
    state
}

//! The state after an event. No rules here.

use super::{event::Event, state::CreditNote};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: CreditNote, _at: Timestamp, event: &Event) -> CreditNote {
    match event {
        Event::Drafted { document } => state.document = Some(document.clone()),
        Event::Issued { number, .. } => state.number = Some(number.clone()),
    }
    state
}

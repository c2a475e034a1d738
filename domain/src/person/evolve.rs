//! The state after an event. No rules here.

use super::{event::Event, state::Person};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: Person, _at: Timestamp, event: &Event) -> Person {
    match event {
        Event::Erased { keys_through, .. } => state.erased_through = *keys_through,
    }
    state
}

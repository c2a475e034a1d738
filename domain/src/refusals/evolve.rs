//! The state after an event. No rules here.

use super::{event::Event, state::Refusals};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: Refusals, _at: Timestamp, event: &Event) -> Refusals {
    match event {
        Event::Summed { calls_count, .. } => state.calls_count = *calls_count,
    }
    state
}

//! The state after an event. No rules here.

use super::{
    event::Event,
    state::{SEGMENTS_KEPT_MAX, Schedule, replace},
};
use crate::time::Timestamp;

pub(super) fn evolve(mut schedule: Schedule, _at: Timestamp, event: &Event) -> Schedule {
    match event {
        Event::Set { from, to, segments } => {
            replace(&mut schedule.segments, (*from, *to), segments);
        }
    }
    let gone_count = schedule.segments.len().saturating_sub(SEGMENTS_KEPT_MAX);
    if let Some(last) = schedule.segments.drain(..gone_count).next_back() {
        schedule.whole_from = schedule.whole_from.max(Some(last.to));
    }
    schedule
}

//! The state after an event. No rules here.

use super::{event::Event, state::Queue};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: Queue, at: Timestamp, event: &Event) -> Queue {
    match event {
        Event::Created { name, config } => {
            state.name = Some(name.clone());
            state.config = Some(config.clone());
            state.config_version = 1;
        }
        Event::Configured {
            config_version,
            config,
        } => {
            state.config = Some(config.clone());
            state.config_version = *config_version;
        }
        Event::Opened { .. } | Event::Closed { .. } | Event::HoursFollowed { .. } => {
            state.by_hand = event.by_hand(at);
        }
        Event::MemberPaused { .. } | Event::MemberUnpaused { .. } => {
            event.pause(at, &mut state.paused);
        }
        Event::Deleted { .. } => state = Queue::default(),
    }
    state
}

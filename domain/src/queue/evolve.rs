//! The state after an event. No rules here.

use super::{event::Event, state::Queue};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: Queue, at: Timestamp, event: &Event) -> Queue {
    match event {
        Event::Created {
            name,
            config,
            config_version,
        } => {
            state.name = Some(name.clone());
            state.config = Some(config.clone());
            state.config_version = config_version.unwrap_or(1);
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
        // What was decided under a version is explained by it: none is given twice.
        Event::Deleted { .. } => {
            state = Queue {
                config_version: state.config_version,
                ..Queue::default()
            };
        }
    }
    state
}

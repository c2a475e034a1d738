//! The state after an event. No rules here.

use super::{event::Event, state::Seller};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: Seller, _at: Timestamp, event: &Event) -> Seller {
    match event {
        Event::Configured {
            config_version,
            config,
        } => {
            state.config = Some(config.clone());
            state.config_version = *config_version;
        }
    }
    state
}

//! The state after an event. No rules here.

use super::{event::Event, state::Plan};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: Plan, _at: Timestamp, event: &Event) -> Plan {
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
    }
    state
}

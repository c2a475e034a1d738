//! The state after an event. No rules here.

use super::{
    event::Event,
    hand::{ByHand, Hand},
    state::Queue,
};
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
        Event::Opened { by, why } => state.by_hand = Some(said(Hand::Open, by, why, at)),
        Event::Closed { by, why } => state.by_hand = Some(said(Hand::Closed, by, why, at)),
        Event::HoursFollowed { .. } => state.by_hand = None,
    }
    state
}

fn said(hand: Hand, by: &str, why: &str, since: Timestamp) -> ByHand {
    ByHand {
        hand,
        by: by.into(),
        why: why.into(),
        since,
    }
}

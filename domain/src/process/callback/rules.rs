//! What of a queue matters for whoever is rung back: how, and whether it takes calls.

use crate::{callback::Terms, id::QueueId, queue, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What of a queue's configuration and doors matters here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rules {
    pub(super) terms: Terms,
    /// What is heard while such a call is held.
    pub(super) music: Option<String>,
    hours: Option<Box<queue::Hours>>,
    /// What a person has said of its doors.
    hand: Option<queue::Hand>,
}

/// Whether a queue takes no calls.
pub(super) enum Shut {
    No,
    /// Until it opens by itself, if it does.
    Until(Option<Timestamp>),
}

impl Rules {
    pub(super) fn shut(&self, now: Timestamp) -> Shut {
        let hours = self.hours.as_deref();
        match queue::is_open(hours, self.hand, now) {
            true => Shut::No,
            false => Shut::Until(queue::next_change(hours, self.hand, now)),
        }
    }
}

/// Takes in what is said of a queue.
pub(super) fn learn(
    queues: &mut BTreeMap<QueueId, (u32, Rules)>,
    queue: QueueId,
    event: &queue::Event,
) {
    let known = queues.get_mut(&queue);
    match (event.configured(), event.hand(), known) {
        (Some((version, config)), _, known) => {
            let rules = Rules {
                terms: config.callback,
                music: config.music.clone(),
                hours: config.hours.clone(),
                hand: known.and_then(|(_, rules)| rules.hand),
            };
            queues.insert(queue, (version, rules));
        }
        (None, Some(hand), Some((_, rules))) => rules.hand = hand,
        (None, Some(_) | None, Some(_) | None) => {}
    }
}

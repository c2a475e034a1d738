//! One example of every event of what a person orders about a call that waits or rings.

use super::examples::{AGENT_LEG, OFFER, QUEUE, SESSION, VISIT, wire};
use ringledger_domain::call::Event;

pub(crate) fn all() -> impl Iterator<Item = Event> {
    [
        Event::AnswerOrdered {
            offer: OFFER,
            session: SESSION,
            leg: AGENT_LEG,
            by: "agent:anna".into(),
        },
        Event::AnswerOrderRefused {
            offer: OFFER,
            session: SESSION,
            leg: AGENT_LEG,
            wire: wire(),
        },
        Event::Withdrawn {
            visit: VISIT,
            queue: QUEUE,
            by: "token:carla".into(),
            why: "abuse".into(),
        },
    ]
    .into_iter()
}

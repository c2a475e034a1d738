//! The state after an event. No rules here.

use super::{
    event::Event,
    state::{Line, Visit},
};
use crate::time::Timestamp;

pub(super) fn evolve(mut line: Line, _at: Timestamp, event: &Event) -> Line {
    match event {
        Event::Opened {
            visit,
            call,
            enqueued_at,
            ..
        } => {
            let opened = Visit {
                call: *call,
                enqueued_at: *enqueued_at,
                matched: None,
                attempts: 0,
            };
            line.visits.insert(*visit, opened);
        }
        Event::Rejected { .. } => {}
        Event::Matched {
            visit,
            offer,
            session,
            ..
        } => {
            if let Some(open) = line.visits.get_mut(visit) {
                open.matched = Some((*offer, *session));
            }
        }
        Event::Returned { visit, attempt, .. } => {
            if let Some(open) = line.visits.get_mut(visit) {
                open.matched = None;
                open.attempts = *attempt;
            }
        }
        Event::Closed { visit, .. } => {
            line.visits.remove(visit);
        }
    }
    line
}

//! The state after an event. No rules here.

use super::{
    event::Event,
    state::{Line, Visit},
};
use crate::time::Timestamp;
use std::collections::BTreeMap;

pub(super) fn evolve(mut line: Line, _at: Timestamp, event: &Event) -> Line {
    match event {
        Event::Opened {
            visit,
            call,
            enqueued_at,
            joined_at,
            priority,
            policy,
            ..
        } => {
            let opened = Visit {
                call: *call,
                enqueued_at: *enqueued_at,
                since: joined_at.unwrap_or(*enqueued_at),
                matched: BTreeMap::new(),
                attempts: 0,
                priority: *priority,
                measure: policy.measure,
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
                open.matched.insert(*offer, *session);
            }
        }
        Event::Returned {
            visit,
            offer,
            attempt,
            still_ringing,
            ..
        } => {
            if let Some(open) = line.visits.get_mut(visit) {
                open.matched.remove(offer);
                if !still_ringing {
                    open.attempts = *attempt;
                }
            }
        }
        Event::PriorityChanged {
            visit, priority, ..
        } => {
            if let Some(open) = line.visits.get_mut(visit) {
                open.priority = Some(*priority);
            }
        }
        // Whom the line asks is not the line's to know.
        Event::Assigned { .. } => {}
        Event::Closed { visit, .. } => {
            line.visits.remove(visit);
        }
    }
    line
}

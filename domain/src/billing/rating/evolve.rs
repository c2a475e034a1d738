//! The state after an event. No rules here.

use super::{event::Event, state::Rating};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: Rating, _at: Timestamp, event: &Event) -> Rating {
    match event {
        Event::Started {
            account,
            amount,
            seconds,
        }
        | Event::Extended {
            account,
            amount,
            seconds,
        } => state.charging = Some((*account, *amount, *seconds)),
        Event::Exhausted { until, .. } => state.exhausted = Some(*until),
        Event::Rated {
            revision,
            bill,
            replaces,
            ..
        } => {
            state.revision = *revision;
            state.bill = Some(bill.clone());
            state.replaced.clone_from(replaces);
            state.unrated = None;
        }
        Event::Restored { revision, bill, .. } => {
            state.revision = *revision;
            state.bill = Some(bill.clone());
            state.replaced = None;
        }
        Event::Unrated { reason, .. } => state.unrated = Some(*reason),
    }
    state
}

//! The state after an event. No rules here.

use super::{
    event::{Bill, Event},
    state::Rating,
};
use crate::time::Timestamp;

/// Prices that are kept of those that were replaced. A month that is closed may still have
/// the first of those that were given while it was: nobody gives more in that moment.
const REPLACED_MAX: usize = 8;

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
            replace(&mut state.replaced, replaces.as_deref());
            state.unrated = None;
            state.is_dismissed = false;
        }
        Event::Restored { revision, bill, .. } => {
            state.revision = *revision;
            state.bill = Some(bill.clone());
            state.replaced.clear();
        }
        Event::Unrated { reason, .. } => state.unrated = Some(*reason),
        Event::Dismissed { .. } => state.is_dismissed = true,
    }
    state
}

/// The order of a price says what it replaces, with what was not known of it before.
fn replace(replaced: &mut Vec<Bill>, by: Option<&Bill>) {
    let Some(bill) = by else {
        replaced.clear();
        return;
    };
    replaced.push(bill.clone());
    let too_many = replaced.len().saturating_sub(REPLACED_MAX);
    replaced.drain(..too_many);
}

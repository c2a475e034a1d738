//! The state after an event. No rules here.

use super::{
    event::{Event, Sums},
    state::{Usage, Valued},
};
use crate::time::Timestamp;

pub(super) fn evolve(mut state: Usage, _at: Timestamp, event: &Event) -> Usage {
    match event {
        Event::Recorded { record } => {
            state.currency = Some(record.currency);
            state.used.insert(record.key(), Usage::kept(record));
        }
        Event::Reversed { record, .. } => {
            state.used.remove(&record.key());
            state.reversed.insert(record.key());
        }
        Event::Adjusted { record, .. } => {
            state.currency = Some(record.currency);
            state.adjusted.insert(record.key(), Usage::kept(record));
        }
        Event::Valued {
            cdr,
            revision,
            amount,
            sums,
        } => {
            let valued = Valued {
                revision: *revision,
                amount: *amount,
                sums: sums.unwrap_or(Sums {
                    most: *amount,
                    own: *amount,
                }),
            };
            state.valued.insert(*cdr, valued);
        }
        Event::PeriodClosed { totals, .. } => {
            state.is_closed = true;
            let settled = totals.iter().filter(|total| !total.is_by_record());
            state.settled = settled.map(|total| total.usage_type).collect();
        }
        Event::Reopened {} => {
            state.is_closed = false;
            state.settled.clear();
            state.is_reopened = true;
        }
    }
    state
}

//! What each event does to a quarter of an hour.

use super::row::{Key, Row};
use crate::projection::{Effect, Input};
use domain::{
    any::{AnyEvent, Fact},
    line::{Event, RejectReason},
};

pub(super) fn key(fact: &Fact) -> Option<Key> {
    match &fact.event {
        AnyEvent::Line(queue, event) => match event {
            Event::Rejected { .. } | Event::Returned { .. } => Some(Key::of(*queue, fact.at)),
            Event::Opened { .. }
            | Event::Matched { .. }
            | Event::PriorityChanged { .. }
            | Event::Assigned { .. }
            | Event::Closed { .. } => None,
        },
        AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => None,
    }
}

pub(super) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    let (Some(key), AnyEvent::Line(_, event)) = (key(input.fact), &input.fact.event) else {
        return Effect::Kept;
    };
    let row = row.get_or_insert(Row {
        key,
        position: 0,
        full_count: 0,
        closed_count: 0,
        empty_count: 0,
        returned_count: 0,
    });
    row.position = input.fact.position;
    match event {
        Event::Rejected { reason, .. } => match reason {
            RejectReason::Full => row.full_count += 1,
            RejectReason::Closed => row.closed_count += 1,
            RejectReason::Empty => row.empty_count += 1,
        },
        Event::Returned { .. } => row.returned_count += 1,
        Event::Opened { .. }
        | Event::Matched { .. }
        | Event::PriorityChanged { .. }
        | Event::Assigned { .. }
        | Event::Closed { .. } => return Effect::Kept,
    }
    Effect::Changed
}

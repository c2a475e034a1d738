//! What each event does to a stay.

use super::row::Row;
use crate::projection::{Effect, Input};
use domain::{
    any::{AnyEvent, Fact},
    call,
    id::VisitId,
    line::Event,
};

pub(super) fn key(fact: &Fact) -> Option<VisitId> {
    match &fact.event {
        AnyEvent::Line(_, event) => match event {
            Event::Opened { visit, .. }
            | Event::Matched { visit, .. }
            | Event::PriorityChanged { visit, .. }
            | Event::Returned { visit, .. }
            | Event::Closed { visit, .. } => Some(*visit),
            Event::Rejected { .. } | Event::Assigned { .. } => None,
        },
        AnyEvent::Call(_, call::Event::AgentConnected { visit, .. }) => Some(*visit),
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
    // Of several who were rung side by side, the one who answered has the call.
    if let (AnyEvent::Call(_, call::Event::AgentConnected { session, .. }), Some(row)) =
        (&input.fact.event, row.as_mut())
    {
        row.agent = Some(session.agent);
        row.position = input.fact.position;
        return Effect::Changed;
    }
    let AnyEvent::Line(queue, event) = &input.fact.event else {
        return Effect::Kept;
    };
    if let Event::Opened {
        visit,
        call,
        enqueued_at,
        priority,
        previous,
        position,
        policy,
        ..
    } = event
    {
        *row = Some(Row {
            visit: *visit,
            position: input.fact.position,
            queue: *queue,
            call: *call,
            opened_at: input.fact.at,
            enqueued_at: *enqueued_at,
            place: *position,
            offers_count: 0,
            agent: None,
            result: None,
            closed_at: None,
            wait_ms: None,
            previous: *previous,
            priority: *priority,
            attempts: 0,
            measure: policy.measure,
        });
        return Effect::Changed;
    }
    match row.as_mut() {
        Some(row) => progress(row, input.fact.position, event),
        None => Effect::Kept,
    }
}

/// What comes after the opening.
fn progress(row: &mut Row, position: u64, event: &Event) -> Effect {
    match event {
        Event::Matched { session, .. } => {
            row.offers_count = row.offers_count.saturating_add(1);
            row.agent = Some(session.agent);
        }
        Event::Returned {
            attempt,
            still_ringing: false,
            ..
        } => row.attempts = *attempt,
        Event::PriorityChanged { priority, .. } => row.priority = Some(*priority),
        Event::Closed {
            result,
            closed_at,
            wait_ms,
            ..
        } => {
            row.result = Some(*result);
            row.closed_at = Some(*closed_at);
            row.wait_ms = Some(*wait_ms);
            // The line hears of the end of a call later than the call itself:
            // no stay is closed before it is opened.
            row.opened_at = row.opened_at.min(*closed_at);
        }
        Event::Opened { .. }
        | Event::Rejected { .. }
        | Event::Returned { .. }
        | Event::Assigned { .. } => {
            return Effect::Kept;
        }
    }
    row.position = position;
    Effect::Changed
}

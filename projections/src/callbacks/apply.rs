//! What each event does to a callback's row.

use super::row::{Attempt, Row, State};
use crate::{
    caller::Caller,
    projection::{Effect, Input},
};
use domain::{any::AnyEvent, callback::Event, time::Timestamp};

pub(super) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    let AnyEvent::Callback(callback, event) = &input.fact.event else {
        return Effect::Kept;
    };
    let at = input.fact.at;
    if let Event::Requested {
        request,
        expires_at,
    } = event
    {
        *row = Some(Row {
            callback: *callback,
            position: input.fact.position,
            state: State::Pending,
            queue: request.queue,
            person: Caller::new(&request.party, input.party),
            place_at: request.place,
            requested_at: at,
            requested_in: request.call,
            not_before: request.not_before.unwrap_or(at),
            expires_at: *expires_at,
            attempts_max: request.terms.attempts_max,
            attempts: vec![],
            closed_at: None,
            decided_by: None,
            wanted: request.wanted,
        });
        return Effect::Changed;
    }
    let Some(row) = row.as_mut() else {
        return Effect::Kept;
    };
    row.position = input.fact.position;
    progress(row, at, event);
    Effect::Changed
}

fn progress(row: &mut Row, at: Timestamp, event: &Event) {
    match event {
        Event::Requested { .. } => {}
        Event::Rescheduled {
            not_before,
            expires_at,
            by,
        } => {
            row.not_before = *not_before;
            row.expires_at = *expires_at;
            row.decided_by = Some(by.clone());
        }
        Event::AttemptStarted { call, .. } => {
            row.state = State::Trying;
            row.attempts.push(Attempt {
                call: *call,
                started_at: at,
                ended_at: None,
                reason: None,
                is_counted: false,
            });
        }
        Event::AttemptFailed {
            call,
            reason,
            is_counted,
            not_before,
            ..
        } => {
            row.state = State::Pending;
            row.not_before = *not_before;
            let mut attempts = row.attempts.iter_mut();
            if let Some(attempt) = attempts.find(|attempt| attempt.call == *call) {
                attempt.ended_at = Some(at);
                attempt.reason = Some(*reason);
                attempt.is_counted = *is_counted;
            }
        }
        Event::Connected { call, .. } => {
            let mut attempts = row.attempts.iter_mut();
            if let Some(attempt) = attempts.find(|attempt| attempt.call == *call) {
                attempt.ended_at = Some(at);
                attempt.is_counted = true;
            }
            close(row, at, State::Connected);
        }
        Event::Exhausted {} => close(row, at, State::Exhausted),
        Event::GivenUp { .. } => close(row, at, State::GivenUp),
        Event::Expired {} => close(row, at, State::Expired),
        Event::Cancelled { by } => {
            row.decided_by = Some(by.clone());
            close(row, at, State::Cancelled);
        }
    }
}

fn close(row: &mut Row, at: Timestamp, state: State) {
    row.state = state;
    row.closed_at = Some(at);
}

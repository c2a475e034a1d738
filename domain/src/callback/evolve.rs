//! The state after an event. No rules here.

use super::{
    event::Event,
    state::{Attempt, Callback, Phase, is_idle},
};
use crate::time::Timestamp;

pub(super) fn evolve(mut callback: Callback, at: Timestamp, event: &Event) -> Callback {
    match event {
        Event::Requested {
            request,
            expires_at,
        } => {
            callback.phase = Phase::Pending;
            callback.terms = request.terms;
            callback.not_before = request.not_before.unwrap_or(at);
            callback.expires_at = *expires_at;
        }
        Event::Rescheduled {
            not_before,
            expires_at,
            ..
        } => {
            callback.not_before = *not_before;
            callback.expires_at = *expires_at;
        }
        Event::AttemptStarted { attempt, call, .. } => {
            callback.attempts_count = *attempt;
            callback.phase = Phase::Trying(Attempt {
                attempt: *attempt,
                call: *call,
            });
        }
        Event::AttemptFailed {
            reason,
            is_counted,
            not_before,
            ..
        } => {
            callback.missed_count = callback.missed_count.saturating_add(u32::from(*is_counted));
            let is_idle = !is_counted && is_idle(*reason);
            callback.idle_count = callback.idle_count.saturating_add(u32::from(is_idle));
            callback.not_before = *not_before;
            callback.phase = Phase::Pending;
        }
        Event::Connected { .. }
        | Event::Exhausted {}
        | Event::GivenUp { .. }
        | Event::Expired {}
        | Event::Cancelled { .. } => callback.phase = Phase::Over,
    }
    callback
}

//! The rules of a callback.

use super::{
    command::{Command, Outcome},
    error::Error,
    event::{Event, Request, Wanted},
    state::{Attempt, Callback, Phase, is_idle},
};
use crate::{cause::EndReason, line::ASSIGNED_MS_MAX, time::Timestamp};

type Decision = Result<Vec<Event>, Error>;

/// A callback is promised for so long ahead at most: 30 days.
const AHEAD_MS_MAX: u64 = 30 * 86_400_000;

/// Attempts in all, for each that may count, but for those that could not be made: what
/// does not count costs agents too.
const UNCOUNTED_TIMES: u32 = 10;

pub(super) fn decide(callback: &Callback, at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Request(request) => promise(callback, at, request),
        Command::Reschedule { not_before, by } => {
            let expires_at = match callback.phase {
                Phase::Unborn => return Err(Error::Unknown),
                Phase::Over => return Err(Error::Over),
                Phase::Trying(_) => return Err(Error::Trying),
                Phase::Pending => {
                    in_time(at, not_before)?;
                    not_before.plus_ms(callback.terms.valid_ms)
                }
            };
            Ok(vec![Event::Rescheduled {
                not_before,
                expires_at,
                by,
            }])
        }
        Command::StartAttempt {
            attempt,
            call,
            visit,
            leg,
        } => {
            may_start(callback, at, attempt)?;
            Ok(vec![Event::AttemptStarted {
                attempt,
                call,
                visit,
                leg,
            }])
        }
        Command::RecordOutcome { attempt, outcome } => Ok(match callback.phase {
            Phase::Trying(live) if live.attempt == attempt => came_of(callback, at, live, outcome),
            Phase::Unborn | Phase::Pending | Phase::Trying(_) | Phase::Over => vec![],
        }),
        Command::Expire => match callback.phase {
            Phase::Unborn => Err(Error::Unknown),
            Phase::Over => Err(Error::Over),
            Phase::Trying(_) => Err(Error::Trying),
            Phase::Pending if at < callback.expires_at => Err(Error::NotExpired),
            Phase::Pending => Ok(vec![Event::Expired {}]),
        },
        Command::Cancel { by } => match callback.phase {
            Phase::Unborn => Err(Error::Unknown),
            Phase::Over => Err(Error::Over),
            Phase::Pending | Phase::Trying(_) => Ok(vec![Event::Cancelled { by }]),
        },
    }
}

fn promise(callback: &Callback, at: Timestamp, request: Request) -> Decision {
    match callback.phase {
        Phase::Unborn => {}
        Phase::Pending | Phase::Trying(_) | Phase::Over => return Err(Error::AlreadyRequested),
    }
    if let Some(not_before) = request.not_before {
        in_time(at, not_before)?;
    }
    let is_in_bounds = |wanted: Wanted| (1..=ASSIGNED_MS_MAX).contains(&wanted.for_ms);
    if !request.wanted.is_none_or(is_in_bounds) {
        return Err(Error::InvalidAgentTime);
    }
    let expires_at = request
        .not_before
        .unwrap_or(at)
        .plus_ms(request.terms.valid_ms);
    Ok(vec![Event::Requested {
        request,
        expires_at,
    }])
}

fn in_time(at: Timestamp, not_before: Timestamp) -> Result<(), Error> {
    match not_before >= at && not_before <= at.plus_ms(AHEAD_MS_MAX) {
        true => Ok(()),
        false => Err(Error::InvalidTime),
    }
}

fn may_start(callback: &Callback, at: Timestamp, attempt: u32) -> Result<(), Error> {
    match callback.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Over => Err(Error::Over),
        Phase::Trying(_) => Err(Error::Trying),
        Phase::Pending if at >= callback.expires_at => Err(Error::Over),
        Phase::Pending if at < callback.not_before => Err(Error::NotDue),
        Phase::Pending if attempt != callback.attempts_count.saturating_add(1) => {
            Err(Error::StaleAttempt)
        }
        Phase::Pending => Ok(()),
    }
}

/// The person was reached, or the next attempt comes after the gap, unless that
/// was the last or it would come too late.
fn came_of(callback: &Callback, at: Timestamp, live: Attempt, outcome: Outcome) -> Vec<Event> {
    let Attempt { attempt, call } = live;
    match outcome {
        Outcome::Reached => vec![Event::Connected { attempt, call }],
        Outcome::Missed { reason, is_counted } => {
            let not_before = at.plus_ms(callback.terms.gap_ms);
            let mut events = vec![failed(live, reason, is_counted, not_before)];
            let missed = callback.missed_count.saturating_add(u32::from(is_counted));
            let idle = u32::from(!is_counted && is_idle(reason));
            let idle = callback.idle_count.saturating_add(idle);
            let most = callback.terms.attempts_max.saturating_mul(UNCOUNTED_TIMES);
            let is_last = attempt.saturating_sub(idle) >= most;
            if needs_a_person(reason) {
                events.push(Event::GivenUp { reason });
            } else if missed >= callback.terms.attempts_max || is_last {
                events.push(Event::Exhausted {});
            } else if not_before >= callback.expires_at {
                events.push(Event::Expired {});
            }
            events
        }
    }
}

/// No further attempt would do better: each would only be one more call that waits for
/// a person to give it a price.
const fn needs_a_person(reason: EndReason) -> bool {
    matches!(reason, EndReason::NoPrice)
}

const fn failed(
    live: Attempt,
    reason: EndReason,
    is_counted: bool,
    not_before: Timestamp,
) -> Event {
    Event::AttemptFailed {
        attempt: live.attempt,
        call: live.call,
        reason,
        is_counted,
        not_before,
    }
}

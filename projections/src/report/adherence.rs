//! How much of what was planned for agents they did: the time in the scheduled state by the
//! time that was scheduled.

use super::{
    agent::{ms_between, overlapped},
    spans::Span,
};
use crate::agent_log::{Interval, State};
use domain::{
    id::AgentId,
    schedule::{Activity, Segment},
    time::Timestamp,
};

/// What was planned in an interval, as far as it has passed, and what of it was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Adherence {
    /// Time for which something was planned.
    pub scheduled_ms: u64,
    /// The part of it that the agent spent as it was planned.
    pub in_schedule_ms: u64,
}

impl Adherence {
    /// Nothing was planned.
    pub const NONE: Self = Self {
        scheduled_ms: 0,
        in_schedule_ms: 0,
    };

    /// The two parts of adherence.
    pub const fn parts(&self) -> (u64, u64) {
        (self.in_schedule_ms, self.scheduled_ms)
    }
}

/// What of an agent's plan fell into each of these intervals, by their place, as far as it
/// has passed. Plan and log are in the order of time, the log that of all agents.
pub(super) fn kept(
    agent: AgentId,
    planned: &[Segment],
    log: &[Interval],
    spans: &[Span],
    now: Timestamp,
) -> Vec<(usize, Adherence)> {
    let first = log.partition_point(|interval| interval.agent < agent);
    let last = log.partition_point(|interval| interval.agent <= agent);
    let log = log.get(first..last).unwrap_or_default();
    let mut parts = vec![];
    for segment in planned {
        let until = segment.to.min(now);
        if until <= segment.from {
            // In the order of time: nothing of the others has passed either.
            break;
        }
        for (index, span) in overlapped(spans, segment.from, until) {
            let (start, end) = (segment.from.max(span.start), until.min(span.end));
            let adherence = Adherence {
                scheduled_ms: ms_between(start, end),
                in_schedule_ms: kept_ms(segment.activity, log, start, end),
            };
            parts.push((index, adherence));
        }
    }
    parts
}

/// How much of that time the agent did what was planned. Each part is counted in whole
/// milliseconds since 1970, so that it is not more than the whole.
fn kept_ms(activity: Activity, log: &[Interval], start: Timestamp, end: Timestamp) -> u64 {
    let first = log.partition_point(|it| it.end.is_some_and(|over| over <= start));
    let meanwhile = log.iter().skip(first).take_while(|it| it.start < end);
    let (mut kept, mut logged_in) = (0, 0);
    for interval in meanwhile {
        let over = interval.end.map_or(end, |over| over.min(end));
        let ms = ms_between(interval.start.max(start), over);
        logged_in += ms;
        if is_kept(activity, interval) {
            kept += ms;
        }
    }
    match activity.is_kept_by_absence() {
        true => kept + ms_between(start, end).saturating_sub(logged_in),
        false => kept,
    }
}

/// Whether an agent who is logged in does what was planned.
fn is_kept(activity: Activity, interval: &Interval) -> bool {
    match (activity.reason(), interval.state) {
        (
            None,
            State::Ready | State::Reserved | State::Ringing | State::OnContact | State::WrapUp,
        ) => true,
        // The settings said of the word that the time is work.
        (None, State::NotReady) => interval.code.as_ref().is_some_and(|it| it.is_productive),
        (Some(planned), State::NotReady) => interval.reason == Some(planned),
        (
            Some(_),
            State::Ready | State::Reserved | State::Ringing | State::OnContact | State::WrapUp,
        )
        | (None | Some(_), State::LoggedOut) => false,
    }
}

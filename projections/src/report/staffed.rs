//! How long agents were there for a queue: logged in, while they served it. Breaks
//! and pauses are in it, as they are in the time that an agent is logged in. And how much
//! of that time they were occupied, with calls of this queue or of others.

use super::{
    agent::{ms_between, overlapped},
    spans::Span,
};
use crate::{
    agent_log::{self, Interval, State, intervals},
    staff::{Login, Serves, logins, served},
    views::ViewError,
};
use commands::ports::ReadStore;
use domain::{
    id::{AgentId, QueueId},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// Since when, and until when if that is over.
type Time = (Timestamp, Option<Timestamp>);

/// What is known of who was there in a stretch of time, for reports of any queue over it.
#[derive(Debug, Default)]
pub struct Staffing {
    served: Vec<Serves>,
    logins: Vec<Login>,
    /// What agents did meanwhile.
    spent: Vec<Interval>,
}

/// Where the time went of agents who were there for a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Occupied {
    /// With a call or an offer, or at work after a call.
    pub busy_ms: u64,
    /// They took calls and had none.
    pub ready_ms: u64,
}

impl Occupied {
    /// The two parts of the occupancy; breaks are in neither.
    pub const fn parts(&self) -> (u64, u64) {
        (self.busy_ms, self.busy_ms + self.ready_ms)
    }

    const fn spend(&mut self, state: State, ms: u64) {
        match state {
            State::Ready => self.ready_ms += ms,
            State::Reserved | State::Ringing | State::OnContact | State::WrapUp => {
                self.busy_ms += ms;
            }
            State::NotReady | State::LoggedOut => {}
        }
    }
}

impl Staffing {
    pub(super) async fn read(read: &dyn ReadStore, spans: &[Span]) -> Result<Self, ViewError> {
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
            return Ok(Self::default());
        };
        Ok(Self {
            served: served(read, last.end).await?,
            logins: logins(read, first.start, last.end).await?,
            spent: vec![],
        })
    }

    /// Whoever served a queue.
    pub(super) fn agents(&self) -> Vec<AgentId> {
        let agents: BTreeSet<AgentId> = self.served.iter().map(|serves| serves.agent).collect();
        agents.into_iter().collect()
    }

    /// With what they did.
    pub(super) fn with_log(self, log: &[agent_log::Row]) -> Self {
        Self {
            spent: intervals(log),
            ..self
        }
    }

    /// Where the time went of the agents who were there for the queue, in each of these
    /// intervals, together.
    pub(super) fn occupied(&self, queue: QueueId, spans: &[Span], now: Timestamp) -> Vec<Occupied> {
        let times = times_of(queue, &self.served);
        let mut sums = vec![Occupied::default(); spans.len()];
        for spent in &self.spent {
            let over = spent.end.unwrap_or(now).min(now);
            for (since, until) in times.get(&spent.agent).into_iter().flatten() {
                let start = spent.start.max(*since);
                let end = until.map_or(over, |until| until.min(over));
                for (index, span) in overlapped(spans, start, end) {
                    let ms = ms_between(start.max(span.start), end.min(span.end));
                    sums[index].spend(spent.state, ms);
                }
            }
        }
        sums
    }

    /// The time that agents were there for the queue in each of these intervals, together;
    /// nothing is known of the time after `now`.
    pub(super) fn staffed(&self, queue: QueueId, spans: &[Span], now: Timestamp) -> Vec<u64> {
        added_up(&times_of(queue, &self.served), &self.logins, spans, now)
    }
}

/// When each agent served the queue.
fn times_of(queue: QueueId, said: &[Serves]) -> BTreeMap<AgentId, Vec<Time>> {
    let mut times: BTreeMap<AgentId, Vec<Time>> = BTreeMap::new();
    for serves in said {
        let is_served = serves.queues.contains(&queue);
        let times = times.entry(serves.agent).or_default();
        match times.last_mut() {
            Some((_, until @ None)) if !is_served => *until = Some(serves.since),
            Some((_, None)) => {}
            Some((_, Some(_))) | None if is_served => times.push((serves.since, None)),
            Some((_, Some(_))) | None => {}
        }
    }
    times
}

fn added_up(
    served: &BTreeMap<AgentId, Vec<Time>>,
    logins: &[Login],
    spans: &[Span],
    now: Timestamp,
) -> Vec<u64> {
    let mut sums = vec![0; spans.len()];
    for login in logins {
        let logged_out = login.until.unwrap_or(now).min(now);
        for (since, until) in served.get(&login.session.agent).into_iter().flatten() {
            let start = login.since.max(*since);
            let end = until.map_or(logged_out, |until| until.min(logged_out));
            for (index, span) in overlapped(spans, start, end) {
                sums[index] += ms_between(start.max(span.start), end.min(span.end));
            }
        }
    }
    sums
}

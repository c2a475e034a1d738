//! How long agents were there for a queue: logged in, while they served it. Breaks
//! and pauses are in it, as they are in the time that an agent is logged in.

use super::{
    agent::{ms_between, overlapped},
    spans::Span,
};
use crate::{
    staff::{Login, Serves, logins, served},
    views::ViewError,
};
use commands::ports::ReadStore;
use domain::{
    id::{AgentId, QueueId},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// Since when, and until when if that is over.
type Time = (Timestamp, Option<Timestamp>);

/// What is known of who was there in a stretch of time, for reports of any queue over it.
#[derive(Debug, Default)]
pub struct Staffing {
    served: Vec<Serves>,
    logins: Vec<Login>,
}

impl Staffing {
    pub(super) async fn read(read: &dyn ReadStore, spans: &[Span]) -> Result<Self, ViewError> {
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
            return Ok(Self::default());
        };
        Ok(Self {
            served: served(read, last.end).await?,
            logins: logins(read, first.start, last.end).await?,
        })
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

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

/// The time that agents were there in each of these intervals, together; nothing is known
/// of the time after `now`.
pub(super) async fn staffed(
    read: &dyn ReadStore,
    queue: QueueId,
    spans: &[Span],
    now: Timestamp,
) -> Result<Vec<u64>, ViewError> {
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
        return Ok(vec![]);
    };
    let served = times_of(queue, &served(read, last.end).await?);
    let logins = logins(read, first.start, last.end).await?;
    Ok(added_up(&served, &logins, spans, now))
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

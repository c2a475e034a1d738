//! The base quantities by interval, as the reports count them: a stay in the
//! interval of its opening, and again in that of its end.

use super::record::Lived;
use domain::{id::QueueId, line::Measure, time::Timestamp};
use projections::{queue_stats::Counters, report::Span};

/// What happened in an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Which; none for what came after the last.
    pub span: Option<Span>,
    /// How much.
    pub counters: Counters,
}

/// The stays in one queue, or in all, and who was not let in, in each interval and after
/// the last.
pub fn count(
    lived: &Lived,
    queue: Option<QueueId>,
    measure: impl Fn(QueueId) -> Measure,
    spans: &[Span],
) -> Vec<Interval> {
    let mut sums = vec![Counters::default(); spans.len() + 1];
    let index = |at: Timestamp| spans.partition_point(|span| span.end <= at);
    let is_asked = |of: QueueId| queue.is_none_or(|queue| queue == of);
    for rejected in lived.rejected.iter().filter(|one| is_asked(one.queue)) {
        if let Some(sum) = sums.get_mut(index(rejected.at)) {
            sum.rejected_count += 1;
        }
    }
    for row in lived.visits.iter().filter(|row| is_asked(row.queue)) {
        if let Some(sum) = sums.get_mut(index(row.opened_at)) {
            sum.offered_count += 1;
        }
        let ended = row.closed_at.zip(row.result);
        if let Some((closed_at, result)) = ended
            && let Some(sum) = sums.get_mut(index(closed_at))
        {
            sum.close(result, row.wait_ms.unwrap_or(0), measure(row.queue));
        }
    }
    let spans = spans.iter().copied().map(Some).chain([None]);
    spans
        .zip(sums)
        .map(|(span, counters)| Interval { span, counters })
        .collect()
}

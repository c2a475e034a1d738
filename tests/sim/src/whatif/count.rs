//! The base quantities by interval, as the reports count them: a stay in the
//! interval of its opening, and again in that of its end.

use domain::{id::QueueId, line::VisitResult, time::Timestamp};
use projections::{
    queue_stats::{Counters, SHORT_ABANDON_MS},
    report::Span,
    visits::Row,
};

/// What happened in an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Which; none for what came after the last.
    pub span: Option<Span>,
    /// How much.
    pub counters: Counters,
}

/// The stays in one queue, or in all, in each interval and after the last.
pub fn count<'a>(
    rows: impl Iterator<Item = &'a Row>,
    queue: Option<QueueId>,
    threshold_ms: impl Fn(QueueId) -> u64,
    spans: &[Span],
) -> Vec<Interval> {
    let mut sums = vec![Counters::default(); spans.len() + 1];
    let index = |at: Timestamp| spans.partition_point(|span| span.end <= at);
    for row in rows.filter(|row| queue.is_none_or(|queue| queue == row.queue)) {
        if let Some(sum) = sums.get_mut(index(row.opened_at)) {
            sum.offered_count += 1;
        }
        let ended = row.closed_at.zip(row.result);
        if let Some((closed_at, result)) = ended
            && let Some(sum) = sums.get_mut(index(closed_at))
        {
            let wait_ms = row.wait_ms.unwrap_or(0);
            *sum = sum.plus(&closed(result, wait_ms, threshold_ms(row.queue)));
        }
    }
    let spans = spans.iter().copied().map(Some).chain([None]);
    spans
        .zip(sums)
        .map(|(span, counters)| Interval { span, counters })
        .collect()
}

fn closed(result: VisitResult, wait_ms: u64, threshold_ms: u64) -> Counters {
    let is_in_time = u64::from(wait_ms <= threshold_ms);
    let one = Counters {
        longest_wait_ms: wait_ms,
        ..Counters::default()
    };
    match result {
        VisitResult::Answered => Counters {
            answered_count: 1,
            answered_in_threshold_count: is_in_time,
            answered_wait_ms: wait_ms,
            ..one
        },
        VisitResult::Abandoned => Counters {
            abandoned_count: 1,
            short_abandoned_count: u64::from(wait_ms < SHORT_ABANDON_MS),
            abandoned_in_threshold_count: is_in_time,
            abandoned_wait_ms: wait_ms,
            ..one
        },
        VisitResult::Timeout
        | VisitResult::Overflow
        | VisitResult::Withdrawn
        | VisitResult::System => Counters {
            flow_out_count: 1,
            ..one
        },
    }
}

//! The base quantities of a queue over some time.

use crate::{
    scalar::{Duration, count},
    types::words::ServiceLevel,
};
use async_graphql::Object;
use projections::queue_stats::Counters;

/// Counters.
pub(crate) struct QueueCounters {
    counters: Counters,
    /// They were counted as it happened, and not from stays in the queue.
    is_live: bool,
}

impl QueueCounters {
    /// As they were counted while it happened.
    pub(crate) const fn live(counters: Counters) -> Self {
        Self {
            counters,
            is_live: true,
        }
    }

    /// As a report counts the stays.
    pub(crate) const fn counted(counters: Counters) -> Self {
        Self {
            counters,
            is_live: false,
        }
    }
}

/// What was counted.
#[Object]
impl QueueCounters {
    /// O: calls that came into the queue.
    async fn offered_count(&self) -> i32 {
        count(self.counters.offered_count)
    }

    /// A: calls that an agent was connected to.
    async fn answered_count(&self) -> i32 {
        count(self.counters.answered_count)
    }

    /// AT: of those, within the queue's threshold.
    async fn answered_in_threshold_count(&self) -> i32 {
        count(self.counters.answered_in_threshold_count)
    }

    /// AB: callers who left first.
    async fn abandoned_count(&self) -> i32 {
        count(self.counters.abandoned_count)
    }

    /// SA: of those, within the time that the queue calls short, 5 s unless set.
    async fn short_abandoned_count(&self) -> i32 {
        count(self.counters.short_abandoned_count)
    }

    /// ABT: abandoned within the queue's threshold.
    async fn abandoned_in_threshold_count(&self) -> i32 {
        count(self.counters.abandoned_in_threshold_count)
    }

    /// FO: calls that left the queue in any other way.
    async fn flow_out_count(&self) -> i32 {
        count(self.counters.flow_out_count)
    }

    /// CB: callers who left to be rung back.
    async fn callback_count(&self) -> i32 {
        count(self.counters.callback_count)
    }

    /// Calls that were not let in: the queue was full, closed, or nobody was there. Not
    /// in O. Null in a report, which counts those who were let in.
    async fn rejected_count(&self) -> Option<i32> {
        self.is_live.then(|| count(self.counters.rejected_count))
    }

    /// Offers to agents that came to nothing. Null in a report: see `releasedCount` of
    /// agents.
    async fn returned_count(&self) -> Option<i32> {
        self.is_live.then(|| count(self.counters.returned_count))
    }

    /// The share of calls answered in time, of 1; null without a call.
    async fn service_level(
        &self,
        #[graphql(default_with = "ServiceLevel::Answered")] variant: ServiceLevel,
    ) -> Option<f64> {
        self.counters.service_level(variant.into())
    }

    /// ASA: the mean wait of answered calls; null without one.
    async fn average_speed_of_answer_ms(&self) -> Option<Duration> {
        self.counters.average_speed_of_answer_ms().map(Duration)
    }

    /// The mean wait of abandoned calls; null without one.
    async fn average_abandon_ms(&self) -> Option<Duration> {
        self.counters.average_abandon_ms().map(Duration)
    }

    /// AB / O of the calls that left the queue, as a share of 1; null without one.
    async fn abandonment_rate(&self) -> Option<f64> {
        self.counters.abandonment_rate()
    }

    /// (AB - SA) / (O - SA) of the calls that left the queue, as a share of 1: without those
    /// who left at once; null without a call beside them.
    async fn net_abandonment_rate(&self) -> Option<f64> {
        self.counters.net_abandonment_rate()
    }

    /// The longest wait of a call that left the queue.
    async fn longest_wait_ms(&self) -> Duration {
        Duration(self.counters.longest_wait_ms)
    }
}

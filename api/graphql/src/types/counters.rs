//! The base quantities of a queue over some time.

use crate::{
    scalar::{Duration, count},
    types::words::ServiceLevel,
};
use async_graphql::Object;
use projections::queue_stats::Counters;

/// Counters.
pub(crate) struct QueueCounters(pub(crate) Counters);

/// What was counted.
#[Object]
impl QueueCounters {
    /// O: calls that came into the queue.
    async fn offered_count(&self) -> i32 {
        count(self.0.offered_count)
    }

    /// A: calls that an agent was connected to.
    async fn answered_count(&self) -> i32 {
        count(self.0.answered_count)
    }

    /// AT: of those, within the queue's threshold.
    async fn answered_in_threshold_count(&self) -> i32 {
        count(self.0.answered_in_threshold_count)
    }

    /// AB: callers who left first.
    async fn abandoned_count(&self) -> i32 {
        count(self.0.abandoned_count)
    }

    /// SA: of those, within the time that the queue calls short, 5 s unless set.
    async fn short_abandoned_count(&self) -> i32 {
        count(self.0.short_abandoned_count)
    }

    /// ABT: abandoned within the queue's threshold.
    async fn abandoned_in_threshold_count(&self) -> i32 {
        count(self.0.abandoned_in_threshold_count)
    }

    /// FO: calls that left the queue in any other way.
    async fn flow_out_count(&self) -> i32 {
        count(self.0.flow_out_count)
    }

    /// CB: callers who left to be rung back.
    async fn callback_count(&self) -> i32 {
        count(self.0.callback_count)
    }

    /// Calls that were not let in: the queue was full, closed, or nobody was there. Not
    /// in O.
    async fn rejected_count(&self) -> i32 {
        count(self.0.rejected_count)
    }

    /// Offers to agents that came to nothing.
    async fn returned_count(&self) -> i32 {
        count(self.0.returned_count)
    }

    /// The share of calls answered in time, of 1; null without a call.
    async fn service_level(
        &self,
        #[graphql(default_with = "ServiceLevel::Answered")] variant: ServiceLevel,
    ) -> Option<f64> {
        self.0.service_level(variant.into())
    }

    /// ASA: the mean wait of answered calls; null without one.
    async fn average_speed_of_answer_ms(&self) -> Option<Duration> {
        self.0.average_speed_of_answer_ms().map(Duration)
    }

    /// The mean wait of abandoned calls; null without one.
    async fn average_abandon_ms(&self) -> Option<Duration> {
        self.0.average_abandon_ms().map(Duration)
    }

    /// The mean wait of abandoned calls, short abandons excluded; null without one.
    async fn net_average_abandon_ms(&self) -> Option<Duration> {
        self.0.net_average_abandon_ms().map(Duration)
    }

    /// AB / O of the calls that left the queue, as a share of 1; null without one.
    async fn abandonment_rate(&self) -> Option<f64> {
        self.0.abandonment_rate()
    }

    /// (AB - SA) / (O - SA) of the calls that left the queue, as a share of 1: without those
    /// who left at once; null without a call beside them.
    async fn net_abandonment_rate(&self) -> Option<f64> {
        self.0.net_abandonment_rate()
    }

    /// The longest wait of a call that left the queue.
    async fn longest_wait_ms(&self) -> Duration {
        Duration(self.0.longest_wait_ms)
    }
}

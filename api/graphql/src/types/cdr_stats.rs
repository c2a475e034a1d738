//! Sums over records of calls.

use crate::{
    id::Named,
    scalar::{DateTime, Duration, count},
    types::words::{Direction, Disposition},
};
use async_graphql::{ID, Object};
use projections::cdr;

/// A row.
pub(crate) struct CdrStatRow(pub(crate) cdr::StatRow);

/// Sums over the records that have something in common. What was not asked to
/// group by is null, and so is what the records of a row have none of.
#[Object]
impl CdrStatRow {
    /// The day, as `YYYY-MM-DD`.
    async fn day(&self) -> Option<String> {
        self.0.common.day.map(|day| day.to_string())
    }

    /// Start of the hour.
    async fn hour(&self) -> Option<DateTime> {
        self.0.common.hour.map(DateTime)
    }

    /// The queue.
    async fn queue_id(&self) -> Option<ID> {
        self.0.common.queue.map(Named::opaque)
    }

    /// The agent.
    async fn agent_id(&self) -> Option<ID> {
        self.0.common.agent.map(Named::opaque)
    }

    /// The trunk.
    async fn trunk_id(&self) -> Option<ID> {
        self.0.common.trunk.map(Named::opaque)
    }

    /// Which way the calls went.
    async fn direction(&self) -> Option<Direction> {
        self.0.common.direction.map(Into::into)
    }

    /// What became of them.
    async fn disposition(&self) -> Option<Disposition> {
        self.0.common.disposition.map(Into::into)
    }

    /// The first digits of what was dialled.
    async fn prefix(&self) -> Option<&str> {
        self.0.common.prefix.as_deref()
    }

    /// Calls.
    async fn calls_count(&self) -> i32 {
        count(self.0.figures.calls_count)
    }

    /// Those whose caller got an answer.
    async fn answered_count(&self) -> i32 {
        count(self.0.figures.answered_count)
    }

    /// Those that an agent was connected to.
    async fn connected_count(&self) -> i32 {
        count(self.0.figures.connected_count)
    }

    /// Those whose end was inferred.
    async fn incomplete_count(&self) -> i32 {
        count(self.0.figures.incomplete_count)
    }

    /// From the INVITE to the end.
    async fn duration_ms(&self) -> Duration {
        Duration(self.0.figures.duration_ms)
    }

    /// From the answer to the end.
    async fn billable_ms(&self) -> Duration {
        Duration(self.0.figures.billable_ms)
    }

    /// In conversation, with an agent or with somebody outside, without holds.
    async fn talk_ms(&self) -> Duration {
        Duration(self.0.figures.talk_ms)
    }

    /// Held.
    async fn hold_ms(&self) -> Duration {
        Duration(self.0.figures.hold_ms)
    }

    /// In a queue.
    async fn wait_ms(&self) -> Duration {
        Duration(self.0.figures.wait_ms)
    }

    /// Agents' phones ringing.
    async fn ring_ms(&self) -> Duration {
        Duration(self.0.figures.ring_ms)
    }

    /// Work after the calls.
    async fn wrap_up_ms(&self) -> Duration {
        Duration(self.0.figures.wrap_up_ms)
    }

    /// Answered calls per thousand (the answer-seizure ratio); null without
    /// calls.
    async fn answered_per_mille(&self) -> Option<i32> {
        let figures = &self.0.figures;
        let per_mille = (figures.answered_count * 1_000).checked_div(figures.calls_count);
        per_mille.map(count)
    }

    /// Average conversation of the calls in which an agent had a caller, cut to whole
    /// milliseconds; null without such calls. Those that somebody outside answered, and
    /// those that rang somebody back who did not answer, are not among them.
    async fn average_talk_ms(&self) -> Option<Duration> {
        let figures = &self.0.figures;
        let average = figures.agent_talk_ms.checked_div(figures.talked_count);
        average.map(Duration)
    }
}

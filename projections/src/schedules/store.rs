//! Queries over schedules.

use super::row::{COLUMNS, Row};
use crate::{
    page::Query,
    value::{text, time},
    views::{ViewError, Views},
};
use domain::{
    id::AgentId,
    schedule::{SPAN_MS_MAX, Segment, replace, within},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// What one that was set later covers whole counts no more: however often a day is
/// planned anew, it is read once.
const IS_COVERED: &str = "NOT EXISTS (SELECT 1 FROM schedules AS later \
     WHERE later.agent_id = schedules.agent_id AND later.number > schedules.number \
     AND later.from_at <= schedules.from_at AND later.to_at >= schedules.to_at \
     AND later.from_at > ?)";

impl Views {
    /// What is planned for each of these agents from `from` on and before `until`, in the
    /// order of time and without overlap, cut off where it goes beyond.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn schedule(
        &self,
        agents: &[AgentId],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<BTreeMap<AgentId, Vec<Segment>>, ViewError> {
        // A span that reaches into that time began no earlier.
        let longest = i64::try_from(SPAN_MS_MAX * 1_000).unwrap_or(i64::MAX);
        let earliest = Timestamp::from_micros(from.micros().saturating_sub(longest));
        let earliest = Timestamp::from_micros(earliest.micros().saturating_sub(1));
        let mut query = Query::select(COLUMNS, "schedules");
        query.and_in("agent_id", agents.iter().map(text).collect());
        query.and("from_at > ?", [time(earliest)]);
        query.and("from_at < ?", [time(until)]);
        query.and("to_at > ?", [time(from)]);
        query.and(IS_COVERED, [time(earliest)]);
        let (sql, parameters) = query.all(" ORDER BY position");
        let rows = self.rows(&sql, parameters, Row::read).await?;
        let mut planned: BTreeMap<AgentId, Vec<Segment>> = BTreeMap::new();
        for row in rows {
            let planned = planned.entry(row.key.agent).or_default();
            replace(planned, (row.from, row.to), &row.segments);
        }
        for planned in planned.values_mut() {
            *planned = within(planned, from, until);
        }
        Ok(planned)
    }
}

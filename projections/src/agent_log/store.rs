//! Queries over changes of state.

use super::row::{COLUMNS, Row, State};
use crate::{
    page::Query,
    value::{text, time},
    views::{ViewError, Views},
};
use domain::{
    id::{AgentId, CallId, OfferId},
    time::Timestamp,
};

impl Views {
    /// The changes of these agents from `from` on and before `until`, in the
    /// order of the record. Before them, for each agent, the last one before
    /// `from`, which says how the agent came into that time, and the ring of an offer
    /// that is part of it; after them, the first one from `until` on, which says when the
    /// last state was over.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn agent_log(
        &self,
        agents: &[AgentId],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Row>, ViewError> {
        let mut rows = vec![];
        for agent in agents {
            let mut query = Query::select(COLUMNS, "agent_log");
            query.and("agent_id = ?", [text(agent)]);
            query.and("since_at < ?", [time(from)]);
            // A ring says nothing without the reservation before it.
            query.and("state <> ?", [text("ringing")]);
            let (sql, parameters) = query.all(" ORDER BY since_at DESC, position DESC LIMIT 1");
            let before = self.rows(&sql, parameters, Row::read).await?;
            for row in before {
                let primary = row.primary();
                let offer = primary.offer.filter(|_| primary.state == State::Reserved);
                rows.push(row);
                if let Some(offer) = offer {
                    let mut query = Query::select(COLUMNS, "agent_log");
                    query.and("agent_id = ?", [text(agent)]);
                    query.and("since_at < ?", [time(from)]);
                    query.and("state = ?", [text("ringing")]);
                    query.and("offer_id = ?", [text(offer)]);
                    let (sql, parameters) = query.all(" ORDER BY position");
                    rows.extend(self.rows(&sql, parameters, Row::read).await?);
                }
            }
        }
        let mut query = Query::select(COLUMNS, "agent_log");
        query.and_in("agent_id", agents.iter().map(text).collect());
        query.and("since_at >= ?", [time(from)]);
        query.and("since_at < ?", [time(until)]);
        let (sql, parameters) = query.all(" ORDER BY position");
        rows.extend(self.rows(&sql, parameters, Row::read).await?);
        for agent in agents {
            let mut query = Query::select(COLUMNS, "agent_log");
            query.and("agent_id = ?", [text(agent)]);
            query.and("since_at >= ?", [time(until)]);
            let (sql, parameters) = query.all(" ORDER BY since_at, position LIMIT 1");
            rows.extend(self.rows(&sql, parameters, Row::read).await?);
        }
        Ok(rows)
    }

    /// The call of an offer that the agent was made since then.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn offered(
        &self,
        agent: AgentId,
        offer: OfferId,
        since: Timestamp,
    ) -> Result<Option<CallId>, ViewError> {
        let mut query = Query::select(COLUMNS, "agent_log");
        query.and("agent_id = ?", [text(agent)]);
        query.and("since_at >= ?", [time(since)]);
        query.and("offer_id = ?", [text(offer)]);
        // Its end names no call.
        query.and("call_id IS NOT NULL", []);
        let (sql, parameters) = query.all(" ORDER BY since_at DESC, position DESC LIMIT 1");
        let rows = self.rows(&sql, parameters, Row::read).await?;
        Ok(rows.into_iter().next().and_then(|row| row.call))
    }
}

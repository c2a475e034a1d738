//! Agents who are paused in a queue.

use crate::{id::Named, scalar::DateTime};
use async_graphql::{ID, SimpleObject};
use domain::{id::AgentId, queue};

/// An agent to whom a queue offers nothing for now; others of its queues do.
#[derive(SimpleObject)]
pub(crate) struct PausedMember {
    /// Whom.
    agent_id: ID,
    /// Who said so.
    by: String,
    /// Why, in a word.
    reason: String,
    /// Since when it counts.
    since: DateTime,
}

impl From<(&AgentId, &queue::PausedMember)> for PausedMember {
    fn from((agent, said): (&AgentId, &queue::PausedMember)) -> Self {
        Self {
            agent_id: agent.opaque(),
            by: said.by.clone(),
            reason: said.why.clone(),
            since: DateTime(said.since),
        }
    }
}

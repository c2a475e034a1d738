//! The agents and what they are doing.

use super::{
    ChangeKind,
    board::{Board, List, Told},
    every, follow,
};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{Needs, services},
    scalar::{Cursor, count},
    types::Agent,
};
use async_graphql::{Context, ID, Result, SimpleObject, Subscription};
use domain::id::{AgentId, QueueId};
use futures_util::Stream;
use projections::{
    agent_states,
    changed::{Change, View},
    views::Views,
};

#[derive(Default)]
pub(crate) struct AgentStates;

/// A change of the list of agents.
#[derive(SimpleObject)]
pub(crate) struct AgentStateItem {
    /// What this item tells.
    kind: ChangeKind,
    /// All of them, by name; of a snapshot.
    agents: Option<Vec<Agent>>,
    /// The one that came or changed.
    agent: Option<Agent>,
    /// Id of the one that came, changed or is gone.
    agent_id: Option<ID>,
    /// How many commits were missed; of `LAGGED`.
    missed: Option<i32>,
    /// This and everything before is told.
    cursor: Cursor,
}

impl AgentStateItem {
    const fn of(kind: ChangeKind, position: u64) -> Self {
        Self {
            kind,
            agents: None,
            agent: None,
            agent_id: None,
            missed: None,
            cursor: Cursor(position),
        }
    }

    fn one(kind: ChangeKind, position: u64, id: AgentId, row: Option<agent_states::Row>) -> Self {
        Self {
            agent: row.map(Agent::from),
            agent_id: Some(id.opaque()),
            ..Self::of(kind, position)
        }
    }
}

impl List for agent_states::Filter {
    const VIEW: View = View::AgentStates;
    type Key = AgentId;
    type Row = agent_states::Row;
    type Item = AgentStateItem;

    async fn read(&self, views: &Views) -> Result<Vec<Self::Row>, Fault> {
        every(async |page| views.agents(self, &page).await).await
    }

    fn of(change: &Change) -> Option<(AgentId, Option<&Self::Row>)> {
        match change {
            Change::AgentState(id, row) => Some((*id, row.as_deref())),
            Change::Timeline(..)
            | Change::LiveCall(..)
            | Change::Erasure(..)
            | Change::QueueStats(..)
            | Change::Cdr(..)
            | Change::Trunk(..)
            | Change::Callback(..)
            | Change::Mailbox(..)
            | Change::Billing(..) => None,
        }
    }

    fn matches(&self, row: &Self::Row) -> bool {
        Self::matches(self, row)
    }

    fn mark(row: &Self::Row) -> (AgentId, u64) {
        (row.agent, row.position)
    }

    fn item(told: Told<AgentId, Self::Row>, position: u64) -> AgentStateItem {
        match told {
            Told::Snapshot(rows) => AgentStateItem {
                agents: Some(rows.into_iter().map(Agent::from).collect()),
                ..AgentStateItem::of(ChangeKind::Snapshot, position)
            },
            Told::Added(id, row) => AgentStateItem::one(ChangeKind::Added, position, id, Some(row)),
            Told::Changed(id, row) => {
                AgentStateItem::one(ChangeKind::Changed, position, id, Some(row))
            }
            Told::Removed(id) => AgentStateItem::one(ChangeKind::Removed, position, id, None),
            Told::Lagged(missed) => AgentStateItem {
                missed: Some(count(missed)),
                ..AgentStateItem::of(ChangeKind::Lagged, position)
            },
        }
    }
}

#[Subscription]
impl AgentStates {
    /// The agents, or those of one queue: all of them first, then every change.
    #[graphql(guard = "Needs(Scope::AgentRead)")]
    async fn agent_states(
        &self,
        ctx: &Context<'_>,
        queue_id: Option<ID>,
    ) -> Result<impl Stream<Item = Result<AgentStateItem>>> {
        let views = services(ctx)?.views.clone();
        let queue = QueueId::read_some(queue_id.as_ref(), "queueId")?;
        let list = agent_states::Filter {
            queue,
            ..agent_states::Filter::default()
        };
        Ok(follow(Board::new(list, views)))
    }
}

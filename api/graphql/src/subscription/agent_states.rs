//! The agents and what they are doing.

use super::{ChangeKind, Follow, Heard, applied, every, follow, hear};
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
    changed::{Change, Changes, View},
    views::Views,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tokio::sync::broadcast::Receiver;

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
}

struct Board {
    views: Views,
    filter: agent_states::Filter,
    changes: Receiver<Arc<Changes>>,
    /// Positions of the rows that the client has.
    known: BTreeMap<AgentId, u64>,
    /// The snapshot had every change up to here.
    snapshot_position: u64,
    /// The latest commit that was heard of.
    position: u64,
    ready: VecDeque<AgentStateItem>,
    needs_snapshot: bool,
}

impl Board {
    async fn snapshot(&mut self) -> Result<AgentStateItem, Fault> {
        // Read before the table: changes up to here are in the snapshot.
        self.snapshot_position = applied(&self.views, View::AgentStates).0;
        let (views, filter) = (&self.views, &self.filter);
        let read = async |page| views.agents(filter, &page).await;
        let rows = every(read).await?;
        self.known = rows.iter().map(|row| (row.agent, row.position)).collect();
        self.position = self.position.max(self.snapshot_position);
        self.needs_snapshot = false;
        Ok(AgentStateItem {
            agents: Some(rows.into_iter().map(Agent).collect()),
            ..AgentStateItem::of(ChangeKind::Snapshot, self.position)
        })
    }

    fn take(&mut self, changes: &Changes) {
        self.position = self.position.max(changes.position.0);
        // See [`Changes::rows`].
        self.needs_snapshot |= changes.rows.is_empty();
        for change in &changes.rows {
            if let Change::AgentState(agent, row) = change {
                self.change(*agent, row.as_deref());
            }
        }
    }

    fn change(&mut self, agent: AgentId, row: Option<&agent_states::Row>) {
        let known = self.known.get(&agent).copied();
        // Heard late: the client has that, or the snapshot had it no more.
        let told = known.unwrap_or(self.snapshot_position);
        if row.is_some_and(|row| row.position <= told) {
            return;
        }
        let row = row.filter(|row| self.filter.matches(row));
        let kind = match (known, row) {
            (None, None) => return,
            (Some(_), Some(_)) => ChangeKind::Changed,
            (None, Some(_)) => ChangeKind::Added,
            (Some(_), None) => ChangeKind::Removed,
        };
        match row {
            Some(row) => self.known.insert(agent, row.position),
            None => self.known.remove(&agent),
        };
        self.ready.push_back(AgentStateItem {
            agent: row.cloned().map(Agent),
            agent_id: Some(agent.opaque()),
            ..AgentStateItem::of(kind, self.position)
        });
    }
}

impl Follow for Board {
    type Item = AgentStateItem;

    async fn next(&mut self) -> Result<Option<AgentStateItem>, Fault> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            if self.needs_snapshot {
                return Ok(Some(self.snapshot().await?));
            }
            match hear(&mut self.changes).await {
                Heard::Changes(changes) => self.take(&changes),
                Heard::Lagged(missed) => {
                    self.needs_snapshot = true;
                    return Ok(Some(AgentStateItem {
                        missed: Some(count(missed)),
                        ..AgentStateItem::of(ChangeKind::Lagged, self.position)
                    }));
                }
                Heard::Closed => return Ok(None),
            }
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
        let queue = queue_id.map(|id| QueueId::read(&id)).transpose()?;
        let filter = agent_states::Filter {
            queue,
            ..agent_states::Filter::default()
        };
        Ok(follow(Board {
            filter,
            changes: views.subscribe(),
            known: BTreeMap::new(),
            snapshot_position: 0,
            position: 0,
            ready: VecDeque::new(),
            needs_snapshot: true,
            views,
        }))
    }
}

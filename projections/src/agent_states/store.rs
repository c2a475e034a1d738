//! Queries over agents.

use super::row::{Activity, COLUMNS, Routability, Row, State};
use crate::{
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    value::{text, word},
    views::{ViewError, Views},
};
use commands::ports::Value;
use domain::id::{AgentId, QueueId};
use std::collections::BTreeMap;

/// Which agents; an empty filter is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Serving this queue.
    pub queue: Option<QueueId>,
    /// In one of these states; empty for any.
    pub states: Vec<State>,
}

impl Filter {
    /// Whether the row is one of them: for changes that follow a snapshot.
    pub fn matches(&self, row: &Row) -> bool {
        let queue_matches = self.queue.is_none_or(|queue| row.queues.contains(&queue));
        queue_matches && (self.states.is_empty() || self.states.contains(&row.state()))
    }

    fn restrict(&self, query: &mut Query) {
        if let Some(queue) = self.queue {
            // The column is a JSON list of ids, which hold no wildcard.
            query.and("queues LIKE ?", [Value::Text(format!("%{queue}%"))]);
        }
        if self.states.is_empty() {
            return;
        }
        let mut parameters = vec![];
        let states: Vec<_> = self
            .states
            .iter()
            .map(|state| match coordinates(*state) {
                (Some(routability), activity) => {
                    parameters.extend([word(&activity), word(&routability)]);
                    "(activity = ? AND routability = ?)"
                }
                (None, activity) => {
                    parameters.push(word(&activity));
                    "activity = ?"
                }
            })
            .collect();
        query.and(&format!("({})", states.join(" OR ")), parameters);
    }
}

const fn coordinates(state: State) -> (Option<Routability>, Activity) {
    match state {
        State::LoggedOut => (Some(Routability::LoggedOut), Activity::Idle),
        State::NotReady => (Some(Routability::NotReady), Activity::Idle),
        State::Ready => (Some(Routability::Ready), Activity::Idle),
        State::Reserved => (None, Activity::Reserved),
        State::Ringing => (None, Activity::Ringing),
        State::OnContact => (None, Activity::OnContact),
        State::WrapUp => (None, Activity::WrapUp),
    }
}

impl Views {
    /// The agent.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn agent(&self, agent: AgentId) -> Result<Option<Row>, ViewError> {
        Ok(self.agents_by_id(&[agent]).await?.pop())
    }

    /// These agents, those that there are, in no special order.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn agents_by_id(&self, agents: &[AgentId]) -> Result<Vec<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "agent_states");
        query.and_in("agent_id", agents.iter().map(text).collect());
        let (sql, parameters) = query.all("");
        self.rows(&sql, parameters, Row::read).await
    }

    /// Agents by name.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn agents(&self, filter: &Filter, page: &Page) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "agent_states");
        filter.restrict(&mut query);
        let query = query.page("name", "agent_id", Order::Ascending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }

    /// How many agents there are.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn agents_count(&self, filter: &Filter) -> Result<u64, ViewError> {
        let mut query = Query::select(&["COUNT(*)"], "agent_states");
        filter.restrict(&mut query);
        self.number(query).await
    }

    /// The agents of each queue by state, those without a session too. A queue
    /// without agents is not in it.
    pub(crate) async fn agents_by_state(
        &self,
    ) -> Result<BTreeMap<QueueId, BTreeMap<State, u32>>, ViewError> {
        let groups = self
            .rows(
                "SELECT queues, routability, activity, COUNT(*) FROM agent_states \
                 GROUP BY queues, routability, activity",
                vec![],
                |columns| {
                    let queues: Vec<QueueId> = columns.word()?;
                    let state = State::of(columns.word()?, columns.word()?);
                    Ok((queues, state, columns.number::<u32>()?))
                },
            )
            .await?;
        let mut counts = BTreeMap::<_, BTreeMap<_, u32>>::new();
        for (queues, state, agents_count) in groups {
            for queue in queues {
                *counts.entry(queue).or_default().entry(state).or_default() += agents_count;
            }
        }
        Ok(counts)
    }

    /// How many calls at once the agents of each queue may have who are logged in, whatever
    /// they do. A queue without agents is not in it.
    pub(crate) async fn units_by_queue(&self) -> Result<BTreeMap<QueueId, u64>, ViewError> {
        let groups = self
            .rows(
                "SELECT queues, routability, capacity, COUNT(*) FROM agent_states \
                 GROUP BY queues, routability, capacity",
                vec![],
                |columns| {
                    let queues: Vec<QueueId> = columns.word()?;
                    let routability: Routability = columns.word()?;
                    let (capacity, agents_count): (u64, u64) =
                        (columns.number()?, columns.number()?);
                    let units = match routability {
                        Routability::LoggedOut => 0,
                        Routability::Ready | Routability::NotReady => capacity * agents_count,
                    };
                    Ok((queues, units))
                },
            )
            .await?;
        let mut sums = BTreeMap::<_, u64>::new();
        for (queues, units) in groups {
            for queue in queues {
                *sums.entry(queue).or_default() += units;
            }
        }
        Ok(sums)
    }
}

/// Agents are sorted by name.
pub(crate) fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Text(row.name.clone()),
        id: row.agent.to_string(),
    }
}

//! Agents.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    paging::{self, Asked, List},
    query::{Needs, services, views_at},
    scalar::{Cursor, DateTime},
    types::{Agent, NotReadyCode, ScheduleSegment, words::AgentState},
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{
    id::{AgentId, QueueId},
    schedule::check_span,
};
use projections::{agent_states, changed::View};

#[derive(Default)]
pub(crate) struct AgentQueries;

/// Which agents; what is not given lets every agent through.
#[derive(InputObject, Default)]
pub(crate) struct AgentFilter {
    /// Serving this queue.
    queue_id: Option<ID>,
    /// In one of these states.
    states: Option<Vec<AgentState>>,
}

impl AgentFilter {
    pub(crate) fn read(self) -> Result<agent_states::Filter, Fault> {
        let states = self.states.unwrap_or_default();
        Ok(agent_states::Filter {
            queue: self
                .queue_id
                .map(|queue| QueueId::read(&queue, "queueId"))
                .transpose()?,
            states: states.into_iter().map(Into::into).collect(),
        })
    }
}

#[Object]
impl AgentQueries {
    /// The agent.
    #[graphql(guard = "Needs(Scope::AgentRead)")]
    async fn agent(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Option<Agent>> {
        let views = views_at(ctx, &[View::AgentStates], min_position).await?;
        let row = views.agent(AgentId::read(&id, "id")?).await;
        Ok(row.map_err(Fault::from)?.map(Agent::from))
    }

    /// The words of the settings that agents can say when they take no calls.
    #[graphql(guard = "Needs(Scope::AgentRead)")]
    async fn not_ready_codes(&self, ctx: &Context<'_>) -> Result<Vec<NotReadyCode>> {
        let pauses = services(ctx)?.settings.pauses();
        Ok(pauses.into_iter().map(NotReadyCode::from).collect())
    }

    /// What is planned for an agent from `from` on and before `to`, 31 days at most, in the
    /// order of time; cut off where it goes beyond.
    #[graphql(guard = "Needs(Scope::AgentRead)")]
    async fn agent_schedule(
        &self,
        ctx: &Context<'_>,
        agent_id: ID,
        from: DateTime,
        to: DateTime,
        min_position: Option<Cursor>,
    ) -> Result<Vec<ScheduleSegment>> {
        let agent = AgentId::read(&agent_id, "agentId")?;
        check_span(from.0, to.0).map_err(|error| Fault::validation(error.to_string()).of("to"))?;
        let views = views_at(ctx, &[View::Schedules], min_position).await?;
        let planned = views.schedule(&[agent], from.0, to.0).await;
        let planned = planned.map_err(Fault::from)?.remove(&agent);
        let planned = planned.unwrap_or_default().into_iter();
        Ok(planned.map(ScheduleSegment::from).collect())
    }

    /// Agents by name.
    #[graphql(guard = "Needs(Scope::AgentRead)")]
    async fn agents(
        &self,
        ctx: &Context<'_>,
        filter: Option<AgentFilter>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Agent>> {
        let views = views_at(ctx, &[View::AgentStates], min_position).await?;
        let filter = filter.unwrap_or_default().read()?;
        let read = async |page| views.agents(&filter, &page).await;
        paging::list(Asked::first(first, after), read, Agent::from).await
    }
}

//! Orders about what agents are to do when.

use super::{Order, Outcome, UserError, refusal::Refusal};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{Needs, require, views_at},
    scalar::{Cursor, DateTime},
    types::{ScheduleSegment, words::ScheduledActivity},
};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{
    any::AnyCommand,
    id::AgentId,
    schedule::{Command, Segment},
    time::Timestamp,
};
use projections::changed::View;

#[derive(Default)]
pub(crate) struct ScheduleMutations;

/// A time for which something is planned: the start belongs to it, the end does not.
#[derive(InputObject)]
pub(crate) struct ScheduleSegmentInput {
    /// Its first instant.
    from: DateTime,
    /// The first instant after it.
    to: DateTime,
    /// What.
    activity: ScheduledActivity,
}

impl From<ScheduleSegmentInput> for Segment {
    fn from(input: ScheduleSegmentInput) -> Self {
        Self {
            from: input.from.0,
            to: input.to.0,
            activity: input.activity.into(),
        }
    }
}

/// What an agent is to do in a span.
#[derive(InputObject)]
pub(crate) struct SetScheduleInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Who.
    agent_id: ID,
    /// First instant of the span.
    from: DateTime,
    /// First instant after it, 31 days later at most.
    to: DateTime,
    /// What is planned in it, in any order, without overlap: 200 at most. None for nothing.
    segments: Vec<ScheduleSegmentInput>,
}

/// What came of an order about a schedule.
pub(crate) struct SchedulePayload {
    agent: AgentId,
    span: (Timestamp, Timestamp),
    outcome: Outcome,
}

#[Object]
impl SchedulePayload {
    /// What is planned in the span, once the views know what was done; null when nothing
    /// was.
    async fn segments(&self, ctx: &Context<'_>) -> Result<Option<Vec<ScheduleSegment>>> {
        if !self.outcome.is_done() {
            return Ok(None);
        }
        require(ctx, Scope::AgentRead)?;
        let views = views_at(ctx, &[View::Schedules], self.outcome.position).await?;
        let (from, to) = self.span;
        let planned = views.schedule(&[self.agent], from, to).await;
        let planned = planned.map_err(Fault::from)?.remove(&self.agent);
        let planned = planned.unwrap_or_default().into_iter();
        Ok(Some(planned.map(ScheduleSegment::from).collect()))
    }

    /// What a read must have reached to see it; null when nothing was done.
    async fn position(&self) -> Option<Cursor> {
        self.outcome.position
    }

    /// Why nothing was done; empty when it was.
    async fn user_errors(&self) -> &[UserError] {
        &self.outcome.user_errors
    }
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct SetSchedulePayload {
    #[graphql(flatten)]
    outcome: SchedulePayload,
}

#[Object]
impl ScheduleMutations {
    /// Says what an agent is to do in a span, instead of all that was planned in it; what
    /// is planned outside of it stays. Adherence in `agentReport` is measured by it, for
    /// times that have passed, too: by what is planned when it is asked for.
    #[graphql(guard = "Needs(Scope::AgentManage)")]
    async fn set_schedule(
        &self,
        ctx: &Context<'_>,
        input: SetScheduleInput,
    ) -> Result<SetSchedulePayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let agent = AgentId::read(&input.agent_id, "agentId")?;
        let span = (input.from.0, input.to.0);
        let command = Command::Set {
            from: span.0,
            to: span.1,
            segments: input.segments.into_iter().map(Segment::from).collect(),
        };
        let command = AnyCommand::Schedule(agent, command);
        let knows = order.services.directory.agent(agent).is_some();
        let outcome = match knows {
            true => order.dispatch(command, agent.0).await?,
            false => {
                let refusal = Refusal::UnknownAgent.into();
                order.refuse(command, vec![refusal]).await?
            }
        };
        let outcome = SchedulePayload {
            agent,
            span,
            outcome,
        };
        Ok(SetSchedulePayload { outcome })
    }
}

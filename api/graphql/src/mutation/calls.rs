//! Orders about calls.

use super::{Order, Outcome, UserError, refusal::Refusal};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{Needs, require, uuid, views_at},
    scalar::{Cursor, Duration},
    types::Call,
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::error::Refused;
use domain::{
    any::AnyCommand,
    call::{self, Command},
    cause::EndReason,
    id::{AgentId, CallId, QueueId, VisitId},
};
use projections::changed::View;

#[derive(Default)]
pub(crate) struct CallMutations;

/// A call to be ended.
#[derive(InputObject)]
pub(crate) struct HangUpInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which call.
    call_id: ID,
    /// The stay that is meant (`visitId` of the call): once the call has left it, nothing is
    /// done.
    visit_id: Option<ID>,
}

/// What came of it.
pub(crate) struct HangUpPayload {
    pub(super) call: CallId,
    pub(super) outcome: Outcome,
}

#[Object]
impl HangUpPayload {
    /// The call, once the views know what was done.
    async fn call(&self, ctx: &Context<'_>) -> Result<Option<Call>> {
        if !self.outcome.is_done() {
            return Ok(None);
        }
        require(ctx, Scope::CallRead)?;
        let needed = [View::LiveCalls, View::Cdr];
        let views = views_at(ctx, &needed, self.outcome.position).await?;
        let call = views.call(self.call).await.map_err(Fault::from)?;
        Ok(call.map(Into::into))
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

/// A call to be served earlier or later.
#[derive(InputObject)]
pub(crate) struct SetPriorityInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which call.
    call_id: ID,
    /// Instead of its queue's: the higher is served first.
    priority: i32,
    /// The stay that is meant (`visitId` of the call): once the call has left it, nothing is
    /// done.
    visit_id: Option<ID>,
}

/// What came of it.
#[derive(async_graphql::SimpleObject)]
pub(crate) struct SetPriorityPayload {
    #[graphql(flatten)]
    outcome: HangUpPayload,
}

/// A call that is meant for one agent.
#[derive(InputObject)]
pub(crate) struct AssignVisitInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which call: it waits in a queue.
    call_id: ID,
    /// Who is to have it: one who serves that queue.
    agent_id: ID,
    /// For how long nobody else is asked, up to an hour; not at all, if the agent is not
    /// there.
    #[graphql(default_with = "Duration(ASSIGNED_MS)")]
    for_ms: Duration,
    /// The stay that is meant (`visitId` of the call): once the call has left it, nothing is
    /// done.
    visit_id: Option<ID>,
}

/// How long a call is kept for one agent when nothing is said of it.
pub(super) const ASSIGNED_MS: u64 = 60_000;

/// What came of it.
#[derive(async_graphql::SimpleObject)]
pub(crate) struct AssignVisitPayload {
    #[graphql(flatten)]
    outcome: HangUpPayload,
}

/// The stay that an order is about.
pub(super) fn stay(visit: &ID) -> Result<VisitId, Fault> {
    uuid(visit, "a visit", "visitId").map(VisitId)
}

/// The same, where it may be left out.
pub(super) fn stay_if_said(visit: Option<&ID>) -> Result<Option<VisitId>, Fault> {
    visit.map(stay).transpose()
}

/// The queue in which a call waits, and its stay there: the one that is meant, if that was
/// said. What the call did since, the line knows.
async fn place(
    order: &Order<'_>,
    call: CallId,
    meant: Option<VisitId>,
) -> Result<Result<(QueueId, VisitId), UserError>, Fault> {
    let row = order.services.views.live_call(call).await?;
    let Some((queue, visit)) = row.and_then(|row| row.queue.zip(row.visit)) else {
        return Ok(Err(Refusal::NotWaiting.into()));
    };
    Ok(match meant.is_none_or(|meant| meant == visit) {
        true => Ok((queue, visit)),
        false => Err(Refused::by(&call::Error::StaleVisit, order.services.clock.now()).into()),
    })
}

#[Object]
impl CallMutations {
    /// Means a call that waits in a queue for one agent: for a while nobody else is
    /// asked, whatever the queue asks for, unless the agent is not logged in, is not
    /// ready, or was offered it in vain. Then the queue's rules are for all again. Who
    /// did it is on the record, and `callExplanation` says so of the decision.
    #[graphql(guard = "Needs(Scope::AgentManage)")]
    async fn assign_visit(
        &self,
        ctx: &Context<'_>,
        input: AssignVisitInput,
    ) -> Result<AssignVisitPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let call = CallId::read(&input.call_id, "callId")?;
        let agent = AgentId::read(&input.agent_id, "agentId")?;
        let meant = stay_if_said(input.visit_id.as_ref())?;
        let command = place(&order, call, meant).await?;
        let command = command.and_then(|(queue, visit)| {
            let entry = order.services.directory.agent(agent);
            let entry = entry.ok_or(Refusal::UnknownAgent)?;
            if !entry.config.queues.contains(&queue) {
                return Err(Refusal::NotOfQueue.into());
            }
            let command = domain::line::Command::AssignVisit {
                visit,
                agent,
                for_ms: input.for_ms.0,
                by: order.identity.actor(),
            };
            Ok(AnyCommand::Line(queue, command))
        });
        let outcome = order.dispatch_about(call.0, "assign_visit", command);
        let outcome = outcome.await?;
        let outcome = HangUpPayload { call, outcome };
        Ok(AssignVisitPayload { outcome })
    }

    /// Gives a call that waits in a queue a priority of its own.
    #[graphql(guard = "Needs(Scope::CallSupervise)")]
    async fn set_priority(
        &self,
        ctx: &Context<'_>,
        input: SetPriorityInput,
    ) -> Result<SetPriorityPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let call = CallId::read(&input.call_id, "callId")?;
        let meant = stay_if_said(input.visit_id.as_ref())?;
        let place = place(&order, call, meant).await?;
        let priority = input.priority;
        let command = place.map(|(queue, visit)| {
            let command = domain::line::Command::ChangePriority { visit, priority };
            AnyCommand::Line(queue, command)
        });
        let outcome = order.dispatch_about(call.0, "set_priority", command);
        let outcome = outcome.await?;
        let outcome = HangUpPayload { call, outcome };
        Ok(SetPriorityPayload { outcome })
    }

    /// Ends a call.
    #[graphql(guard = "Needs(Scope::CallTerminate)")]
    async fn hang_up(&self, ctx: &Context<'_>, input: HangUpInput) -> Result<HangUpPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let call = CallId::read(&input.call_id, "callId")?;
        let command = Command::EndCall {
            reason: EndReason::Operator,
            ended_at: None,
            visit: stay_if_said(input.visit_id.as_ref())?,
        };
        let command = AnyCommand::Call(call, command);
        let outcome = order.dispatch(command, call.0).await?;
        Ok(HangUpPayload { call, outcome })
    }
}

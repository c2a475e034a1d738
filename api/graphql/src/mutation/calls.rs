//! Orders about calls.

use super::{Order, Outcome, UserError};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{Needs, require, views_at},
    scalar::Cursor,
    types::Call,
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{any::AnyCommand, call::Command, cause::EndReason, id::CallId};
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
}

/// What came of it.
pub(crate) struct HangUpPayload {
    call: CallId,
    outcome: Outcome,
}

#[Object]
impl HangUpPayload {
    /// The call, once the views know that it has ended.
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
}

/// What came of it.
#[derive(async_graphql::SimpleObject)]
pub(crate) struct SetPriorityPayload {
    #[graphql(flatten)]
    outcome: HangUpPayload,
}

#[Object]
impl CallMutations {
    /// Gives a call that waits in a queue a priority of its own.
    #[graphql(guard = "Needs(Scope::CallTerminate)")]
    async fn set_priority(
        &self,
        ctx: &Context<'_>,
        input: SetPriorityInput,
    ) -> Result<SetPriorityPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let call = CallId::read(&input.call_id)?;
        let row = order
            .services
            .views
            .live_call(call)
            .await
            .map_err(Fault::from)?;
        let place = row.and_then(|row| row.queue.zip(row.visit));
        let Some((queue, visit)) = place else {
            let outcome = Outcome::refused(super::refusal::Refusal::NotWaiting.into());
            let outcome = HangUpPayload { call, outcome };
            return Ok(SetPriorityPayload { outcome });
        };
        let priority = input.priority;
        let command = domain::line::Command::ChangePriority { visit, priority };
        let outcome = order
            .dispatch(AnyCommand::Line(queue, command), call.0)
            .await?;
        let outcome = HangUpPayload { call, outcome };
        Ok(SetPriorityPayload { outcome })
    }

    /// Ends a call.
    #[graphql(guard = "Needs(Scope::CallTerminate)")]
    async fn hang_up(&self, ctx: &Context<'_>, input: HangUpInput) -> Result<HangUpPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let call = CallId::read(&input.call_id)?;
        let command = Command::EndCall {
            reason: EndReason::Operator,
            ended_at: None,
            visit: None,
        };
        let command = AnyCommand::Call(call, command);
        let outcome = order.dispatch(command, call.0).await?;
        Ok(HangUpPayload { call, outcome })
    }
}

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

#[Object]
impl CallMutations {
    /// Ends a call.
    #[graphql(guard = "Needs(Scope::CallTerminate)")]
    async fn hang_up(&self, ctx: &Context<'_>, input: HangUpInput) -> Result<HangUpPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let call = CallId::read(&input.call_id)?;
        let command = Command::EndCall {
            reason: EndReason::Operator,
            ended_at: None,
        };
        let command = AnyCommand::Call(call, command);
        let outcome = order.dispatch(command, call.0).await?;
        Ok(HangUpPayload { call, outcome })
    }
}

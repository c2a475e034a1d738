//! An order that takes a caller out of a queue.

use super::{
    Order,
    calls::{HangUpPayload, stay},
};
use crate::{auth::Scope, id::Named, query::Needs};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{
    any::AnyCommand,
    call::{Command, Withdraw},
    id::CallId,
};

#[derive(Default)]
pub(crate) struct WithdrawMutations;

/// A caller who is to wait no longer, and to be served nowhere else.
#[derive(InputObject)]
pub(crate) struct WithdrawVisitInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which call: it waits in a queue.
    call_id: ID,
    /// The stay that is meant (`visitId` of the call): once the call has left it, nothing is
    /// done. It must be said, as nothing brings a caller back who was hung up on.
    visit_id: ID,
    /// Why: 1 to 64 letters, digits, `.`, `-`, `_`. Kept for ever: it tells of
    /// no person.
    reason: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct WithdrawVisitPayload {
    #[graphql(flatten)]
    outcome: HangUpPayload,
}

#[Object]
impl WithdrawMutations {
    /// Takes a call that waits in a queue out of it and ends the call, as `hangUp` does;
    /// phones that ring for it stop. Whoever is with an agent already is left alone. Who did
    /// it and why is on the record.
    #[graphql(guard = "Needs(Scope::CallSupervise)")]
    async fn withdraw_visit(
        &self,
        ctx: &Context<'_>,
        input: WithdrawVisitInput,
    ) -> Result<WithdrawVisitPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let call = CallId::read(&input.call_id, "callId")?;
        let withdraw = Withdraw {
            visit: stay(&input.visit_id)?,
            by: order.identity.actor(),
            why: input.reason,
        };
        let command = AnyCommand::Call(call, Command::WithdrawCall(withdraw));
        let outcome = order.dispatch(command, call.0).await?;
        let outcome = HangUpPayload { call, outcome };
        Ok(WithdrawVisitPayload { outcome })
    }
}

//! Orders about where a call waits.

use super::{
    Order,
    calls::{HangUpPayload, stay_if_said},
    refusal::Refusal,
};
use crate::{auth::Scope, id::Named, query::Needs};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{
    any::AnyCommand,
    call::{AnswerMode, Command, Requeue},
    id::{CallId, QueueId, VisitId, derive},
};

#[derive(Default)]
pub(crate) struct RequeueMutations;

/// A call that is to wait in another queue.
#[derive(InputObject)]
pub(crate) struct RequeueVisitInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which call: it waits in a queue.
    call_id: ID,
    /// Where it is to wait.
    queue_id: ID,
    /// Why: 1 to 64 letters, digits, `.`, `-`, `_`. Kept for ever: it tells of
    /// no person.
    reason: String,
    /// The stay that is meant (`visitId` of the call): once the call has left it, nothing is
    /// done.
    visit_id: Option<ID>,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct RequeueVisitPayload {
    #[graphql(flatten)]
    outcome: HangUpPayload,
}

#[Object]
impl RequeueMutations {
    /// Sends a call that waits in a queue into another one, where it keeps its place since
    /// it was enqueued first and its own priority. Phones that ring for it stop. It is let
    /// in even if that queue is full or closed. Who did it and why is on the record.
    #[graphql(guard = "Needs(Scope::CallSupervise)")]
    async fn requeue_visit(
        &self,
        ctx: &Context<'_>,
        input: RequeueVisitInput,
    ) -> Result<RequeueVisitPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let call = CallId::read(&input.call_id, "callId")?;
        let queue = QueueId::read(&input.queue_id, "queueId")?;
        let expected = stay_if_said(input.visit_id.as_ref())?;
        let entry = order.services.directory.queue(queue);
        // One order's id may be used for several calls: each has a stay of its own.
        let label = format!("requeue/{call}");
        let requeue = Requeue {
            queue,
            config_version: entry.as_ref().map_or(0, |entry| entry.config_version),
            answer_mode: entry
                .as_ref()
                .map_or(AnswerMode::OnAgent, |entry| entry.config.answer_mode),
            visit: VisitId(derive(order.millis(), order.client, &label)),
            exit_keys: entry
                .as_ref()
                .map(|entry| entry.config.exit_keys())
                .unwrap_or_default(),
            music: entry.as_ref().and_then(|entry| entry.config.music.clone()),
            expected,
            by: order.identity.actor(),
            why: input.reason,
        };
        let command = AnyCommand::Call(call, Command::RequeueCall(requeue));
        let outcome = match entry {
            Some(_) => order.dispatch(command, call.0).await?,
            None => {
                let error = Refusal::UnknownQueue.about("queueId");
                order.refuse(command, vec![error]).await?
            }
        };
        let outcome = HangUpPayload { call, outcome };
        Ok(RequeueVisitPayload { outcome })
    }
}

//! Orders about callbacks.

use super::{Order, Outcome, UserError, calls::ASSIGNED_MS, refusal::Refusal};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{Needs, require, views_at},
    scalar::{Cursor, DateTime, Duration},
    types::Callback,
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{
    any::AnyCommand,
    callback::{self, Command, Request, Wanted},
    id::{AgentId, CallbackId, QueueId, derive},
    sealed::Party,
};
use projections::changed::View;

#[derive(Default)]
pub(crate) struct CallbackMutations;

/// Somebody to be rung back.
#[derive(InputObject)]
pub(crate) struct RequestCallbackInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// The queue whose agents ring back.
    queue_id: ID,
    /// The number to be rung, as a trunk dials it.
    number: String,
    /// Not before this instant; at once without it.
    not_before: Option<DateTime>,
    /// Who is to ring back: one who serves the queue. In each attempt nobody else is asked
    /// for a while, if that one is there.
    agent_id: Option<ID>,
    /// For how long nobody else is asked, up to an hour.
    #[graphql(default_with = "Duration(ASSIGNED_MS)")]
    agent_for_ms: Duration,
}

/// A callback that is to be at another time.
#[derive(InputObject)]
pub(crate) struct RescheduleCallbackInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which callback.
    callback_id: ID,
    /// Not before this instant.
    not_before: DateTime,
}

/// A callback that is not wanted any more.
#[derive(InputObject)]
pub(crate) struct CancelCallbackInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which callback.
    callback_id: ID,
}

/// What came of it.
pub(crate) struct CallbackPayload {
    callback: CallbackId,
    outcome: Outcome,
}

#[Object]
impl CallbackPayload {
    /// The callback, once the views know it.
    async fn callback(&self, ctx: &Context<'_>) -> Result<Option<Callback>> {
        if !self.outcome.is_done() {
            return Ok(None);
        }
        require(ctx, Scope::CallRead)?;
        let views = views_at(ctx, &[View::Callbacks], self.outcome.position).await?;
        let row = views.callback(self.callback).await;
        Ok(row.map_err(Fault::from)?.map(Callback))
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

async fn tell(
    order: &Order<'_>,
    callback: CallbackId,
    command: Command,
) -> Result<CallbackPayload> {
    let command = AnyCommand::Callback(callback, command);
    let outcome = order.dispatch(command, callback.0).await?;
    Ok(CallbackPayload { callback, outcome })
}

#[Object]
impl CallbackMutations {
    /// Promises to ring somebody back: an agent of the queue is asked first, and the
    /// number is dialled when the agent has taken it.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn request_callback(
        &self,
        ctx: &Context<'_>,
        input: RequestCallbackInput,
    ) -> Result<CallbackPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let queue = QueueId::read(&input.queue_id, "queueId")?;
        let callback = CallbackId(derive(order.millis(), order.client, "callback"));
        let refused = async |refusal| -> Result<_> {
            let outcome =
                order.refuse_named::<callback::Callback>("request_callback", callback, refusal);
            let outcome = outcome.await?;
            Ok(CallbackPayload { callback, outcome })
        };
        let Some(entry) = order.services.directory.queue(queue) else {
            return refused(Refusal::UnknownQueue).await;
        };
        if !domain::name::is_number(&input.number) {
            return refused(Refusal::InvalidCallbackNumber).await;
        }
        let agent = AgentId::read_some(input.agent_id.as_ref(), "agentId")?;
        if let Some(agent) = agent {
            match order.services.directory.agent(agent) {
                None => return refused(Refusal::UnknownAgent).await,
                Some(agent) if !agent.config.queues.contains(&queue) => {
                    return refused(Refusal::NotOfQueue).await;
                }
                Some(_) => {}
            }
        }
        let party = Party {
            user: input.number,
            host: None,
            display_name: None,
            contact: None,
            user_field: None,
        };
        let sealed = order.services.vault.seal(&party).await;
        let request = Request {
            queue,
            party: sealed.map_err(Fault::from)?,
            place: order.services.clock.now(),
            call: None,
            terms: entry.config.callback,
            not_before: input.not_before.map(|at| at.0),
            wanted: agent.map(|agent| Wanted {
                agent,
                for_ms: input.agent_for_ms.0,
            }),
        };
        tell(&order, callback, Command::Request(request)).await
    }

    /// Has a callback at another time; its place in the line stays.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn reschedule_callback(
        &self,
        ctx: &Context<'_>,
        input: RescheduleCallbackInput,
    ) -> Result<CallbackPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let callback = CallbackId::read(&input.callback_id, "callbackId")?;
        let command = Command::Reschedule {
            not_before: input.not_before.0,
            by: order.identity.actor(),
        };
        tell(&order, callback, command).await
    }

    /// Gives a callback up. Somebody who is being rung already may still be reached.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn cancel_callback(
        &self,
        ctx: &Context<'_>,
        input: CancelCallbackInput,
    ) -> Result<CallbackPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let callback = CallbackId::read(&input.callback_id, "callbackId")?;
        let by = order.identity.actor();
        tell(&order, callback, Command::Cancel { by }).await
    }
}

//! Orders of agents who send a caller, with whom they talk, elsewhere.

use super::{Order, UserError, calls::HangUpPayload, refusal::Refusal};
use crate::{auth::Scope, id::Named, query::require};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::directory::Directory;
use domain::{
    any::AnyCommand,
    call::{AnswerMode, Command, Transfer},
    id::{AgentId, CallId, QueueId, VisitId, derive},
    time::Timestamp,
};

#[derive(Default)]
pub(crate) struct TransferMutations;

/// A call that is to go on in another queue.
#[derive(InputObject)]
pub(crate) struct BlindTransferInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which call: an agent and a caller talk.
    call_id: ID,
    /// Where the caller is to wait: a queue that takes calls, and not the one in which the
    /// call was answered.
    queue_id: ID,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct BlindTransferPayload {
    #[graphql(flatten)]
    outcome: HangUpPayload,
}

/// Why nobody is sent there, if so.
fn against(directory: &Directory, queue: QueueId, at: Timestamp) -> Option<UserError> {
    match directory.is_open(queue, at) {
        None => Some(Refusal::UnknownQueue.about("queueId")),
        Some(false) => Some(Refusal::QueueClosed.into()),
        Some(true) => None,
    }
}

#[Object]
impl TransferMutations {
    /// Sends the caller, who talks with an agent, into another queue, and lets the agent go:
    /// nobody is asked there first. The caller hears music and waits there, with the place
    /// since the call was enqueued first and with its own priority; the agent's contact is
    /// over, with its wrap-up. What that queue says of calls for which it has no room, or
    /// nobody, holds for this one too. For those who may transfer calls, and for the agent of
    /// the token, who talks in it.
    async fn blind_transfer(
        &self,
        ctx: &Context<'_>,
        input: BlindTransferInput,
    ) -> Result<BlindTransferPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let agent = own_agent(ctx, &order)?;
        let call = CallId::read(&input.call_id, "callId")?;
        let queue = QueueId::read(&input.queue_id, "queueId")?;
        let directory = &order.services.directory;
        let entry = directory.queue(queue);
        let config = entry.as_ref().map(|entry| &entry.config);
        // One order's id may be used for several calls: each has a stay of its own.
        let label = format!("transfer/{call}");
        let transfer = Transfer {
            queue,
            config_version: entry.as_ref().map_or(0, |entry| entry.config_version),
            answer_mode: config.map_or(AnswerMode::OnAgent, |config| config.answer_mode),
            visit: VisitId(derive(order.millis(), order.client, &label)),
            exit_keys: config.map(|config| config.exit_keys()).unwrap_or_default(),
            music: config.and_then(|config| config.music.clone()),
            agent,
            leg: None,
            by: order.identity.actor(),
        };
        let command = AnyCommand::Call(call, Command::TransferCall(transfer));
        let outcome = match against(directory, queue, order.services.clock.now()) {
            None => order.dispatch(command, call.0).await?,
            Some(error) => order.refuse(command, vec![error]).await?,
        };
        let outcome = HangUpPayload { call, outcome };
        Ok(BlindTransferPayload { outcome })
    }
}

/// Whose call it must be: anybody's for those who may transfer calls, that of the token's
/// own agent else.
fn own_agent(ctx: &Context<'_>, order: &Order<'_>) -> Result<Option<AgentId>> {
    let identity = order.identity;
    if identity.may(Scope::CallTransfer) {
        return Ok(None);
    }
    let own = identity.agent.filter(|_| identity.may(Scope::AgentSelf));
    if own.is_none() {
        require(ctx, Scope::CallTransfer)?;
    }
    Ok(own)
}

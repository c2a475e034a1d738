//! Orders about members that a queue is to offer nothing for now.

use super::{Order, queues::QueuePayload, refusal::Refusal};
use crate::{auth::Scope, id::Named, query::Needs};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{
    any::AnyCommand,
    id::{AgentId, QueueId},
    queue::Command,
};

#[derive(Default)]
pub(crate) struct PauseMutations;

/// An agent who is to be offered none of a queue's calls.
#[derive(InputObject)]
pub(crate) struct PauseMemberInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Who: one who serves the queue.
    agent_id: ID,
    /// Which queue.
    queue_id: ID,
    /// Why: 1 to 64 letters, digits, `.`, `-`, `_`. Kept for ever: it tells of
    /// no person.
    reason: String,
    /// Only if the queue is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// An agent who is to be offered a queue's calls again.
#[derive(InputObject)]
pub(crate) struct UnpauseMemberInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Who.
    agent_id: ID,
    /// Which queue.
    queue_id: ID,
    /// Why: 1 to 64 letters, digits, `.`, `-`, `_`. Kept for ever: it tells of
    /// no person.
    reason: String,
    /// Only if the queue is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct PauseMemberPayload {
    #[graphql(flatten)]
    outcome: QueuePayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct UnpauseMemberPayload {
    #[graphql(flatten)]
    outcome: QueuePayload,
}

/// Why nobody of that name can be paused there, if so. Whoever is paused stays so when the
/// agent serves the queue no longer, and can be unpaused then.
fn missing(order: &Order<'_>, agent: AgentId, serves: Option<QueueId>) -> Option<Refusal> {
    let Some(entry) = order.services.directory.agent(agent) else {
        return Some(Refusal::UnknownAgent);
    };
    let is_member = serves.is_none_or(|queue| entry.config.queues.contains(&queue));
    (!is_member).then_some(Refusal::NotOfQueue)
}

async fn say(
    order: &Order<'_>,
    (queue, revision): (QueueId, Option<i32>),
    missing: Option<Refusal>,
    command: Command,
) -> Result<QueuePayload> {
    // A queue that is not there says so itself.
    let knows = order.services.directory.queue(queue).is_some();
    let command = AnyCommand::Queue(queue, command);
    let outcome = match missing.filter(|_| knows) {
        Some(refusal) => order.refuse(command, vec![refusal.into()]).await?,
        None => order.dispatch_expecting(command, queue.0, revision).await?,
    };
    Ok(QueuePayload { queue, outcome })
}

#[Object]
impl PauseMutations {
    /// Lets a queue offer an agent none of its calls, until that is taken back
    /// (`unpauseMember`); other queues of the agent do. What rings goes on ringing; what was
    /// not reserved yet does not begin to. It
    /// outlives logins and restarts. Who did it and why is on the record.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn pause_member(
        &self,
        ctx: &Context<'_>,
        input: PauseMemberInput,
    ) -> Result<PauseMemberPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let (agent, queue) = (
            AgentId::read(&input.agent_id, "agentId")?,
            QueueId::read(&input.queue_id, "queueId")?,
        );
        let (by, why) = (order.identity.actor(), input.reason);
        let command = Command::PauseMember { agent, by, why };
        let missing = missing(&order, agent, Some(queue));
        let of = (queue, input.expected_revision);
        let outcome = say(&order, of, missing, command).await?;
        Ok(PauseMemberPayload { outcome })
    }

    /// Lets a queue offer an agent its calls again.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn unpause_member(
        &self,
        ctx: &Context<'_>,
        input: UnpauseMemberInput,
    ) -> Result<UnpauseMemberPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let (agent, queue) = (
            AgentId::read(&input.agent_id, "agentId")?,
            QueueId::read(&input.queue_id, "queueId")?,
        );
        let (by, why) = (order.identity.actor(), input.reason);
        let command = Command::UnpauseMember { agent, by, why };
        let missing = missing(&order, agent, None);
        let of = (queue, input.expected_revision);
        let outcome = say(&order, of, missing, command).await?;
        Ok(UnpauseMemberPayload { outcome })
    }
}

//! Taking a queue away.

use super::{Order, UserError, queues::QueuePayload, refusal::Refusal};
use crate::{auth::Scope, error::Fault, id::Named, query::Needs};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{any::AnyCommand, id::QueueId, queue::Command};
use projections::{callbacks, page::Page};

#[derive(Default)]
pub(crate) struct QueueDeleteMutations;

/// A queue that is to be there no longer.
#[derive(InputObject)]
pub(crate) struct DeleteQueueInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
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
pub(crate) struct DeleteQueuePayload {
    #[graphql(flatten)]
    outcome: QueuePayload,
}

/// What still needs the queue: each with its name.
async fn needed(order: &Order<'_>, queue: QueueId) -> Result<Vec<UserError>, Fault> {
    let services = order.services;
    // It says itself that it is not there; so it does when it is asked for again.
    let Some(entry) = services.directory.queue(queue) else {
        return Ok(vec![]);
    };
    let mut errors = vec![];
    if services.settings.defines(&entry.name) {
        errors.push(Refusal::QueueInSettings.about("queueId"));
    }
    for other in services.directory.queues() {
        if other.id != queue && other.config.overflow_queues().contains(&queue) {
            let error = UserError::from(Refusal::QueueLedTo);
            errors.push(error.about(&other.name, "queueId"));
        }
    }
    let row = services.views.queue(queue).await?;
    if let Some(waiting) = row.map(|row| row.waiting_count).filter(|count| *count > 0) {
        let error = UserError::from(Refusal::QueueNotEmpty);
        errors.push(error.about(waiting, "queueId"));
    }
    let filter = callbacks::Filter {
        queues: vec![queue],
        states: vec![callbacks::State::Pending, callbacks::State::Trying],
    };
    let promised = services.views.callbacks(&filter, &Page::default()).await?;
    if !promised.rows.is_empty() {
        errors.push(Refusal::QueuePromised.about("queueId"));
    }
    Ok(errors)
}

#[Object]
impl QueueDeleteMutations {
    /// Takes a queue away: its numbers lead nowhere, and nobody can be sent to it. What
    /// happened in it stays to be read. Refused while callers wait in it, callbacks are
    /// promised by it, another queue leads to it, or the settings define it. A queue that
    /// is made again under the name is the same queue.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn delete_queue(
        &self,
        ctx: &Context<'_>,
        input: DeleteQueueInput,
    ) -> Result<DeleteQueuePayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let queue = QueueId::read(&input.queue_id, "queueId")?;
        let user_errors = needed(&order, queue).await?;
        let (by, why) = (order.identity.actor(), input.reason);
        let command = AnyCommand::Queue(queue, Command::Delete { by, why });
        let revision = input.expected_revision;
        let outcome = match user_errors.is_empty() {
            true => order.dispatch_expecting(command, queue.0, revision).await?,
            false => order.refuse(command, user_errors).await?,
        };
        order.settle(&outcome).await;
        let outcome = QueuePayload { queue, outcome };
        Ok(DeleteQueuePayload { outcome })
    }
}

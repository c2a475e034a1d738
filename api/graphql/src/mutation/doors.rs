//! Orders about a queue's doors: opened and closed by hand.

use super::{Order, queues::QueuePayload};
use crate::{auth::Scope, id::Named, query::Needs};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{any::AnyCommand, id::QueueId, queue::Command};

#[derive(Default)]
pub(crate) struct DoorMutations;

/// A queue that is to take calls, whatever its hours say.
#[derive(InputObject)]
pub(crate) struct OpenQueueInput {
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

/// A queue that is to take no calls, whatever its hours say.
#[derive(InputObject)]
pub(crate) struct CloseQueueInput {
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

/// A queue whose hours are to count again.
#[derive(InputObject)]
pub(crate) struct FollowQueueHoursInput {
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
pub(crate) struct OpenQueuePayload {
    #[graphql(flatten)]
    outcome: QueuePayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct CloseQueuePayload {
    #[graphql(flatten)]
    outcome: QueuePayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct FollowQueueHoursPayload {
    #[graphql(flatten)]
    outcome: QueuePayload,
}

/// Says it to the queue; `command` is given who says so.
async fn say(
    ctx: &Context<'_>,
    command_id: &ID,
    (queue, revision): (&ID, Option<i32>),
    command: impl FnOnce(String) -> Command,
) -> Result<QueuePayload> {
    let order = Order::new(ctx, command_id)?;
    let queue = QueueId::read(queue, "queueId")?;
    let command = AnyCommand::Queue(queue, command(order.identity.actor()));
    let outcome = order.dispatch_expecting(command, queue.0, revision).await?;
    Ok(QueuePayload { queue, outcome })
}

#[Object]
impl DoorMutations {
    /// Opens a queue by hand: it takes calls, whatever its hours say, until that is
    /// taken back (`followQueueHours`). Who did it and why is on the record.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn open_queue(
        &self,
        ctx: &Context<'_>,
        input: OpenQueueInput,
    ) -> Result<OpenQueuePayload> {
        let why = input.reason;
        let open = |by| Command::Open { by, why };
        let of = (&input.queue_id, input.expected_revision);
        let outcome = say(ctx, &input.command_id, of, open).await?;
        Ok(OpenQueuePayload { outcome })
    }

    /// Closes a queue by hand: further calls go where the rule `CLOSED` of its overflow
    /// leads, until that is taken back (`followQueueHours`). Who waits is still
    /// served. Who did it and why is on the record.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn close_queue(
        &self,
        ctx: &Context<'_>,
        input: CloseQueueInput,
    ) -> Result<CloseQueuePayload> {
        let why = input.reason;
        let close = |by| Command::Close { by, why };
        let of = (&input.queue_id, input.expected_revision);
        let outcome = say(ctx, &input.command_id, of, close).await?;
        Ok(CloseQueuePayload { outcome })
    }

    /// Takes back what was said by hand: the queue opens and closes by its hours again,
    /// or is always open if it has none.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn follow_queue_hours(
        &self,
        ctx: &Context<'_>,
        input: FollowQueueHoursInput,
    ) -> Result<FollowQueueHoursPayload> {
        let why = input.reason;
        let follow = |by| Command::FollowHours { by, why };
        let of = (&input.queue_id, input.expected_revision);
        let outcome = say(ctx, &input.command_id, of, follow).await?;
        Ok(FollowQueueHoursPayload { outcome })
    }
}

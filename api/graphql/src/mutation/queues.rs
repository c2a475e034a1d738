//! Orders about queues.

use super::{Order, Outcome, UserError, refusal::Refusal};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{Needs, require, views_at},
    scalar::{Cursor, Duration},
    types::{
        Queue,
        hours::QueueHoursInput,
        matching::MatchingInput,
        terms::QueueTermsInput,
        words::{AnswerMode, OverflowCause, Strategy},
    },
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{
    any::AnyCommand,
    id::QueueId,
    queue::{Command, Config, Overflow, OverflowTo, loops},
};
use projections::changed::View;

#[derive(Default)]
pub(crate) struct QueueMutations;

/// A queue to be made.
#[derive(InputObject)]
pub(crate) struct CreateQueueInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// User part of its SIP address; 1 to 64 letters, digits, `.`, `-`, `_`.
    name: String,
    /// Which agent is offered a call first.
    #[graphql(default_with = "Strategy::LongestIdle")]
    strategy: Strategy,
    /// How long one agent's phone rings.
    #[graphql(default_with = "Duration(30_000)")]
    ring_timeout_ms: Duration,
    /// Work after a call; 0 for none.
    #[graphql(default_with = "Duration(0)")]
    wrap_up_ms: Duration,
    /// When the caller is answered.
    #[graphql(default_with = "AnswerMode::Immediate")]
    answer_mode: AnswerMode,
    /// How long a caller waits at most; 0 for no limit.
    #[graphql(default_with = "Duration(3_600_000)")]
    max_wait_ms: Duration,
    /// Callers in the queue at most.
    #[graphql(default = 1000)]
    capacity: i32,
    /// Answered within this time counts as in time.
    #[graphql(default_with = "Duration(20_000)")]
    service_level_threshold_ms: Duration,
    /// Numbers that lead here, as they stand in the Request-URI.
    #[graphql(default)]
    numbers: Vec<String>,
    /// Where calls go that it does not serve; in the other cases they end.
    #[graphql(default)]
    overflow: Vec<OverflowInput>,
    /// How it matches calls and agents.
    matching: Option<MatchingInput>,
    /// What it asks of its agents.
    terms: Option<QueueTermsInput>,
    /// When it takes calls; always, without them.
    hours: Option<QueueHoursInput>,
}

/// Where calls of a queue go in one case: a queue or a number.
#[derive(InputObject)]
pub(crate) struct OverflowInput {
    /// In which case.
    when: OverflowCause,
    /// Into this queue.
    queue_id: Option<ID>,
    /// To this number outside.
    number: Option<String>,
}

impl OverflowInput {
    /// The rule; none if it leads to both or to nothing.
    fn rule(&self) -> Result<Option<Overflow>> {
        let to = match (&self.queue_id, &self.number) {
            (Some(queue), None) => OverflowTo::Queue(QueueId::read(queue)?),
            (None, Some(number)) => OverflowTo::Number(number.clone()),
            (Some(_), Some(_)) | (None, None) => return Ok(None),
        };
        let when = self.when.into();
        Ok(Some(Overflow { when, to }))
    }
}

/// What came of it.
pub(crate) struct CreateQueuePayload {
    queue: QueueId,
    outcome: Outcome,
}

#[Object]
impl CreateQueuePayload {
    /// The queue, once the views know it.
    async fn queue(&self, ctx: &Context<'_>) -> Result<Option<Queue>> {
        if !self.outcome.is_done() {
            return Ok(None);
        }
        require(ctx, Scope::QueueRead)?;
        let views = views_at(ctx, &[View::QueueStats], self.outcome.position).await?;
        let row = views.queue(self.queue).await;
        Ok(row.map_err(Fault::from)?.map(Queue::from))
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

/// What only the whole directory can tell of a configuration.
fn check(order: &Order<'_>, queue: QueueId, config: &Config) -> Option<Refusal> {
    let directory = &order.services.directory;
    let next_of = |queue| {
        let entry = directory.queue(queue);
        entry.map_or_else(Vec::new, |entry| entry.config.overflow_queues())
    };
    if loops(queue, config, next_of) {
        return Some(Refusal::OverflowLoop);
    }
    let mut skills = config.matching.skills.iter();
    if !order
        .services
        .settings
        .knows(skills.by_ref().map(|wanted| wanted.skill.as_str()))
    {
        return Some(Refusal::UnknownSkill);
    }
    if config.terms.wrap_up_code && !order.services.settings.has_codes() {
        return Some(Refusal::UnknownWrapUpCode);
    }
    let queues = config.overflow_queues();
    let unknown = queues.iter().any(|queue| directory.queue(*queue).is_none());
    unknown.then_some(Refusal::UnknownQueue)
}

#[Object]
impl QueueMutations {
    /// Makes a queue.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn create_queue(
        &self,
        ctx: &Context<'_>,
        input: CreateQueueInput,
    ) -> Result<CreateQueuePayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let queue = QueueId::named(order.identity.tenant, &input.name);
        let rules: Vec<_> = input
            .overflow
            .iter()
            .map(OverflowInput::rule)
            .collect::<Result<_>>()?;
        let Some(overflow) = rules.into_iter().collect::<Option<Vec<_>>>() else {
            let outcome = Outcome::refused(Refusal::InvalidOverflow.into());
            return Ok(CreateQueuePayload { queue, outcome });
        };
        let asked = input.hours.as_ref();
        let hours = asked.and_then(QueueHoursInput::hours);
        if hours.is_some() != asked.is_some() {
            let outcome = Outcome::refused(Refusal::InvalidHours.into());
            return Ok(CreateQueuePayload { queue, outcome });
        }
        let config = Config {
            strategy: input.strategy.into(),
            ring_timeout_ms: input.ring_timeout_ms.0,
            wrap_up_ms: input.wrap_up_ms.0,
            answer_mode: input.answer_mode.into(),
            max_wait_ms: input.max_wait_ms.0,
            // A negative one is none: the rules refuse it.
            capacity: u32::try_from(input.capacity).unwrap_or(0),
            service_level_threshold_ms: input.service_level_threshold_ms.0,
            numbers: input.numbers,
            overflow,
            matching: input.matching.unwrap_or_default().rules(),
            terms: input.terms.unwrap_or_default().terms(),
            hours,
        };
        if let Some(refusal) = check(&order, queue, &config) {
            let outcome = Outcome::refused(refusal.into());
            return Ok(CreateQueuePayload { queue, outcome });
        }
        let name = input.name;
        let command = AnyCommand::Queue(queue, Command::Create { name, config });
        let outcome = order.dispatch(command, queue.0).await?;
        order.settle(&outcome).await;
        Ok(CreateQueuePayload { queue, outcome })
    }
}

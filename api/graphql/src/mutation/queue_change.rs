//! Some rules of a queue are changed; what is not said stays.

use super::{
    Order, Outcome,
    queues::{
        OverflowInput, QueueCallbackInput, QueueEmptyInput, QueueExitInput, QueuePayload, check,
        exits_of, hours_of, percent_of, rules_of, zone_of,
    },
    refusal::Refusal,
};
use crate::{
    auth::Scope,
    id::Named,
    query::Needs,
    scalar::Duration,
    types::{
        announce::AnnouncePositionInput,
        hours::QueueHoursInput,
        matching::MatchingInput,
        terms::QueueTermsInput,
        words::{AnswerMode, Strategy},
    },
};
use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use domain::{
    any::AnyCommand,
    id::QueueId,
    queue::{Change, Command, Config, SetAnnouncePosition, SetHours, SetMusic},
};

#[derive(Default)]
pub(crate) struct QueueChangeMutations;

/// What of a queue is to be otherwise: whatever is not given stays as it is.
#[derive(InputObject)]
pub(crate) struct UpdateQueueInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which queue.
    queue_id: ID,
    /// Which agent is offered a call first.
    strategy: Option<Strategy>,
    /// How long one agent's phone rings.
    ring_timeout_ms: Option<Duration>,
    /// Work after a call; 0 for none.
    wrap_up_ms: Option<Duration>,
    /// When the caller is answered.
    answer_mode: Option<AnswerMode>,
    /// How long a caller waits at most; 0 for no limit.
    max_wait_ms: Option<Duration>,
    /// A call that would wait longer, as far as that is known, goes where the rule
    /// `EXPECTED_WAIT` of the overflow leads; 0 for never.
    expected_wait_max_ms: Option<Duration>,
    /// No stay becomes older, however it came to be stuck; 0 for no such net.
    visit_ttl_ms: Option<Duration>,
    /// Callers in the queue at most.
    capacity: Option<i32>,
    /// Answered within this time counts as in time.
    service_level_threshold_ms: Option<Duration>,
    /// How many of a hundred calls are to be answered in that time.
    service_level_target_percent: Option<i32>,
    /// Whoever leaves in less than this time has hardly called: a short abandon.
    short_abandon_ms: Option<Duration>,
    /// Whose days the figures of today are of, by its name in the IANA database. The figures
    /// of this day begin anew with it.
    time_zone: Option<String>,
    /// All numbers that lead here, as they stand in the Request-URI.
    numbers: Option<Vec<String>>,
    /// All rules of where calls go that it does not serve.
    overflow: Option<Vec<OverflowInput>>,
    /// All of how it matches calls and agents.
    matching: Option<MatchingInput>,
    /// All that it asks of its agents.
    terms: Option<QueueTermsInput>,
    /// When it takes calls; always, if null is given.
    hours: MaybeUndefined<QueueHoursInput>,
    /// All keys by which a waiting caller leaves it.
    exits: Option<Vec<QueueExitInput>>,
    /// Whether calls wait where nobody is there.
    empty: Option<QueueEmptyInput>,
    /// A caller who hangs up and calls again within this time comes back to the place
    /// that was left, once; 0 for never.
    resume_abandoned_ms: Option<Duration>,
    /// How those are rung back who wait no longer.
    callback: Option<QueueCallbackInput>,
    /// How callers who wait are told their place; they are not any more, if null is given.
    announce_position: MaybeUndefined<AnnouncePositionInput>,
    /// What callers hear while they wait and while they are held: a name of the settings;
    /// our own track, if null is given.
    music: MaybeUndefined<String>,
    /// Only if the queue is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

impl UpdateQueueInput {
    /// The change that is asked for; or what of it is not written as it should be.
    fn change(self) -> Result<std::result::Result<Change, Refusal>> {
        let overflow = self.overflow.as_deref().map(rules_of).transpose()?;
        let exits = self.exits.as_deref().map(exits_of).transpose()?;
        let hours = match &self.hours {
            MaybeUndefined::Undefined => Ok(SetHours::Keep),
            MaybeUndefined::Null => Ok(SetHours::Always),
            MaybeUndefined::Value(hours) => hours_of(hours).map(SetHours::To),
        };
        let (overflow, exits, hours) = match (overflow.transpose(), exits.transpose(), hours) {
            (Ok(overflow), Ok(exits), Ok(hours)) => (overflow, exits, hours),
            (Err(refusal), _, _) | (_, Err(refusal), _) | (_, _, Err(refusal)) => {
                return Ok(Err(refusal));
            }
        };
        let time_zone = match zone_of(self.time_zone.as_deref()) {
            Ok(zone) => zone,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let ms = |time: Option<Duration>| time.map(|time| time.0);
        Ok(Ok(Change {
            strategy: self.strategy.map(Into::into),
            ring_timeout_ms: ms(self.ring_timeout_ms),
            wrap_up_ms: ms(self.wrap_up_ms),
            answer_mode: self.answer_mode.map(Into::into),
            max_wait_ms: ms(self.max_wait_ms),
            // A negative one is none: the rules refuse it.
            capacity: self.capacity.map(|most| u32::try_from(most).unwrap_or(0)),
            service_level_threshold_ms: ms(self.service_level_threshold_ms),
            service_level_target_percent: self.service_level_target_percent.map(percent_of),
            short_abandon_ms: ms(self.short_abandon_ms),
            expected_wait_max_ms: ms(self.expected_wait_max_ms),
            visit_ttl_ms: ms(self.visit_ttl_ms),
            time_zone,
            numbers: self.numbers,
            overflow,
            matching: self.matching.map(|matching| matching.rules()),
            terms: self.terms.map(|terms| terms.terms()),
            hours,
            exits,
            empty: self.empty.map(Into::into),
            resume_abandoned_ms: ms(self.resume_abandoned_ms),
            callback: self.callback.map(|callback| callback.terms()),
            announce_position: match self.announce_position {
                MaybeUndefined::Undefined => SetAnnouncePosition::Keep,
                MaybeUndefined::Null => SetAnnouncePosition::Never,
                MaybeUndefined::Value(told) => SetAnnouncePosition::To(Box::new(told.into())),
            },
            music: match self.music {
                MaybeUndefined::Undefined => SetMusic::Keep,
                MaybeUndefined::Null => SetMusic::BuiltIn,
                MaybeUndefined::Value(name) => SetMusic::To(name),
            },
        }))
    }
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct UpdateQueuePayload {
    #[graphql(flatten)]
    outcome: QueuePayload,
}

#[Object]
impl QueueChangeMutations {
    /// Changes some rules of a queue; the others stay, and calls that wait keep theirs.
    /// What the configuration file says of a queue is applied again at each start.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn update_queue(
        &self,
        ctx: &Context<'_>,
        input: UpdateQueueInput,
    ) -> Result<UpdateQueuePayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let queue = QueueId::read(&input.queue_id, "queueId")?;
        let revision = input.expected_revision;
        let outcome = match input.change()? {
            Ok(change) => {
                let next = |current: &Config| change.clone().of(current);
                let command = Command::Change(Box::new(change.clone()));
                change_rules(&order, queue, (command, next), revision).await?
            }
            Err(refusal) => Outcome::refused(refusal.into()),
        };
        let outcome = QueuePayload { queue, outcome };
        Ok(UpdateQueuePayload { outcome })
    }
}

/// Changes some rules of a queue. What only the whole directory can tell is looked at in the
/// rules that would come of those that are known now; of which ones it comes in the end, the
/// queue decides.
pub(super) async fn change_rules(
    order: &Order<'_>,
    queue: QueueId,
    (command, next): (Command, impl Fn(&Config) -> Config),
    revision: Option<i32>,
) -> Result<Outcome> {
    let command = AnyCommand::Queue(queue, command);
    if let Some(entry) = order.services.directory.queue(queue)
        && let Some(refusal) = check(order, queue, &next(&entry.config))
    {
        return Ok(order.refuse(command, vec![refusal.into()]).await?);
    }
    let outcome = order.dispatch_expecting(command, queue.0, revision).await?;
    order.settle(&outcome).await;
    Ok(outcome)
}

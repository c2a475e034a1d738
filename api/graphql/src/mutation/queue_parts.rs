//! One part of a queue's rules is changed: its calendar, or its routing. All others stay as
//! they are at the moment of the decision, whoever has changed them.

use super::{
    Order, Outcome,
    queue_change::change_rules,
    queues::{QueuePayload, hours_of, zone_of},
    refusal::Refusal,
};
use crate::{
    auth::Scope,
    id::Named,
    query::Needs,
    scalar::Duration,
    types::{
        hours::QueueHoursInput,
        matching::{SkillRequirementInput, skills_of},
        words::Strategy,
    },
};
use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use domain::{
    id::QueueId,
    queue::{Command, Config, SetCalendar, SetHours, SetRouting, SetTimeZone},
};

#[derive(Default)]
pub(crate) struct QueuePartMutations;

/// A queue that is to take calls at other times.
#[derive(InputObject)]
pub(crate) struct SetCalendarInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which queue.
    queue_id: ID,
    /// What of its calendar is to be otherwise.
    calendar: QueueCalendarInput,
    /// Only if the queue is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// What of a queue's calendar is to be otherwise: whatever is not given stays as it is.
#[derive(InputObject)]
pub(crate) struct QueueCalendarInput {
    /// When it takes calls, with all holidays and the zone of its clocks; always, if null is
    /// given.
    hours: MaybeUndefined<QueueHoursInput>,
    /// Whose days the figures of today are of, by its name in the IANA database; that of the
    /// hours, if null is given. The figures of this day begin anew with it.
    time_zone: MaybeUndefined<String>,
}

/// A queue that is to find agents in another way.
#[derive(InputObject)]
pub(crate) struct SetRoutingPolicyInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which queue.
    queue_id: ID,
    /// What of its routing is to be otherwise.
    policy: RoutingPolicyInput,
    /// Only if the queue is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// What of a queue's routing is to be otherwise: whatever is not given stays as it is.
#[derive(InputObject)]
pub(crate) struct RoutingPolicyInput {
    /// Which agent is offered a call first.
    strategy: Option<Strategy>,
    /// How long one agent's phone rings.
    ring_timeout_ms: Option<Duration>,
    /// All skills that its calls ask for, with the steps by which each is relaxed.
    skills: Option<Vec<SkillRequirementInput>>,
    /// Priority of its calls: the higher is served first.
    priority: Option<i32>,
    /// Added to the priority by each round of offers in vain.
    retry_boost: Option<i32>,
    /// Waiting this long adds one to the priority; 0 for never.
    ageing_ms: Option<Duration>,
    /// Weight among the queues of one agent: the higher is served first.
    weight: Option<i32>,
    /// Each further tier of agents is asked only after this much more waiting;
    /// 0 for as soon as nobody of the tiers before is free.
    tier_step_ms: Option<Duration>,
    /// For this long only the agent who served the caller last is asked, if that
    /// one is there.
    last_agent_ms: Option<Duration>,
    /// How long phones ring in the first, second, ... round of offers; the last
    /// value stays. Empty for the queue's ring timeout.
    ring_timeouts_ms: Option<Vec<Duration>>,
    /// Where phones ring progressively, after how long the next one joins in; 0
    /// for five seconds.
    ring_step_ms: Option<Duration>,
    /// Pause after a round of offers in vain; doubles with each round, up to a
    /// minute.
    retry_delay_ms: Option<Duration>,
    /// Rounds of offers after which the call overflows; 0 for no limit.
    attempts_max: Option<i32>,
}

impl QueueCalendarInput {
    /// The change that is asked for; or what of it is not written as it should be.
    fn change(&self) -> std::result::Result<SetCalendar, Refusal> {
        Ok(SetCalendar {
            hours: match &self.hours {
                MaybeUndefined::Undefined => SetHours::Keep,
                MaybeUndefined::Null => SetHours::Always,
                MaybeUndefined::Value(hours) => SetHours::To(hours_of(hours)?),
            },
            time_zone: match &self.time_zone {
                MaybeUndefined::Undefined => SetTimeZone::Keep,
                MaybeUndefined::Null => SetTimeZone::OfHours,
                MaybeUndefined::Value(name) => {
                    zone_of(Some(name))?.map_or(SetTimeZone::Keep, SetTimeZone::To)
                }
            },
        })
    }
}

impl RoutingPolicyInput {
    /// The change that is asked for; a negative count is none, as in `updateQueue`.
    fn change(self) -> SetRouting {
        let ms = |time: Option<Duration>| time.map(|time| time.0);
        let count = |value: Option<i32>| value.map(|value| u32::try_from(value).unwrap_or(0));
        let times = |times: Vec<Duration>| times.into_iter().map(|ms| ms.0).collect();
        SetRouting {
            strategy: self.strategy.map(Into::into),
            ring_timeout_ms: ms(self.ring_timeout_ms),
            skills: self.skills.as_deref().map(skills_of),
            priority: self.priority,
            retry_boost: count(self.retry_boost),
            ageing_ms: ms(self.ageing_ms),
            weight: count(self.weight),
            tier_step_ms: ms(self.tier_step_ms),
            last_agent_ms: ms(self.last_agent_ms),
            ring_timeouts_ms: self.ring_timeouts_ms.map(times),
            ring_step_ms: ms(self.ring_step_ms),
            retry_delay_ms: ms(self.retry_delay_ms),
            attempts_max: count(self.attempts_max),
        }
    }
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct SetCalendarPayload {
    #[graphql(flatten)]
    outcome: QueuePayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct SetRoutingPolicyPayload {
    #[graphql(flatten)]
    outcome: QueuePayload,
}

#[Object]
impl QueuePartMutations {
    /// Changes when a queue takes calls, and nothing else of it, whatever somebody else has
    /// changed a moment ago. Whoever waits is still served.
    /// What the configuration file says of a queue is applied again at each start.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn set_calendar(
        &self,
        ctx: &Context<'_>,
        input: SetCalendarInput,
    ) -> Result<SetCalendarPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let queue = QueueId::read(&input.queue_id, "queueId")?;
        let outcome = match input.calendar.change() {
            Ok(calendar) => {
                let next = |current: &Config| calendar.clone().of(current);
                let command = Command::SetCalendar(calendar.clone());
                let revision = input.expected_revision;
                change_rules(&order, queue, (command, next), revision).await?
            }
            Err(refusal) => Outcome::refused(refusal.into()),
        };
        let outcome = QueuePayload { queue, outcome };
        Ok(SetCalendarPayload { outcome })
    }

    /// Changes how a queue finds an agent for a call, and nothing else of it, whatever
    /// somebody else has changed a moment ago. What a call asks for is what its queue said
    /// when it came.
    /// What the configuration file says of a queue is applied again at each start.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn set_routing_policy(
        &self,
        ctx: &Context<'_>,
        input: SetRoutingPolicyInput,
    ) -> Result<SetRoutingPolicyPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let queue = QueueId::read(&input.queue_id, "queueId")?;
        let policy = input.policy.change();
        let next = |current: &Config| policy.clone().of(current);
        let command = Command::SetRouting(Box::new(policy.clone()));
        let revision = input.expected_revision;
        let outcome = change_rules(&order, queue, (command, next), revision).await?;
        let outcome = QueuePayload { queue, outcome };
        Ok(SetRoutingPolicyPayload { outcome })
    }
}

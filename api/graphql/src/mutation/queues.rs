//! Orders about queues.

use super::{Order, Outcome, UserError, refusal::Refusal};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{Needs, require, views_at},
    scalar::{Cursor, Duration, count},
    types::{
        Queue,
        announce::AnnouncePositionInput,
        hours::QueueHoursInput,
        matching::MatchingInput,
        terms::QueueTermsInput,
        words::{AnswerMode, Away, OverflowCause, Strategy},
    },
};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{
    any::AnyCommand,
    calendar::Zone,
    callback::Terms,
    id::{MailboxId, QueueId},
    queue::{Command, Config, Empty, Exit, Hours, Overflow, OverflowTo, loops},
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
    #[graphql(default_with = "Config::default().strategy.into()")]
    strategy: Strategy,
    /// How long one agent's phone rings.
    #[graphql(default_with = "Duration(Config::default().ring_timeout_ms)")]
    ring_timeout_ms: Duration,
    /// Work after a call; 0 for none.
    #[graphql(default_with = "Duration(0)")]
    wrap_up_ms: Duration,
    /// When the caller is answered.
    #[graphql(default_with = "Config::default().answer_mode.into()")]
    answer_mode: AnswerMode,
    /// How long a caller waits at most; 0 for no limit.
    #[graphql(default_with = "Duration(Config::default().max_wait_ms)")]
    max_wait_ms: Duration,
    /// A call that would wait longer, as far as that is known, goes where the rule
    /// `EXPECTED_WAIT` of the overflow leads; 0 for never.
    #[graphql(default_with = "Duration(0)")]
    expected_wait_max_ms: Duration,
    /// No stay becomes older, however it came to be stuck; 0 for no such net.
    #[graphql(default_with = "Duration(Config::default().visit_ttl_ms)")]
    visit_ttl_ms: Duration,
    /// Callers in the queue at most.
    #[graphql(default = 1000)]
    capacity: i32,
    /// Answered within this time counts as in time.
    #[graphql(default_with = "Duration(Config::default().service_level_threshold_ms)")]
    service_level_threshold_ms: Duration,
    /// How many of a hundred calls are to be answered in that time.
    #[graphql(default = 80)]
    service_level_target_percent: i32,
    /// Whoever leaves in less than this time has hardly called: a short abandon.
    #[graphql(default_with = "Duration(Config::default().short_abandon_ms)")]
    short_abandon_ms: Duration,
    /// Whose days the figures of today are of, by its name in the IANA database; without it
    /// that of the hours, else UTC.
    time_zone: Option<String>,
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
    /// Keys by which a waiting caller leaves it.
    #[graphql(default)]
    exits: Vec<QueueExitInput>,
    /// Whether calls wait where nobody is there; they do, without it.
    empty: Option<QueueEmptyInput>,
    /// A caller who hangs up and calls again within this time comes back to the place
    /// that was left, once; 0 for never.
    #[graphql(default_with = "Duration(0)")]
    resume_abandoned_ms: Duration,
    /// How those are rung back who wait no longer.
    callback: Option<QueueCallbackInput>,
    /// How callers who wait are told their place; they are not, without it.
    announce_position: Option<AnnouncePositionInput>,
    /// What callers hear while they wait and while they are held: a name of the settings;
    /// our own track, without it.
    music: Option<String>,
}

/// How often, how soon and how long somebody is rung back.
#[derive(InputObject)]
pub(crate) struct QueueCallbackInput {
    /// Attempts in which the person is rung, at most.
    #[graphql(default_with = "count(Terms::STANDARD.attempts_max)")]
    attempts_max: i32,
    /// From one attempt that came to nothing to the next.
    #[graphql(default_with = "Duration(Terms::STANDARD.gap_ms)")]
    gap_ms: Duration,
    /// So long after the first attempt may come nobody is rung any more.
    #[graphql(default_with = "Duration(Terms::STANDARD.valid_ms)")]
    valid_ms: Duration,
}

impl QueueCallbackInput {
    pub(super) fn terms(&self) -> Terms {
        Terms {
            // A negative one is none: the rules refuse it.
            attempts_max: u32::try_from(self.attempts_max).unwrap_or(0),
            gap_ms: self.gap_ms.0,
            valid_ms: self.valid_ms.0,
        }
    }
}

/// Whether calls are to wait where nobody is there, and what makes an agent who is
/// logged in count as away.
#[derive(InputObject, Default)]
pub(crate) struct QueueEmptyInput {
    /// Calls that find nobody, counted so, are not let in; null: they wait.
    join: Option<Vec<Away>>,
    /// Calls that wait leave when nobody is there any more, counted so; null: they
    /// wait on.
    leave: Option<Vec<Away>>,
}

impl From<QueueEmptyInput> for Empty {
    fn from(input: QueueEmptyInput) -> Self {
        let words =
            |away: Option<Vec<Away>>| away.map(|away| away.into_iter().map(Into::into).collect());
        Self {
            join: words(input.join),
            leave: words(input.leave),
        }
    }
}

/// Where a key leads that a waiting caller presses: to a queue, to a number, home to
/// be rung back, home after an announcement, or to a mailbox.
#[derive(InputObject)]
pub(crate) struct QueueExitInput {
    /// The key: 0 to 9, `*`, `#`, A to D.
    key: String,
    /// Into this queue.
    queue_id: Option<ID>,
    /// To this number outside.
    number: Option<String>,
    /// The caller goes home and is rung back.
    #[graphql(default)]
    callback: bool,
    /// The caller is told this and goes home: a name of the settings.
    announcement: Option<String>,
    /// Into this mailbox, to leave a message.
    mailbox_id: Option<ID>,
}

impl QueueExitInput {
    /// The exit; none if it has no such key, or does not lead to one place.
    fn exit(&self) -> Result<Option<Exit>> {
        let to = place(
            self.queue_id.as_ref(),
            self.number.as_deref(),
            self.callback,
            self.announcement.as_deref(),
            self.mailbox_id.as_ref(),
        )?;
        let key = self.key.parse().ok();
        Ok(key.zip(to).map(|(key, to)| Exit { key, to }))
    }
}

/// A queue, a number, a callback, an announcement or a mailbox; none if it is not one of
/// them.
fn place(
    queue: Option<&ID>,
    number: Option<&str>,
    back: bool,
    announcement: Option<&str>,
    mailbox: Option<&ID>,
) -> Result<Option<OverflowTo>> {
    let queue = QueueId::read_some(queue, "queueId")?;
    let mailbox = MailboxId::read_some(mailbox, "mailboxId")?;
    let places = [
        queue.map(OverflowTo::Queue),
        number.map(|number| OverflowTo::Number(number.into())),
        back.then_some(OverflowTo::Callback),
        announcement.map(|name| OverflowTo::Announcement(name.into())),
        mailbox.map(OverflowTo::Mailbox),
    ];
    let mut places = places.into_iter().flatten();
    Ok(places.next().filter(|_| places.next().is_none()))
}

/// Where calls of a queue go in one case: a queue, a number, home to be rung back, home
/// after an announcement, or a mailbox.
#[derive(InputObject)]
pub(crate) struct OverflowInput {
    /// In which case.
    when: OverflowCause,
    /// Into this queue.
    queue_id: Option<ID>,
    /// To this number outside.
    number: Option<String>,
    /// The caller is rung back.
    #[graphql(default)]
    callback: bool,
    /// The caller is told this and goes home: a name of the settings.
    announcement: Option<String>,
    /// Into this mailbox, to leave a message.
    mailbox_id: Option<ID>,
}

impl OverflowInput {
    /// The rule; none if it does not lead to one place.
    fn rule(&self) -> Result<Option<Overflow>> {
        let to = place(
            self.queue_id.as_ref(),
            self.number.as_deref(),
            self.callback,
            self.announcement.as_deref(),
            self.mailbox_id.as_ref(),
        )?;
        let when = self.when.into();
        Ok(to.map(|to| Overflow { when, to }))
    }
}

/// The rules of overflow; or that one of them leads nowhere.
pub(super) fn rules_of(
    overflow: &[OverflowInput],
) -> Result<std::result::Result<Vec<Overflow>, Refusal>> {
    let rules: Vec<_> = overflow
        .iter()
        .map(OverflowInput::rule)
        .collect::<Result<_>>()?;
    let rules: Option<Vec<_>> = rules.into_iter().collect();
    Ok(rules.ok_or(Refusal::InvalidOverflow))
}

/// The exits; or that one of them leads nowhere.
pub(super) fn exits_of(
    exits: &[QueueExitInput],
) -> Result<std::result::Result<Vec<Exit>, Refusal>> {
    let exits: Vec<_> = exits
        .iter()
        .map(QueueExitInput::exit)
        .collect::<Result<_>>()?;
    let exits: Option<Vec<_>> = exits.into_iter().collect();
    Ok(exits.ok_or(Refusal::InvalidExit))
}

/// The hours; or that they are not written as they should be.
pub(super) fn hours_of(hours: &QueueHoursInput) -> std::result::Result<Box<Hours>, Refusal> {
    hours.hours().map(Box::new).ok_or(Refusal::InvalidHours)
}

/// The zone of that name.
pub(super) fn zone_of(name: Option<&str>) -> std::result::Result<Option<Zone>, Refusal> {
    let zone = name.map(str::parse).transpose();
    zone.map_err(|_| Refusal::InvalidTimeZone)
}

impl CreateQueueInput {
    /// The rules that are asked for; or what of them is not written as it should be.
    fn rules(self) -> Result<std::result::Result<Config, Refusal>> {
        let overflow = match rules_of(&self.overflow)? {
            Ok(overflow) => overflow,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let exits = match exits_of(&self.exits)? {
            Ok(exits) => exits,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let hours = match self.hours.as_ref().map(hours_of).transpose() {
            Ok(hours) => hours,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let time_zone = match zone_of(self.time_zone.as_deref()) {
            Ok(zone) => zone,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(Ok(Config {
            strategy: self.strategy.into(),
            ring_timeout_ms: self.ring_timeout_ms.0,
            wrap_up_ms: self.wrap_up_ms.0,
            answer_mode: self.answer_mode.into(),
            max_wait_ms: self.max_wait_ms.0,
            // A negative one is none: the rules refuse it.
            capacity: u32::try_from(self.capacity).unwrap_or(0),
            service_level_threshold_ms: self.service_level_threshold_ms.0,
            service_level_target_percent: percent_of(self.service_level_target_percent),
            short_abandon_ms: self.short_abandon_ms.0,
            expected_wait_max_ms: self.expected_wait_max_ms.0,
            visit_ttl_ms: self.visit_ttl_ms.0,
            time_zone,
            numbers: self.numbers,
            overflow,
            matching: self.matching.unwrap_or_default().rules(),
            terms: self.terms.unwrap_or_default().terms(),
            hours,
            exits,
            empty: self.empty.unwrap_or_default().into(),
            resume_abandoned_ms: self.resume_abandoned_ms.0,
            callback: self
                .callback
                .map_or(Terms::STANDARD, |callback| callback.terms()),
            announce_position: self.announce_position.map(|told| Box::new(told.into())),
            music: self.music,
        }))
    }
}

/// What came of an order about a queue: the fields of each payload.
pub(crate) struct QueuePayload {
    pub(super) queue: QueueId,
    pub(super) outcome: Outcome,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct CreateQueuePayload {
    #[graphql(flatten)]
    outcome: QueuePayload,
}

#[Object]
impl QueuePayload {
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
pub(super) fn check(order: &Order<'_>, queue: QueueId, config: &Config) -> Option<Refusal> {
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
    if !order.services.settings.can_say(config.announcements()) {
        return Some(Refusal::UnknownAnnouncement);
    }
    let told = config.announce_position.as_deref();
    if told.is_some_and(|told| !order.services.settings.can_tell(told)) {
        return Some(Refusal::UnknownSounds);
    }
    if !order.services.settings.can_play(config.music.as_deref()) {
        return Some(Refusal::UnknownMusic);
    }
    let mut mailboxes = config.mailboxes();
    if mailboxes.any(|mailbox| directory.mailbox(mailbox).is_none()) {
        return Some(Refusal::UnknownMailbox);
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
        let name = input.name.clone();
        let came = |outcome| CreateQueuePayload {
            outcome: QueuePayload { queue, outcome },
        };
        let config = match input.rules()? {
            Ok(config) => config,
            Err(refusal) => return Ok(came(Outcome::refused(refusal.into()))),
        };
        let refusal = check(&order, queue, &config);
        let command = AnyCommand::Queue(queue, Command::Create { name, config });
        if let Some(refusal) = refusal {
            return Ok(came(order.refuse(command, vec![refusal.into()]).await?));
        }
        let outcome = order.dispatch(command, queue.0).await?;
        order.settle(&outcome).await;
        Ok(came(outcome))
    }
}

/// What is not between 0 and 255 is no target: the rules refuse 0.
pub(super) fn percent_of(target: i32) -> u8 {
    u8::try_from(target).unwrap_or(0)
}

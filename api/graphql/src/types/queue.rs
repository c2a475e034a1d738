//! A queue, its rules and its statistics.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    loader::{Loaded, PaceOf, Statistics},
    paging::{self, Asked, List},
    query::{Needs, views},
    scalar::{Cursor, DateTime, Duration, count},
    types::{
        Agent, Moment, QueueCounters,
        announce::AnnouncePosition,
        hours::{Opening, QueueHours},
        matching::Matching,
        paused::PausedMember,
        terms::QueueTerms,
        words::{AgentState, AnswerMode, Away, OverflowCause, Strategy},
    },
};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use domain::{queue::OverflowTo, time::Timestamp};
use projections::{agent_states, queue_stats};

/// A queue.
pub(crate) struct Queue {
    row: Box<queue_stats::Row>,
    /// When it was so; none for now.
    moment: Option<Moment>,
}

impl From<queue_stats::Row> for Queue {
    fn from(row: queue_stats::Row) -> Self {
        let row = Box::new(row);
        Self { row, moment: None }
    }
}

impl Queue {
    /// The queue as it was.
    pub(crate) fn then(row: queue_stats::Row, moment: Moment) -> Self {
        let (row, moment) = (Box::new(row), Some(moment));
        Self { row, moment }
    }
}

/// The rules of a queue.
#[derive(SimpleObject)]
pub(crate) struct QueueConfig {
    /// Which agent is offered a call first.
    strategy: Strategy,
    /// How long one agent's phone rings.
    ring_timeout_ms: Duration,
    /// Work after a call; 0 for none.
    wrap_up_ms: Duration,
    /// When the caller is answered.
    answer_mode: AnswerMode,
    /// How long a caller waits at most; 0 for no limit.
    max_wait_ms: Duration,
    /// A call that would wait longer, as far as that is known, goes where the rule
    /// `EXPECTED_WAIT` of the overflow leads; 0 for never.
    expected_wait_max_ms: Duration,
    /// No stay becomes older, however it came to be stuck; 0 for no such net.
    visit_ttl_ms: Duration,
    /// Callers in the queue at most.
    capacity: i32,
    /// Answered within this time counts as in time.
    service_level_threshold_ms: Duration,
    /// How many of a hundred calls are to be answered in that time.
    service_level_target_percent: i32,
    /// Whoever leaves in less than this time has hardly called: a short abandon.
    short_abandon_ms: Duration,
    /// Whose days the figures of today are of.
    time_zone: String,
    /// Numbers that lead here.
    numbers: Vec<String>,
    /// Where calls go that it does not serve; in the other cases they end.
    overflow: Vec<Overflow>,
    /// How it matches calls and agents.
    matching: Matching,
    /// What it asks of its agents.
    terms: QueueTerms,
    /// When it takes calls; null for always.
    hours: Option<QueueHours>,
    /// Keys by which a waiting caller leaves it.
    exits: Vec<QueueExit>,
    /// Whether calls wait where nobody is there.
    empty: QueueEmpty,
    /// A caller who hangs up and calls again within this time comes back to the place
    /// that was left, once; 0 for never.
    resume_abandoned_ms: Duration,
    /// How those are rung back who wait no longer.
    callback: QueueCallback,
    /// How callers who wait are told their place; null where they are not.
    announce_position: Option<AnnouncePosition>,
    /// What callers hear while they wait and while they are held: a name of the settings;
    /// null for our own track.
    music: Option<String>,
}

/// How often, how soon and how long somebody is rung back.
#[derive(SimpleObject)]
pub(crate) struct QueueCallback {
    /// Attempts in which the person is rung, at most.
    attempts_max: i32,
    /// From one attempt that came to nothing to the next.
    gap_ms: Duration,
    /// So long after the first attempt may come nobody is rung any more.
    valid_ms: Duration,
}

impl From<domain::callback::Terms> for QueueCallback {
    fn from(terms: domain::callback::Terms) -> Self {
        Self {
            attempts_max: count(terms.attempts_max),
            gap_ms: Duration(terms.gap_ms),
            valid_ms: Duration(terms.valid_ms),
        }
    }
}

/// Whether calls wait where nobody is there, and what makes an agent who is logged
/// in count as away.
#[derive(SimpleObject)]
pub(crate) struct QueueEmpty {
    /// Calls that find nobody, counted so, are not let in; null: they wait.
    join: Option<Vec<Away>>,
    /// Calls that wait leave when nobody is there any more, counted so; null: they
    /// wait on.
    leave: Option<Vec<Away>>,
}

impl From<&domain::queue::Empty> for QueueEmpty {
    fn from(empty: &domain::queue::Empty) -> Self {
        let words = |away: &Option<Vec<domain::queue::Away>>| {
            let away = away.as_ref()?.iter().copied();
            Some(away.map(Into::into).collect())
        };
        Self {
            join: words(&empty.join),
            leave: words(&empty.leave),
        }
    }
}

/// Where a key leads that a waiting caller presses.
#[derive(SimpleObject)]
pub(crate) struct QueueExit {
    /// The key: 0 to 9, `*`, `#`, A to D.
    key: String,
    /// Into which queue.
    queue_id: Option<ID>,
    /// To which number outside.
    number: Option<String>,
    /// The caller goes home and is rung back.
    callback: bool,
    /// What the caller is told before going home.
    announcement: Option<String>,
    /// The mailbox in which the caller leaves a message.
    mailbox_id: Option<ID>,
}

/// One of the places that there are.
#[derive(Default)]
struct Place {
    queue_id: Option<ID>,
    number: Option<String>,
    callback: bool,
    announcement: Option<String>,
    mailbox_id: Option<ID>,
}

impl From<&OverflowTo> for Place {
    fn from(to: &OverflowTo) -> Self {
        let mut place = Self::default();
        match to {
            OverflowTo::Callback => place.callback = true,
            OverflowTo::Queue(queue) => place.queue_id = Some(queue.opaque()),
            OverflowTo::Number(number) => place.number = Some(number.clone()),
            OverflowTo::Announcement(name) => place.announcement = Some(name.clone()),
            OverflowTo::Mailbox(mailbox) => place.mailbox_id = Some(mailbox.opaque()),
        }
        place
    }
}

impl From<&domain::queue::Exit> for QueueExit {
    fn from(exit: &domain::queue::Exit) -> Self {
        let Place {
            queue_id,
            number,
            callback,
            announcement,
            mailbox_id,
        } = (&exit.to).into();
        Self {
            key: exit.key.to_string(),
            queue_id,
            number,
            callback,
            announcement,
            mailbox_id,
        }
    }
}

/// Where calls of a queue go in one case.
#[derive(SimpleObject)]
pub(crate) struct Overflow {
    /// In which case.
    when: OverflowCause,
    /// Into which queue.
    queue_id: Option<ID>,
    /// To which number outside.
    number: Option<String>,
    /// The caller is rung back.
    callback: bool,
    /// What the caller is told before going home.
    announcement: Option<String>,
    /// The mailbox in which the caller leaves a message.
    mailbox_id: Option<ID>,
}

impl From<&domain::queue::Overflow> for Overflow {
    fn from(rule: &domain::queue::Overflow) -> Self {
        let Place {
            queue_id,
            number,
            callback,
            announcement,
            mailbox_id,
        } = (&rule.to).into();
        Self {
            when: rule.when.into(),
            queue_id,
            number,
            callback,
            announcement,
            mailbox_id,
        }
    }
}

impl From<&domain::queue::Config> for QueueConfig {
    fn from(config: &domain::queue::Config) -> Self {
        Self {
            strategy: config.strategy.into(),
            ring_timeout_ms: Duration(config.ring_timeout_ms),
            wrap_up_ms: Duration(config.wrap_up_ms),
            answer_mode: config.answer_mode.into(),
            max_wait_ms: Duration(config.max_wait_ms),
            capacity: count(config.capacity),
            service_level_threshold_ms: Duration(config.service_level_threshold_ms),
            service_level_target_percent: count(config.service_level_target_percent),
            short_abandon_ms: Duration(config.short_abandon_ms),
            expected_wait_max_ms: Duration(config.expected_wait_max_ms),
            visit_ttl_ms: Duration(config.visit_ttl_ms),
            time_zone: config.zone().to_string(),
            numbers: config.numbers.clone(),
            overflow: config.overflow.iter().map(Into::into).collect(),
            matching: (&config.matching).into(),
            terms: config.terms.into(),
            hours: config.hours.as_deref().map(Into::into),
            exits: config.exits.iter().map(Into::into).collect(),
            empty: (&config.empty).into(),
            resume_abandoned_ms: Duration(config.resume_abandoned_ms),
            callback: config.callback.into(),
            announce_position: config.announce_position.as_deref().map(Into::into),
            music: config.music.clone(),
        }
    }
}

/// A waiting list with its rules.
#[Object]
impl Queue {
    /// Opaque.
    pub(crate) async fn id(&self) -> ID {
        self.row.queue.opaque()
    }

    /// Its name: user part of its SIP address.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// The rules in force; null until it is provisioned.
    async fn config(&self) -> Option<QueueConfig> {
        self.row.config.as_ref().map(Into::into)
    }

    /// Whether it takes calls, by hand or by its hours, and when that changes; null until
    /// it is provisioned.
    async fn opening(&self, ctx: &Context<'_>) -> Result<Option<Opening>> {
        let at = match self.moment {
            Some(moment) => moment.at,
            None => ctx.data::<crate::services::Services>()?.clock.now(),
        };
        let (config, by_hand) = (self.row.config.as_ref(), self.row.by_hand.as_ref());
        Ok(config.map(|config| Opening::of(config, by_hand, at)))
    }

    /// Agents to whom it offers nothing for now, as a person has said.
    async fn paused_members(&self) -> Vec<PausedMember> {
        self.row.paused.iter().map(Into::into).collect()
    }

    /// When it was taken away; null while it is there.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.row
            .deleted
            .as_ref()
            .map(|deleted| DateTime(deleted.at))
    }

    /// Callers in it.
    async fn waiting_count(&self) -> i32 {
        count(self.row.waiting_count)
    }

    /// How long a caller who comes now will wait: the place by the queue's priority times
    /// the mean of the last contacts, shared by the calls that the agents may have at once who
    /// are logged in and not paused in the queue. Null when nobody is, when nothing is known
    /// of contacts, and of the past.
    async fn estimated_wait_ms(&self, ctx: &Context<'_>) -> Result<Option<Duration>> {
        if self.moment.is_some() {
            return Ok(None);
        }
        let pace = ctx.data::<Loaded>()?.load_one(PaceOf(self.row.queue));
        let pace = pace.await.map_err(Fault::from)?;
        Ok(pace.and_then(|pace| pace.next_wait_ms()).map(Duration))
    }

    /// Its statistics.
    async fn statistics(&self, ctx: &Context<'_>) -> Result<Option<QueueStats>> {
        if let Some(moment) = self.moment {
            let now = moment
                .board(ctx)
                .await?
                .queue_now(self.row.queue, moment.at);
            return Ok(now.map(|now| QueueStats { now, at: moment.at }));
        }
        let clock = &ctx.data::<crate::services::Services>()?.clock;
        let now = ctx
            .data::<Loaded>()?
            .load_one(Statistics(self.row.queue))
            .await
            .map_err(Fault::from)?;
        Ok(now.map(|now| QueueStats {
            now,
            at: clock.now(),
        }))
    }

    /// The agents who serve it, by name.
    #[graphql(guard = "Needs(Scope::AgentRead)")]
    async fn agents(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<List<Agent>>> {
        let views = views(ctx)?;
        let filter = agent_states::Filter {
            queue: Some(self.row.queue),
            ..agent_states::Filter::default()
        };
        let asked = Asked::first(first, after);
        if let Some(moment) = self.moment {
            let board = moment.board(ctx).await?;
            let read = async |page| views.past().agents(&board, &filter, &page).await;
            let agents = paging::list(asked, read, |row| Agent::then(row, moment)).await?;
            return Ok(Some(agents));
        }
        let read = async |page| views.agents(&filter, &page).await;
        let agents = paging::list(asked, read, Agent::from).await?;
        Ok(Some(agents))
    }

    /// Counts what was said of it: of its rules, its doors and its paused members; for
    /// `expectedRevision`. 0 until it is provisioned.
    async fn revision(&self) -> i32 {
        count(self.row.revision)
    }

    /// Version of the rules, which decisions name; 0 until it is provisioned.
    async fn config_version(&self) -> i32 {
        count(self.row.config_version)
    }

    /// The event that last changed it.
    async fn position(&self) -> Cursor {
        Cursor(self.row.position)
    }
}

/// A queue at one instant.
pub(crate) struct QueueStats {
    pub(crate) now: queue_stats::Now,
    pub(crate) at: Timestamp,
}

/// How many of a queue's agents are in a state.
#[derive(SimpleObject)]
pub(crate) struct AgentCount {
    /// The state.
    state: AgentState,
    /// How many.
    count: i32,
}

/// The statistics of a queue at one instant.
#[Object]
impl QueueStats {
    /// Which queue.
    async fn queue_id(&self) -> ID {
        self.now.row.queue.opaque()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.now.row.name
    }

    /// The instant.
    async fn at(&self) -> DateTime {
        DateTime(self.at)
    }

    /// Callers in the queue.
    async fn waiting_count(&self) -> i32 {
        count(self.now.row.waiting_count)
    }

    /// Of those, given to an agent whose phone is to ring or rings.
    async fn matched_count(&self) -> i32 {
        count(self.now.row.matched_count)
    }

    /// How long the caller who waits longest has been waiting.
    async fn longest_wait_ms(&self) -> Option<Duration> {
        self.now.longest_wait_ms.map(Duration)
    }

    /// When that caller was enqueued.
    async fn longest_waiting_since(&self) -> Option<DateTime> {
        self.now.longest_waiting_since.map(DateTime)
    }

    /// Its agents by state; a state without agents is not listed.
    async fn agents_by_state(&self) -> Vec<AgentCount> {
        let counts = self.now.agents.iter();
        counts
            .map(|(state, agents_count)| AgentCount {
                state: (*state).into(),
                count: count(*agents_count),
            })
            .collect()
    }

    /// This day, in the queue's time zone.
    async fn today(&self) -> QueueCounters {
        QueueCounters(self.now.today)
    }

    /// The first instant of this day.
    async fn today_since(&self) -> DateTime {
        DateTime(self.now.row.day_of(self.at))
    }

    /// Since the first event.
    async fn total(&self) -> QueueCounters {
        QueueCounters(self.now.row.total)
    }

    /// The event that last changed the counters.
    async fn position(&self) -> Cursor {
        Cursor(self.now.row.position)
    }
}

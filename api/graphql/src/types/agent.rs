//! An agent and what it is doing.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    loader::Loaded,
    query::{Needs, views, views_at},
    scalar::{Cursor, DateTime, Duration, count},
    types::{
        Call, Moment, NotReadyWord, Queue,
        call::queue,
        matching::{AgentPlace, AgentSkill},
        words::{Activity, AgentState, LogoutReason, NotReadyReason, Routability},
    },
};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use domain::session::{NextState, NotReadyCode};
use projections::{agent_states, changed::View};

/// An agent.
pub(crate) struct Agent {
    row: agent_states::Row,
    /// When it was so; none for now.
    moment: Option<Moment>,
}

impl From<agent_states::Row> for Agent {
    fn from(row: agent_states::Row) -> Self {
        Self { row, moment: None }
    }
}

impl Agent {
    /// The agent as it was.
    pub(crate) const fn then(row: agent_states::Row, moment: Moment) -> Self {
        let moment = Some(moment);
        Self { row, moment }
    }
}

/// What an agent asked for while engaged; applied afterwards.
#[derive(SimpleObject)]
pub(crate) struct AgentNext {
    /// What the agent will be.
    routability: Routability,
    /// Why not ready.
    reason: Option<NotReadyReason>,
    /// In a word of the settings.
    code: Option<NotReadyWord>,
    /// Why logged out.
    logout_reason: Option<LogoutReason>,
}

impl AgentNext {
    fn of(next: NextState, code: Option<&NotReadyCode>) -> Self {
        let (routability, reason, logout_reason) = match next {
            NextState::Ready => (Routability::Ready, None, None),
            NextState::NotReady(reason) => (Routability::NotReady, Some(reason), None),
            NextState::LoggedOut(reason) => (Routability::LoggedOut, None, Some(reason)),
        };
        Self {
            routability,
            reason: reason.map(Into::into),
            code: code.map(Into::into),
            logout_reason: logout_reason.map(Into::into),
        }
    }
}

/// An offer, a contact or a wrap-up of an agent.
#[derive(SimpleObject)]
pub(crate) struct AgentEngagement {
    /// What it is.
    activity: Activity,
    /// Id of its call.
    call_id: ID,
    /// The offer that is live, or was accepted; none for a wrap-up.
    offer_id: Option<ID>,
    /// When the reservation falls or the wrap-up ends by itself.
    until: Option<DateTime>,
}

impl From<&agent_states::Engagement> for AgentEngagement {
    fn from(engagement: &agent_states::Engagement) -> Self {
        Self {
            activity: engagement.activity.into(),
            call_id: engagement.call.opaque(),
            offer_id: engagement.offer.map(|offer| ID(offer.to_string())),
            until: engagement.until.map(DateTime),
        }
    }
}

/// A person or program that takes calls.
#[Object]
impl Agent {
    /// Opaque.
    pub(crate) async fn id(&self) -> ID {
        self.row.agent.opaque()
    }

    /// Its name: user part of its SIP address.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// The person's name, where it is given and not erased.
    async fn display_name(&self) -> Option<&str> {
        self.row.display_name.as_deref()
    }

    /// Ids of the queues that the agent serves.
    async fn queue_ids(&self) -> Vec<ID> {
        self.row.queues.iter().map(|queue| queue.opaque()).collect()
    }

    /// The queues that the agent serves.
    #[graphql(guard = "Needs(Scope::QueueRead)")]
    async fn queues(&self, ctx: &Context<'_>) -> Result<Option<Vec<Queue>>> {
        if let Some(moment) = self.moment {
            let board = moment.board(ctx).await?;
            let rows = self
                .row
                .queues
                .iter()
                .filter_map(|queue| board.queue(*queue))
                .filter(|row| row.deleted.is_none());
            let mut rows: Vec<_> = rows.cloned().collect();
            rows.sort_by(|a, b| a.name.cmp(&b.name));
            let queues = rows.into_iter().map(|row| Queue::then(row, moment));
            return Ok(Some(queues.collect()));
        }
        let loader = ctx.data::<Loaded>()?;
        let rows = loader.load_many(self.row.queues.iter().copied()).await;
        let mut rows: Vec<_> = rows.map_err(Fault::from)?.into_values().collect();
        rows.retain(|row| row.deleted.is_none());
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Some(rows.into_iter().map(Queue::from).collect()))
    }

    /// What the agent is good at.
    async fn skills(&self) -> Vec<AgentSkill> {
        self.row.skills.iter().map(Into::into).collect()
    }

    /// Where the agent stands in queues, if not in the first tier.
    async fn places(&self) -> Vec<AgentPlace> {
        self.row.places.iter().map(Into::into).collect()
    }

    /// How many calls the agent may have at once.
    async fn capacity(&self) -> i32 {
        i32::from(self.row.capacity)
    }

    /// How many calls it has: offers that ring or are about to, and contacts.
    async fn active_calls(&self) -> i32 {
        count(u32::try_from(self.row.calls_count()).unwrap_or(u32::MAX))
    }

    /// All that the agent is doing, in the order in which it began: more than one thing only
    /// where its capacity is more than one.
    async fn engagements(&self) -> Vec<AgentEngagement> {
        self.row.engagements.iter().map(Into::into).collect()
    }

    /// A registered phone logs the agent in, ready.
    async fn ready_on_register(&self) -> bool {
        self.row.ready_on_register
    }

    /// When the last phone is gone, the agent stays as before for so long.
    async fn registration_grace_ms(&self) -> Duration {
        Duration(self.row.registration_grace_ms)
    }

    /// Both coordinates in one word.
    async fn state(&self) -> AgentState {
        self.row.state().into()
    }

    /// Whether the agent wants calls.
    async fn routability(&self) -> Routability {
        self.row.routability.into()
    }

    /// Why not.
    async fn reason(&self) -> Option<NotReadyReason> {
        self.row.reason.map(Into::into)
    }

    /// In a word of the settings.
    async fn code(&self) -> Option<NotReadyWord> {
        self.row.code.as_ref().map(Into::into)
    }

    /// What the agent is doing; of several things the first, as `call`, `offerId`, `queue`
    /// and `until` are: a contact, an offer that rings, one that is about to, a wrap-up.
    async fn activity(&self) -> Activity {
        self.row.activity.into()
    }

    /// When routability, reason or activity last changed.
    async fn since(&self) -> Option<DateTime> {
        self.row.since.map(DateTime)
    }

    /// When the reservation falls or the wrap-up ends by itself.
    async fn until(&self) -> Option<DateTime> {
        self.row.until.map(DateTime)
    }

    /// Not offered anything before this instant.
    async fn not_before(&self) -> Option<DateTime> {
        self.row.not_before.map(DateTime)
    }

    /// Asked for while engaged.
    async fn next(&self) -> Option<AgentNext> {
        let code = self.row.next_code.as_ref();
        self.row.next.map(|next| AgentNext::of(next, code))
    }

    /// The call of the offer, contact or wrap-up.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn call(&self, ctx: &Context<'_>) -> Result<Option<Call>> {
        let Some(call) = self.row.call else {
            return Ok(None);
        };
        if let Some(moment) = self.moment {
            let seen = Some(Cursor(moment.position));
            let views = views_at(ctx, &[View::Timeline], seen).await?;
            let then = views.past().call_at(views, call, moment.position()).await;
            let then = then.map_err(Fault::from)?;
            return Ok(then.map(|then| Call::then(then.call, moment)));
        }
        let call = views(ctx)?.call(call).await.map_err(Fault::from)?;
        Ok(call.map(Into::into))
    }

    /// Id of that call.
    async fn call_id(&self) -> Option<ID> {
        self.row.call.map(Named::opaque)
    }

    /// The offer that is live, or was accepted.
    async fn offer_id(&self) -> Option<ID> {
        self.row.offer.map(|offer| ID(offer.to_string()))
    }

    /// The queue that the call came from.
    #[graphql(guard = "Needs(Scope::QueueRead)")]
    async fn queue(&self, ctx: &Context<'_>) -> Result<Option<Queue>> {
        queue(ctx, self.row.queue, self.moment).await
    }

    /// Number of the present or last session, from 1.
    async fn session_number(&self) -> Option<i32> {
        self.row.session_number.map(count)
    }

    /// When the present session started.
    async fn logged_in_at(&self) -> Option<DateTime> {
        self.row.logged_in_at.map(DateTime)
    }

    /// Offers missed in a row.
    async fn missed_count(&self) -> i32 {
        count(self.row.missed_count)
    }

    /// Registered phones.
    async fn devices_count(&self) -> i32 {
        count(self.row.devices_count)
    }

    /// Version of the configuration, for `expectedRevision`; 0 until it is provisioned.
    async fn revision(&self) -> i32 {
        count(self.row.config_version)
    }

    /// How much has been said of its logins, for `expectedRevision` of orders about what
    /// it does; 0 before the first.
    async fn session_revision(&self) -> i32 {
        count(self.row.session_revision)
    }

    /// The event that last changed it.
    async fn position(&self) -> Cursor {
        Cursor(self.row.position)
    }
}

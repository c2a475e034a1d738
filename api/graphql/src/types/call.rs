//! A call, in progress or ended.

use crate::{
    auth::Scope,
    id::Named,
    loader::{Loaded, PaceOf, PlaceOf},
    paging::{self, EventList},
    query::{Needs, views, views_at},
    scalar::{Cursor, DateTime, Duration, count},
    types::{
        Agent, Charge, Moment, Money, Queue, Supervision, TimelineItem, Trunk,
        words::{CallState, Direction, Disposition, EndReason, EndResult, HangupBy},
    },
};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use domain::{
    id::{AgentId, CallId, QueueId, TrunkId},
    time::Timestamp,
};
use projections::{
    caller, calls, cdr, changed::View, estimate::Place, live_calls, user_field::UserField,
};

/// A call.
pub(crate) struct Call {
    call: calls::Call,
    /// When it was so; none for now.
    moment: Option<Moment>,
}

impl Call {
    /// The call as it was.
    pub(crate) const fn then(call: calls::Call, moment: Moment) -> Self {
        let moment = Some(moment);
        Self { call, moment }
    }
}

impl From<calls::Call> for Call {
    fn from(call: calls::Call) -> Self {
        Self { call, moment: None }
    }
}

impl From<live_calls::Row> for Call {
    fn from(row: live_calls::Row) -> Self {
        calls::Call::Live(Box::new(row)).into()
    }
}

impl From<cdr::Row> for Call {
    fn from(row: cdr::Row) -> Self {
        calls::Call::Ended(Box::new(row)).into()
    }
}

/// Who calls.
#[derive(SimpleObject)]
pub(crate) struct Caller {
    /// The same for all calls of one caller; stays when the person's data is
    /// erased.
    subject: ID,
    /// User part of the SIP URI: a number or a name. Null once erased.
    user: Option<String>,
    /// The number in E.164, where it is written so that its country is told.
    e164: Option<String>,
    /// Host part of the SIP URI.
    host: Option<String>,
    /// Display name, as received.
    display_name: Option<String>,
}

impl From<&caller::Caller> for Caller {
    fn from(caller: &caller::Caller) -> Self {
        let party = caller.party.clone();
        let (user, host, display_name) = party.map_or((None, None, None), |party| {
            (Some(party.user), party.host, party.display_name)
        });
        Self {
            subject: ID(caller.subject.to_string()),
            e164: user.as_deref().and_then(domain::e164::of),
            user,
            host,
            display_name,
        }
    }
}

/// An agent by id, for whoever may see agents.
pub(crate) async fn agent(
    ctx: &Context<'_>,
    id: Option<AgentId>,
    moment: Option<Moment>,
) -> Result<Option<Agent>> {
    let Some(id) = id else { return Ok(None) };
    if let Some(moment) = moment {
        let board = moment.board(ctx).await?;
        let row = views(ctx)?.past().agent(&board, id).await;
        let row = row.map_err(crate::error::Fault::from)?;
        return Ok(row.map(|row| Agent::then(row, moment)));
    }
    let row = ctx.data::<Loaded>()?.load_one(id).await;
    Ok(row.map_err(crate::error::Fault::from)?.map(Agent::from))
}

/// A queue by id, for whoever may see queues.
pub(crate) async fn queue(
    ctx: &Context<'_>,
    id: Option<QueueId>,
    moment: Option<Moment>,
) -> Result<Option<Queue>> {
    let Some(id) = id else { return Ok(None) };
    if let Some(moment) = moment {
        let row = moment.board(ctx).await?.queue(id).cloned();
        return Ok(row.map(|row| Queue::then(row, moment)));
    }
    let row = ctx.data::<Loaded>()?.load_one(id).await;
    Ok(row.map_err(crate::error::Fault::from)?.map(Queue::from))
}

impl Call {
    fn ended(&self) -> Option<&cdr::Row> {
        match &self.call {
            calls::Call::Live(_) => None,
            calls::Call::Ended(row) => Some(row),
        }
    }

    /// Where it stands in a line now; none of an ended call or of the past.
    async fn place_now(&self, ctx: &Context<'_>) -> Result<Option<Place>> {
        if self.moment.is_some() || self.ended().is_some() {
            return Ok(None);
        }
        let loader = ctx.data::<Loaded>()?;
        let place = loader.load_one(PlaceOf(self.call_id())).await;
        Ok(place.map_err(crate::error::Fault::from)?)
    }

    fn end(&self) -> Option<&cdr::End> {
        self.ended()?.end.as_ref()
    }

    /// A value that both kinds of row have.
    fn either<T>(
        &self,
        live: impl FnOnce(&live_calls::Row) -> T,
        ended: impl FnOnce(&cdr::Row) -> T,
    ) -> T {
        match &self.call {
            calls::Call::Live(row) => live(row),
            calls::Call::Ended(row) => ended(row),
        }
    }

    fn written(&self) -> Option<&UserField> {
        match &self.call {
            calls::Call::Live(row) => row.user_field.as_ref(),
            calls::Call::Ended(row) => row.user_field.as_ref(),
        }
    }

    fn call_id(&self) -> CallId {
        self.either(|row| row.call, |row| row.call)
    }

    fn trunk_id(&self) -> Option<TrunkId> {
        self.either(|row| row.trunk, |row| row.trunk)
    }
}

fn at(time: Option<Timestamp>) -> Option<DateTime> {
    time.map(DateTime)
}

/// One customer contact, from the first INVITE to the last leg ended.
#[Object]
impl Call {
    /// Opaque.
    pub(crate) async fn id(&self) -> ID {
        self.call_id().opaque()
    }

    /// Which way it goes.
    async fn direction(&self) -> Direction {
        self.either(|row| row.direction, |row| row.direction).into()
    }

    /// Where it is.
    async fn state(&self) -> CallState {
        self.either(|row| row.state.into(), |_| CallState::Ended)
    }

    /// Its stay in a queue, for orders that are about this stay alone; null where it is in
    /// none, and of an ended call.
    async fn visit_id(&self) -> Option<ID> {
        let visit = self.either(|row| row.visit, |_| None);
        visit.map(|visit| ID(visit.to_string()))
    }

    /// Since when it is there.
    async fn since(&self) -> Option<DateTime> {
        at(self.either(|row| Some(row.since), cdr::Row::ended_at))
    }

    /// Who calls.
    #[graphql(name = "from")]
    async fn caller(&self) -> Caller {
        self.either(|row| (&row.caller).into(), |row| (&row.caller).into())
    }

    /// User part of the Request-URI, as dialled: a queue's name or number.
    async fn to(&self) -> &str {
        match &self.call {
            calls::Call::Live(row) => &row.to,
            calls::Call::Ended(row) => &row.to,
        }
    }

    /// The trunk that let it in.
    #[graphql(guard = "Needs(Scope::SystemConfig)")]
    async fn trunk(&self, ctx: &Context<'_>) -> Result<Option<Trunk>> {
        let Some(trunk) = self.trunk_id() else {
            return Ok(None);
        };
        if let Some(moment) = self.moment {
            return Ok(moment.board(ctx).await?.trunk(trunk).cloned().map(Trunk));
        }
        let row = views(ctx)?.trunk(trunk).await;
        Ok(row.map_err(crate::error::Fault::from)?.map(Trunk))
    }

    /// The queue that it was routed to.
    #[graphql(guard = "Needs(Scope::QueueRead)")]
    async fn queue(&self, ctx: &Context<'_>) -> Result<Option<Queue>> {
        let id = self.either(|row| row.queue, |row| row.queue);
        queue(ctx, id, self.moment).await
    }

    /// The agent who is offered or connected, or was until a supervisor took the call over.
    #[graphql(guard = "Needs(Scope::AgentRead)")]
    async fn agent(&self, ctx: &Context<'_>) -> Result<Option<Agent>> {
        let id = self.either(|row| row.agent, |row| row.agent);
        agent(ctx, id, self.moment).await
    }

    /// Who hears it besides, or is to, or has taken it over; null when nobody does. Of an
    /// ended call the legs of its record tell.
    #[graphql(guard = "Needs(Scope::CallSupervise)")]
    async fn supervision(&self) -> Option<Supervision> {
        let current = self.either(|row| row.supervision, |_| None)?;
        Some(Supervision::of(current, self.moment))
    }

    /// What became of it; null while it is in progress.
    async fn disposition(&self) -> Option<Disposition> {
        self.end().map(|end| end.disposition.into())
    }

    /// Whose doing the end was.
    async fn end_result(&self) -> Option<EndResult> {
        self.end().map(|end| end.result.into())
    }

    /// What ended it.
    async fn end_reason(&self) -> Option<EndReason> {
        self.end().map(|end| end.reason.into())
    }

    /// Which side ended it, as received.
    async fn hangup_by(&self) -> Option<HangupBy> {
        self.end().map(|end| end.by.into())
    }

    /// SIP status that the caller got, or that the wire gave.
    async fn sip_status(&self) -> Option<i32> {
        self.end()?.sip_status.map(i32::from)
    }

    /// Q.850 cause value.
    async fn q850(&self) -> Option<i32> {
        self.end()?.q850_cause.map(i32::from)
    }

    /// The received Reason header, verbatim.
    async fn reason_header(&self) -> Option<&str> {
        self.end()?.reason_header.as_deref()
    }

    /// The end was inferred: durations are a lower bound.
    async fn incomplete(&self) -> bool {
        self.end().is_some_and(|end| end.incomplete)
    }

    /// When the INVITE came.
    async fn started_at(&self) -> DateTime {
        DateTime(self.either(|row| row.received_at, |row| row.started_at))
    }

    /// When it was enqueued.
    async fn enqueued_at(&self) -> Option<DateTime> {
        at(self.either(|row| row.enqueued_at, |row| row.enqueued_at))
    }

    /// When an agent's phone began to ring: of a call in progress the last one,
    /// of an ended call the first.
    async fn alerting_at(&self) -> Option<DateTime> {
        at(self.either(|row| row.alerting_at, |row| row.alerting_at))
    }

    /// When the caller was answered.
    async fn answered_at(&self) -> Option<DateTime> {
        at(self.either(|row| row.answered_at, |row| row.answered_at))
    }

    /// When caller and agent were connected.
    async fn agent_connected_at(&self) -> Option<DateTime> {
        at(self.either(|row| row.agent_connected_at, |row| row.agent_connected_at))
    }

    /// When it ended.
    async fn ended_at(&self) -> Option<DateTime> {
        at(self.ended().and_then(cdr::Row::ended_at))
    }

    /// From the INVITE to the end; durations are null while it is in progress.
    async fn duration_ms(&self) -> Option<Duration> {
        self.ended().map(|row| Duration(row.duration_ms()))
    }

    /// From the caller's answer to the end; 0 if unanswered.
    async fn billable_ms(&self) -> Option<Duration> {
        self.ended().map(|row| Duration(row.billable_ms()))
    }

    /// How long caller and agent were connected, without holds.
    async fn talk_ms(&self) -> Option<Duration> {
        self.ended().map(|row| Duration(row.talk_ms()))
    }

    /// How long one side held the other.
    async fn hold_ms(&self) -> Option<Duration> {
        self.ended().map(|row| Duration(row.hold_ms))
    }

    /// From being enqueued until an agent was connected, or the end.
    async fn wait_ms(&self) -> Option<Duration> {
        self.ended().map(|row| Duration(row.wait_ms()))
    }

    /// Place in the line, from 1; null outside of one, and of the past.
    async fn place(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        let place = self.place_now(ctx).await?;
        Ok(place.map(|place| count(place.place)))
    }

    /// How long the caller will wait from now on: the place times the mean of
    /// the queue's last contacts, shared by the calls that its agents may have at once who are
    /// logged in and not paused in it. Null when nobody is, or nothing is known of contacts.
    async fn estimated_wait_ms(&self, ctx: &Context<'_>) -> Result<Option<Duration>> {
        let Some(at) = self.place_now(ctx).await? else {
            return Ok(None);
        };
        let pace = ctx.data::<Loaded>()?.load_one(PaceOf(at.queue)).await;
        let pace = pace.map_err(crate::error::Fault::from)?;
        Ok(pace.and_then(|pace| pace.wait_ms(at.place)).map(Duration))
    }

    /// How long agents' phones rang, all offers together.
    async fn ring_ms(&self) -> Option<Duration> {
        self.ended().map(|row| Duration(row.ring_ms))
    }

    /// Offers made to agents.
    async fn offers_count(&self) -> i32 {
        count(self.either(|row| row.offers_count, |row| row.offers_count))
    }

    /// The caller holds the agent.
    async fn held_by_caller(&self) -> bool {
        self.either(|row| row.held_by_caller, |_| false)
    }

    /// The agent holds the caller.
    async fn held_by_agent(&self) -> bool {
        self.either(|row| row.held_by_agent, |_| false)
    }

    /// Call-ID header, to find the call in a packet capture.
    async fn sip_call_id(&self) -> &str {
        match &self.call {
            calls::Call::Live(row) => &row.sip_call_id,
            calls::Call::Ended(row) => &row.sip_call_id,
        }
    }

    /// What people have noted of it to find it again, in order of the alphabet.
    async fn tags(&self) -> Vec<&str> {
        let tags = match &self.call {
            calls::Call::Live(row) => &row.tags,
            calls::Call::Ended(row) => &row.tags,
        };
        tags.iter().map(String::as_str).collect()
    }

    /// What somebody has written about it; null once the person is forgotten under whose
    /// key it is.
    async fn user_field(&self) -> Option<&str> {
        self.written()?.text()
    }

    /// Under whose key the user field is, for `eraseSubject`: the caller's, but for a caller
    /// who shows no number the call's own. Null when nothing was written.
    async fn user_field_subject(&self) -> Option<ID> {
        let subject = self.written()?.subject;
        Some(ID(subject.to_string()))
    }

    /// What it costs, without tax, as it was rated last; null until it has a price.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn cost(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        if self.ended().is_none() {
            return Ok(None);
        }
        let charge = Charge::of(ctx, self.call_id()).await?;
        let charge = match self.moment {
            Some(moment) => charge.and_then(|charge| charge.as_of(moment)),
            None => charge,
        };
        Ok(charge.and_then(|charge| charge.cost()))
    }

    /// Revision of its record; 0 while it is in progress.
    async fn revision(&self) -> i32 {
        count(self.ended().map_or(0, |row| row.revision))
    }

    /// The event that last changed it.
    async fn position(&self) -> Cursor {
        Cursor(self.either(|row| row.position, |row| row.position))
    }

    /// Everything that happened to it, up to the moment asked for.
    async fn timeline(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<Cursor>,
    ) -> Result<EventList<TimelineItem>> {
        let seen = self.moment.map(|moment| Cursor(moment.position));
        let views = views_at(ctx, &[View::Timeline], seen).await?;
        let call = self.call_id();
        let until = self.moment.map_or(u64::MAX, |moment| moment.position);
        let read = async |after, limit| {
            let mut rows = views.timeline(call, after, limit).await?;
            rows.retain(|row| row.position <= until);
            Ok(rows)
        };
        paging::events(first, after, read, TimelineItem).await
    }
}

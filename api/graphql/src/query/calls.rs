//! Calls, in progress and ended.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    paging::{self, Asked, EventList, List},
    query::{Needs, services, views_at},
    scalar::{Cursor, DateTime},
    types::{
        Call, RoutingDecision, TimelineItem, Visit,
        words::{ActiveCallState, Disposition},
    },
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::ports::Vault;
use domain::id::{AgentId, CallId, QueueId};
use projections::{calls, changed::View, live_calls, timeline};

#[derive(Default)]
pub(crate) struct CallQueries;

/// Which calls; what is not given lets every call through.
#[derive(InputObject, Default)]
pub(crate) struct CallFilter {
    /// Routed to one of these queues.
    queue_ids: Option<Vec<ID>>,
    /// Offered or connected to one of these agents.
    agent_ids: Option<Vec<ID>>,
    /// In one of these states: calls in progress only.
    states: Option<Vec<ActiveCallState>>,
    /// With one of these outcomes: ended calls only.
    dispositions: Option<Vec<Disposition>>,
    /// From this number or address, exactly.
    from: Option<String>,
    /// Started at this instant or later.
    started_from: Option<DateTime>,
    /// Started before this instant.
    started_before: Option<DateTime>,
}

/// Which calls in progress; what is not given lets every call through.
#[derive(InputObject, Default)]
pub(crate) struct ActiveCallFilter {
    /// In one of these queues.
    queue_ids: Option<Vec<ID>>,
    /// With or offered to one of these agents.
    agent_ids: Option<Vec<ID>>,
    /// In one of these states.
    states: Option<Vec<ActiveCallState>>,
}

pub(crate) fn words<A: Into<B>, B>(words: Option<Vec<A>>) -> Vec<B> {
    words
        .unwrap_or_default()
        .into_iter()
        .map(Into::into)
        .collect()
}

pub(crate) fn ids<T: Named>(ids: Option<Vec<ID>>, field: &'static str) -> Result<Vec<T>, Fault> {
    T::read_all(&ids.unwrap_or_default(), field)
}

impl CallFilter {
    fn read(self, vault: &dyn Vault) -> Result<calls::Filter, Fault> {
        Ok(calls::Filter {
            queues: ids::<QueueId>(self.queue_ids, "queueIds")?,
            agents: ids::<AgentId>(self.agent_ids, "agentIds")?,
            states: words(self.states),
            dispositions: words(self.dispositions),
            subject: self.from.map(|user| vault.subject_of(&user)),
            from: self.started_from.map(|instant| instant.0),
            until: self.started_before.map(|instant| instant.0),
        })
    }
}

impl ActiveCallFilter {
    pub(crate) fn read(self) -> Result<live_calls::Filter, Fault> {
        Ok(live_calls::Filter {
            queues: ids::<QueueId>(self.queue_ids, "queueIds")?,
            agents: ids::<AgentId>(self.agent_ids, "agentIds")?,
            states: words(self.states),
        })
    }
}

const CALLS: [View; 3] = [View::LiveCalls, View::Cdr, View::Charges];

#[Object]
impl CallQueries {
    /// The call, in progress or ended.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn call(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Option<Call>> {
        let views = views_at(ctx, &CALLS, min_position).await?;
        let call = views
            .call(CallId::read(&id, "id")?)
            .await
            .map_err(Fault::from)?;
        Ok(call.map(Into::into))
    }

    /// All calls, in progress and ended, the latest first.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    #[expect(clippy::too_many_arguments, reason = "Relay's page has four")]
    async fn calls(
        &self,
        ctx: &Context<'_>,
        filter: Option<CallFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Call>> {
        let views = views_at(ctx, &CALLS, min_position).await?;
        let vault = services(ctx)?.vault.as_ref();
        let filter = filter.unwrap_or_default().read(vault)?;
        let asked = Asked {
            first,
            after,
            last,
            before,
        };
        let read = async |page| views.calls(&filter, &page).await;
        paging::list(asked, read, Call::from).await
    }

    /// Calls in progress, the one that came first before the others.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn active_calls(
        &self,
        ctx: &Context<'_>,
        filter: Option<ActiveCallFilter>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Call>> {
        let views = views_at(ctx, &[View::LiveCalls], min_position).await?;
        let filter = filter.unwrap_or_default().read()?;
        let read = async |page| views.live_calls(&filter, &page).await;
        paging::list(Asked::first(first, after), read, Call::from).await
    }

    /// Everything that happened to one call, in order.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn call_timeline(
        &self,
        ctx: &Context<'_>,
        call_id: ID,
        first: Option<i32>,
        after: Option<Cursor>,
        min_position: Option<Cursor>,
    ) -> Result<EventList<TimelineItem>> {
        let views = views_at(ctx, &[View::Timeline], min_position).await?;
        let call = CallId::read(&call_id, "callId")?;
        let read = |after, limit| views.timeline(call, after, limit);
        paging::events(first, after, read, TimelineItem).await
    }

    /// Why the call was offered to whom: every decision, in order, with who was
    /// left out and for which reason.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn call_explanation(
        &self,
        ctx: &Context<'_>,
        call_id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Vec<RoutingDecision>> {
        let views = views_at(ctx, &[View::Timeline], min_position).await?;
        let filter = timeline::Filter {
            call: Some(CallId::read(&call_id, "callId")?),
            types: RoutingDecision::TYPES.map(str::to_owned).to_vec(),
            ..timeline::Filter::default()
        };
        let rows = views.events(&filter, 0, timeline::EVENTS_MAX).await;
        Ok(RoutingDecision::read(&rows.map_err(Fault::from)?))
    }

    /// The stays of a call in queues, the first first: each that a line let in, with the
    /// one that the call came from.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn call_visits(
        &self,
        ctx: &Context<'_>,
        call_id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Vec<Visit>> {
        let views = views_at(ctx, &[View::Visits], min_position).await?;
        let visits = views.visits_of(CallId::read(&call_id, "callId")?).await;
        let visits = visits.map_err(Fault::from)?;
        Ok(visits.into_iter().map(Visit).collect())
    }
}

//! What was: a board of the past, and a call as it was.

use crate::{
    auth::Scope,
    id::Named,
    paging::{self, Asked, List},
    query::{ActiveCallFilter, AgentFilter, Needs, views},
    scalar::{Cursor, DateTime, count},
    types::{
        Agent, Call, Moment, Queue,
        words::{AnswerMode, CallState},
    },
};
use async_graphql::{Context, ID, Object, Result};
use projections::{calls, past};

/// The boards at one moment.
pub(crate) struct Board(pub(crate) Moment);

/// Calls in progress, agents and queues as they were at one moment. Everything
/// below it is as it was too.
#[Object]
impl Board {
    /// The last event that it knows.
    async fn position(&self) -> Cursor {
        Cursor(self.0.position)
    }

    /// The instant that was asked for, or now if that is later, or at which that event happened.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// Calls that were in progress, the one that came first before the others.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn active_calls(
        &self,
        ctx: &Context<'_>,
        filter: Option<ActiveCallFilter>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<List<Call>> {
        let filter = filter.unwrap_or_default().read()?;
        let board = self.0.board(ctx).await?;
        let past = views(ctx)?.past();
        let read = async |page| past.live_calls(&board, &filter, &page).await;
        let call = |row| Call::then(calls::Call::Live(Box::new(row)), self.0);
        paging::list(Asked::first(first, after), read, call).await
    }

    /// Agents by name.
    #[graphql(guard = "Needs(Scope::AgentRead)")]
    async fn agents(
        &self,
        ctx: &Context<'_>,
        filter: Option<AgentFilter>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<List<Agent>> {
        let filter = filter.unwrap_or_default().read()?;
        let board = self.0.board(ctx).await?;
        let past = views(ctx)?.past();
        let read = async |page| past.agents(&board, &filter, &page).await;
        let agent = |row| Agent::then(row, self.0);
        paging::list(Asked::first(first, after), read, agent).await
    }

    /// Queues by name.
    #[graphql(guard = "Needs(Scope::QueueRead)")]
    async fn queues(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<List<Queue>> {
        let board = self.0.board(ctx).await?;
        let read = async |page| Ok(board.queues(&page));
        let queue = |row| Queue::then(row, self.0);
        paging::list(Asked::first(first, after), read, queue).await
    }
}

/// A call at one moment.
pub(crate) struct CallSnapshot {
    pub(crate) then: past::CallAt,
    pub(crate) moment: Moment,
}

/// A call as it was at one moment, and what its own rules knew then.
#[Object]
impl CallSnapshot {
    /// The last event that it knows.
    async fn position(&self) -> Cursor {
        Cursor(self.then.position)
    }

    /// When that event happened.
    async fn at(&self) -> DateTime {
        DateTime(self.then.at)
    }

    /// Events of the call so far.
    async fn version(&self) -> i32 {
        count(self.then.version)
    }

    /// Where it was.
    async fn state(&self) -> CallState {
        match &self.then.call {
            calls::Call::Live(row) => row.state.into(),
            calls::Call::Ended(_) => CallState::Ended,
        }
    }

    /// When the caller was to be answered.
    async fn answer_mode(&self) -> Option<AnswerMode> {
        self.then.state.answer_mode.map(Into::into)
    }

    /// When the caller was answered.
    async fn answered_at(&self) -> Option<DateTime> {
        self.then.state.answered_at.map(DateTime)
    }

    /// The caller's leg.
    async fn caller_leg_id(&self) -> Option<ID> {
        self.then.state.caller_leg.map(|leg| ID(leg.to_string()))
    }

    /// The agent's leg that was offered or connected; that of the supervisor who had taken the
    /// call over.
    async fn agent_leg_id(&self) -> Option<ID> {
        self.then.state.agent_leg().map(|leg| ID(leg.to_string()))
    }

    /// The agent who was offered or connected; none once a supervisor had taken the call over.
    async fn agent_id(&self) -> Option<ID> {
        let engaged = self.then.state.engaged();
        engaged.map(|(session, _)| session.agent.opaque())
    }

    /// The offer that was live or accepted.
    async fn offer_id(&self) -> Option<ID> {
        let engaged = self.then.state.engaged();
        engaged.map(|(_, offer)| ID(offer.to_string()))
    }

    /// Its stay in a queue.
    async fn visit_id(&self) -> Option<ID> {
        self.then
            .state
            .visit
            .map(|(visit, _)| ID(visit.to_string()))
    }

    /// The queue of that stay.
    async fn queue_id(&self) -> Option<ID> {
        self.then.state.visit.map(|(_, queue)| queue.opaque())
    }

    /// Legs whose phone held the other side.
    async fn holding_leg_ids(&self) -> Vec<ID> {
        let talking = self.then.state.talking();
        let holding = talking.into_iter().flat_map(|(_, _, holding)| holding);
        holding.map(|leg| ID(leg.to_string())).collect()
    }

    /// The leg that went out through a trunk.
    async fn outside_leg_id(&self) -> Option<ID> {
        self.then.state.outside_leg().map(|leg| ID(leg.to_string()))
    }

    /// The call, as a reader saw it then.
    async fn call(&self) -> Call {
        Call::then(self.then.call.clone(), self.moment)
    }
}

//! Why a call was offered to an agent.

use crate::{
    id::Named,
    scalar::{Cursor, DateTime, Duration, count},
    types::words::{DecidedBy, LeftOutReason, OfferOutcome, Strategy},
};
use async_graphql::{ID, SimpleObject};
use domain::{call, session};
use projections::timeline;

/// A decision to offer a call to an agent, as it stood at that moment.
#[derive(SimpleObject)]
pub(crate) struct RoutingDecision {
    /// Its place in the one order of all events.
    cursor: Cursor,
    /// When.
    at: DateTime,
    /// The offer that was made.
    offer_id: ID,
    /// To whom.
    agent_id: Option<ID>,
    /// Of which queue.
    queue_id: Option<ID>,
    /// Which stay of the call in it, of `callVisits`.
    visit_id: ID,
    /// How the queue chose; null of an offer from before decisions were kept.
    strategy: Option<Strategy>,
    /// What put this agent before the next.
    decided_by: Option<DecidedBy>,
    /// Who would have been next.
    next_agent_id: Option<ID>,
    /// How long the call had waited since it was enqueued first.
    waited_ms: Option<Duration>,
    /// Rounds of offers in vain before it.
    attempts: Option<i32>,
    /// The call's priority, with what retries and waiting had added.
    priority: Option<String>,
    /// Calls of the queue that waited for an agent, this one too.
    waiting_count: Option<i32>,
    /// Agents who could have been asked, this one too.
    free_count: Option<i32>,
    /// Calls that the agent had already; null unless it is more than none.
    calls_count: Option<i32>,
    /// Where this one stood among them, from 1.
    place: Option<i32>,
    /// Agents of the queue who were not chosen, by reason.
    left_out: Vec<AgentsLeftOut>,
    /// What became of the offer; null while it is live, and when it was accepted.
    outcome: Option<OfferOutcome>,
    /// The agent was connected.
    accepted: bool,
}

/// Agents who were not chosen for one reason.
#[derive(SimpleObject)]
pub(crate) struct AgentsLeftOut {
    /// Why.
    reason: LeftOutReason,
    /// How many.
    count: i32,
    /// The first of them: five at most.
    agent_ids: Vec<ID>,
}

impl From<&session::LeftOut> for AgentsLeftOut {
    fn from(left_out: &session::LeftOut) -> Self {
        Self {
            reason: left_out.reason.into(),
            count: count(left_out.count),
            agent_ids: left_out.agents.iter().map(|agent| agent.opaque()).collect(),
        }
    }
}

/// The event of a row, whose payload is what stands under its name.
fn event<E: serde::de::DeserializeOwned>(row: &timeline::Row) -> Option<E> {
    let payload: serde_json::Value = serde_json::from_str(&row.payload).ok()?;
    let named = serde_json::json!({ row.event_type.as_str(): payload });
    serde_json::from_value(named).ok()
}

impl RoutingDecision {
    /// The events that tell of decisions and what became of them.
    pub(crate) const TYPES: [&'static str; 3] =
        ["agent_reserved", "offer_ended", "agent_connected"];

    /// The decisions in a call's events.
    pub(crate) fn read(rows: &[timeline::Row]) -> Vec<Self> {
        let mut decisions: Vec<(domain::id::OfferId, Self)> = vec![];
        for row in rows {
            if let Some(session::Event::Reserved {
                offer,
                visit,
                choice,
                ..
            }) = event(row)
            {
                decisions.push((offer, Self::new(row, (offer, visit), choice.as_deref())));
            }
            let (offer, outcome) = match event(row) {
                Some(call::Event::OfferEnded { offer, outcome, .. }) => (offer, Some(outcome)),
                Some(call::Event::AgentConnected { offer, .. }) => (offer, None),
                Some(_) | None => continue,
            };
            let mut all = decisions.iter_mut();
            if let Some((_, decision)) = all.find(|(known, _)| *known == offer) {
                decision.outcome = outcome.map(Into::into);
                decision.accepted = outcome.is_none();
            }
        }
        decisions
            .into_iter()
            .map(|(_, decision)| decision)
            .collect()
    }

    fn new(
        row: &timeline::Row,
        (offer, visit): (domain::id::OfferId, domain::id::VisitId),
        choice: Option<&session::Choice>,
    ) -> Self {
        Self {
            cursor: Cursor(row.position),
            at: DateTime(row.at),
            offer_id: ID(offer.to_string()),
            agent_id: row.agent.map(Named::opaque),
            queue_id: row.queue.map(Named::opaque),
            visit_id: ID(visit.to_string()),
            strategy: choice.map(|choice| choice.strategy.into()),
            decided_by: choice.map(|choice| choice.decided_by.into()),
            next_agent_id: choice.and_then(|choice| choice.next).map(Named::opaque),
            waited_ms: choice.map(|choice| Duration(choice.waited_ms)),
            attempts: choice.map(|choice| count(choice.attempts)),
            priority: choice.map(|choice| choice.priority.to_string()),
            waiting_count: choice.map(|choice| count(choice.waiting_count)),
            free_count: choice.map(|choice| count(choice.free_count)),
            calls_count: choice
                .filter(|choice| choice.calls_count > 0)
                .map(|choice| count(choice.calls_count)),
            place: choice.map(|choice| count(choice.place)),
            left_out: choice
                .map(|choice| choice.left_out.iter().map(Into::into).collect())
                .unwrap_or_default(),
            outcome: None,
            accepted: false,
        }
    }
}

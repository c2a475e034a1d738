//! Orders about an offer that rings at an agent.

use super::{Order, Outcome, UserError, agents::AgentPayload, refusal::Refusal};
use crate::{auth::Scope, error::Fault, id::Named, query::require};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{
    any::AnyCommand,
    call::Command,
    cause::OfferOutcome,
    id::{AgentId, CallId, OfferId},
    time::Timestamp,
};
use projections::agent_states;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct OfferMutations;

/// An offer that the agent does not want.
#[derive(InputObject)]
pub(crate) struct RejectOfferInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// To whom it is made.
    agent_id: ID,
    /// Which one, as `offerId` of the agent says: one that came meanwhile goes on ringing.
    offer_id: ID,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct RejectOfferPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// Offers ring ten minutes at most; whoever asks again about one that is over does so
/// within this time, and hears the first answer.
const REMEMBERED_MICROS: i64 = 3_600_000_000;

/// The call of an offer that the agent has, or had a while ago.
async fn offered(
    order: &Order<'_>,
    agent: AgentId,
    offer: OfferId,
) -> Result<Option<CallId>, Fault> {
    let views = &order.services.views;
    if let Some(row) = views.agent(agent).await?
        && let Some(engagement) = row.of_offer(offer)
    {
        return Ok(Some(engagement.call));
    }
    let now = order.services.clock.now();
    let since = Timestamp::from_micros(now.micros() - REMEMBERED_MICROS);
    Ok(views.offered(agent, offer, since).await?)
}

/// Until a reservation is looked at again that no offer follows yet.
const AGAIN: Duration = Duration::from_millis(10);

#[Object]
impl OfferMutations {
    /// Rejects an offer whose phone is to ring or rings, as if the phone had: it stops
    /// ringing, the caller is offered on, and the agent is left alone or taken out as the
    /// queue's `terms` say of `rejected`. For the agent, and for those who manage agents.
    async fn reject_offer(
        &self,
        ctx: &Context<'_>,
        input: RejectOfferInput,
    ) -> Result<RejectOfferPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let agent = AgentId::read(&input.agent_id, "agentId")?;
        let is_own = order.identity.agent == Some(agent) && order.identity.may(Scope::AgentSelf);
        if !is_own {
            require(ctx, Scope::AgentManage)?;
        }
        let offer = Uuid::parse_str(&input.offer_id);
        let offer = offer.map_err(|_| Fault::field("offerId", "that is no id of an offer"))?;
        let offer = OfferId(offer);
        let answer = |outcome| RejectOfferPayload {
            outcome: AgentPayload { agent, outcome },
        };
        if order.services.directory.agent(agent).is_none() {
            return Ok(answer(Outcome::refused(Refusal::UnknownAgent.into())));
        }
        let Some(call) = offered(&order, agent, offer).await? else {
            return Ok(answer(Outcome::refused(Refusal::NotOffered.into())));
        };
        let command = Command::EndOffer {
            offer,
            outcome: OfferOutcome::Rejected,
        };
        let command = AnyCommand::Call(call, command);
        Ok(answer(reject(&order, agent, (offer, call), command).await?))
    }
}

/// Between the reservation and the offer's start lies one commit: an order that comes in
/// between is carried out when the call knows of the offer.
async fn reject(
    order: &Order<'_>,
    agent: AgentId,
    (offer, call): (OfferId, CallId),
    command: AnyCommand,
) -> Result<Outcome, Fault> {
    let services = order.services;
    let patience = Duration::from_millis(services.options.position_timeout_ms);
    let gives_up = Instant::now() + patience;
    loop {
        let outcome = order.dispatch(command.clone(), call.0).await?;
        let is_unknown = outcome.user_errors.iter().any(UserError::is_stale_offer);
        if !is_unknown || Instant::now() >= gives_up {
            return Ok(outcome);
        }
        let row = services.views.agent(agent).await?;
        let is_to_ring = row.is_some_and(|row| {
            let engagement = row.of_offer(offer);
            engagement.is_some_and(|it| it.activity == agent_states::Activity::Reserved)
        });
        if !is_to_ring {
            return Ok(outcome);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

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

/// An offer that the agent wants, and whose phone is to answer.
#[derive(InputObject)]
pub(crate) struct AcceptOfferInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// To whom it is made.
    agent_id: ID,
    /// Which one, as `offerId` of the agent says: one that came meanwhile goes on ringing.
    offer_id: ID,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct AcceptOfferPayload {
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
        let (agent, offer) = named(ctx, &order, (&input.agent_id, &input.offer_id))?;
        let command = Command::EndOffer {
            offer,
            outcome: OfferOutcome::Rejected,
        };
        let outcome = tell(&order, (agent, offer), command).await?;
        let outcome = AgentPayload { agent, outcome };
        Ok(RejectOfferPayload { outcome })
    }

    /// Tells the phones that ring for an offer to answer, by a NOTIFY of the event `talk`:
    /// the agent has the call when one does, as if it were picked up. A phone that does no
    /// such thing goes on ringing, and the record says so. For the agent, and for those who
    /// manage agents.
    async fn accept_offer(
        &self,
        ctx: &Context<'_>,
        input: AcceptOfferInput,
    ) -> Result<AcceptOfferPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let (agent, offer) = named(ctx, &order, (&input.agent_id, &input.offer_id))?;
        let by = order.identity.actor();
        let command = Command::OrderAnswer { offer, by };
        let outcome = tell(&order, (agent, offer), command).await?;
        let outcome = AgentPayload { agent, outcome };
        Ok(AcceptOfferPayload { outcome })
    }
}

/// The agent and the offer that an order names, of whoever may give it.
fn named(
    ctx: &Context<'_>,
    order: &Order<'_>,
    (agent, offer): (&ID, &ID),
) -> Result<(AgentId, OfferId)> {
    let agent = AgentId::read(agent, "agentId")?;
    let is_own = order.identity.agent == Some(agent) && order.identity.may(Scope::AgentSelf);
    if !is_own {
        require(ctx, Scope::AgentManage)?;
    }
    let offer = Uuid::parse_str(offer);
    let offer = offer.map_err(|_| Fault::field("offerId", "that is no id of an offer"))?;
    Ok((agent, OfferId(offer)))
}

/// Tells the call of an offer, if the agent has it or had it a while ago.
async fn tell(
    order: &Order<'_>,
    (agent, offer): (AgentId, OfferId),
    command: Command,
) -> Result<Outcome, Fault> {
    if order.services.directory.agent(agent).is_none() {
        return Ok(Outcome::refused(Refusal::UnknownAgent.into()));
    }
    let Some(call) = offered(order, agent, offer).await? else {
        return Ok(Outcome::refused(Refusal::NotOffered.into()));
    };
    let command = AnyCommand::Call(call, command);
    carry_out(order, agent, (offer, call), command).await
}

/// Between the reservation and the offer's start lies one commit: an order that comes in
/// between is carried out when the call knows of the offer.
async fn carry_out(
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

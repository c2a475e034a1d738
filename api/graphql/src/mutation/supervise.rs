//! Orders of those who hear calls besides, or talk in them.

use super::{Order, UserError, calls::HangUpPayload, refusal::Refusal};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{Needs, views_now},
    types::words::SupervisionMode,
};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{
    any::AnyCommand,
    call::{Command, Supervising},
    id::{AgentId, CallId, LegId, derive},
};
use projections::{agent_states, changed::View};
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct SuperviseMutations;

/// A call that is to be supervised.
#[derive(InputObject)]
pub(crate) struct SuperviseCallInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which call: an agent and a caller talk.
    call_id: ID,
    /// Who is to hear whom.
    mode: SupervisionMode,
    /// At whose phone: that of an agent who is not logged in or not ready. Without it that of
    /// the agent of the token.
    agent_id: Option<ID>,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct SuperviseCallPayload {
    #[graphql(flatten)]
    outcome: HangUpPayload,
}

/// A supervision to be ended.
#[derive(InputObject)]
pub(crate) struct StopSupervisingInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Of which call.
    call_id: ID,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct StopSupervisingPayload {
    #[graphql(flatten)]
    outcome: HangUpPayload,
}

/// Whose phone it is to be; or what speaks against it: a call that this one gets meanwhile
/// would ring at the same phone. Who supervises the call already may change the mode.
async fn supervisor(
    order: &Order<'_>,
    call: CallId,
    named: Option<&ID>,
) -> Result<Result<AgentId, UserError>, Fault> {
    let agent = match named {
        Some(named) => AgentId::read(named, "agentId")?,
        None => match order.identity.agent {
            Some(own) => own,
            None => return Ok(Err(Refusal::UnknownAgent.into())),
        },
    };
    if order.services.directory.agent(agent).is_none() {
        return Ok(Err(Refusal::UnknownAgent.into()));
    }
    let needed = [View::LiveCalls, View::AgentStates];
    let (views, _) = views_now(order.services, &needed).await?;
    match views.supervised_by(agent).await? {
        Some(same) if same == call => return Ok(Ok(agent)),
        // Its phone hears one call, or is asked to.
        Some(_) => return Ok(Err(Refusal::SupervisorTakesCalls.into())),
        None => {}
    }
    let is_free = views.agent(agent).await?.is_none_or(|row| {
        row.activity == agent_states::Activity::Idle
            && row.routability != agent_states::Routability::Ready
    });
    Ok(match is_free {
        true => Ok(agent),
        false => Err(Refusal::SupervisorTakesCalls.into()),
    })
}

#[Object]
impl SuperviseMutations {
    /// Rings the phone of a supervisor, who hears a call in which an agent and a caller talk
    /// once it answers: unheard, heard by the agent alone, or by both; or who takes the call
    /// from the agent then. The same again with another mode changes the mode. One supervises
    /// a call at a time. Whatever becomes of it, the call goes on; one that was taken over
    /// does so until the caller or the supervisor hangs up. Who did it is on the record.
    #[graphql(guard = "Needs(Scope::CallSupervise)")]
    async fn supervise_call(
        &self,
        ctx: &Context<'_>,
        input: SuperviseCallInput,
    ) -> Result<SuperviseCallPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let call = CallId::read(&input.call_id, "callId")?;
        // One order's id may be used for several calls: each has a leg of its own.
        let label = format!("supervise/{call}");
        let asked = |supervisor| {
            let supervising = Supervising {
                leg: LegId(derive(order.millis(), order.client, &label)),
                supervisor,
                mode: input.mode.into(),
                by: order.identity.actor(),
            };
            AnyCommand::Call(call, Command::SuperviseCall(supervising))
        };
        let outcome = match supervisor(&order, call, input.agent_id.as_ref()).await? {
            Ok(agent) => order.dispatch(asked(agent), call.0).await?,
            Err(error) => {
                let nobody = AgentId(Uuid::nil());
                order.refuse(asked(nobody), vec![error]).await?
            }
        };
        let outcome = HangUpPayload { call, outcome };
        Ok(SuperviseCallPayload { outcome })
    }

    /// Ends the supervision of a call, whoever supervises it: the supervisor's phone is hung
    /// up, or stops ringing. The call goes on. One that was taken over is not given back.
    #[graphql(guard = "Needs(Scope::CallSupervise)")]
    async fn stop_supervising(
        &self,
        ctx: &Context<'_>,
        input: StopSupervisingInput,
    ) -> Result<StopSupervisingPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let call = CallId::read(&input.call_id, "callId")?;
        let by = order.identity.actor();
        let command = AnyCommand::Call(call, Command::StopSupervising { by });
        let outcome = order.dispatch(command, call.0).await?;
        let outcome = HangUpPayload { call, outcome };
        Ok(StopSupervisingPayload { outcome })
    }
}

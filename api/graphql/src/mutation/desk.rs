//! Orders about the work after a call, and what supervisors decide for agents.

use super::{
    agents::AgentPayload,
    sessions::{About, Whose, tell},
    wrap_up,
};
use crate::{id::Named, query::identity, scalar::Duration, types::words::ForcedState};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{id::CallId, session::Command};

#[derive(Default)]
pub(crate) struct DeskMutations;

/// A wrap-up that is to take longer.
#[derive(InputObject)]
pub(crate) struct ExtendWrapUpInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Whose.
    agent_id: ID,
    /// By how much: up to an hour.
    by_ms: Duration,
    /// After which call; the one whose work began first when it is not given.
    call_id: Option<ID>,
    /// Only if the agent is at this `sessionRevision` still: else the answer is `CONFLICT`,
    /// and nothing is done.
    expected_revision: Option<i32>,
}

/// A wrap-up that is done.
#[derive(InputObject)]
pub(crate) struct CompleteWrapUpInput {
    /// UUID: the same one again has one effect and hears the first answer.
    pub(super) command_id: ID,
    /// Whose.
    pub(super) agent_id: ID,
    /// What came of the call: one of the settings' `wrap_up_codes`. Some queues
    /// ask for one.
    pub(super) code: Option<String>,
    /// What is worth knowing of the call: 1 to 2,000 characters. It is about whoever
    /// called, is kept sealed for that person, and is gone when the person is forgotten.
    #[graphql(secret)]
    pub(super) note: Option<String>,
    /// After which call; the one whose work began first when it is not given.
    pub(super) call_id: Option<ID>,
    /// Only if the agent is at this `sessionRevision` still: else the answer is `CONFLICT`,
    /// and nothing is done.
    pub(super) expected_revision: Option<i32>,
}

/// What a supervisor decides for an agent.
#[derive(InputObject)]
pub(crate) struct ForceAgentStateInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// For whom.
    agent_id: ID,
    /// What the agent is to be.
    state: ForcedState,
    /// Why: 1 to 64 letters, digits, `.`, `-`, `_`. Kept for ever: it tells of
    /// no person.
    reason: String,
    /// Only if the agent is at this `sessionRevision` still: else the answer is `CONFLICT`,
    /// and nothing is done.
    expected_revision: Option<i32>,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct ExtendWrapUpPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct CompleteWrapUpPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct ForceAgentStatePayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

#[Object]
impl DeskMutations {
    /// Lets an agent's wrap-up take longer.
    async fn extend_wrap_up(
        &self,
        ctx: &Context<'_>,
        input: ExtendWrapUpInput,
    ) -> Result<ExtendWrapUpPayload> {
        let by_ms = input.by_ms.0;
        let call = CallId::read_some(input.call_id.as_ref(), "callId")?;
        let command = Ok(Command::ExtendWrapUp { by_ms, call });
        let whose = Whose::OwnOrManaged;
        let about = About::new(&input.command_id, &input.agent_id, input.expected_revision);
        let outcome = tell(ctx, about, whose, command).await?;
        Ok(ExtendWrapUpPayload { outcome })
    }

    /// Ends an agent's wrap-up. What it says of the call is in the call's timeline.
    async fn complete_wrap_up(
        &self,
        ctx: &Context<'_>,
        input: CompleteWrapUpInput,
    ) -> Result<CompleteWrapUpPayload> {
        let outcome = wrap_up::complete(ctx, input).await?;
        Ok(CompleteWrapUpPayload { outcome })
    }

    /// Decides for an agent who is logged in. Applied after the last contact,
    /// when there is one. Who decided and why is on the record.
    async fn force_agent_state(
        &self,
        ctx: &Context<'_>,
        input: ForceAgentStateInput,
    ) -> Result<ForceAgentStatePayload> {
        let (next, why) = (input.state.into(), input.reason);
        let by = identity(ctx)?.actor();
        let command = Ok(Command::Force { next, by, why });
        let whose = Whose::Managed;
        let about = About::new(&input.command_id, &input.agent_id, input.expected_revision);
        let outcome = tell(ctx, about, whose, command).await?;
        Ok(ForceAgentStatePayload { outcome })
    }
}

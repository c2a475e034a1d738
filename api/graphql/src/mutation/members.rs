//! Orders about who serves a queue, and what agents are good at.

use super::{Order, agents::AgentPayload, refusal::Refusal};
use crate::{auth::Scope, id::Named, query::Needs, types::matching::AgentPlaceInput};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{
    agent::{Command, Skill},
    any::AnyCommand,
    id::{AgentId, QueueId},
};

#[derive(Default)]
pub(crate) struct MemberMutations;

/// An agent who is to serve a queue.
#[derive(InputObject)]
pub(crate) struct AddMemberInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Who.
    agent_id: ID,
    /// Which queue, and where in it.
    place: AgentPlaceInput,
    /// Only if the agent is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// An agent who is to stand elsewhere in a queue that it serves.
#[derive(InputObject)]
pub(crate) struct UpdateMemberInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Who.
    agent_id: ID,
    /// Which queue, and where in it from now on.
    place: AgentPlaceInput,
    /// Only if the agent is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// An agent who is to serve a queue no longer.
#[derive(InputObject)]
pub(crate) struct RemoveMemberInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Who.
    agent_id: ID,
    /// Which queue.
    queue_id: ID,
    /// Only if the agent is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// What an agent is good at from now on.
#[derive(InputObject)]
pub(crate) struct AssignSkillInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Who.
    agent_id: ID,
    /// At what: one of the settings' list of skills.
    skill: String,
    /// How good, 1 to 5.
    level: i32,
    /// Only if the agent is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// What an agent is good at no longer.
#[derive(InputObject)]
pub(crate) struct RemoveSkillInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Who.
    agent_id: ID,
    /// At what.
    skill: String,
    /// Only if the agent is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// How many calls an agent may have at once from now on.
#[derive(InputObject)]
pub(crate) struct SetCapacityInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Who.
    agent_id: ID,
    /// From 1 to 5.
    capacity: i32,
    /// Only if the agent is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct SetCapacityPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct AddMemberPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct UpdateMemberPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct RemoveMemberPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct AssignSkillPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct RemoveSkillPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// Brings the command to the agent, unless there is something that only the directory or
/// the settings know.
async fn tell(
    order: &Order<'_>,
    (agent, revision): (AgentId, Option<i32>),
    command: Command,
    missing: Option<Refusal>,
) -> Result<AgentPayload> {
    let command = AnyCommand::Agent(agent, command);
    let outcome = match missing {
        None => {
            let outcome = order.dispatch_expecting(command, agent.0, revision);
            let outcome = outcome.await?;
            order.settle(&outcome).await;
            outcome
        }
        Some(refusal) => order.refuse(command, vec![refusal.into()]).await?,
    };
    Ok(AgentPayload { agent, outcome })
}

#[Object]
impl MemberMutations {
    /// Lets an agent serve one more queue. What the configuration file says of an agent is
    /// applied again at each start.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn add_member(
        &self,
        ctx: &Context<'_>,
        input: AddMemberInput,
    ) -> Result<AddMemberPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let agent = AgentId::read(&input.agent_id, "agentId")?;
        let place = input.place.place()?;
        let knows = order.services.directory.queue(place.queue).is_some();
        let missing = (!knows).then_some(Refusal::UnknownQueue);
        let of = (agent, input.expected_revision);
        let outcome = tell(&order, of, Command::ServeQueue { place }, missing).await?;
        Ok(AddMemberPayload { outcome })
    }

    /// Has an agent stand elsewhere in a queue that it serves.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn update_member(
        &self,
        ctx: &Context<'_>,
        input: UpdateMemberInput,
    ) -> Result<UpdateMemberPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let agent = AgentId::read(&input.agent_id, "agentId")?;
        let place = input.place.place()?;
        let entry = order.services.directory.agent(agent);
        let missing = match entry.map(|entry| entry.config.queues.contains(&place.queue)) {
            Some(true) => None,
            Some(false) => Some(Refusal::NotOfQueue),
            None => Some(Refusal::UnknownAgent),
        };
        let of = (agent, input.expected_revision);
        let outcome = tell(&order, of, Command::ServeQueue { place }, missing).await?;
        Ok(UpdateMemberPayload { outcome })
    }

    /// Lets an agent serve a queue no longer. The contact with one of its callers goes on.
    #[graphql(guard = "Needs(Scope::QueueManage)")]
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        input: RemoveMemberInput,
    ) -> Result<RemoveMemberPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let agent = AgentId::read(&input.agent_id, "agentId")?;
        let queue = QueueId::read(&input.queue_id, "queueId")?;
        let of = (agent, input.expected_revision);
        let outcome = tell(&order, of, Command::LeaveQueue { queue }, None).await?;
        Ok(RemoveMemberPayload { outcome })
    }

    /// Says how good an agent is at something, anew or otherwise than before.
    #[graphql(guard = "Needs(Scope::AgentManage)")]
    async fn assign_skill(
        &self,
        ctx: &Context<'_>,
        input: AssignSkillInput,
    ) -> Result<AssignSkillPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let agent = AgentId::read(&input.agent_id, "agentId")?;
        let is_known = order
            .services
            .settings
            .knows([input.skill.as_str()].into_iter());
        let skill = Skill {
            skill: input.skill,
            // One outside of what there is is refused by the rules.
            level: u8::try_from(input.level).unwrap_or(0),
        };
        let missing = (!is_known).then_some(Refusal::UnknownSkill);
        let of = (agent, input.expected_revision);
        let outcome = tell(&order, of, Command::AssignSkill { skill }, missing).await?;
        Ok(AssignSkillPayload { outcome })
    }

    /// Says that an agent is not good at something any more.
    #[graphql(guard = "Needs(Scope::AgentManage)")]
    async fn remove_skill(
        &self,
        ctx: &Context<'_>,
        input: RemoveSkillInput,
    ) -> Result<RemoveSkillPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let agent = AgentId::read(&input.agent_id, "agentId")?;
        let skill = input.skill;
        let of = (agent, input.expected_revision);
        let outcome = tell(&order, of, Command::RemoveSkill { skill }, None).await?;
        Ok(RemoveSkillPayload { outcome })
    }

    /// Says how many calls an agent may have at once. Those that it has go on, also when
    /// they are more.
    #[graphql(guard = "Needs(Scope::AgentManage)")]
    async fn set_capacity(
        &self,
        ctx: &Context<'_>,
        input: SetCapacityInput,
    ) -> Result<SetCapacityPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let agent = AgentId::read(&input.agent_id, "agentId")?;
        // One outside of what there is is refused by the rules.
        let capacity = u8::try_from(input.capacity).unwrap_or(0);
        let of = (agent, input.expected_revision);
        let outcome = tell(&order, of, Command::SetCapacity { capacity }, None).await?;
        Ok(SetCapacityPayload { outcome })
    }
}

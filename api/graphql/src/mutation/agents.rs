//! Orders about agents.

use super::{
    Order, Outcome, UserError,
    refusal::Refusal,
    sessions::{About, said, wish},
};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{Needs, require, services, views_at},
    scalar::{Cursor, Duration},
    types::{
        Agent,
        matching::{AgentPlaceInput, AgentSkillInput},
        words::NotReadyWish,
    },
};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::{credentials, sessions::Wish};
use domain::{
    agent::{self, Command, Config},
    any::AnyCommand,
    id::{AgentId, QueueId},
    sealed::{Party, Sealed},
    session::LogoutReason,
};
use projections::changed::View;

/// Characters of a password at most: it is hashed, and hashing has a price.
const PASSWORD_CHARS_MAX: usize = 256;

#[derive(Default)]
pub(crate) struct AgentMutations;

/// An agent to be made.
#[derive(InputObject)]
pub(crate) struct CreateAgentInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// User part of its SIP address; 1 to 64 letters, digits, `.`, `-`, `_`.
    name: String,
    /// With which its phone registers. Only hashes of it are kept, apart from
    /// the record.
    #[graphql(secret)]
    password: String,
    /// The person's name. Kept so that it can be erased.
    display_name: Option<String>,
    /// The queues that it serves.
    #[graphql(default)]
    queue_ids: Vec<ID>,
    /// A registered phone logs the agent in, ready.
    #[graphql(default)]
    ready_on_register: bool,
    /// When the last phone is gone, the agent stays as before for so long: up to an
    /// hour; 10 s when it is not given.
    registration_grace_ms: Option<Duration>,
    /// What it is good at.
    #[graphql(default)]
    skills: Vec<AgentSkillInput>,
    /// Where it stands in queues, if not in the first tier.
    #[graphql(default)]
    places: Vec<AgentPlaceInput>,
    /// How many calls it may have at once, 1 to 5.
    #[graphql(default = 1)]
    capacity: i32,
}

/// An agent that is to take calls.
#[derive(InputObject)]
pub(crate) struct AgentReadyInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which agent.
    agent_id: ID,
    /// Only if the agent is at this `sessionRevision` still: else the answer is `CONFLICT`,
    /// and nothing is done.
    expected_revision: Option<i32>,
}

/// An agent that is to take no calls.
#[derive(InputObject)]
pub(crate) struct AgentNotReadyInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which agent.
    agent_id: ID,
    /// Why; not needed with a code.
    reason: Option<NotReadyWish>,
    /// In a word: one of `notReadyCodes`, which stands for a reason.
    code: Option<String>,
    /// Only if the agent is at this `sessionRevision` still: else the answer is `CONFLICT`,
    /// and nothing is done.
    expected_revision: Option<i32>,
}

/// An agent that is to leave.
#[derive(InputObject)]
pub(crate) struct AgentLogOutInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which agent.
    agent_id: ID,
    /// Only if the agent is at this `sessionRevision` still: else the answer is `CONFLICT`,
    /// and nothing is done.
    expected_revision: Option<i32>,
}

/// What came of an order about an agent: the fields of each payload.
pub(crate) struct AgentPayload {
    pub(super) agent: AgentId,
    pub(super) outcome: Outcome,
}

#[Object]
impl AgentPayload {
    /// The agent, once the views know what was done.
    async fn agent(&self, ctx: &Context<'_>) -> Result<Option<Agent>> {
        if !self.outcome.is_done() {
            return Ok(None);
        }
        require(ctx, Scope::AgentRead)?;
        let views = views_at(ctx, &[View::AgentStates], self.outcome.position).await?;
        let row = views.agent(self.agent).await;
        Ok(row.map_err(Fault::from)?.map(Agent::from))
    }

    /// What a read must have reached to see it; null when nothing was done.
    async fn position(&self) -> Option<Cursor> {
        self.outcome.position
    }

    /// Why nothing was done; empty when it was.
    async fn user_errors(&self) -> &[UserError] {
        &self.outcome.user_errors
    }
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct CreateAgentPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct AgentReadyPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct AgentNotReadyPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct AgentLogOutPayload {
    #[graphql(flatten)]
    outcome: AgentPayload,
}

/// The name of a person, sealed under the key of the agent.
async fn seal(order: &Order<'_>, name: &str, display_name: String) -> Result<Sealed<Party>, Fault> {
    let party = Party {
        user: name.to_lowercase(),
        host: None,
        display_name: Some(display_name),
        contact: None,
        user_field: None,
    };
    let sealed = order.services.vault.seal(&party).await;
    sealed.map_err(Fault::from)
}

fn check(order: &Order<'_>, password: &str, queues: &[QueueId]) -> Option<Refusal> {
    if !(1..=PASSWORD_CHARS_MAX).contains(&password.chars().count()) {
        return Some(Refusal::InvalidPassword);
    }
    let directory = &order.services.directory;
    let unknown = queues.iter().any(|queue| directory.queue(*queue).is_none());
    unknown.then_some(Refusal::UnknownQueue)
}

/// The name of the command that makes an agent.
const CREATE: &str = "create_agent";

async fn create(ctx: &Context<'_>, input: CreateAgentInput) -> Result<AgentPayload> {
    let order = Order::new(ctx, &input.command_id)?;
    let name = input.name;
    let agent = AgentId::named(order.identity.tenant, &name);
    let queues = QueueId::read_all(&input.queue_ids, "queueIds")?;
    let skills: Vec<_> = input.skills.iter().map(AgentSkillInput::skill).collect();
    let places = input.places.iter().map(AgentPlaceInput::place);
    let places = places.collect::<Result<Vec<_>, _>>()?;
    if !order
        .services
        .settings
        .knows(skills.iter().map(|skill| skill.skill.as_str()))
    {
        let refused = order.refuse_named::<agent::Agent>(CREATE, agent, Refusal::UnknownSkill);
        let outcome = refused.await?;
        return Ok(AgentPayload { agent, outcome });
    }
    if let Some(refusal) = check(&order, &input.password, &queues) {
        let outcome = order
            .refuse_named::<agent::Agent>(CREATE, agent, refusal)
            .await?;
        return Ok(AgentPayload { agent, outcome });
    }
    let display_name = match input.display_name {
        // A name that the rules refuse needs no key.
        Some(display_name) if domain::name::is_valid(&name) => {
            Some(seal(&order, &name, display_name).await?)
        }
        Some(_) | None => None,
    };
    let config = Config {
        display_name,
        queues,
        ready_on_register: input.ready_on_register,
        registration_grace_ms: input
            .registration_grace_ms
            .map_or(domain::agent::REGISTRATION_GRACE_MS, |grace| grace.0),
        skills,
        places,
        // One outside of what there is is refused by the rules.
        capacity: u8::try_from(input.capacity).unwrap_or(0),
    };
    let command = Command::Create {
        name: name.clone(),
        config,
    };
    let command = AnyCommand::Agent(agent, command);
    let outcome = order.dispatch(command, agent.0).await?;
    if outcome.is_done() {
        // After the event, so that a refusal changes no password. When it
        // fails, the client retries with the same id and comes here again.
        let services = order.services;
        let secrets = services.secrets.as_ref();
        credentials::keep(secrets, &services.realm, &name, &input.password)
            .await
            .map_err(Fault::from)?;
    }
    order.settle(&outcome).await;
    Ok(AgentPayload { agent, outcome })
}

#[Object]
impl AgentMutations {
    /// Makes an agent.
    #[graphql(guard = "Needs(Scope::AgentManage)")]
    async fn create_agent(
        &self,
        ctx: &Context<'_>,
        input: CreateAgentInput,
    ) -> Result<CreateAgentPayload> {
        let outcome = create(ctx, input).await?;
        Ok(CreateAgentPayload { outcome })
    }

    /// Lets an agent take calls; logs it in if need be. Applied after the
    /// last contact, when there is one.
    async fn agent_ready(
        &self,
        ctx: &Context<'_>,
        input: AgentReadyInput,
    ) -> Result<AgentReadyPayload> {
        let about = About::new(&input.command_id, &input.agent_id, input.expected_revision);
        let outcome = wish(ctx, about, |_| Ok(Wish::Ready)).await?;
        Ok(AgentReadyPayload { outcome })
    }

    /// Lets an agent take no calls; logs it in if need be. Applied after the
    /// last contact, when there is one.
    async fn agent_not_ready(
        &self,
        ctx: &Context<'_>,
        input: AgentNotReadyInput,
    ) -> Result<AgentNotReadyPayload> {
        let said = said(services(ctx)?, input.reason, input.code.as_deref());
        let wished = said.map(|(reason, code)| Wish::NotReady(reason, code));
        let about = About::new(&input.command_id, &input.agent_id, input.expected_revision);
        let outcome = wish(ctx, about, |_| wished).await?;
        Ok(AgentNotReadyPayload { outcome })
    }

    /// Ends an agent's session. Applied after the last contact, when there is one.
    async fn agent_log_out(
        &self,
        ctx: &Context<'_>,
        input: AgentLogOutInput,
    ) -> Result<AgentLogOutPayload> {
        let wished = |is_own| {
            Ok(Wish::LogOut(if is_own {
                LogoutReason::Agent
            } else {
                LogoutReason::Supervisor
            }))
        };
        let about = About::new(&input.command_id, &input.agent_id, input.expected_revision);
        let outcome = wish(ctx, about, wished).await?;
        Ok(AgentLogOutPayload { outcome })
    }
}

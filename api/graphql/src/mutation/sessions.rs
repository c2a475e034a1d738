//! How an order comes to an agent's session: for whom, to which one, and whether it is
//! still as whoever orders has seen it.

use super::{Order, Outcome, UserError, agents::AgentPayload, refusal::Refusal};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{require, views_now},
    services::Services,
    types::words::NotReadyWish,
};
use async_graphql::{Context, ID, Result};
use commands::{
    seen::{self, SeenLogins},
    sessions::{Wish, carry_out},
};
use domain::{
    any::AnyCommand,
    id::{AgentId, SessionId},
    session::{self, NotReadyCode, NotReadyReason},
};
use projections::changed::View;

/// What all these orders say.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    command_id: &'a ID,
    agent: &'a ID,
    revision: Option<i32>,
}

impl<'a> About<'a> {
    pub(super) const fn new(command_id: &'a ID, agent: &'a ID, revision: Option<i32>) -> Self {
        Self {
            command_id,
            agent,
            revision,
        }
    }
}

/// Whose session an order may be about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// An agent's own, or that of others for those who manage agents.
    OwnOrManaged,
    /// Only for those who manage agents.
    Managed,
}

/// An order about an agent's session by somebody who may give it.
pub(super) struct SessionOrder<'a> {
    pub(super) order: Order<'a>,
    pub(super) agent: AgentId,
    revision: Option<i32>,
    /// Whoever orders is the agent.
    is_own: bool,
}

impl<'a> SessionOrder<'a> {
    pub(super) fn new(ctx: &Context<'a>, about: About<'_>, whose: Whose) -> Result<Self> {
        let order = Order::new(ctx, about.command_id)?;
        let agent = AgentId::read(about.agent, "agentId")?;
        let is_own = order.identity.agent == Some(agent);
        if !(is_own && order.identity.may(Scope::AgentSelf) && whose == Whose::OwnOrManaged) {
            require(ctx, Scope::AgentManage)?;
        }
        Ok(Self {
            order,
            agent,
            revision: about.revision,
            is_own,
        })
    }

    /// What there is to say, if there is such an agent.
    pub(super) fn known<T>(&self, what: Result<T, Refusal>) -> Result<T, Refusal> {
        match self.order.services.directory.agent(self.agent) {
            None => Err(Refusal::UnknownAgent),
            Some(_) => what,
        }
    }

    pub(super) fn refused(self, refusal: Refusal) -> AgentPayload {
        let outcome = Outcome::refused(refusal.into());
        AgentPayload {
            agent: self.agent,
            outcome,
        }
    }

    /// Waits until the names made by this order can be used by the next one.
    pub(super) async fn answered(self, outcome: Outcome) -> AgentPayload {
        self.order.settle(&outcome).await;
        AgentPayload {
            agent: self.agent,
            outcome,
        }
    }

    /// Brings a command to the agent's present session.
    pub(super) async fn dispatch(&self, command: session::Command) -> Result<Outcome, Fault> {
        let (order, agent) = (&self.order, self.agent);
        let present = order.services.directory.session(agent);
        let seen = self.seen(present).await?;
        // One that is over is the target, too: the rules refuse what comes too late.
        let session = present.map_or(SessionId { agent, number: 1 }, |(session, _)| session);
        let mut envelope = order.envelope(self.any(command.clone()), agent.0);
        envelope.command = AnyCommand::Session(session, command);
        let gateway = &order.services.gateway;
        Outcome::of(seen::dispatch(gateway, session, envelope, seen.as_ref()).await)
    }

    /// A command to whichever session: the id of the order must not depend on it, so that
    /// a retry is one, whatever the agent did since.
    const fn any(&self, command: session::Command) -> AnyCommand {
        let agent = self.agent;
        AnyCommand::Session(SessionId { agent, number: 0 }, command)
    }

    /// What only the API can see speaks against the command, unless it was carried out
    /// before.
    pub(super) async fn refuse(
        &self,
        command: session::Command,
        error: UserError,
    ) -> Result<Outcome, Fault> {
        self.order.refuse(self.any(command), vec![error]).await
    }

    /// Where the agent's logins are, if it matters. The directory was asked before: a
    /// login that it takes for over is whole in the row.
    async fn seen(&self, session: Option<(SessionId, bool)>) -> Result<Option<SeenLogins>, Fault> {
        let Some(revision) = self.revision else {
            return Ok(None);
        };
        let (views, _) = views_now(self.order.services, &[View::AgentStates]).await?;
        let row = views.agent(self.agent).await?;
        let (number, version, revision_now) = row.map_or((0, 0, 0), |row| {
            let number = row.session_number.unwrap_or(0);
            (number, row.session_version, row.session_revision)
        });
        Ok(Some(SeenLogins {
            // A negative one is no revision of anything.
            expected: u64::try_from(revision).unwrap_or(u64::MAX),
            session,
            number,
            before: revision_now.saturating_sub(version),
            revision: revision_now,
        }))
    }
}

/// Brings a command to the agent's present session.
pub(super) async fn tell(
    ctx: &Context<'_>,
    about: About<'_>,
    whose: Whose,
    command: Result<session::Command, Refusal>,
) -> Result<AgentPayload> {
    let order = SessionOrder::new(ctx, about, whose)?;
    match order.known(command) {
        Err(refusal) => Ok(order.refused(refusal)),
        Ok(command) => {
            let outcome = order.dispatch(command).await?;
            Ok(order.answered(outcome).await)
        }
    }
}

/// Brings a wish to the agent's session.
pub(super) async fn wish(
    ctx: &Context<'_>,
    about: About<'_>,
    wish: impl FnOnce(bool) -> Result<Wish, Refusal>,
) -> Result<AgentPayload> {
    let order = SessionOrder::new(ctx, about, Whose::OwnOrManaged)?;
    let wish = match order.known(Ok(())).and_then(|()| wish(order.is_own)) {
        Err(refusal) => return Ok(order.refused(refusal)),
        Ok(wish) => wish,
    };
    let agent = order.agent;
    let given = &order.order;
    // Which session and which command it becomes, the directory says.
    let envelope = given.envelope(order.any(as_command(wish.clone())), agent.0);
    let (gateway, directory) = (&given.services.gateway, &given.services.directory);
    let seen = order.seen(directory.session(agent)).await?;
    let answer = carry_out(gateway, directory, agent, wish, &envelope, seen.as_ref()).await;
    let outcome = Outcome::of(answer)?;
    Ok(order.answered(outcome).await)
}

fn as_command(wish: Wish) -> session::Command {
    match wish {
        Wish::Ready => session::Command::GoReady,
        Wish::NotReady(reason, code) => session::Command::GoNotReady { reason, code },
        Wish::LogOut(reason) => session::Command::LogOut { reason },
    }
}

/// Why no calls are to be taken: a code stands for a reason.
pub(super) fn said(
    services: &Services,
    reason: Option<NotReadyWish>,
    code: Option<&str>,
) -> Result<(NotReadyReason, Option<NotReadyCode>), Refusal> {
    let reason = reason.map(NotReadyReason::from);
    let Some(code) = code else {
        let reason = reason.ok_or(Refusal::InvalidNotReadyReason)?;
        return Ok((reason, None));
    };
    let word = services.settings.pause(code);
    let word = word.ok_or(Refusal::UnknownNotReadyCode)?;
    match reason {
        Some(reason) if reason != word.category => Err(Refusal::InvalidNotReadyReason),
        Some(_) | None => Ok((word.category, Some(word.said))),
    }
}

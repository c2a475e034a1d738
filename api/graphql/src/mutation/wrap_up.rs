//! What an agent says of a call when the work after it is done.

use super::{
    Order, Outcome,
    agents::{AgentPayload, Whose, entitled, present_session},
    desk::CompleteWrapUpInput,
    refusal::Refusal,
};
use crate::{error::Fault, services::Settings};
use async_graphql::{Context, Result};
use commands::error::Refused;
use domain::{
    any::AnyCommand,
    id::{AgentId, SubjectId},
    sealed::Note,
    session::{CallNote, Command, Error},
};
use projections::changed::View;
use std::time::Duration;

/// Characters of a note at most: what is worth knowing, and no recording of the call.
const NOTE_CHARS_MAX: usize = 2_000;

/// Ends the wrap-up, or says why not.
pub(super) async fn complete(
    ctx: &Context<'_>,
    input: CompleteWrapUpInput,
) -> Result<AgentPayload> {
    let whose = Whose::OwnOrManaged;
    let (order, agent) = entitled(ctx, &input.command_id, &input.agent_id, whose)?;
    let outcome = match check(&order, agent, &input) {
        Some(refusal) => Outcome::refused(refusal.into()),
        None => dispatch(&order, agent, input.code, input.note).await?,
    };
    order.settle(&outcome).await;
    Ok(AgentPayload { agent, outcome })
}

fn check(order: &Order<'_>, agent: AgentId, input: &CompleteWrapUpInput) -> Option<Refusal> {
    if order.services.directory.agent(agent).is_none() {
        return Some(Refusal::UnknownAgent);
    }
    let settings: &Settings = &order.services.settings;
    if input
        .code
        .as_ref()
        .is_some_and(|code| !settings.knows_code(code))
    {
        return Some(Refusal::UnknownWrapUpCode);
    }
    let fits = |note: &String| (1..=NOTE_CHARS_MAX).contains(&note.trim().chars().count());
    let is_invalid = input.note.as_ref().is_some_and(|note| !fits(note));
    is_invalid.then_some(Refusal::InvalidNote)
}

async fn dispatch(
    order: &Order<'_>,
    agent: AgentId,
    code: Option<String>,
    note: Option<String>,
) -> Result<Outcome, Fault> {
    let session = present_session(order, agent);
    let complete = |note| AnyCommand::Session(session, Command::CompleteWrapUp { code, note });
    let Some(text) = note else {
        return order.dispatch(complete(None), agent.0).await;
    };
    match sealed(order, agent, text.trim().to_owned()).await? {
        Some(note) => order.dispatch(complete(Some(note)), agent.0).await,
        None => {
            let refused = Refused::by(&Error::NoWrapUp, order.services.clock.now());
            order.refuse(complete(None), vec![refused.into()]).await
        }
    }
}

/// The note, sealed for whoever called; none where the agent has no call.
async fn sealed(
    order: &Order<'_>,
    agent: AgentId,
    text: String,
) -> Result<Option<CallNote>, Fault> {
    let services = order.services;
    let views = &services.views;
    let head = views.past().head().await?;
    let timeout = Duration::from_millis(services.options.position_timeout_ms);
    let needed = [View::AgentStates, View::Timeline];
    views.wait_for(&needed, head, timeout).await?;
    let row = views.agent(agent).await?;
    let Some(call) = row.and_then(|row| row.call) else {
        return Ok(None);
    };
    let Some(was) = views.past().call_at(views, call, head).await? else {
        return Ok(None);
    };
    // All who show no number are sealed as one: what is noted of one of them is nobody
    // else's, so it has a key of its own.
    let of_its_own = SubjectId(call.0);
    let party = was.state.party.as_ref();
    let subject = party.map_or(of_its_own, |party| party.subject);
    let text = services.vault.seal_note(subject, &Note(text)).await?;
    Ok(Some(CallNote { call, text }))
}

//! What an agent says of a call when the work after it is done.

use super::{
    Order, Outcome,
    agents::AgentPayload,
    desk::CompleteWrapUpInput,
    refusal::Refusal,
    sessions::{About, SessionOrder, Whose},
    written::subject_of,
};
use crate::{error::Fault, query::views_now, services::Settings};
use async_graphql::{Context, Result};
use commands::error::Refused;
use domain::{
    id::AgentId,
    sealed::Note,
    session::{CallNote, Command, Error},
};
use projections::changed::View;

/// Characters of a note at most: what is worth knowing, and no recording of the call.
const NOTE_CHARS_MAX: usize = 2_000;

/// Ends the wrap-up, or says why not.
pub(super) async fn complete(
    ctx: &Context<'_>,
    input: CompleteWrapUpInput,
) -> Result<AgentPayload> {
    let about = About::new(&input.command_id, &input.agent_id, input.expected_revision);
    let order = SessionOrder::new(ctx, about, Whose::OwnOrManaged)?;
    let checked = check(&order.order, &input);
    if let Err(refusal) = order.known(checked) {
        return Ok(order.refused(refusal));
    }
    let outcome = dispatch(&order, input.code, input.note).await?;
    Ok(order.answered(outcome).await)
}

fn check(order: &Order<'_>, input: &CompleteWrapUpInput) -> Result<(), Refusal> {
    let settings: &Settings = &order.services.settings;
    let is_code = |code: &String| settings.knows_code(code);
    if input.code.as_ref().is_some_and(|code| !is_code(code)) {
        return Err(Refusal::UnknownWrapUpCode);
    }
    let fits = |note: &String| (1..=NOTE_CHARS_MAX).contains(&note.trim().chars().count());
    if input.note.as_ref().is_some_and(|note| !fits(note)) {
        return Err(Refusal::InvalidNote);
    }
    Ok(())
}

async fn dispatch(
    order: &SessionOrder<'_>,
    code: Option<String>,
    note: Option<String>,
) -> Result<Outcome, Fault> {
    let Some(text) = note else {
        return order
            .dispatch(Command::CompleteWrapUp { code, note: None })
            .await;
    };
    let text = text.trim().to_owned();
    match sealed(&order.order, order.agent, text).await? {
        Some(note) => {
            let note = Some(note);
            order.dispatch(Command::CompleteWrapUp { code, note }).await
        }
        None => {
            let refused = Refused::by(&Error::NoWrapUp, order.order.services.clock.now());
            let command = Command::CompleteWrapUp { code, note: None };
            order.refuse(command, refused.into()).await
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
    let (views, head) = views_now(services, &[View::AgentStates, View::Timeline]).await?;
    let row = views.agent(agent).await?;
    let Some(call) = row.and_then(|row| row.call) else {
        return Ok(None);
    };
    let Some(subject) = subject_of(views, call, head).await? else {
        return Ok(None);
    };
    let text = services.vault.seal_note(subject, &Note(text)).await?;
    Ok(Some(CallNote { call, text }))
}

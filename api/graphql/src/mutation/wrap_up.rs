//! What an agent says of a call when the work after it is done.

use super::{
    Order, Outcome,
    agents::AgentPayload,
    desk::CompleteWrapUpInput,
    refusal::Refusal,
    sessions::{About, SessionOrder, Whose},
    written::subject_of,
};
use crate::{error::Fault, id::Named, query::views_now, services::Settings};
use async_graphql::{Context, Result};
use commands::error::Refused;
use domain::{
    id::{AgentId, CallId},
    sealed::Note,
    session::{CallNote, Command, Error},
};
use projections::{agent_states, changed::View};

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
    let call = CallId::read_some(input.call_id.as_ref(), "callId")?;
    let call = match call {
        Some(call) => Some(call),
        None => shown(&order).await?,
    };
    let outcome = dispatch(&order, call, input.code, input.note).await?;
    Ok(order.answered(outcome).await)
}

/// The call whose work an agent who may have several sees first: what is said without a
/// call is of that one, and of no other that is the first by the time it is heard.
async fn shown(order: &SessionOrder<'_>) -> Result<Option<CallId>, Fault> {
    let (views, _) = views_now(order.order.services, &[View::AgentStates]).await?;
    let row = views.agent(order.agent).await?;
    let row = row.filter(|row| row.capacity > 1);
    Ok(row.and_then(|row| row.wrap_up(None).map(|it| it.call)))
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
    call: Option<CallId>,
    code: Option<String>,
    note: Option<String>,
) -> Result<Outcome, Fault> {
    let complete = |note| Command::CompleteWrapUp {
        code: code.clone(),
        note,
        call,
    };
    let Some(text) = note else {
        return order.dispatch(complete(None)).await;
    };
    let text = text.trim().to_owned();
    match sealed(&order.order, (order.agent, call), text).await? {
        Some(note) => order.dispatch(complete(Some(note))).await,
        None => {
            let refused = Refused::by(&Error::NoWrapUp, order.order.services.clock.now());
            order.refuse(complete(None), refused.into()).await
        }
    }
}

/// The note, sealed for whoever called; none where the agent has no call.
async fn sealed(
    order: &Order<'_>,
    (agent, call): (AgentId, Option<CallId>),
    text: String,
) -> Result<Option<CallNote>, Fault> {
    let services = order.services;
    let (views, head) = views_now(services, &[View::AgentStates, View::Timeline]).await?;
    let row = views.agent(agent).await?;
    let worked = |row: &agent_states::Row| match row.wrap_up(call) {
        Some(wrap_up) => Some(wrap_up.call),
        None => row.call,
    };
    let Some(call) = row.as_ref().and_then(worked) else {
        return Ok(None);
    };
    let Some(subject) = subject_of(views, call, head).await? else {
        return Ok(None);
    };
    let text = services.vault.seal_note(subject, &Note(text)).await?;
    Ok(Some(CallNote { call, text }))
}

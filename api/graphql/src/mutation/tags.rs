//! Orders about what people note of calls.

use super::{
    Order, Outcome, UserError, calls::HangUpPayload, refusal::Refusal, written::subject_of,
};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{require, views_now},
};
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::{error::Refused, ports::Position};
use domain::{
    any::AnyCommand,
    call::{self, Command, Tagging, UserField},
    id::{AgentId, CallId},
    sealed::Party,
};
use projections::{calls, changed::View};

/// Characters of a user field at most.
const USER_FIELD_CHARS_MAX: usize = 256;

#[derive(Default)]
pub(crate) struct TagMutations;

/// What is to be noted of a call.
#[derive(InputObject)]
pub(crate) struct TagCallInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which call: in progress or ended.
    call_id: ID,
    /// Tags that it is to have, 16 in all: each 1 to 64 letters, digits, `.`, `-`, `_`.
    /// Kept for ever: they tell of no person.
    #[graphql(default)]
    add: Vec<String>,
    /// Tags that it is not to have.
    #[graphql(default)]
    remove: Vec<String>,
    /// A text of up to 256 characters that goes with the call, instead of the one before;
    /// an empty one takes it away. It may tell of the caller: it is sealed as the number
    /// is, and forgotten with it.
    user_field: Option<String>,
    /// Only if the call is at this revision still, the `version` of its own last event
    /// (category `call`) in its timeline: else the answer is `CONFLICT`.
    expected_revision: Option<i32>,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct TagCallPayload {
    #[graphql(flatten)]
    outcome: HangUpPayload,
}

/// The call was offered to that agent, or connected to.
fn is_with(row: &calls::Call, agent: AgentId) -> bool {
    match row {
        calls::Call::Live(row) => {
            let mut ringing = row.ringing.iter();
            row.agent == Some(agent) || ringing.any(|ringing| ringing.agent == agent)
        }
        calls::Call::Ended(row) => row.agent == Some(agent),
    }
}

/// A line of text that could be read aloud.
fn is_line(text: &str) -> bool {
    text.chars().count() <= USER_FIELD_CHARS_MAX && !text.chars().any(char::is_control)
}

/// What becomes of the text; or what speaks against it.
async fn user_field(
    order: &Order<'_>,
    (call, head): (CallId, Position),
    text: Option<String>,
) -> Result<Result<Option<UserField>, UserError>, Fault> {
    let Some(text) = text else {
        return Ok(Ok(None));
    };
    if text.is_empty() {
        return Ok(Ok(Some(UserField::Cleared)));
    }
    if !is_line(&text) {
        return Ok(Err(Refusal::InvalidUserField.into()));
    }
    let services = order.services;
    let Some(subject) = subject_of(&services.views, call, head).await? else {
        let unknown = Refused::by(&call::Error::Unknown, services.clock.now());
        return Ok(Err(unknown.into()));
    };
    let party = Party {
        user_field: Some(text),
        ..Party::default()
    };
    let party = services.vault.seal_for(subject, &party).await?;
    Ok(Ok(Some(UserField::Written { party })))
}

#[Object]
impl TagMutations {
    /// Notes something of a call, while it goes on or after its end: tags, by which its
    /// record is found, and a text of one's own. What is noted after the end makes another
    /// revision of the record. For `call:supervise`, and for an agent (`agent:self`) whom
    /// the call is or was connected to, or rings for. Who did it is on the record.
    async fn tag_call(&self, ctx: &Context<'_>, input: TagCallInput) -> Result<TagCallPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let call = CallId::read(&input.call_id, "callId")?;
        // A call that has just come, or just rings there, is known, too.
        let needed = [View::LiveCalls, View::Cdr, View::Timeline];
        let (views, head) = views_now(order.services, &needed).await?;
        let row = views.call(call).await.map_err(Fault::from)?;
        let own = order.identity.agent.zip(row.as_ref());
        let is_own = own.is_some_and(|(agent, row)| is_with(row, agent));
        if !(is_own && order.identity.may(Scope::AgentSelf)) {
            require(ctx, Scope::CallSupervise)?;
        }
        let tagging = |user_field| Tagging {
            add: input.add.into_iter().collect(),
            remove: input.remove.into_iter().collect(),
            user_field,
            by: order.identity.actor(),
        };
        let order_of = |tagging| AnyCommand::Call(call, Command::TagCall(tagging));
        let outcome: Outcome = match user_field(&order, (call, head), input.user_field).await? {
            Ok(user_field) => {
                let command = order_of(tagging(user_field));
                let revision = input.expected_revision;
                order.dispatch_expecting(command, call.0, revision).await?
            }
            Err(error) => order.refuse(order_of(tagging(None)), vec![error]).await?,
        };
        let outcome = HangUpPayload { call, outcome };
        Ok(TagCallPayload { outcome })
    }
}

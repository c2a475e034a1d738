//! Orders about mailboxes and messages.

use super::{Order, Outcome, UserError, refusal::Refusal};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named as _,
    query::{Needs, require, views_at},
    scalar::{Cursor, Duration, count},
    types::{Mailbox, Voicemail, words::VoicemailStatus},
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{
    any::AnyCommand,
    id::{MailboxId, VoicemailId},
    mailbox::{Command, Config, Status},
};
use projections::changed::View;

#[derive(Default)]
pub(crate) struct VoicemailMutations;

/// A mailbox as it is to be.
#[derive(InputObject)]
pub(crate) struct UpsertMailboxInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Its name, by which it is found again; 1 to 64 letters, digits, `.`, `-`, `_`.
    name: String,
    /// What callers hear before the tone: a name of the settings; without it the tone
    /// alone.
    greeting: Option<String>,
    /// How long a message may be: 5 seconds to 10 minutes.
    #[graphql(default_with = "Duration(Config::default().longest_ms)")]
    longest_ms: Duration,
    /// Messages at most, up to 1000; then it is full.
    #[graphql(default_with = "count(Config::default().messages_max)")]
    messages_max: i32,
}

/// A message of which something has become.
#[derive(InputObject)]
pub(crate) struct MarkVoicemailInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which message.
    voicemail_id: ID,
    /// What. `DELETED` takes it away, as `deleteVoicemail` does.
    status: VoicemailStatus,
}

/// A message to be taken away.
#[derive(InputObject)]
pub(crate) struct DeleteVoicemailInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which message.
    voicemail_id: ID,
}

/// What came of it.
pub(crate) struct MailboxPayload {
    mailbox: MailboxId,
    outcome: Outcome,
}

#[Object]
impl MailboxPayload {
    /// The mailbox, once the views know it.
    async fn mailbox(&self, ctx: &Context<'_>) -> Result<Option<Mailbox>> {
        if !self.outcome.is_done() {
            return Ok(None);
        }
        require(ctx, Scope::VoicemailAccess)?;
        let views = views_at(ctx, &[View::Mailboxes], self.outcome.position).await?;
        let row = views.mailbox(self.mailbox).await;
        Ok(row.map_err(Fault::from)?.map(Mailbox))
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
pub(crate) struct VoicemailPayload {
    message: VoicemailId,
    outcome: Outcome,
}

#[Object]
impl VoicemailPayload {
    /// The message, once the views know what has become of it.
    async fn voicemail(&self, ctx: &Context<'_>) -> Result<Option<Voicemail>> {
        if !self.outcome.is_done() {
            return Ok(None);
        }
        let views = views_at(ctx, &[View::Voicemails], self.outcome.position).await?;
        let row = views.voicemail(self.message).await;
        Ok(row.map_err(Fault::from)?.map(Voicemail))
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

/// Asks the mailbox that has the message.
async fn tell(
    order: &Order<'_>,
    id: &ID,
    command: impl FnOnce(VoicemailId) -> Command,
) -> Result<VoicemailPayload> {
    let message = VoicemailId::read(id, "voicemailId")?;
    let row = order.services.views.voicemail(message).await;
    let Some(row) = row.map_err(Fault::from)? else {
        let outcome = Outcome::refused(Refusal::UnknownVoicemail.into());
        return Ok(VoicemailPayload { message, outcome });
    };
    let command = AnyCommand::Mailbox(row.mailbox, command(message));
    let outcome = order.dispatch(command, message.0).await?;
    Ok(VoicemailPayload { message, outcome })
}

async fn delete(order: &Order<'_>, id: &ID) -> Result<VoicemailPayload> {
    let by = order.identity.actor();
    tell(order, id, |message| Command::DeleteMessage { message, by }).await
}

#[Object]
impl VoicemailMutations {
    /// Makes a mailbox, or changes the one of that name.
    #[graphql(guard = "Needs(Scope::VoicemailManage)")]
    async fn upsert_mailbox(
        &self,
        ctx: &Context<'_>,
        input: UpsertMailboxInput,
    ) -> Result<MailboxPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let mailbox = MailboxId::named(order.identity.tenant, &input.name);
        let greeting = input.greeting.iter().map(String::as_str);
        if !order.services.settings.can_say(greeting) {
            let outcome = Outcome::refused(Refusal::UnknownAnnouncement.about("greeting"));
            return Ok(MailboxPayload { mailbox, outcome });
        }
        let config = Config {
            greeting: input.greeting,
            longest_ms: input.longest_ms.0,
            // A negative one is none: the rules refuse it.
            messages_max: u32::try_from(input.messages_max).unwrap_or(0),
        };
        let name = input.name;
        let command = AnyCommand::Mailbox(mailbox, Command::Configure { name, config });
        let outcome = order.dispatch(command, mailbox.0).await?;
        order.settle(&outcome).await;
        Ok(MailboxPayload { mailbox, outcome })
    }

    /// Says what has become of a message.
    #[graphql(guard = "Needs(Scope::VoicemailAccess)")]
    async fn mark_voicemail(
        &self,
        ctx: &Context<'_>,
        input: MarkVoicemailInput,
    ) -> Result<VoicemailPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let status = match input.status {
            VoicemailStatus::New => Status::New,
            VoicemailStatus::Read => Status::Read,
            VoicemailStatus::Saved => Status::Saved,
            VoicemailStatus::Deleted => return delete(&order, &input.voicemail_id).await,
        };
        let by = order.identity.actor();
        tell(&order, &input.voicemail_id, |message| {
            Command::MarkMessage {
                message,
                status,
                by,
            }
        })
        .await
    }

    /// Takes a message away, with its sound. Of one that was taken away before, nothing
    /// changes.
    #[graphql(guard = "Needs(Scope::VoicemailAccess)")]
    async fn delete_voicemail(
        &self,
        ctx: &Context<'_>,
        input: DeleteVoicemailInput,
    ) -> Result<VoicemailPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        delete(&order, &input.voicemail_id).await
    }
}

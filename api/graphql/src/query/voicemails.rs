//! Mailboxes and messages.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named as _,
    paging::{self, Asked, List},
    query::{Needs, views_at},
    scalar::Cursor,
    types::{Mailbox, Voicemail, words::VoicemailStatus},
};
use async_graphql::{Context, ID, Object, Result};
use domain::id::{MailboxId, VoicemailId};
use projections::{changed::View, voicemails};

#[derive(Default)]
pub(crate) struct VoicemailQueries;

/// What is asked for unless something else is: what is there.
const THERE: [voicemails::Status; 3] = [
    voicemails::Status::New,
    voicemails::Status::Read,
    voicemails::Status::Saved,
];

#[Object]
impl VoicemailQueries {
    /// All mailboxes, by name.
    #[graphql(guard = "Needs(Scope::VoicemailAccess)")]
    async fn mailboxes(
        &self,
        ctx: &Context<'_>,
        min_position: Option<Cursor>,
    ) -> Result<Vec<Mailbox>> {
        let views = views_at(ctx, &[View::Mailboxes], min_position).await?;
        let rows = views.mailboxes().await.map_err(Fault::from)?;
        Ok(rows.into_iter().map(Mailbox).collect())
    }

    /// A mailbox; null if there is none of that id.
    #[graphql(guard = "Needs(Scope::VoicemailAccess)")]
    async fn mailbox(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Option<Mailbox>> {
        let views = views_at(ctx, &[View::Mailboxes], min_position).await?;
        let row = views.mailbox(MailboxId::read(&id, "id")?).await;
        Ok(row.map_err(Fault::from)?.map(Mailbox))
    }

    /// The messages of a mailbox, the latest first; without `status`, all that were not
    /// taken away.
    #[graphql(guard = "Needs(Scope::VoicemailAccess)")]
    async fn voicemails(
        &self,
        ctx: &Context<'_>,
        mailbox_id: ID,
        status: Option<Vec<VoicemailStatus>>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Voicemail>> {
        let views = views_at(ctx, &[View::Voicemails], min_position).await?;
        let filter = voicemails::Filter {
            mailboxes: vec![MailboxId::read(&mailbox_id, "mailboxId")?],
            statuses: match status {
                Some(status) if !status.is_empty() => status.into_iter().map(Into::into).collect(),
                Some(_) | None => THERE.to_vec(),
            },
        };
        let read = async |page| views.voicemails(&filter, &page).await;
        paging::list(Asked::first(first, after), read, Voicemail).await
    }

    /// A message; null if there is none of that id.
    #[graphql(guard = "Needs(Scope::VoicemailAccess)")]
    async fn voicemail(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Option<Voicemail>> {
        let views = views_at(ctx, &[View::Voicemails], min_position).await?;
        let row = views.voicemail(VoicemailId::read(&id, "id")?).await;
        Ok(row.map_err(Fault::from)?.map(Voicemail))
    }
}

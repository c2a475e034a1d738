//! How many messages are in a mailbox, as it changes.

use super::{Follow, Heard, applied, follow, hear};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named as _,
    query::{Needs, services},
    scalar::{Cursor, count},
    types::VoicemailCounts,
};
use async_graphql::{Context, ID, Result, SimpleObject, Subscription};
use domain::id::MailboxId;
use futures_util::Stream;
use projections::{
    changed::{Change, Changes, View},
    views::Views,
};
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;

#[derive(Default)]
pub(crate) struct MailboxCounts;

/// A mailbox as it is now: first, and whenever its counts have changed.
#[derive(SimpleObject)]
pub(crate) struct VoicemailCountsItem {
    /// The messages in it; null as long as there is none of that id.
    counts: Option<VoicemailCounts>,
    /// Commits that were missed since the item before; the counts are as they are now
    /// all the same.
    missed: i32,
    /// This and everything before is told.
    cursor: Cursor,
}

struct Following {
    views: Views,
    changes: Receiver<Arc<Changes>>,
    mailbox: MailboxId,
    /// What was told last; none before the first.
    told: Option<Option<VoicemailCounts>>,
}

impl Following {
    /// Waits for the next commit that may be about the mailbox; how many commits were
    /// missed, or none when the views have ended.
    async fn wait(&mut self) -> Option<u64> {
        loop {
            match hear(&mut self.changes).await {
                Heard::Lagged(missed) => return Some(missed),
                Heard::Closed => return None,
                Heard::Changes(changes) => {
                    // Without rows the tables tell: see [`Changes::rows`].
                    let mut rows = changes.rows.iter();
                    let is_it =
                        |row: &Change| matches!(row, Change::Mailbox(id, _) if *id == self.mailbox);
                    if changes.rows.is_empty() || rows.any(is_it) {
                        return Some(0);
                    }
                }
            }
        }
    }
}

impl Follow for Following {
    type Item = VoicemailCountsItem;

    async fn next(&mut self) -> Result<Option<VoicemailCountsItem>, Fault> {
        loop {
            let missed = match self.told {
                None => 0,
                Some(_) => match self.wait().await {
                    Some(missed) => missed,
                    None => return Ok(None),
                },
            };
            let position = applied(&self.views, View::Mailboxes);
            let row = self.views.mailbox(self.mailbox).await?;
            let counts = row.as_ref().map(VoicemailCounts::of);
            // A message that is only expected changes nothing here.
            if self.told == Some(counts) && missed == 0 {
                continue;
            }
            self.told = Some(counts);
            return Ok(Some(VoicemailCountsItem {
                counts,
                missed: count(missed),
                cursor: position.into(),
            }));
        }
    }
}

#[Subscription]
impl MailboxCounts {
    /// How many messages are in a mailbox: first as it is, and then whenever that has
    /// changed.
    #[graphql(guard = "Needs(Scope::VoicemailAccess)")]
    async fn voicemail_counts(
        &self,
        ctx: &Context<'_>,
        mailbox_id: ID,
    ) -> Result<impl Stream<Item = Result<VoicemailCountsItem>>> {
        let mailbox = MailboxId::read(&mailbox_id, "mailboxId")?;
        let views = services(ctx)?.views.clone();
        // Heard first, read then: what comes in between is told twice, not lost.
        let changes = views.subscribe();
        Ok(follow(Following {
            views,
            changes,
            mailbox,
            told: None,
        }))
    }
}

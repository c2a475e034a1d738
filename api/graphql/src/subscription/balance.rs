//! What an account owes, has and reserves, as it changes.

use super::{Follow, Heard, applied, follow, hear};
use crate::{
    auth::Scope,
    error::Fault,
    query::{Needs, services, uuid},
    scalar::{Cursor, count},
    types::Account,
};
use async_graphql::{Context, ID, Result, SimpleObject, Subscription};
use domain::id::AccountId;
use futures_util::Stream;
use projections::{
    billing::{Changed, invoices::Standing},
    changed::{Change, Changes, View},
    views::Views,
};
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;

#[derive(Default)]
pub(crate) struct Balances;

/// An account as it is now: first, and after every change.
#[derive(SimpleObject)]
pub(crate) struct BalanceItem {
    /// The account; null as long as there is none of that id.
    account: Option<Account>,
    /// Commits that were missed since the item before; the account is as it is
    /// now all the same.
    missed: i32,
    /// This and everything before is told.
    cursor: Cursor,
}

struct Following {
    views: Views,
    changes: Receiver<Arc<Changes>>,
    account: AccountId,
    is_told: bool,
}

impl Following {
    /// Waits for the next commit that is about the account; how many commits
    /// were missed, or none when the views have ended.
    async fn wait(&mut self) -> Option<u64> {
        loop {
            match hear(&mut self.changes).await {
                Heard::Lagged(missed) => return Some(missed),
                Heard::Closed => return None,
                Heard::Changes(changes) => {
                    // Without rows the tables tell: see [`Changes::rows`].
                    let rows = &changes.rows;
                    if rows.is_empty() || rows.iter().any(|row| self.is_meant(row)) {
                        return Some(0);
                    }
                }
            }
        }
    }

    fn is_meant(&self, change: &Change) -> bool {
        match change {
            Change::Billing(
                Changed::Account(account, _)
                | Changed::Charge(_, account)
                | Changed::Usage(account),
            ) => *account == self.account,
            // Its day has passed: what the account owes is the same, and is late.
            Change::Billing(Changed::Invoice(_, Some(invoice))) => {
                invoice.account == self.account && invoice.standing() == Standing::Overdue
            }
            Change::Billing(Changed::Invoice(_, None))
            | Change::Timeline(..)
            | Change::LiveCall(..)
            | Change::AgentState(..)
            | Change::QueueStats(..)
            | Change::Cdr(..)
            | Change::Erasure(..)
            | Change::Trunk(..)
            | Change::Callback(..)
            | Change::Mailbox(..) => false,
        }
    }
}

impl Follow for Following {
    type Item = BalanceItem;

    async fn next(&mut self) -> Result<Option<BalanceItem>, Fault> {
        let missed = if self.is_told {
            match self.wait().await {
                Some(missed) => missed,
                None => return Ok(None),
            }
        } else {
            self.is_told = true;
            0
        };
        let position = applied(&self.views, View::Accounts);
        let row = self.views.account(self.account).await?;
        Ok(Some(BalanceItem {
            account: row.map(Account),
            missed: count(missed),
            cursor: position.into(),
        }))
    }
}

#[Subscription]
impl Balances {
    /// An account, first as it is and then after every change of what it owes,
    /// has or reserves, and when one of its invoices is overdue.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn balance(
        &self,
        ctx: &Context<'_>,
        account_id: ID,
    ) -> Result<impl Stream<Item = Result<BalanceItem>>> {
        let account = AccountId(uuid(&account_id, "an account", "accountId")?);
        let views = services(ctx)?.views.clone();
        // Heard first, read then: what comes in between is told twice, not lost.
        let changes = views.subscribe();
        Ok(follow(Following {
            views,
            changes,
            account,
            is_told: false,
        }))
    }
}

//! Orders about money: one file per noun. A value that has not the form of its
//! field is refused here, everything else by the rules.

mod accounts;
mod decks;
mod invoices;
mod payments;
mod plans;
mod rerate;
mod runs;
mod seller;
mod usage;

pub(crate) use accounts::AccountMutations;
pub(crate) use decks::DeckMutations;
pub(crate) use invoices::InvoiceMutations;
pub(crate) use payments::PaymentMutations;
pub(crate) use plans::PlanMutations;
pub(crate) use rerate::RerateMutations;
pub(crate) use runs::RunMutations;
pub(crate) use seller::SellerMutations;
pub(crate) use usage::UsageMutations;

use super::{Order, Outcome, UserError, refusal::Refusal};
use crate::{
    error::Fault,
    query::views_at,
    scalar::Cursor,
    types::{Account, Invoice},
};
use async_graphql::{Context, ID, Object, Result};
use domain::{
    any::AnyCommand,
    billing::Command,
    id::{AccountId, InvoiceId},
};
use projections::changed::View;
use std::str::FromStr;
use uuid::Uuid;

/// What an order about money came to.
pub(crate) struct BillingPayload {
    /// Of what was made or changed.
    id: Option<String>,
    account: Option<AccountId>,
    invoice: Option<InvoiceId>,
    outcome: Outcome,
}

impl BillingPayload {
    fn new(id: impl ToString, outcome: Outcome) -> Self {
        Self {
            id: Some(id.to_string()),
            account: None,
            invoice: None,
            outcome,
        }
    }

    const fn refused(errors: Vec<UserError>) -> Self {
        Self {
            id: None,
            account: None,
            invoice: None,
            outcome: Outcome {
                position: None,
                user_errors: errors,
            },
        }
    }

    const fn of_account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    const fn of_invoice(mut self, invoice: InvoiceId) -> Self {
        self.invoice = Some(invoice);
        self
    }
}

impl From<UserError> for BillingPayload {
    fn from(error: UserError) -> Self {
        Self::refused(vec![error])
    }
}

/// What came of an order about money.
#[Object]
impl BillingPayload {
    /// Id of what was made or changed; null when nothing was done.
    async fn id(&self) -> Option<ID> {
        let id = self.id.as_ref().filter(|_| self.outcome.is_done());
        id.map(|id| ID(id.clone()))
    }

    /// The account that the order was about, as it is now.
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        let Some(account) = self.account.filter(|_| self.outcome.is_done()) else {
            return Ok(None);
        };
        let needed = [View::Accounts, View::Usage];
        let views = views_at(ctx, &needed, self.outcome.position).await?;
        let row = views.account(account).await.map_err(Fault::from)?;
        Ok(row.map(Account))
    }

    /// The invoice that the order was about, as it is now.
    async fn invoice(&self, ctx: &Context<'_>) -> Result<Option<Invoice>> {
        let Some(invoice) = self.invoice.filter(|_| self.outcome.is_done()) else {
            return Ok(None);
        };
        let views = views_at(ctx, &[View::Invoices], self.outcome.position).await?;
        let row = views.invoice(invoice).await.map_err(Fault::from)?;
        Ok(row.map(Invoice))
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

/// Carries one command out.
async fn tell(order: &Order<'_>, command: Command, correlation: Uuid) -> Result<Outcome, Fault> {
    order
        .dispatch(AnyCommand::Billing(Box::new(command)), correlation)
        .await
}

/// A value that has not the form of its field.
fn invalid(field: &str, message: &str) -> UserError {
    UserError::new(Refusal::InvalidValue.code(), message, Some(field))
}

/// Reads a value that is written as text.
fn read<T: FromStr<Err: ToString>>(text: &str, field: &str) -> Result<T, UserError> {
    text.parse()
        .map_err(|error: T::Err| invalid(field, &error.to_string()))
}

//! Orders about invoices and credit notes.

use super::BillingPayload;
use crate::{
    auth::Scope,
    error::{Code, Fault},
    mutation::Order,
    query::{Needs, uuid},
    scalar::Amount,
    services::Services,
    types::words::TaxKind,
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::books::Books;
use domain::{
    any::AnyCommand,
    billing::{Command, bill_of::adjustment, invoice},
    id::{CreditNoteId, InvoiceId, derive},
};
use std::time::Duration;

#[derive(Default)]
pub(crate) struct InvoiceMutations;

/// An invoice that is meant.
#[derive(InputObject)]
pub(crate) struct IssueInvoiceInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which invoice.
    invoice_id: ID,
    /// Only if the invoice is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// A credit note to be made.
#[derive(InputObject)]
pub(crate) struct IssueCreditNoteInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which invoice it takes back.
    invoice_id: ID,
    /// How much, with tax; all that is not credited yet when not given.
    amount: Option<Amount>,
    /// Why.
    reason: String,
    /// Only if the invoice is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// A line for a draft.
#[derive(InputObject)]
pub(crate) struct AddInvoiceLineInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which draft.
    invoice_id: ID,
    /// What it is for, as it stands on the document.
    description: String,
    /// How much; below nothing to give something back. With tax where the draft's prices
    /// are.
    amount: Amount,
    /// Which tax applies, by the rates of the last day of the month.
    #[graphql(default_with = "TaxKind::Standard")]
    tax_category: TaxKind,
    /// Only if the invoice is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// A draft that is wrong.
#[derive(InputObject)]
pub(crate) struct DiscardInvoiceInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which draft.
    invoice_id: ID,
    /// Why.
    reason: String,
    /// Only if the invoice is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

/// An invoice that will not be paid.
#[derive(InputObject)]
pub(crate) struct WriteOffInvoiceInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which invoice.
    invoice_id: ID,
    /// Why.
    reason: String,
    /// Only if the invoice is at this `revision` still: else the answer is `CONFLICT`, and
    /// nothing is done.
    expected_revision: Option<i32>,
}

async fn ask(
    ctx: &Context<'_>,
    command_id: &ID,
    invoice_id: &ID,
    revision: Option<i32>,
    command: invoice::Command,
) -> Result<BillingPayload> {
    let order = Order::new(ctx, command_id)?;
    let invoice = InvoiceId(uuid(invoice_id, "an invoice", "invoiceId")?);
    let command = AnyCommand::Billing(Box::new(Command::Invoice(invoice, command)));
    let outcome = order.dispatch_expecting(command, invoice.0, revision);
    Ok(BillingPayload::new(invoice, outcome.await?).of_invoice(invoice))
}

/// Waits until the month of a draft that is discarded is open again, and can be invoiced.
async fn is_free(services: &Services, invoice: InvoiceId) -> Result<(), Fault> {
    let (feed, books) = (&services.invoicing.feed, &services.invoicing.books);
    let timeout = Duration::from_millis(services.options.position_timeout_ms);
    let free = async {
        let mut head = feed.head();
        books.wait_for(head).await;
        while books.read(|books| books.is_discarding(invoice)) {
            feed.wait_beyond(head).await;
            head = feed.head();
            books.wait_for(head).await;
        }
    };
    let late = "the draft is discarded, and its month is not open again yet; ask again";
    let free = tokio::time::timeout(timeout, free).await;
    free.map_err(|_| Fault::new(Code::Unavailable, late))
}

#[Object]
impl InvoiceMutations {
    /// Approves a draft: it gets its number from the series and never changes
    /// again.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn issue_invoice(
        &self,
        ctx: &Context<'_>,
        input: IssueInvoiceInput,
    ) -> Result<BillingPayload> {
        let (revision, command) = (input.expected_revision, invoice::Command::Approve);
        ask(ctx, &input.command_id, &input.invoice_id, revision, command).await
    }

    /// Adds a line to a draft that is not approved.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn add_invoice_line(
        &self,
        ctx: &Context<'_>,
        input: AddInvoiceLineInput,
    ) -> Result<BillingPayload> {
        let services = Order::new(ctx, &input.command_id)?.services;
        let invoice = InvoiceId(uuid(&input.invoice_id, "an invoice", "invoiceId")?);
        let seller = services.invoicing.books.read(Books::seller);
        let row = services.views.invoice(invoice).await.map_err(Fault::from)?;
        let head = row.and_then(|row| row.state.head);
        let (Some(seller), Some(head)) = (seller, head) else {
            return Ok(super::invalid("invoiceId", "is no invoice").into());
        };
        let category = input.tax_category.into();
        let (description, amount) = (input.description, input.amount.0);
        match adjustment(&head, &seller.tax_rates, description, amount, category) {
            Ok((line, text)) => {
                let text = text.map(str::to_owned);
                let command = invoice::Command::AddAdjustment { line, text };
                let revision = input.expected_revision;
                ask(ctx, &input.command_id, &input.invoice_id, revision, command).await
            }
            Err(error) => Ok(super::invalid("taxCategory", &error.to_string()).into()),
        }
    }

    /// Discards a draft that is wrong: what was used in its month can be rated again, and the
    /// month is invoiced anew by the next run. Nothing else of the draft is kept.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn discard_invoice(
        &self,
        ctx: &Context<'_>,
        input: DiscardInvoiceInput,
    ) -> Result<BillingPayload> {
        let reason = input.reason;
        let (revision, command) = (
            input.expected_revision,
            invoice::Command::Discard { reason },
        );
        let payload = ask(ctx, &input.command_id, &input.invoice_id, revision, command).await?;
        let services = Order::new(ctx, &input.command_id)?.services;
        let invoice = InvoiceId(uuid(&input.invoice_id, "an invoice", "invoiceId")?);
        is_free(services, invoice).await?;
        Ok(payload)
    }

    /// Takes an issued invoice back by a credit note, in part or whole.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn issue_credit_note(
        &self,
        ctx: &Context<'_>,
        input: IssueCreditNoteInput,
    ) -> Result<BillingPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        // The same order again is the same credit note, however much later.
        let credit_note = CreditNoteId(derive(order.millis(), order.client, "credit note"));
        let command = invoice::Command::Credit {
            credit_note,
            amount: input.amount.map(|amount| amount.0),
            reason: input.reason,
        };
        let invoice = InvoiceId(uuid(&input.invoice_id, "an invoice", "invoiceId")?);
        let command = AnyCommand::Billing(Box::new(Command::Invoice(invoice, command)));
        let outcome = order.dispatch_expecting(command, invoice.0, input.expected_revision);
        Ok(BillingPayload::new(credit_note, outcome.await?).of_invoice(invoice))
    }

    /// Gives up what is open of an invoice.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn write_off_invoice(
        &self,
        ctx: &Context<'_>,
        input: WriteOffInvoiceInput,
    ) -> Result<BillingPayload> {
        let (reason, revision) = (input.reason, input.expected_revision);
        let command = invoice::Command::WriteOff { reason };
        ask(ctx, &input.command_id, &input.invoice_id, revision, command).await
    }
}

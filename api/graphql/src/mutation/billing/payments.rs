//! Orders about what an account has paid and owes.

use super::{
    BillingPayload,
    accounts::{ask, expecting},
    invalid, read, tell,
};
use crate::{
    auth::Scope,
    mutation::Order,
    query::{Needs, uuid},
    scalar::Amount,
    types::words::PaymentMethod,
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{
    billing::{Command, account},
    id::{AccountId, InvoiceId, PaymentId, RefundId, derive},
    money::Money,
};

#[derive(Default)]
pub(crate) struct PaymentMutations;

/// What is owed beside all invoices and will not be paid.
#[derive(InputObject)]
pub(crate) struct WriteOffDebitInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which account.
    account_id: ID,
    /// Why.
    reason: String,
    /// Only if its ledger is at this `ledgerRevision` still: else nothing is done.
    expected_ledger_revision: Option<i32>,
}

/// A payment that came in.
#[derive(InputObject)]
pub(crate) struct RecordPaymentInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Whose.
    account_id: ID,
    /// How much.
    amount: Amount,
    /// Of which currency: that of the account.
    currency: String,
    /// How it came.
    method: PaymentMethod,
    /// What the payer or the bank wrote.
    reference: String,
    /// The invoice that it is for; the oldest due ones when not given.
    invoice_id: Option<ID>,
    /// Only if its ledger is at this `ledgerRevision` still: else nothing is done.
    expected_ledger_revision: Option<i32>,
}

/// A payment that is taken back.
#[derive(InputObject)]
pub(crate) struct ReversePaymentInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Whose.
    account_id: ID,
    /// Which payment.
    payment_id: ID,
    /// Why.
    reason: String,
    /// Only if its ledger is at this `ledgerRevision` still: else nothing is done.
    expected_ledger_revision: Option<i32>,
}

/// Credit that is paid out.
#[derive(InputObject)]
pub(crate) struct RefundCreditInput {
    /// UUID: the same one again is the same refund.
    command_id: ID,
    /// Whose credit.
    account_id: ID,
    /// How much; at most what nothing else has a claim on.
    amount: Amount,
    /// Of which currency: that of the account.
    currency: String,
    /// How it goes out.
    method: PaymentMethod,
    /// What was written to the payee.
    reference: String,
    /// Only if its ledger is at this `ledgerRevision` still: else nothing is done.
    expected_ledger_revision: Option<i32>,
}

#[Object]
impl PaymentMutations {
    /// Gives up what an account owes beside all invoices: credit was paid out, and the
    /// payment that it came from was taken back later.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn write_off_debit(
        &self,
        ctx: &Context<'_>,
        input: WriteOffDebitInput,
    ) -> Result<BillingPayload> {
        let reason = input.reason;
        if reason.trim().is_empty() {
            return Ok(invalid("reason", "is empty").into());
        }
        let command = account::Command::WriteOffDebit { reason };
        let of = (&input.account_id, input.expected_ledger_revision);
        ask(ctx, &input.command_id, of, command).await
    }

    /// Records a payment. It goes to the invoice that it names, then to the
    /// oldest due ones; the rest is credit.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn record_payment(
        &self,
        ctx: &Context<'_>,
        input: RecordPaymentInput,
    ) -> Result<BillingPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let account = AccountId(uuid(&input.account_id, "an account", "accountId")?);
        let currency = match read(&input.currency, "currency") {
            Ok(currency) => currency,
            Err(error) => return Ok(error.into()),
        };
        let invoice = input
            .invoice_id
            .map(|id| uuid(&id, "an invoice", "invoiceId"))
            .transpose()?;
        // The same order again is the same payment, however much later.
        let payment = PaymentId(derive(order.millis(), order.client, "payment"));
        let command = account::Command::ApplyPayment {
            payment,
            amount: Money::new(input.amount.0, currency),
            method: input.method.into(),
            reference: input.reference,
            invoice: invoice.map(InvoiceId),
        };
        let command = expecting(command, input.expected_ledger_revision);
        let outcome = tell(&order, Command::Account(account, command), account.0).await?;
        Ok(BillingPayload::new(payment, outcome).of_account(account))
    }

    /// Records that credit was paid out. The money itself is moved by whoever says so.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn refund_credit(
        &self,
        ctx: &Context<'_>,
        input: RefundCreditInput,
    ) -> Result<BillingPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let account = AccountId(uuid(&input.account_id, "an account", "accountId")?);
        let currency = match read(&input.currency, "currency") {
            Ok(currency) => currency,
            Err(error) => return Ok(error.into()),
        };
        // The same order again is the same refund, however much later.
        let refund = RefundId(derive(order.millis(), order.client, "refund"));
        let command = account::Command::RefundCredit {
            refund,
            amount: Money::new(input.amount.0, currency),
            method: input.method.into(),
            reference: input.reference,
        };
        let command = expecting(command, input.expected_ledger_revision);
        let outcome = tell(&order, Command::Account(account, command), account.0).await?;
        Ok(BillingPayload::new(refund, outcome).of_account(account))
    }

    /// Takes a payment back: what it had paid is owed again.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn reverse_payment(
        &self,
        ctx: &Context<'_>,
        input: ReversePaymentInput,
    ) -> Result<BillingPayload> {
        let payment = PaymentId(uuid(&input.payment_id, "a payment", "paymentId")?);
        let reason = input.reason;
        let command = account::Command::ReversePayment { payment, reason };
        let of = (&input.account_id, input.expected_ledger_revision);
        ask(ctx, &input.command_id, of, command).await
    }
}

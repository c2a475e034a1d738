//! What may be asked of an account.

use super::event::{PaymentMethod, Profile, SuspendReason};
use crate::{
    billing::{fees::Billed, usage::Record},
    calendar::{Date, Period},
    id::{CallId, CreditNoteId, InvoiceId, PaymentId, PlanId, RefundId},
    money::{Decimal, Money},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// An order about money by somebody who has seen the ledger at that revision.
    Expecting {
        /// Which (`ledger_version`).
        ledger: u32,
        /// What is ordered.
        command: Box<Self>,
    },
    /// Make it; refused when there is one of that name.
    Open {
        /// Its name; fixed.
        name: String,
        /// Everything else.
        profile: Profile,
    },
    /// Make it, or give it this profile; nothing happens when it has it.
    Configure {
        /// Its name; fixed when it is made.
        name: String,
        /// Everything else.
        profile: Profile,
        /// Only if its profile was changed so often, if that is said: being made counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected: Option<u32>,
    },
    /// How far it may go below nothing; none for no limit.
    SetCreditLimit {
        /// New limit.
        limit: Option<Decimal>,
    },
    /// Give it a plan from a day on.
    Subscribe {
        /// Which.
        plan: PlanId,
        /// First day.
        effective: Date,
    },
    /// Reserve credit for a call: in all so much until then. Refused when there
    /// is not so much.
    ReserveCredit {
        /// Which call.
        call: CallId,
        /// In all, with what is reserved for it already.
        amount: Decimal,
        /// How long that lasts, once the call is answered.
        until: Option<Timestamp>,
    },
    /// Nothing is reserved for the call any more.
    ReleaseCredit {
        /// Which call.
        call: CallId,
    },
    /// What a call comes to in a month counts against the credit; its reservation
    /// ends. A use that is no call counts in that month and in no other.
    CommitUsage {
        /// Which call.
        call: CallId,
        /// A later one replaces an earlier one of that month.
        revision: u32,
        /// On whose invoice it is: that of the month in which it is recorded.
        period: Period,
        /// With tax; below nothing when more is taken back than charged.
        amount: Decimal,
        /// It is a use that is no call.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_use: bool,
    },
    /// A use that is no call counts against the credit, and is to be counted: its
    /// record goes with it, so that the one is never without the other. Refused
    /// when there is not so much credit; nothing happens when it counts already.
    ChargeUsage {
        /// The month that it belongs to.
        period: Period,
        /// What was used.
        record: Box<Record>,
    },
    /// A use that was charged is not counted: its key is of another one.
    WithdrawUsage {
        /// What stands for a call in its record.
        call: CallId,
    },
    /// The month is to be invoiced. Refused while another one is that is not owed yet:
    /// fees are billed in advance, and once.
    BeginInvoice {
        /// Which.
        period: Period,
    },
    /// There is nothing to bill for the month that was to be invoiced, or its draft is
    /// discarded.
    DropInvoice {
        /// Which.
        period: Period,
    },
    /// An invoice is owed from now on.
    PostInvoice {
        /// Which.
        invoice: InvoiceId,
        /// Its number.
        number: String,
        /// Of which month.
        period: Period,
        /// How much; below nothing when more is given back than charged.
        amount: Decimal,
        /// When it is due.
        due_at: Timestamp,
        /// What fees have been billed with it.
        fees: Vec<Billed>,
    },
    /// A credit note counts for the account.
    PostCreditNote {
        /// Which.
        credit_note: CreditNoteId,
        /// What it takes back.
        invoice: InvoiceId,
        /// How much.
        amount: Decimal,
    },
    /// What is still open of an invoice will not be paid.
    WriteOff {
        /// Which.
        invoice: InvoiceId,
        /// Why; none where the invoice says already that it was given up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// What is owed beside all invoices will not be paid.
    WriteOffDebit {
        /// Why.
        reason: String,
    },
    /// A payment came: it goes to the invoice that it names, then to the oldest
    /// due ones; the rest is credit.
    ApplyPayment {
        /// Which; the same one counts once.
        payment: PaymentId,
        /// How much.
        amount: Money,
        /// How.
        method: PaymentMethod,
        /// What the payer or the bank wrote.
        reference: String,
        /// What it is for, if it says so.
        invoice: Option<InvoiceId>,
    },
    /// A payment was taken back, by the bank or by mistake.
    ReversePayment {
        /// Which.
        payment: PaymentId,
        /// Why.
        reason: String,
    },
    /// Credit is paid out to whom it belongs. Refused above what is free of it.
    RefundCredit {
        /// Which; the same one counts once.
        refund: RefundId,
        /// How much.
        amount: Money,
        /// How.
        method: PaymentMethod,
        /// What was written to the payee.
        reference: String,
    },
    /// It places no calls any more.
    Suspend {
        /// Why.
        reason: SuspendReason,
    },
    /// It may again.
    Reactivate,
    /// It is over; only at zero.
    Close,
}

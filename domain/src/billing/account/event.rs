//! What can have happened to an account. The stored schema: handle with care.

use crate::{
    billing::{fees::Billed, usage::Record},
    calendar::{Date, Period, Zone},
    decider,
    id::{AgentId, CallId, CreditNoteId, InvoiceId, PaymentId, PlanId, QueueId, RefundId, TrunkId},
    money::{Currency, Decimal, Money},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// When it pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMode {
    /// Before: calls need credit.
    Prepaid,
    /// After, by invoice.
    Postpaid,
}

/// How a payment came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// By credit card.
    CreditCard,
    /// By bank transfer.
    BankTransfer,
    /// By PayPal.
    PayPal,
    /// Any other way.
    Other,
}

/// Why it places no calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspendReason {
    /// It owes more than its credit limit.
    OverLimit,
    /// An invoice is long overdue.
    Overdue,
    /// A person said so.
    Operator,
}

/// A number that the account owns: calls to it are the account's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnedNumber {
    /// As callers dial it.
    pub number: String,
    /// The account pays for the caller.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_toll_free: bool,
}

/// What the account owns, so that it pays for the calls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Owned {
    /// Calls to these numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<OwnedNumber>,
    /// Calls in and out of these queues.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<QueueId>,
    /// Calls of these agents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentId>,
    /// Calls over these trunks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trunks: Vec<TrunkId>,
}

/// Everything that can change of an account, but its currency and zone, which
/// stay as they were at first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Of everything in it.
    pub currency: Currency,
    /// Where its months begin.
    pub zone: Zone,
    /// ISO 3166 code: decides on taxes.
    pub country: String,
    /// Country code of its numbers in E.164: calls elsewhere are international.
    pub calling_code: String,
    /// Tax id, of the form of its country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    /// Name and postal address, line by line, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Sealed<Party>>,
    /// When it pays.
    pub payment_mode: PaymentMode,
    /// It is paid by itself: a person's note for the payment gateway.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_auto_pay: bool,
    /// What it pays for.
    #[serde(default)]
    pub owned: Owned,
}

/// A part of a payment or of credit that went to an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// Which.
    pub invoice: InvoiceId,
    /// How much.
    pub amount: Decimal,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was made.
    #[serde(rename = "account_opened")]
    Opened {
        /// Its name, for ever.
        name: String,
        /// Everything else.
        profile: Profile,
    },
    /// It was changed.
    #[serde(rename = "account_configured")]
    Configured {
        /// Counts the changes; being made was 1.
        config_version: u32,
        /// Everything that can change.
        profile: Profile,
    },
    /// Its limit was set.
    #[serde(rename = "credit_limit_set")]
    CreditLimitSet {
        /// New limit; none for no limit.
        limit: Option<Decimal>,
    },
    /// It has its first plan.
    #[serde(rename = "plan_subscribed")]
    PlanSubscribed {
        /// Which.
        plan: PlanId,
        /// First day.
        effective: Date,
    },
    /// It has another plan.
    #[serde(rename = "plan_changed")]
    PlanChanged {
        /// Which.
        plan: PlanId,
        /// First day.
        effective: Date,
    },
    /// Credit is kept for a call.
    #[serde(rename = "credit_reserved")]
    CreditReserved {
        /// Which call.
        call: CallId,
        /// In all.
        amount: Decimal,
        /// How long that lasts, once the call is answered.
        until: Option<Timestamp>,
    },
    /// Nothing is kept for the call any more.
    #[serde(rename = "credit_released")]
    CreditReleased {
        /// Which call.
        call: CallId,
    },
    /// What a call cost, or a use that is none, counts against the credit. A use
    /// counts from now on in that month only; so does a call of before it was known
    /// what it comes to in each month.
    #[serde(rename = "usage_committed")]
    UsageCommitted {
        /// Which call; of a use that is none, what stands for it in its record.
        call: CallId,
        /// A later one replaces an earlier one; in that month, where it is of that.
        revision: u32,
        /// On whose invoice it will be, or is already.
        period: Period,
        /// With tax.
        amount: Decimal,
        /// It is a use that is no call.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_use: bool,
        /// It is what the call comes to in that month; others keep what they have.
        #[serde(
            rename = "of_period",
            default,
            skip_serializing_if = "std::ops::Not::not"
        )]
        is_in_period: bool,
        /// What is to be counted for it; none once it is, and of a call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<Box<Record>>,
    },
    /// A month is being invoiced: no other one is, until that is owed.
    #[serde(rename = "invoice_begun")]
    InvoiceBegun {
        /// Which.
        period: Period,
    },
    /// There was nothing to bill for the month, or its draft was discarded: another one can
    /// be invoiced.
    #[serde(rename = "invoice_dropped")]
    InvoiceDropped {
        /// Which.
        period: Period,
    },
    /// An invoice is owed; what its month had committed is in it.
    #[serde(rename = "charge_posted")]
    ChargePosted {
        /// Which.
        invoice: InvoiceId,
        /// Its number.
        number: String,
        /// Of which month.
        period: Period,
        /// How much; below nothing is credit.
        amount: Decimal,
        /// When it is due.
        due_at: Timestamp,
        /// What fees have been billed with it.
        fees: Vec<Billed>,
    },
    /// Credit went to an invoice.
    #[serde(rename = "credit_applied")]
    CreditApplied {
        /// How much to which.
        allocation: Allocation,
    },
    /// Credit that had gone to an invoice was not there after all: the payment that it
    /// came from was taken back. So much of the invoice is owed again.
    #[serde(rename = "credit_taken_back")]
    CreditTakenBack {
        /// How much from which.
        allocation: Allocation,
    },
    /// What credit notes of an invoice had given back pays that invoice: what had been
    /// paid of it was taken back. It is credit no more.
    #[serde(rename = "credit_note_settled")]
    CreditNoteSettled {
        /// How much of which.
        allocation: Allocation,
    },
    /// A credit note counts: first against its invoice, the rest is credit.
    #[serde(rename = "credit_note_posted")]
    CreditNotePosted {
        /// Which.
        credit_note: CreditNoteId,
        /// What it takes back.
        invoice: InvoiceId,
        /// How much.
        amount: Decimal,
        /// Of it, what was still open of the invoice or was given up of it.
        settled: Decimal,
        /// Of that, what was given up.
        #[serde(default, skip_serializing_if = "is_nothing")]
        of_written_off: Decimal,
    },
    /// What was open of an invoice will not be paid.
    #[serde(rename = "debt_written_off")]
    DebtWrittenOff {
        /// Which.
        invoice: InvoiceId,
        /// How much.
        amount: Decimal,
        /// Why; none where the invoice says already that it was given up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// What was owed beside all invoices will not be paid.
    #[serde(rename = "debit_written_off")]
    DebitWrittenOff {
        /// How much.
        amount: Decimal,
        /// Why.
        reason: String,
    },
    /// A payment came.
    #[serde(rename = "payment_applied")]
    PaymentApplied {
        /// Which.
        payment: PaymentId,
        /// How much.
        amount: Money,
        /// How.
        method: PaymentMethod,
        /// What the payer or the bank wrote.
        reference: String,
        /// What went to which invoice.
        allocations: Vec<Allocation>,
        /// What is credit now.
        credit: Decimal,
    },
    /// A payment was taken back: what it had paid is owed again.
    #[serde(rename = "payment_reversed")]
    PaymentReversed {
        /// Which.
        payment: PaymentId,
        /// How much.
        amount: Money,
        /// What had gone to which invoice.
        allocations: Vec<Allocation>,
        /// What had been credit.
        credit: Decimal,
        /// Why.
        reason: String,
    },
    /// Credit was paid out to whom it belongs.
    #[serde(rename = "credit_refunded")]
    CreditRefunded {
        /// Which.
        refund: RefundId,
        /// How much.
        amount: Money,
        /// How.
        method: PaymentMethod,
        /// What was written to the payee.
        reference: String,
    },
    /// It places no calls.
    #[serde(rename = "account_suspended")]
    Suspended {
        /// Why.
        reason: SuspendReason,
    },
    /// It may again.
    #[serde(rename = "account_reactivated")]
    Reactivated {},
    /// It is over.
    #[serde(rename = "account_closed")]
    Closed {},
}

/// As serde asks for it: by reference.
const fn is_nothing(amount: &Decimal) -> bool {
    amount.is_zero()
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "account_opened",
            Self::Configured { .. } => "account_configured",
            Self::CreditLimitSet { .. } => "credit_limit_set",
            Self::PlanSubscribed { .. } => "plan_subscribed",
            Self::PlanChanged { .. } => "plan_changed",
            Self::CreditReserved { .. } => "credit_reserved",
            Self::CreditReleased { .. } => "credit_released",
            Self::UsageCommitted { .. } => "usage_committed",
            Self::InvoiceBegun { .. } => "invoice_begun",
            Self::InvoiceDropped { .. } => "invoice_dropped",
            Self::ChargePosted { .. } => "charge_posted",
            Self::CreditApplied { .. } => "credit_applied",
            Self::CreditTakenBack { .. } => "credit_taken_back",
            Self::CreditNoteSettled { .. } => "credit_note_settled",
            Self::CreditNotePosted { .. } => "credit_note_posted",
            Self::DebtWrittenOff { .. } => "debt_written_off",
            Self::DebitWrittenOff { .. } => "debit_written_off",
            Self::PaymentApplied { .. } => "payment_applied",
            Self::PaymentReversed { .. } => "payment_reversed",
            Self::CreditRefunded { .. } => "credit_refunded",
            Self::Suspended { .. } => "account_suspended",
            Self::Reactivated {} => "account_reactivated",
            Self::Closed {} => "account_closed",
        }
    }
}

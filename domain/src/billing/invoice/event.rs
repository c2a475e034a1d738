//! What can have happened to an invoice. The stored schema: handle with care.

use crate::{
    billing::{Line, SeriesId, TaxLine, Totals, fees::Billed},
    calendar::{Date, Period, Zone},
    decider,
    id::{AccountId, CreditNoteId, InvoiceId, PaymentId},
    money::{Currency, Decimal, Rounding},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The seller as it stands on the document, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellerBlock {
    /// Name.
    pub name: String,
    /// Postal address, line by line.
    pub address: Vec<String>,
    /// ISO 3166 code.
    pub country: String,
    /// Tax id.
    pub tax_id: String,
    /// Bank account and the like, line by line.
    pub payment_lines: Vec<String>,
}

/// The buyer as it stands on the document, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerBlock {
    /// Name of the account.
    pub name: String,
    /// Name and postal address, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Sealed<Party>>,
    /// ISO 3166 code.
    pub country: String,
    /// Tax id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
}

/// Who bills whom, for when, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Who pays.
    pub account: AccountId,
    /// For which month.
    pub period: Period,
    /// Of every amount.
    pub currency: Currency,
    /// Where its days are meant.
    pub zone: Zone,
    /// Prices are with tax.
    pub is_tax_inclusive: bool,
    /// How amounts are rounded.
    pub rounding: Rounding,
    /// Who bills.
    pub seller: SellerBlock,
    /// Who pays, as it stands on the document.
    pub customer: CustomerBlock,
    /// What must be written on it: reverse charge and the like.
    pub texts: Vec<String>,
    /// Where its number comes from.
    pub series: SeriesId,
    /// What stands before the digits of its number.
    pub number_prefix: String,
    /// Where the numbers of its credit notes come from.
    pub credit_note_series: SeriesId,
    /// What stands before the digits of a credit note's number.
    pub credit_note_prefix: String,
    /// Days from issue to the due date.
    pub due_days: u32,
    /// Days after the due date on which a reminder is due, rising.
    pub reminder_days: Vec<u32>,
    /// Days after the due date on which the account is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend_days: Option<u32>,
    /// Fees that are billed with it, for days after its month.
    pub fees: Vec<Billed>,
    /// It waits for nobody: its number is asked for at once.
    pub is_approved: bool,
    /// Whoever pays does so ahead: credit covers it, as far as there is some.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_prepaid: bool,
}

/// Where the money for an invoice came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A payment.
    Payment(PaymentId),
    /// What had been paid before it was owed.
    Credit,
}

/// What a credit note says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditDocument {
    /// What it takes back.
    pub invoice: InvoiceId,
    /// Its number.
    pub invoice_number: String,
    /// Who paid or owes.
    pub account: AccountId,
    /// Of every amount.
    pub currency: Currency,
    /// Where its days are meant.
    pub zone: Zone,
    /// Who bills.
    pub seller: SellerBlock,
    /// Who paid.
    pub customer: CustomerBlock,
    /// What must be written on it.
    pub texts: Vec<String>,
    /// What is taken back; amounts above nothing.
    pub lines: Vec<Line>,
    /// By tax rate.
    pub taxes: Vec<TaxLine>,
    /// All of it.
    pub totals: Totals,
    /// Why.
    pub reason: String,
    /// Where its number comes from.
    pub series: SeriesId,
    /// What stands before the digits of its number.
    pub number_prefix: String,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was drafted.
    #[serde(rename = "invoice_drafted")]
    Drafted {
        /// Who bills whom, and how.
        head: Box<Head>,
        /// What for.
        lines: Vec<Line>,
        /// By tax rate.
        taxes: Vec<TaxLine>,
        /// All of it.
        totals: Totals,
    },
    /// A person added a line.
    #[serde(rename = "invoice_line_added")]
    LineAdded {
        /// All lines, with the new one at the end: its tax may move a coin.
        lines: Vec<Line>,
        /// By tax rate.
        taxes: Vec<TaxLine>,
        /// All of it.
        totals: Totals,
        /// What else must be written on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// The draft was wrong: its month is to be open again, and then its account.
    #[serde(rename = "invoice_discarded")]
    Discarded {
        /// Who would have paid.
        account: AccountId,
        /// For which month.
        period: Period,
        /// Why.
        reason: String,
    },
    /// It is to get its number.
    #[serde(rename = "invoice_approved")]
    Approved {
        /// From which series.
        series: SeriesId,
        /// What stands before the digits.
        number_prefix: String,
    },
    /// It has its number and never changes again.
    #[serde(rename = "invoice_issued")]
    Issued {
        /// As it is written.
        number: String,
        /// Who pays.
        account: AccountId,
        /// For which month.
        period: Period,
        /// The day there.
        issued_on: Date,
        /// The last day on which it is paid in time.
        due_on: Date,
        /// The end of that day.
        due_at: Timestamp,
        /// To be paid.
        total: Decimal,
        /// Of which currency.
        currency: Currency,
        /// Fees that are billed with it, for days after its month.
        fees: Vec<Billed>,
        /// Its document shows what the account owed before it. Those of earlier programs
        /// do not, and stay as they are.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        shows_account: bool,
    },
    /// Something of it was paid.
    #[serde(rename = "invoice_payment_recorded")]
    PaymentRecorded {
        /// From what.
        source: Source,
        /// How much.
        amount: Decimal,
        /// What is left to pay.
        left: Decimal,
    },
    /// A payment of it was taken back.
    #[serde(rename = "invoice_payment_reversed")]
    PaymentReversed {
        /// Which.
        source: Source,
        /// How much.
        amount: Decimal,
        /// What is left to pay.
        left: Decimal,
        /// When the next step of dunning is due.
        next_at: Option<Timestamp>,
        /// Which step that is.
        next_level: u32,
    },
    /// Nothing is left to pay.
    #[serde(rename = "invoice_paid")]
    Paid {},
    /// It is not paid in time.
    #[serde(rename = "invoice_overdue")]
    Overdue {
        /// Who owes it.
        account: AccountId,
        /// How many steps of dunning were taken, from 1.
        level: u32,
        /// When the next one is due.
        next_at: Option<Timestamp>,
        /// With this one the account is suspended.
        suspends: bool,
    },
    /// It was taken back, in part or whole.
    #[serde(rename = "invoice_credited")]
    Credited {
        /// By which credit note.
        credit_note: CreditNoteId,
        /// What that says.
        document: Box<CreditDocument>,
        /// What is left to pay.
        left: Decimal,
    },
    /// A person gives up what is open: the account knows how much that is.
    #[serde(rename = "invoice_write_off_asked")]
    WriteOffAsked {
        /// Who owes it.
        account: AccountId,
        /// Why.
        reason: String,
    },
    /// It will not be paid.
    #[serde(rename = "invoice_written_off")]
    WrittenOff {
        /// Who owed it.
        account: AccountId,
        /// How much was left.
        amount: Decimal,
        /// Why.
        reason: String,
        /// The account has given it up. By earlier programs it had not yet.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_by_account: bool,
    },
    /// A credit note took some of what had been given up.
    #[serde(rename = "invoice_write_off_lowered")]
    WriteOffLowered {
        /// How much.
        amount: Decimal,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Drafted { .. } => "invoice_drafted",
            Self::LineAdded { .. } => "invoice_line_added",
            Self::Discarded { .. } => "invoice_discarded",
            Self::Approved { .. } => "invoice_approved",
            Self::Issued { .. } => "invoice_issued",
            Self::PaymentRecorded { .. } => "invoice_payment_recorded",
            Self::PaymentReversed { .. } => "invoice_payment_reversed",
            Self::Paid {} => "invoice_paid",
            Self::Overdue { .. } => "invoice_overdue",
            Self::Credited { .. } => "invoice_credited",
            Self::WriteOffAsked { .. } => "invoice_write_off_asked",
            Self::WrittenOff { .. } => "invoice_written_off",
            Self::WriteOffLowered { .. } => "invoice_write_off_lowered",
        }
    }
}

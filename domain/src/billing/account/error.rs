//! Why a command for an account may be refused.

use super::event::{Profile, SuspendReason};
use crate::{
    billing::tax_id,
    calendar::Period,
    decider::Refusal,
    money::{Currency, Decimal, Money},
};
use std::collections::BTreeSet;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is one of that name, or it has another.
    #[error("account of that name already exists")]
    AlreadyExists,
    /// There is none.
    #[error("there is no such account")]
    Unknown,
    /// It is over.
    #[error("the account is closed")]
    Closed,
    /// A name is 1 to 64 letters, digits, dots, dashes and underscores.
    #[error("name is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidName,
    /// A country is two capital letters.
    #[error("country: is not two capital letters of ISO 3166")]
    InvalidCountry,
    /// A calling code is one to three digits.
    #[error("calling_code: is not 1 to 3 digits")]
    InvalidCallingCode,
    /// A tax id has a form of its country.
    #[error("tax_id: has no form of a tax id of that country")]
    InvalidTaxId,
    /// A number is what people dial, and is there once.
    #[error("numbers: is no number, or is there twice")]
    InvalidNumber,
    /// An account keeps its currency, and is paid in it.
    #[error("currency: the account is in {expected}")]
    OtherCurrency {
        /// The account's.
        expected: Currency,
    },
    /// Its months would begin at other instants.
    #[error("zone: an account keeps its time zone")]
    OtherZone,
    /// An amount below nothing.
    #[error("{field}: is negative")]
    Negative {
        /// Which.
        field: &'static str,
    },
    /// A payment is some amount of whole coins.
    #[error("amount: is not more than 0, or finer than the smallest coin")]
    InvalidAmount,
    /// More than is free of the credit.
    #[error("amount: is more than {most}, which is what is free of the credit")]
    RefundTooLarge {
        /// What can be paid out.
        most: Decimal,
    },
    /// What is taken back says why.
    #[error("reason: is empty")]
    NoReason,
    /// Money that goes out can be found again at the bank.
    #[error("reference: is empty")]
    NoReference,
    /// Another month of it is being invoiced.
    #[error("its invoice of {begun} is not issued yet")]
    InvoiceUnderWay {
        /// Which.
        begun: Period,
    },
    /// The month is invoiced.
    #[error("{field}: that month is invoiced already, or is being invoiced")]
    InvoicedAlready {
        /// Which.
        field: &'static str,
    },
    /// Fees are owed from the first day of a plan on: a slip of the year is not invoiced.
    #[error("effective: is more than ten years ago or ahead")]
    TooFar,
    /// It places no calls.
    #[error("the account is suspended: {reason:?}")]
    Suspended {
        /// Why.
        reason: SuspendReason,
    },
    /// Nothing is left to reserve.
    #[error("there is not enough credit")]
    CreditExhausted,
    /// It owes nothing for that invoice any more.
    #[error("invoice_id: is paid already")]
    AlreadyPaid,
    /// It has no such invoice.
    #[error("invoice_id: is none of this account that is issued")]
    UnknownInvoice,
    /// It has no such payment.
    #[error("payment_id: is none of this account")]
    UnknownPayment,
    /// Somebody else has given it another profile since that was read.
    #[error("expected_revision: the profile was changed meanwhile, it is at revision {revision}")]
    ChangedMeanwhile {
        /// What it is at.
        revision: u32,
    },
    /// Money has come or gone, or somebody else has decided about it, since that was read.
    #[error("expected_ledger_revision: the ledger was changed, it is at revision {revision}")]
    LedgerChanged {
        /// What it is at.
        revision: u32,
    },
    /// It can be closed only at zero.
    #[error("the account is not even: it owes, has credit, a draft or a running call")]
    NotEven,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "account.already_exists",
            Self::Unknown => "account.unknown",
            Self::Closed => "account.closed",
            Self::InvalidName => "account.invalid_name",
            Self::InvalidCountry => "account.invalid_country",
            Self::InvalidCallingCode => "account.invalid_calling_code",
            Self::InvalidTaxId => "account.invalid_tax_id",
            Self::InvalidNumber => "account.invalid_number",
            Self::OtherCurrency { .. } => "account.other_currency",
            Self::OtherZone => "account.other_zone",
            Self::Negative { .. } => "account.negative",
            Self::InvalidAmount => "account.invalid_amount",
            Self::RefundTooLarge { .. } => "account.refund_too_large",
            Self::NoReason => "account.no_reason",
            Self::NoReference => "account.no_reference",
            Self::InvoiceUnderWay { .. } => "account.invoice_under_way",
            Self::InvoicedAlready { .. } => "account.invoiced_already",
            Self::TooFar => "account.too_far",
            Self::Suspended { .. } => "account.suspended",
            Self::CreditExhausted => "account.credit_exhausted",
            Self::AlreadyPaid => "account.already_paid",
            Self::UnknownInvoice => "account.unknown_invoice",
            Self::UnknownPayment => "account.unknown_payment",
            Self::ChangedMeanwhile { .. } => "account.changed_meanwhile",
            Self::LedgerChanged { .. } => "account.ledger_changed",
            Self::NotEven => "account.not_even",
        }
    }
}

/// Money that comes or goes is some amount of whole coins, in the account's currency.
pub(super) fn check_amount(profile: &Profile, amount: Money) -> Result<(), Error> {
    let expected = profile.currency;
    if amount.currency != expected {
        return Err(Error::OtherCurrency { expected });
    }
    let is_whole = amount.amount.floor(expected.exponent()) == amount.amount;
    if amount.amount <= Decimal::ZERO || !is_whole {
        return Err(Error::InvalidAmount);
    }
    Ok(())
}

pub(super) fn check(name: &str, profile: &Profile) -> Result<(), Error> {
    if !crate::name::is_valid(name) {
        return Err(Error::InvalidName);
    }
    let country = profile.country.as_bytes();
    if country.len() != 2 || !country.iter().all(u8::is_ascii_uppercase) {
        return Err(Error::InvalidCountry);
    }
    let code = profile.calling_code.as_bytes();
    if !(1..=3).contains(&code.len()) || !code.iter().all(u8::is_ascii_digit) {
        return Err(Error::InvalidCallingCode);
    }
    if let Some(id) = &profile.tax_id
        && !tax_id::is_valid(&profile.country, id)
    {
        return Err(Error::InvalidTaxId);
    }
    let mut seen = BTreeSet::new();
    for owned in &profile.owned.numbers {
        if !crate::name::is_number(&owned.number) || !seen.insert(&owned.number) {
            return Err(Error::InvalidNumber);
        }
    }
    Ok(())
}

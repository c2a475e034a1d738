//! Why a command for an invoice may be refused.

use crate::{decider::Refusal, money::Decimal};

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no draft.
    #[error("there is no such invoice")]
    Unknown,
    /// There is nothing to bill.
    #[error("the invoice has no lines")]
    Empty,
    /// A fault of ours: it must never be issued.
    #[error("lines, taxes and totals do not add up")]
    DoesNotAddUp,
    /// Issued documents never change.
    #[error("the invoice is approved or issued and never changes; a credit note corrects it")]
    Immutable,
    /// Only a draft can be discarded.
    #[error("the invoice is issued, or about to be; a credit note takes it back")]
    NoDraft,
    /// A line says what it is for.
    #[error("description: is empty")]
    NoDescription,
    /// A line is for something, and no invoice is endless.
    #[error("amount: is less than half a coin, or above 1000000000")]
    InvalidAmount,
    /// Nobody has approved it.
    #[error("the invoice is not approved")]
    NotApproved,
    /// Only an issued one can be credited or written off.
    #[error("the invoice is not issued")]
    NotIssued,
    /// It is paid or credited.
    #[error("nothing is left to pay of the invoice")]
    NothingLeft,
    /// A credit note says why, and so does who gives up a debt or discards a draft.
    #[error("reason: is empty")]
    NoReason,
    /// More than the invoice has, or nothing.
    #[error("amount: is not more than 0 and at most {most}, in whole coins")]
    InvalidCredit {
        /// What is not credited yet.
        most: Decimal,
    },
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "invoice.unknown",
            Self::Empty => "invoice.empty",
            Self::DoesNotAddUp => "invoice.does_not_add_up",
            Self::Immutable => "invoice.immutable",
            Self::NoDraft => "invoice.no_draft",
            Self::NoDescription => "invoice.no_description",
            Self::InvalidAmount => "invoice.invalid_amount",
            Self::NotApproved => "invoice.not_approved",
            Self::NotIssued => "invoice.not_issued",
            Self::NothingLeft => "invoice.nothing_left",
            Self::NoReason => "invoice.no_reason",
            Self::InvalidCredit { .. } => "invoice.invalid_credit",
        }
    }
}

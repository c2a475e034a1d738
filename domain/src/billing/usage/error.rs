//! Why usage may not be recorded.

use crate::{
    billing::{rating::UnratedReason, usage_type::UsageType},
    decider::Refusal,
};

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is invoiced; what comes late belongs to the next open month.
    #[error("the month is closed")]
    PeriodClosed,
    /// It charged for calls of that kind as a whole: what one of them came to is not
    /// known, and is not taken back.
    #[error("the month is closed, and charged for these calls as a whole")]
    Settled,
    /// One month of one account has one currency.
    #[error("currency: the month has another one")]
    OtherCurrency,
    /// A command is about one call.
    #[error("cdr: a record is of another call")]
    OtherCall,
    /// Calls record what they use.
    #[error("usage_type: the calls themselves record what they use")]
    OfCalls(UsageType),
    /// A key is 1 to 128 visible signs of ASCII.
    #[error("key: is not 1 to 128 visible signs of ASCII")]
    InvalidKey,
    /// A key names one use.
    #[error("key: is of another use of that month")]
    OtherUse,
    /// Nothing is no use, and no use is endless.
    #[error("quantity: is not 1 to 1000000000")]
    InvalidQuantity,
    /// What was used is over.
    #[error("at: is in the future")]
    InFuture,
    /// No month of the books is so long ago.
    #[error("at: is before 3 January 1970")]
    TooEarly,
    /// It says what it was in a line.
    #[error("description: is longer than 200 letters, or has signs that are none")]
    InvalidDescription,
    /// Nothing is recorded without a price.
    #[error("usage_type: has no price: {0}")]
    NoPrice(UnratedReason),
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::PeriodClosed => "usage.period_closed",
            Self::Settled => "usage.settled",
            Self::OtherCurrency => "usage.other_currency",
            Self::OtherCall => "usage.other_call",
            Self::OfCalls(_) => "usage.of_calls",
            Self::InvalidKey => "usage.invalid_key",
            Self::OtherUse => "usage.other_use",
            Self::InvalidQuantity => "usage.invalid_quantity",
            Self::InFuture => "usage.in_future",
            Self::TooEarly => "usage.too_early",
            Self::InvalidDescription => "usage.invalid_description",
            Self::NoPrice(_) => "usage.no_price",
        }
    }
}

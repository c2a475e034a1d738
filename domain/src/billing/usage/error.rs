//! Why usage may not be recorded.

use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is invoiced; what comes late belongs to the next open month.
    #[error("the month is closed")]
    PeriodClosed,
    /// One month of one account has one currency.
    #[error("currency: the month has another one")]
    OtherCurrency,
    /// A command is about one call.
    #[error("cdr: a record is of another call")]
    OtherCall,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::PeriodClosed => "usage.period_closed",
            Self::OtherCurrency => "usage.other_currency",
            Self::OtherCall => "usage.other_call",
        }
    }
}

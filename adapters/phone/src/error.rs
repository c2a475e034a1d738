//! What can go wrong when a phone is asked to do something.

use std::io;

/// Why an order to a phone was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A socket could not be opened or used.
    #[error("socket failed")]
    Io(#[from] io::Error),
    /// No final answer came before the transaction timed out (64 x T1, RFC 3261 17.1), or before the caller's limit.
    #[error("no answer in time")]
    Timeout,
    /// The other side refused.
    #[error("refused with {status} {reason}")]
    Rejected {
        /// Final status, 300 to 699.
        status: u16,
        /// Reason phrase.
        reason: String,
    },
    /// The caller took the call back before it was answered.
    #[error("call was cancelled")]
    Cancelled,
    /// The call is over, or not yet as far as the order needs.
    #[error("call is not in a state for this")]
    WrongState,
    /// 200 was sent and never acknowledged.
    #[error("answer was never acknowledged")]
    NotAcknowledged,
    /// The offered audio has nothing that this phone can take.
    #[error("no common codec")]
    NoCommonCodec,
    /// The phone's task has ended.
    #[error("phone is gone")]
    PhoneGone,
}

/// The result of an order to a phone.
pub type Result<T> = std::result::Result<T, Error>;

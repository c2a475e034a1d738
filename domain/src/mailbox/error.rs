//! Why a mailbox may say no.

use super::event::Config;
use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("mailbox does not exist")]
    Unknown,
    /// A name is 1 to 64 letters, digits, dots, dashes and underscores.
    #[error("name is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidName,
    /// An announcement is named as in the configuration.
    #[error("greeting is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidGreeting,
    /// Too short to say anything, or so long that nobody listens to its end.
    #[error("longest_ms is not between 5000 and 600000")]
    InvalidLongest,
    /// No room for anything, or more than anybody listens to.
    #[error("messages_max is not between 1 and 1000")]
    InvalidMessagesMax,
    /// It holds as many messages as it may, those that are being left included.
    #[error("mailbox is full")]
    Full,
    /// No such message, or one that is long gone.
    #[error("message is not known in the mailbox")]
    UnknownMessage,
    /// It is still being left.
    #[error("message is still being left")]
    NotLeft,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "mailbox.unknown",
            Self::InvalidName => "mailbox.invalid_name",
            Self::InvalidGreeting => "mailbox.invalid_greeting",
            Self::InvalidLongest => "mailbox.invalid_longest",
            Self::InvalidMessagesMax => "mailbox.invalid_messages_max",
            Self::Full => "mailbox.full",
            Self::UnknownMessage => "mailbox.unknown_message",
            Self::NotLeft => "mailbox.not_left",
        }
    }
}

/// Longest message there is: it is held in memory until it is written.
pub const LONGEST_MS_MAX: u64 = 600_000;
const LONGEST_MS_MIN: u64 = 5_000;
/// Messages in one mailbox at most: they are kept with their sound.
pub const MESSAGES_MAX: u32 = 1_000;

pub(super) fn check(name: &str, config: &Config) -> Result<(), Error> {
    if !crate::name::is_valid(name) {
        return Err(Error::InvalidName);
    }
    if !config.greeting.as_deref().is_none_or(crate::name::is_valid) {
        return Err(Error::InvalidGreeting);
    }
    if !(LONGEST_MS_MIN..=LONGEST_MS_MAX).contains(&config.longest_ms) {
        return Err(Error::InvalidLongest);
    }
    if !(1..=MESSAGES_MAX).contains(&config.messages_max) {
        return Err(Error::InvalidMessagesMax);
    }
    Ok(())
}

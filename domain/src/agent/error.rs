//! Why a configuration may be refused.

use super::event::Config;
use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is one of that name.
    #[error("agent of that name already exists")]
    AlreadyExists,
    /// A name is 1 to 64 letters, digits, dots, dashes and underscores.
    #[error("name is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidName,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "agent.already_exists",
            Self::InvalidName => "agent.invalid_name",
        }
    }
}

pub(super) fn check(name: &str, _config: &Config) -> Result<(), Error> {
    if crate::name::is_valid(name) {
        Ok(())
    } else {
        Err(Error::InvalidName)
    }
}

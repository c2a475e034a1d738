//! Why a configuration may be refused.

use super::event::Config;
use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is one of that name.
    #[error("trunk of that name already exists")]
    AlreadyExists,
    /// A name is 1 to 64 letters, digits, dots, dashes and underscores.
    #[error("name is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidName,
    /// Nothing could ever come in.
    #[error("allow is empty")]
    NothingAllowed,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "trunk.already_exists",
            Self::InvalidName => "trunk.invalid_name",
            Self::NothingAllowed => "trunk.nothing_allowed",
        }
    }
}

pub(super) fn check(name: &str, config: &Config) -> Result<(), Error> {
    if !crate::name::is_valid(name) {
        return Err(Error::InvalidName);
    }
    if config.allow.is_empty() {
        Err(Error::NothingAllowed)
    } else {
        Ok(())
    }
}

//! What callers hear while they wait.

use super::{error::Error, event::Config};
use serde::{Deserialize, Serialize};

/// What is to become of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetMusic {
    /// It stays.
    #[default]
    Keep,
    /// Our own track.
    BuiltIn,
    /// A name of the settings.
    To(String),
}

impl SetMusic {
    pub(super) fn of(self, current: Option<String>) -> Option<String> {
        match self {
            Self::Keep => current,
            Self::BuiltIn => None,
            Self::To(name) => Some(name),
        }
    }
}

pub(super) fn check(config: &Config) -> Result<(), Error> {
    match config.music.as_deref().is_none_or(crate::name::is_valid) {
        true => Ok(()),
        false => Err(Error::InvalidMusic),
    }
}

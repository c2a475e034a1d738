//! That callers who wait are told their place.

use super::{error::Error, event::Config};
use crate::call::AnswerMode;
use serde::{Deserialize, Serialize};

/// Every so often, unless the queue says otherwise.
pub const ANNOUNCE_EVERY_MS: u64 = 30_000;
/// For the first time, unless the queue says otherwise.
pub const ANNOUNCE_FIRST_MS: u64 = 5_000;
/// Places that are told by number, unless the queue says otherwise.
pub const ANNOUNCE_UP_TO: u32 = 10;
/// Places that can be told by number at most.
pub const ANNOUNCE_UP_TO_MAX: u32 = 99;

/// So long a prompt lasts at most, without the silence before it: it is over before the next.
pub const PROMPT_MS_MAX: u64 = 9_000;

/// Ten seconds to ten minutes: a prompt is over before the next one.
const EVERY_MS: std::ops::RangeInclusive<u64> = 10_000..=600_000;
/// A second, in which the caller is answered, to ten minutes.
const FIRST_MS: std::ops::RangeInclusive<u64> = 1_000..=600_000;

const fn every_ms() -> u64 {
    ANNOUNCE_EVERY_MS
}

const fn first_ms() -> u64 {
    ANNOUNCE_FIRST_MS
}

const fn up_to() -> u32 {
    ANNOUNCE_UP_TO
}

/// How callers who wait are told their place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncePosition {
    /// By which prompts: a name of the settings.
    pub sounds: String,
    /// From one time to the next.
    #[serde(default = "every_ms")]
    pub every_ms: u64,
    /// From when the caller begins to wait to the first time.
    #[serde(default = "first_ms")]
    pub first_ms: u64,
    /// The last place that is told by number; who stands behind it is told so.
    #[serde(default = "up_to")]
    pub up_to: u32,
}

/// What is to become of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetAnnouncePosition {
    /// It stays.
    #[default]
    Keep,
    /// Nobody is told.
    Never,
    /// So.
    To(Box<AnnouncePosition>),
}

impl SetAnnouncePosition {
    pub(super) fn of(
        self,
        current: Option<Box<AnnouncePosition>>,
    ) -> Option<Box<AnnouncePosition>> {
        match self {
            Self::Keep => current,
            Self::Never => None,
            Self::To(announced) => Some(announced),
        }
    }
}

pub(super) fn check(config: &Config) -> Result<(), Error> {
    let Some(announced) = &config.announce_position else {
        return Ok(());
    };
    let is_in_bounds = crate::name::is_valid(&announced.sounds)
        && EVERY_MS.contains(&announced.every_ms)
        && FIRST_MS.contains(&announced.first_ms)
        && (1..=ANNOUNCE_UP_TO_MAX).contains(&announced.up_to);
    if !is_in_bounds {
        return Err(Error::InvalidAnnouncePosition);
    }
    match config.answer_mode {
        AnswerMode::Immediate => Ok(()),
        AnswerMode::OnAgent => Err(Error::PositionUnheard),
    }
}

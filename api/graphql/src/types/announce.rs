//! How callers who wait are told their place in the line.

use crate::scalar::{Duration, count};
use async_graphql::{InputObject, SimpleObject};
use domain::queue::{self, ANNOUNCE_EVERY_MS, ANNOUNCE_FIRST_MS, ANNOUNCE_UP_TO};

/// How callers who wait are told their place. For whom a phone rings is not told.
#[derive(SimpleObject)]
pub(crate) struct AnnouncePosition {
    /// By which prompts: a name of the settings.
    sounds: String,
    /// From one time to the next.
    every_ms: Duration,
    /// From when the caller begins to wait to the first time.
    first_ms: Duration,
    /// The last place that is told by number; who stands behind it is told so.
    up_to: i32,
}

impl From<&queue::AnnouncePosition> for AnnouncePosition {
    fn from(told: &queue::AnnouncePosition) -> Self {
        Self {
            sounds: told.sounds.clone(),
            every_ms: Duration(told.every_ms),
            first_ms: Duration(told.first_ms),
            up_to: count(told.up_to),
        }
    }
}

/// How callers who wait are to be told their place. For whom a phone rings is not told.
#[derive(InputObject)]
pub(crate) struct AnnouncePositionInput {
    /// By which prompts: a name of the settings.
    sounds: String,
    /// From one time to the next.
    #[graphql(default_with = "Duration(ANNOUNCE_EVERY_MS)")]
    every_ms: Duration,
    /// From when the caller begins to wait to the first time.
    #[graphql(default_with = "Duration(ANNOUNCE_FIRST_MS)")]
    first_ms: Duration,
    /// The last place that is told by number; who stands behind it is told so.
    #[graphql(default_with = "count(ANNOUNCE_UP_TO)")]
    up_to: i32,
}

impl From<AnnouncePositionInput> for queue::AnnouncePosition {
    fn from(input: AnnouncePositionInput) -> Self {
        Self {
            sounds: input.sounds,
            every_ms: input.every_ms.0,
            first_ms: input.first_ms.0,
            // A negative one is none: the rules refuse it.
            up_to: u32::try_from(input.up_to).unwrap_or(0),
        }
    }
}

//! What a queue asks of the agents who take its calls: what offers in vain
//! lead to, by cause, and whether a wrap-up ends without a code.

use super::error::Error;
use crate::session::{NotReadyReason, ReleaseReason};
use serde::{Deserialize, Serialize};

/// Longest time that an agent is left alone: a day.
const DELAY_MS_MAX: u64 = 86_400_000;
/// Most offers in a row that may come to nothing.
const IN_A_ROW_MAX: u32 = 1_000;

/// What follows an offer that came to nothing for one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The agent is left alone this long; 0 for not at all.
    pub delay_ms: u64,
    /// After so many in a row the agent is not ready any more; 0 for never.
    pub in_a_row_max: u32,
}

/// What a queue asks of its agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// The phone rang too long.
    pub no_answer: Pause,
    /// Declined.
    pub rejected: Pause,
    /// The phone was busy.
    pub busy: Pause,
    /// No phone responded.
    pub unreachable: Pause,
    /// A wrap-up ends only with a code that says what came of the call.
    pub wrap_up_code: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self::STANDARD
    }
}

impl Terms {
    /// What holds unless something else is set.
    pub const STANDARD: Self = Self {
        no_answer: Pause {
            delay_ms: 0,
            in_a_row_max: 3,
        },
        rejected: Pause {
            delay_ms: 10_000,
            in_a_row_max: 0,
        },
        busy: Pause {
            delay_ms: 60_000,
            in_a_row_max: 0,
        },
        unreachable: Pause {
            delay_ms: 60_000,
            in_a_row_max: 0,
        },
        wrap_up_code: false,
    };

    /// Nothing else is set.
    pub fn is_standard(&self) -> bool {
        *self == Self::STANDARD
    }

    /// What follows an offer that ended so, and why the agent is then not ready;
    /// none where the agent is not to blame.
    pub const fn after(&self, reason: ReleaseReason) -> Option<(Pause, NotReadyReason)> {
        match reason {
            ReleaseReason::NoAnswer => Some((self.no_answer, NotReadyReason::Rona)),
            ReleaseReason::Rejected => Some((self.rejected, NotReadyReason::Rejected)),
            ReleaseReason::Busy => Some((self.busy, NotReadyReason::Busy)),
            ReleaseReason::Unreachable => Some((self.unreachable, NotReadyReason::Unreachable)),
            ReleaseReason::CallerGone
            | ReleaseReason::Superseded
            | ReleaseReason::AnsweredElsewhere
            | ReleaseReason::TimedOut => None,
        }
    }
}

pub(super) fn check(terms: &Terms, wrap_up_ms: u64) -> Result<(), Error> {
    let pauses = [
        terms.no_answer,
        terms.rejected,
        terms.busy,
        terms.unreachable,
    ];
    let are_valid = pauses
        .iter()
        .all(|pause| pause.delay_ms <= DELAY_MS_MAX && pause.in_a_row_max <= IN_A_ROW_MAX);
    if !are_valid {
        return Err(Error::InvalidPause);
    }
    if terms.wrap_up_code && wrap_up_ms == 0 {
        return Err(Error::CodeWithoutWrapUp);
    }
    Ok(())
}

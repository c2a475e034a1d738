//! Offers in a row that came to nothing, by whose fault, and what a queue says of them: by
//! rules of the checkers' own.

use domain::{
    queue::{Pause, Terms},
    session::ReleaseReason,
};
use std::collections::BTreeMap;

/// How many of each there were in a row.
#[derive(Debug, Default, Clone)]
pub(crate) struct InVain(BTreeMap<ReleaseReason, u32>);

/// What follows of one.
pub(crate) struct Follows {
    /// By the terms of the queue.
    pub(crate) pause: Pause,
    /// It was one too many: the agent is not ready any more.
    pub(crate) is_too_many: bool,
}

impl InVain {
    /// One more; nothing follows where the agent is not to blame.
    pub(crate) fn count(&mut self, terms: &Terms, reason: ReleaseReason) -> Option<Follows> {
        let pause = match reason {
            ReleaseReason::NoAnswer => terms.no_answer,
            ReleaseReason::Rejected => terms.rejected,
            ReleaseReason::Busy => terms.busy,
            ReleaseReason::Unreachable => terms.unreachable,
            ReleaseReason::CallerGone
            | ReleaseReason::Superseded
            | ReleaseReason::AnsweredElsewhere
            | ReleaseReason::TimedOut => return None,
        };
        let count = self.0.entry(reason).or_default();
        *count += 1;
        let is_too_many = pause.in_a_row_max > 0 && *count >= pause.in_a_row_max;
        Some(Follows { pause, is_too_many })
    }

    /// The row is broken: a contact, or ready again.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

//! What a checker says when something is wrong.

use domain::time::Timestamp;
use std::fmt;

/// A rule of the product that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(pub String);

/// The condition, or the violation that it is not so.
pub(crate) fn must(holds: bool, says: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds {
        Ok(())
    } else {
        Err(Violation(says()))
    }
}

/// A world that broke a rule, and how to see it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The world's seed.
    pub seed: u64,
    /// Calls that the world was asked for.
    pub calls: u64,
    /// Calls that it had received by then.
    pub received_count: u64,
    /// Steps until then.
    pub step: u64,
    /// The world's time.
    pub at: Timestamp,
    /// Which rule.
    pub violation: Violation,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (step {}, {}); again: ringledger simulate --world {} --calls {}",
            self.violation, self.step, self.at, self.seed, self.calls
        )
    }
}

impl std::error::Error for Failure {}

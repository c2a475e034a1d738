//! Why a command had no effect.

use crate::ports;
use domain::{decider::Refusal, time::Timestamp};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

/// Code of a refusal that is no aggregate's: the stream is not at the expected version.
const STALE: &str = "stream.stale";

/// A refusal, told from faults: the rules said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Stable code, for example `agent.not_ready`.
    pub code: &'static str,
    /// What was wrong, in words.
    pub message: String,
    /// Version of the stream that it was decided on.
    pub version: u64,
    /// When it was decided.
    pub at: Timestamp,
}

impl Refused {
    /// Before any stream was asked.
    pub fn by(refusal: &impl Refusal, at: Timestamp) -> Self {
        Self {
            code: refusal.code(),
            message: refusal.to_string(),
            version: 0,
            at,
        }
    }

    /// The command is for a stream at another version than it is at.
    pub(crate) fn stale(expected: u64, actual: u64, at: Timestamp) -> Self {
        Self {
            code: STALE,
            message: format!("revision is {actual}, not {expected}"),
            version: actual,
            at,
        }
    }

    /// Somebody else has changed what the command is about, since whoever ordered looked.
    pub fn is_stale(&self) -> bool {
        self.code == STALE
    }

    /// As a log has kept it.
    pub fn kept(refusal: ports::Refusal) -> Self {
        Self {
            code: known_code(&refusal.code),
            message: refusal.message,
            version: refusal.version,
            at: refusal.at,
        }
    }
}

/// The code as a text that lives as long as the program. There are as many as
/// pages in `docs/errors`, and each is kept once.
fn known_code(code: &str) -> &'static str {
    static CODES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    // Every change under the lock is one insert.
    let mut codes = CODES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = codes.get(code) {
        return known;
    }
    let kept: &'static str = Box::leak(code.to_owned().into_boxed_str());
    codes.insert(kept);
    kept
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

/// Why a dispatch failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DispatchError {
    /// The rules said no.
    #[error("refused: {0}")]
    Refused(Refused),
    /// Others kept writing to the stream; try again.
    #[error("stream kept changing")]
    Conflict,
    /// The store can not be reached or has no room. The outcome may be
    /// unknown: retry with the same command id.
    #[error("store is unavailable: {0}")]
    Unavailable(String),
    /// A stored event of the stream can not be read.
    #[error("stream is unreadable: {0}")]
    Corrupt(String),
}

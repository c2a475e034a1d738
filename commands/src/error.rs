//! Why a command had no effect.

use std::fmt;

/// A refusal, told from faults: the rules said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Stable code, for example `agent.not_ready`.
    pub code: &'static str,
    /// What was wrong, in words.
    pub message: String,
    /// Version of the stream that it was decided on.
    pub version: u64,
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

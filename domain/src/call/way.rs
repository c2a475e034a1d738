//! Where a call goes, and why: words of its events.

use crate::sealed::{Party, Sealed};
use serde::{Deserialize, Serialize};

/// When the caller hears 200 OK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerMode {
    /// At once, with music: "answered" and "agent connected" are two instants.
    Immediate,
    /// Only when an agent answers; 180 until then.
    OnAgent,
}

/// Whom a leg that goes out through a trunk is to reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A number of the configuration.
    Number(String),
    /// A person.
    Party(Sealed<Party>),
}

/// Why a call leaves a queue for the place that the queue names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverflowCause {
    /// The queue was at its capacity.
    Full,
    /// It waited as long as the queue allows.
    MaxWait,
    /// Nobody who serves the queue is logged in.
    Unstaffed,
    /// It would have waited longer than the queue lets anybody wait who comes.
    ExpectedWait,
    /// It was offered as often as the queue allows, in vain.
    Attempts,
    /// It came outside the queue's hours.
    Closed,
    /// The caller pressed a key that leads out of the queue.
    ExitKey,
    /// A person has sent it into another queue.
    Supervisor,
}

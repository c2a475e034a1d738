//! What may be asked of a callback.

use super::event::Request;
use crate::{
    cause::EndReason,
    id::{CallId, LegId, VisitId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The person answered.
    Reached,
    /// The call ended before that.
    Missed {
        /// How.
        reason: EndReason,
        /// The person was rung.
        is_counted: bool,
    },
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Promise it.
    Request(Request),
    /// Have it at another time.
    Reschedule {
        /// Not before this instant.
        not_before: Timestamp,
        /// Who decides.
        by: String,
    },
    /// Try now.
    StartAttempt {
        /// Which attempt, from 1.
        attempt: u32,
        /// The call that is placed for it.
        call: CallId,
        /// Its stay in the queue.
        visit: VisitId,
        /// The leg to the person.
        leg: LegId,
    },
    /// Tell what came of an attempt. A fact: never refused.
    RecordOutcome {
        /// Which attempt.
        attempt: u32,
        /// What.
        outcome: Outcome,
    },
    /// Give it up: its time is over.
    Expire,
    /// Give it up.
    Cancel {
        /// Who decides.
        by: String,
    },
}

impl Command {
    /// Its name, without its data: stable, part of derived ids.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Request(_) => "request_callback",
            Self::Reschedule { .. } => "reschedule_callback",
            Self::StartAttempt { .. } => "start_attempt",
            Self::RecordOutcome { .. } => "record_outcome",
            Self::Expire => "expire_callback",
            Self::Cancel { .. } => "cancel_callback",
        }
    }
}

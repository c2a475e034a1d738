//! What may be asked of a schedule.

use super::event::Segment;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Have these segments in the span, and nothing else that was planned in it.
    Set {
        /// First instant of the span.
        from: Timestamp,
        /// First instant after it.
        to: Timestamp,
        /// What is planned, in any order; none for nothing.
        segments: Vec<Segment>,
    },
}

impl Command {
    /// Its name, without its data: stable, part of derived ids.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Set { .. } => "set_schedule",
        }
    }
}

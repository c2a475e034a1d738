//! What is known of a waiting line: its open visits, so its size is bounded by
//! the queue's capacity and not by its history.

use super::event::Measure;
use crate::{
    id::{CallId, OfferId, SessionId, VisitId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One open visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Which call.
    pub call: CallId,
    /// When it was enqueued first.
    pub enqueued_at: Timestamp,
    /// When this stay began.
    pub since: Timestamp,
    /// The offers that it is given to; none while it waits, several where
    /// phones ring side by side.
    pub matched: BTreeMap<OfferId, SessionId>,
    /// Rounds of offers that came to nothing.
    pub attempts: u32,
    /// A priority of its own.
    pub priority: Option<i32>,
    /// By which it is measured.
    #[serde(default)]
    pub measure: Option<Measure>,
}

/// What has been folded from a line's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Line {
    /// The open visits.
    pub visits: BTreeMap<VisitId, Visit>,
}

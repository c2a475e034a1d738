//! What is known of a waiting line: its open visits, so its size is bounded by
//! the queue's capacity and not by its history.

use crate::{
    id::{CallId, OfferId, SessionId, VisitId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One open visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Which call.
    pub call: CallId,
    /// When it was enqueued first.
    pub enqueued_at: Timestamp,
    /// The offer that it is given to; none while it waits.
    pub matched: Option<(OfferId, SessionId)>,
    /// Offers that came to nothing.
    pub attempts: u32,
}

/// What has been folded from a line's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Line {
    /// The open visits.
    pub visits: BTreeMap<VisitId, Visit>,
}

//! What agents are to do when.

use crate::{scalar::DateTime, types::words::ScheduledActivity};
use async_graphql::SimpleObject;
use domain::schedule::Segment;

/// A time for which something is planned for an agent: the start belongs to it, the end
/// does not.
#[derive(SimpleObject)]
pub(crate) struct ScheduleSegment {
    /// Its first instant.
    from: DateTime,
    /// The first instant after it.
    to: DateTime,
    /// What.
    activity: ScheduledActivity,
}

impl From<Segment> for ScheduleSegment {
    fn from(segment: Segment) -> Self {
        Self {
            from: DateTime(segment.from),
            to: DateTime(segment.to),
            activity: segment.activity.into(),
        }
    }
}

//! What is known of a schedule.

use super::event::Segment;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Segments that are remembered: those of half a year and more.
pub(super) const SEGMENTS_KEPT_MAX: usize = 1_000;

/// What has been folded from a schedule's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Schedule {
    /// What is planned, in the order of time and without overlap: the latest, as many as
    /// are remembered.
    pub segments: Vec<Segment>,
    /// From when on that is all that is planned; none where nothing was let go of.
    pub whole_from: Option<Timestamp>,
}

impl Schedule {
    /// What is planned in the span, as far as it is within; none where that is not known
    /// any more.
    pub(super) fn planned(&self, from: Timestamp, to: Timestamp) -> Option<Vec<Segment>> {
        let is_whole = self.whole_from.is_none_or(|whole_from| whole_from <= from);
        is_whole.then(|| within(&self.segments, from, to))
    }
}

/// The parts of segments that are within the span.
pub fn within(segments: &[Segment], from: Timestamp, to: Timestamp) -> Vec<Segment> {
    let parts = segments.iter().map(|segment| Segment {
        from: segment.from.max(from),
        to: segment.to.min(to),
        ..*segment
    });
    parts.filter(|part| part.from < part.to).collect()
}

/// Has these segments in the span instead of those that were planned, of which only the
/// parts outside stay. All are in the order of time and without overlap, before and after.
pub fn replace(
    planned: &mut Vec<Segment>,
    (from, to): (Timestamp, Timestamp),
    segments: &[Segment],
) {
    // In the order of time, so what the span touches is one stretch.
    let first = planned.partition_point(|segment| segment.to <= from);
    let last = planned.partition_point(|segment| segment.from < to);
    let touched = planned.get(first..last.max(first)).unwrap_or_default();
    let before = touched.first().filter(|segment| segment.from < from);
    let before = before.map(|segment| Segment {
        to: from,
        ..*segment
    });
    let after = touched.last().filter(|segment| segment.to > to);
    let after = after.map(|segment| Segment {
        from: to,
        ..*segment
    });
    let with = before
        .into_iter()
        .chain(segments.iter().copied())
        .chain(after);
    let with: Vec<_> = with.collect();
    drop(planned.splice(first..last.max(first), with));
}

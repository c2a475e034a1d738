//! Why a schedule may be refused.

use super::event::Segment;
use crate::{decider::Refusal, time::Timestamp};

/// Longest span that is set at once: a month.
pub const SPAN_MS_MAX: u64 = 31 * 86_400_000;
/// Segments of one span at most.
pub const SEGMENTS_MAX: usize = 200;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The log can not write every instant, and nobody plans for one that it can not.
    #[error("from and to are not between the years 1970 and 9999")]
    InvalidTime,
    /// It ends before it begins, or at once.
    #[error("span does not end after it begins")]
    InvalidSpan,
    /// Nobody plans so far at once.
    #[error("span is longer than 31 days")]
    SpanTooLong,
    /// More than anybody does in that time.
    #[error("segments are more than 200")]
    TooManySegments,
    /// One ends before it begins, or at once.
    #[error("a segment does not end after it begins")]
    InvalidSegment,
    /// One begins before the span, or ends after it.
    #[error("a segment is not within the span")]
    SegmentOutside,
    /// Nobody does two things at once.
    #[error("two segments overlap")]
    Overlap,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::InvalidTime => "schedule.invalid_time",
            Self::InvalidSpan => "schedule.invalid_span",
            Self::SpanTooLong => "schedule.span_too_long",
            Self::TooManySegments => "schedule.too_many_segments",
            Self::InvalidSegment => "schedule.invalid_segment",
            Self::SegmentOutside => "schedule.segment_outside",
            Self::Overlap => "schedule.overlap",
        }
    }
}

/// A span that can be set, and seen, at once.
///
/// # Errors
/// When it is out of range, reversed or too long.
pub fn check_span(from: Timestamp, to: Timestamp) -> Result<(), Error> {
    let first = Timestamp::from_micros(0);
    let is_written = |at: Timestamp| (first..=Timestamp::LAST).contains(&at);
    if !is_written(from) || !is_written(to) {
        return Err(Error::InvalidTime);
    }
    if to <= from {
        return Err(Error::InvalidSpan);
    }
    if to > from.plus_ms(SPAN_MS_MAX) {
        return Err(Error::SpanTooLong);
    }
    Ok(())
}

/// These, in the order of time, can be what is planned in the span.
pub(super) fn check_segments(
    (from, to): (Timestamp, Timestamp),
    segments: &[Segment],
) -> Result<(), Error> {
    if segments.len() > SEGMENTS_MAX {
        return Err(Error::TooManySegments);
    }
    if segments.iter().any(|segment| segment.to <= segment.from) {
        return Err(Error::InvalidSegment);
    }
    let is_within = |segment: &Segment| from <= segment.from && segment.to <= to;
    if !segments.iter().all(is_within) {
        return Err(Error::SegmentOutside);
    }
    if segments.windows(2).any(|two| two[1].from < two[0].to) {
        return Err(Error::Overlap);
    }
    Ok(())
}

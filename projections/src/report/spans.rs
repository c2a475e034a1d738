//! Intervals of a time zone. A day has 23 or 25 hours where the clocks are
//! changed, and an hour that comes twice is two intervals.

use chrono::{DateTime, Datelike as _, NaiveDate, Offset as _, TimeZone as _, Timelike as _};
use chrono_tz::Tz;
use domain::time::Timestamp;

/// The smallest interval: every zone's clock differs from UTC by a multiple.
pub(crate) const SLOT_MICROS: i64 = 900_000_000;
/// Intervals of one report at most.
const SPANS_MAX: usize = 3_000;
/// Smallest intervals that a report covers at most: two years.
const SLOTS_MAX: i64 = 2 * 366 * 96;

/// How long an interval is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Granularity {
    /// 15 minutes.
    QuarterHour,
    /// 30 minutes.
    HalfHour,
    /// 60 minutes.
    Hour,
    /// A day of the zone.
    Day,
}

/// Why a range has no intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// It ends before it starts, or at once.
    #[error("range ends before it starts")]
    Empty,
    /// It has too many.
    #[error("range has more than 3000 intervals or is longer than two years")]
    TooLong,
}

/// An interval: the start belongs to it, the end does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

/// What the intervals of one length have in common on the wall.
type Face = (NaiveDate, u32, i32);

fn face(slot: i64, granularity: Granularity, zone: Tz) -> Option<Face> {
    let utc = DateTime::from_timestamp_micros(slot * SLOT_MICROS)?;
    let local = zone.from_utc_datetime(&utc.naive_utc());
    let offset_s = local.offset().fix().local_minus_utc();
    let date = NaiveDate::from_ymd_opt(local.year(), local.month(), local.day())?;
    let minute = local.hour() * 60 + local.minute();
    Some(match granularity {
        Granularity::QuarterHour => (date, minute / 15, offset_s),
        Granularity::HalfHour => (date, minute / 30, offset_s),
        Granularity::Hour => (date, minute / 60, offset_s),
        Granularity::Day => (date, 0, 0),
    })
}

/// The intervals from `from` to `until`, which are moved outwards to whole
/// quarters of an hour.
///
/// # Errors
/// When there are none, or too many.
pub fn spans(
    from: Timestamp,
    until: Timestamp,
    granularity: Granularity,
    zone: Tz,
) -> Result<Vec<Span>, RangeError> {
    let first = from.micros().div_euclid(SLOT_MICROS);
    let last = (until.micros() + SLOT_MICROS - 1).div_euclid(SLOT_MICROS);
    if until <= from {
        return Err(RangeError::Empty);
    }
    if last - first > SLOTS_MAX {
        return Err(RangeError::TooLong);
    }
    let mut found: Vec<Span> = vec![];
    let mut shown = None;
    for slot in first..last {
        let face = face(slot, granularity, zone);
        let end = Timestamp::from_micros((slot + 1) * SLOT_MICROS);
        match found.last_mut() {
            Some(span) if face == shown => span.end = end,
            Some(_) | None => {
                let start = Timestamp::from_micros(slot * SLOT_MICROS);
                found.push(Span { start, end });
                shown = face;
            }
        }
        if found.len() > SPANS_MAX {
            return Err(RangeError::TooLong);
        }
    }
    Ok(found)
}

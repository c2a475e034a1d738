//! Days, months and billing cycles in a time zone: a day may have 23 or 25
//! hours, and every range is half-open, `[from, to)`.

use crate::time::Timestamp;
use chrono::{Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, TimeZone, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// A day of the calendar, written `2026-10-31`.
pub type Date = NaiveDate;

/// A time zone by its name in the IANA database, for example `Europe/Berlin`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(chrono_tz::Tz);

/// A text that names no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time zone of the IANA database, for example Europe/Berlin")]
pub struct UnknownZone;

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(chrono_tz::UTC);

    fn local(self, at: Timestamp) -> NaiveDateTime {
        let micros = at.micros();
        let utc = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default();
        self.0.from_utc_datetime(&utc.naive_utc()).naive_local()
    }

    /// The day that it is there at that instant.
    pub fn date_of(self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    /// Minutes since local midnight, and the day of the week (0 is Monday).
    pub fn clock_of(self, at: Timestamp) -> (u16, u8) {
        let local = self.local(at);
        let minutes = local.hour() * 60 + local.minute();
        let weekday = local.weekday().num_days_from_monday();
        (
            u16::try_from(minutes).unwrap_or(0),
            u8::try_from(weekday).unwrap_or(0),
        )
    }

    /// The first instant of a day there; after the gap where midnight was skipped.
    pub fn start_of(self, date: Date) -> Timestamp {
        self.first_of(date, 0)
    }

    /// When the clocks there show that minute of that day for the first time; the
    /// end of the gap where they skip it.
    pub fn first_of(self, date: Date, minute: u16) -> Timestamp {
        self.instants_of(date, minute).0
    }

    /// When the clocks there show that minute of that day for the last time; the
    /// end of the gap where they skip it.
    pub fn last_of(self, date: Date, minute: u16) -> Timestamp {
        self.instants_of(date, minute).1
    }

    fn instants_of(self, date: Date, minute: u16) -> (Timestamp, Timestamp) {
        let minute_length = chrono::TimeDelta::minutes(1);
        let midnight = date.and_time(chrono::NaiveTime::MIN);
        let mut local = midnight + minute_length * i32::from(minute);
        // What is later can not be written down.
        let at = |time: chrono::DateTime<chrono_tz::Tz>| {
            Timestamp::from_micros(time.timestamp_micros()).min(Timestamp::LAST)
        };
        loop {
            match self.0.from_local_datetime(&local) {
                LocalResult::Single(time) => return (at(time), at(time)),
                LocalResult::Ambiguous(first, last) => return (at(first), at(last)),
                LocalResult::None => local += minute_length,
            }
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;
    fn from_str(text: &str) -> Result<Self, UnknownZone> {
        text.parse().map(Self).map_err(|_| UnknownZone)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// One month of the calendar, in which usage is collected and after which it
/// is invoiced. Written `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    year: u16,
    month: u8,
}

/// A text that is no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a month, for example 2026-10")]
pub struct InvalidPeriod;

impl Period {
    /// The month of a day.
    pub fn of(date: Date) -> Self {
        Self {
            year: u16::try_from(date.year()).unwrap_or(0),
            month: u8::try_from(date.month()).unwrap_or(1),
        }
    }

    /// Its first day.
    pub fn start(self) -> Date {
        NaiveDate::from_ymd_opt(i32::from(self.year), u32::from(self.month), 1)
            .unwrap_or(NaiveDate::MIN)
    }

    /// The first day after it.
    pub fn end(self) -> Date {
        self.start() + Months::new(1)
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self::of(self.end())
    }

    /// Its year.
    pub const fn year(self) -> u16 {
        self.year
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Period {
    type Err = InvalidPeriod;
    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        let (year, month) = text.split_once('-').ok_or(InvalidPeriod)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(InvalidPeriod);
        }
        let year: u16 = year.parse().map_err(|_| InvalidPeriod)?;
        let month: u8 = month.parse().map_err(|_| InvalidPeriod)?;
        if (1970..=9998).contains(&year) && (1..=12).contains(&month) {
            Ok(Self { year, month })
        } else {
            Err(InvalidPeriod)
        }
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// How often a recurring fee falls due. Cycles begin with the calendar's
/// months, quarters and years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// Every month.
    Monthly,
    /// Every three months.
    Quarterly,
    /// Every year.
    Yearly,
    /// Never: only what was used is paid.
    PayAsYouGo,
}

impl Cycle {
    /// Months of one cycle; none where no fee recurs.
    const fn months(self) -> Option<u32> {
        match self {
            Self::Monthly => Some(1),
            Self::Quarterly => Some(3),
            Self::Yearly => Some(12),
            Self::PayAsYouGo => None,
        }
    }

    /// First day of the cycle that holds the day, and the first day after it;
    /// none where no fee recurs.
    pub fn around(self, date: Date) -> Option<(Date, Date)> {
        let months = self.months()?;
        let first = date.month0() / months * months + 1;
        let start = NaiveDate::from_ymd_opt(date.year(), first, 1)?;
        Some((start, start + Months::new(months)))
    }
}

/// Days from one day to another; 0 when it is not later.
pub fn days_between(from: Date, to: Date) -> u32 {
    u32::try_from(to.signed_duration_since(from).num_days()).unwrap_or(0)
}

/// So many days later; the last day there is when there are no more.
pub fn plus_days(date: Date, days: u32) -> Date {
    date.checked_add_days(Days::new(u64::from(days)))
        .unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Cycle, Date, Period, Zone, days_between};
    use crate::time::Timestamp;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn berlin() -> Zone {
        "Europe/Berlin".parse().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        serde_json::from_str(&format!("\"{text}\"")).unwrap()
    }

    #[test]
    fn a_day_begins_when_it_is_midnight_there() {
        assert_eq!(
            berlin().start_of(date("2026-07-01")),
            at("2026-06-30T22:00:00Z")
        );
        assert_eq!(
            berlin().date_of(at("2026-06-30T22:00:00Z")),
            date("2026-07-01")
        );
        assert_eq!(
            berlin().date_of(at("2026-06-30T21:59:59Z")),
            date("2026-06-30")
        );
    }

    #[test]
    fn days_have_23_24_and_25_hours() {
        let hours = |from, to| {
            berlin()
                .start_of(date(to))
                .ms_since(berlin().start_of(date(from)))
                / 3_600_000
        };
        assert_eq!(hours("2026-03-29", "2026-03-30"), 23);
        assert_eq!(hours("2026-06-01", "2026-06-02"), 24);
        assert_eq!(hours("2026-10-25", "2026-10-26"), 25);
    }

    #[test]
    fn a_midnight_that_was_skipped_begins_after_the_gap() {
        // Beirut: at 00:00 on 2026-03-29 the clocks go to 01:00.
        let beirut: Zone = "Asia/Beirut".parse().unwrap();
        assert_eq!(
            beirut.start_of(date("2026-03-29")),
            at("2026-03-28T22:00:00Z")
        );
    }

    #[test]
    fn a_period_is_a_month() {
        let october: Period = "2026-10".parse().unwrap();
        assert_eq!(
            (october.start(), october.end()),
            (date("2026-10-01"), date("2026-11-01"))
        );
        assert_eq!(october.next().next().next().to_string(), "2027-01");
        for text in ["2026", "2026-13", "2026-1", "26-10", "2026-10-01", "x"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn cycles_begin_with_the_calendar() {
        let around = |cycle: Cycle, day| cycle.around(date(day));
        let range = |from, to| Some((date(from), date(to)));
        assert_eq!(
            around(Cycle::Monthly, "2028-02-29"),
            range("2028-02-01", "2028-03-01")
        );
        assert_eq!(
            around(Cycle::Quarterly, "2026-05-17"),
            range("2026-04-01", "2026-07-01")
        );
        assert_eq!(
            around(Cycle::Yearly, "2026-12-31"),
            range("2026-01-01", "2027-01-01")
        );
        assert_eq!(around(Cycle::PayAsYouGo, "2026-12-31"), None);
    }

    #[test]
    fn days_are_counted_half_open() {
        assert_eq!(days_between(date("2026-02-01"), date("2026-03-01")), 28);
        assert_eq!(days_between(date("2026-03-01"), date("2026-02-01")), 0);
    }
}

//! When a queue takes calls: times of the week in its time zone, and days that
//! are different. The clock on the wall decides: a time that a change of the
//! clocks skips is the moment of the change, and of a time that comes twice the
//! queue opens at the first and closes at the second.

use super::error::Error;
use crate::{
    calendar::{Date, Zone},
    time::Timestamp,
};
use chrono::{Datelike, Days};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// Minutes of a day.
const DAY_MIN: u16 = 1_440;
/// Days of a week.
const WEEK_DAYS: u64 = 7;
/// How far ahead the next change is looked for, in days.
const AHEAD_DAYS: u64 = 367;
/// Times of a week, and of one day that is different, at most.
const TIMES_MAX: usize = 100;
/// Days that are different at most.
const HOLIDAYS_MAX: usize = 400;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// The first.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}

impl Weekday {
    fn of(date: Date) -> Self {
        match date.weekday() {
            chrono::Weekday::Mon => Self::Monday,
            chrono::Weekday::Tue => Self::Tuesday,
            chrono::Weekday::Wed => Self::Wednesday,
            chrono::Weekday::Thu => Self::Thursday,
            chrono::Weekday::Fri => Self::Friday,
            chrono::Weekday::Sat => Self::Saturday,
            chrono::Weekday::Sun => Self::Sunday,
        }
    }
}

/// A time of the day, written `08:30`; the end of the day is `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockTime(u16);

/// A text that is no time of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the day from 00:00 to 24:00, for example 08:30")]
pub struct InvalidClockTime;

impl FromStr for ClockTime {
    type Err = InvalidClockTime;
    fn from_str(text: &str) -> Result<Self, InvalidClockTime> {
        let two_digits = |text: &str| match text.as_bytes() {
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
                Ok(u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
            }
            _ => Err(InvalidClockTime),
        };
        let (hours, minutes) = text.split_once(':').ok_or(InvalidClockTime)?;
        let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
        let of_day = hours * 60 + minutes;
        match minutes < 60 && of_day <= DAY_MIN {
            true => Ok(Self(of_day)),
            false => Err(InvalidClockTime),
        }
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for ClockTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClockTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A time of one day in which the queue takes calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// From then on.
    pub from: ClockTime,
    /// Until then, on the same day.
    pub to: ClockTime,
}

/// A time of the week in which the queue takes calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeekSpan {
    /// On these days.
    pub days: Vec<Weekday>,
    /// From then on.
    pub from: ClockTime,
    /// Until then, on the same day.
    pub to: ClockTime,
}

/// A day that is not like others of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Which.
    pub date: Date,
    /// When calls are taken on it; never, if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Span>,
}

/// When a queue takes calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Whose clocks are meant.
    pub zone: Zone,
    /// The times of an ordinary week.
    pub week: Vec<WeekSpan>,
    /// Days that are different.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
}

impl Hours {
    /// Whether calls are taken at that instant.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let date = self.zone.date_of(at);
        // Where clocks change around midnight, a day can reach into its neighbour.
        let days = [date.pred_opt(), Some(date), date.succ_opt()];
        let mut times = days
            .into_iter()
            .flatten()
            .flat_map(|day| self.times_of(day));
        times.any(|(from, to)| from <= at && at < to)
    }

    /// When the queue next opens or closes; none if it does not within a year.
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let is_open = self.is_open(at);
        let today = self.zone.date_of(at);
        let first = today.pred_opt().unwrap_or(today);
        self.days_worth_looking_at(first)
            .into_iter()
            .find_map(|day| {
                let times = self.times_of(day);
                // Times that touch are one: the queue does not close between them.
                let edges: BTreeSet<Timestamp> = times.flat_map(|(from, to)| [from, to]).collect();
                let mut later = edges.into_iter().filter(|edge| *edge > at);
                later.find(|edge| self.is_open(*edge) != is_open)
            })
    }

    /// A week is like the next one: what does not change in two of them changes only
    /// around a holiday. Twice, as a change of the clocks can skip a time.
    fn days_worth_looking_at(&self, first: Date) -> BTreeSet<Date> {
        let last = first.checked_add_days(Days::new(AHEAD_DAYS));
        let last = last.unwrap_or(Date::MAX);
        let two_weeks_from = |day: Date| {
            let days = (0..=2 * WEEK_DAYS).map(move |days| day.checked_add_days(Days::new(days)));
            days.flatten()
        };
        let holidays = self.holidays.iter().map(|holiday| holiday.date);
        let holidays = holidays.filter(|day| (first..=last).contains(day));
        let eves = holidays.filter_map(|day| day.pred_opt());
        let days = eves.flat_map(two_weeks_from).chain(two_weeks_from(first));
        days.filter(|day| *day <= last).collect()
    }

    /// The times of a day as instants.
    fn times_of(&self, day: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let zone = self.zone;
        let spans = self.spans_of(day).into_iter();
        spans.map(move |span| {
            let from = zone.first_of(day, span.from.0);
            (from, zone.last_of(day, span.to.0))
        })
    }

    fn spans_of(&self, day: Date) -> Vec<Span> {
        if let Some(holiday) = self.holidays.iter().find(|other| other.date == day) {
            return holiday.open.clone();
        }
        self.spans_on(Weekday::of(day))
    }

    fn spans_on(&self, weekday: Weekday) -> Vec<Span> {
        let spans = self.week.iter().filter(|span| span.days.contains(&weekday));
        spans
            .map(|span| Span {
                from: span.from,
                to: span.to,
            })
            .collect()
    }
}

pub(super) fn check(hours: &Hours) -> Result<(), Error> {
    let days: BTreeSet<Date> = hours.holidays.iter().map(|other| other.date).collect();
    let is_sized = hours.week.len() <= TIMES_MAX
        && hours.holidays.len() <= HOLIDAYS_MAX
        && hours.holidays.iter().all(|day| day.open.len() <= TIMES_MAX)
        && hours.week.iter().all(|span| !span.days.is_empty());
    if !is_sized {
        return Err(Error::InvalidHours);
    }
    if days.len() != hours.holidays.len() {
        return Err(Error::HolidayTwice);
    }
    let week = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    // A day that is named twice in one entry overlaps with itself.
    let is_twice = |span: &WeekSpan| {
        let days: BTreeSet<Weekday> = span.days.iter().copied().collect();
        days.len() != span.days.len()
    };
    if hours.week.iter().any(is_twice) {
        return Err(Error::OverlappingHours);
    }
    for weekday in week {
        check_day(hours.spans_on(weekday))?;
    }
    for holiday in &hours.holidays {
        check_day(holiday.open.clone())?;
    }
    Ok(())
}

fn check_day(mut spans: Vec<Span>) -> Result<(), Error> {
    if spans.iter().any(|span| span.from >= span.to) {
        return Err(Error::InvalidHours);
    }
    spans.sort_by_key(|span| span.from);
    let mut pairs = spans.iter().zip(spans.iter().skip(1));
    match pairs.any(|(one, next)| next.from < one.to) {
        true => Err(Error::OverlappingHours),
        false => Ok(()),
    }
}

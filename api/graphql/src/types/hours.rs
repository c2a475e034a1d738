//! When a queue takes calls: as it is shown and as it is asked for.

use crate::{scalar::DateTime, types::words::Weekday};
use async_graphql::{InputObject, SimpleObject};
use domain::{queue, time::Timestamp};
use std::str::FromStr;

/// When a queue takes calls.
#[derive(SimpleObject)]
pub(crate) struct QueueHours {
    /// Whose clocks are meant, by its name in the IANA database.
    zone: String,
    /// The times of an ordinary week.
    week: Vec<WeekTime>,
    /// Days that are different.
    holidays: Vec<Holiday>,
}

/// A time of the week in which a queue takes calls.
#[derive(SimpleObject)]
pub(crate) struct WeekTime {
    /// On these days.
    days: Vec<Weekday>,
    /// From then on, such as `08:30`.
    from: String,
    /// Until then, `24:00` at most.
    to: String,
}

/// A day that is not like others of the week.
#[derive(SimpleObject)]
pub(crate) struct Holiday {
    /// Which, such as `2026-12-24`.
    date: String,
    /// When calls are taken on it; never, if empty.
    open: Vec<DayTime>,
}

/// A time of one day in which a queue takes calls.
#[derive(SimpleObject)]
pub(crate) struct DayTime {
    /// From then on, such as `08:30`.
    from: String,
    /// Until then, `24:00` at most.
    to: String,
}

/// Whether a queue takes calls: by what a person has said, or else by its hours.
#[derive(SimpleObject)]
pub(crate) struct Opening {
    /// It does. Who waits when it closes is still served.
    is_open: bool,
    /// When it opens or closes next by itself; null if it does not within a year, and
    /// while it is open or closed by hand.
    next_change_at: Option<DateTime>,
    /// What a person has said, which counts instead of the hours until it is taken
    /// back; null while the hours count.
    by_hand: Option<OpeningByHand>,
}

/// What a person has said of a queue's doors.
#[derive(SimpleObject)]
pub(crate) struct OpeningByHand {
    /// It takes calls; or else none.
    is_open: bool,
    /// Who said so.
    by: String,
    /// Why, in a word.
    reason: String,
    /// Since when it counts.
    since: DateTime,
}

impl From<&queue::ByHand> for OpeningByHand {
    fn from(said: &queue::ByHand) -> Self {
        Self {
            is_open: match said.hand {
                queue::Hand::Open => true,
                queue::Hand::Closed => false,
            },
            by: said.by.clone(),
            reason: said.why.clone(),
            since: DateTime(said.since),
        }
    }
}

impl Opening {
    /// At that instant.
    pub(crate) fn of(
        config: &queue::Config,
        by_hand: Option<&queue::ByHand>,
        at: Timestamp,
    ) -> Self {
        let hand = by_hand.map(|said| said.hand);
        Self {
            is_open: config.is_open(hand, at),
            next_change_at: config.next_change(hand, at).map(DateTime),
            by_hand: by_hand.map(Into::into),
        }
    }
}

impl From<&queue::Hours> for QueueHours {
    fn from(hours: &queue::Hours) -> Self {
        let week = hours.week.iter().map(|time| WeekTime {
            days: time.days.iter().copied().map(Into::into).collect(),
            from: time.from.to_string(),
            to: time.to.to_string(),
        });
        let holidays = hours.holidays.iter().map(|day| Holiday {
            date: day.date.to_string(),
            open: day.open.iter().map(Into::into).collect(),
        });
        Self {
            zone: hours.zone.to_string(),
            week: week.collect(),
            holidays: holidays.collect(),
        }
    }
}

impl From<&queue::Span> for DayTime {
    fn from(span: &queue::Span) -> Self {
        Self {
            from: span.from.to_string(),
            to: span.to.to_string(),
        }
    }
}

/// When a queue is to take calls.
#[derive(InputObject)]
pub(crate) struct QueueHoursInput {
    /// Whose clocks are meant, by its name in the IANA database.
    zone: String,
    /// The times of an ordinary week.
    week: Vec<WeekTimeInput>,
    /// Days that are different.
    #[graphql(default)]
    holidays: Vec<HolidayInput>,
}

/// A time of the week in which a queue is to take calls.
#[derive(InputObject)]
pub(crate) struct WeekTimeInput {
    /// On these days.
    days: Vec<Weekday>,
    /// From then on, such as `08:30`.
    from: String,
    /// Until then, `24:00` at most.
    to: String,
}

/// A day that is not to be like others of the week.
#[derive(InputObject)]
pub(crate) struct HolidayInput {
    /// Which, such as `2026-12-24`.
    date: String,
    /// When calls are taken on it; never, if empty.
    #[graphql(default)]
    open: Vec<DayTimeInput>,
}

/// A time of one day in which a queue is to take calls.
#[derive(InputObject)]
pub(crate) struct DayTimeInput {
    /// From then on, such as `08:30`.
    from: String,
    /// Until then, `24:00` at most.
    to: String,
}

/// Reads what is written as a text.
fn read<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

impl QueueHoursInput {
    /// The hours; none if something of them is not written as it should be.
    pub(crate) fn hours(&self) -> Option<queue::Hours> {
        let week = self.week.iter().map(|time| {
            Some(queue::WeekSpan {
                days: time.days.iter().copied().map(Into::into).collect(),
                from: read(&time.from)?,
                to: read(&time.to)?,
            })
        });
        let holidays = self.holidays.iter().map(HolidayInput::holiday);
        Some(queue::Hours {
            zone: read(&self.zone)?,
            week: week.collect::<Option<_>>()?,
            holidays: holidays.collect::<Option<_>>()?,
        })
    }
}

impl HolidayInput {
    fn holiday(&self) -> Option<queue::Holiday> {
        let open = self.open.iter().map(|time| {
            Some(queue::Span {
                from: read(&time.from)?,
                to: read(&time.to)?,
            })
        });
        Some(queue::Holiday {
            date: read(&self.date)?,
            open: open.collect::<Option<_>>()?,
        })
    }
}

//! When queues take calls, by arithmetic of our own: minutes since 1970, and the two
//! nights in which the clocks of Berlin are set.

use domain::{
    calendar::Zone,
    queue::{Hours, Span},
    time::Timestamp,
};

/// 28 March 2027, 01:00 UTC: from then on Berlin is two hours ahead, before it one.
const SUMMER_MIN: i64 = 1_806_195_600 / 60;
/// 31 October 2027, 01:00 UTC: from then on it is one hour ahead again.
const WINTER_MIN: i64 = 1_824_944_400 / 60;
const DAY_MIN: i64 = 1_440;
/// Day 0 of these minutes, as the calendar counts days.
const EPOCH_DAY: i32 = 719_163;

/// Minutes that the clocks of a zone are ahead of UTC; worlds know two zones.
const fn ahead(is_utc: bool, minute: i64) -> i64 {
    match (is_utc, minute >= SUMMER_MIN && minute < WINTER_MIN) {
        (true, _) => 0,
        (false, true) => 120,
        (false, false) => 60,
    }
}

/// The first and the last minute in which the clocks show that; where they skip it, the
/// first that they show after it.
fn shown(is_utc: bool, mut local: i64) -> (i64, i64) {
    loop {
        let minutes = [120, 60, 0].map(|ahead| local - ahead);
        let mut right = minutes
            .into_iter()
            .filter(|minute| minute + ahead(is_utc, *minute) == local);
        if let Some(first) = right.next() {
            return (first, right.next_back().unwrap_or(first));
        }
        local += 1;
    }
}

/// Minutes of the day, as `08:30` is written.
fn minutes(text: &str) -> i64 {
    let (hours, minutes) = text.split_once(':').unwrap_or(("0", "0"));
    hours.parse::<i64>().unwrap_or(0) * 60 + minutes.parse::<i64>().unwrap_or(0)
}

/// Whether the queue takes calls at that instant. Its week has the same times on each
/// day, as queues of worlds have.
pub(super) fn are_open(hours: &Hours, at: Timestamp) -> bool {
    use chrono::Datelike as _;
    let is_utc = hours.zone == Zone::UTC;
    let micros = at.micros();
    let now = micros.div_euclid(60_000_000);
    let today = (now + ahead(is_utc, now)).div_euclid(DAY_MIN);
    (today - 1..=today + 1).any(|day| {
        let holiday = hours
            .holidays
            .iter()
            .find(|holiday| i64::from(holiday.date.num_days_from_ce() - EPOCH_DAY) == day);
        let spans: Vec<Span> = match holiday {
            Some(holiday) => holiday.open.clone(),
            None => {
                let week = hours.week.iter();
                week.map(|span| Span {
                    from: span.from,
                    to: span.to,
                })
                .collect()
            }
        };
        spans.iter().any(|span| {
            let (from, to) = (
                minutes(&span.from.to_string()),
                minutes(&span.to.to_string()),
            );
            let (first, _) = shown(is_utc, day * DAY_MIN + from);
            let (_, last) = shown(is_utc, day * DAY_MIN + to);
            first * 60_000_000 <= micros && micros < last * 60_000_000
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::queue::{Holiday, WeekSpan, Weekday};

    fn hours(from: &str, to: &str) -> Hours {
        let week = WeekSpan {
            days: vec![Weekday::Sunday],
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        };
        Hours {
            zone: "Europe/Berlin".parse().unwrap(),
            week: vec![week],
            holidays: vec![],
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    #[test]
    fn an_hour_that_the_clocks_skip_is_not_there_and_one_that_they_show_twice_is_there_twice() {
        let (spring, autumn) = (SUMMER_MIN * 60, WINTER_MIN * 60);
        let night = hours("02:00", "03:00");
        assert!(!are_open(&night, at(spring - 1)) && !are_open(&night, at(spring)));
        assert!(are_open(&night, at(autumn - 3_600)) && are_open(&night, at(autumn + 3_599)));
        assert!(!are_open(&night, at(autumn - 3_601)) && !are_open(&night, at(autumn + 3_600)));
    }

    #[test]
    fn a_holiday_has_times_of_its_own() {
        let mut hours = hours("00:00", "24:00");
        hours.holidays = vec![Holiday {
            date: "2027-03-28".parse().unwrap(),
            open: vec![],
        }];
        // It begins at 23:00 UTC of the day before, and has 23 hours.
        let end = SUMMER_MIN * 60 + 21 * 3_600;
        assert!(!are_open(&hours, at(SUMMER_MIN * 60 - 7_200)));
        assert!(are_open(&hours, at(SUMMER_MIN * 60 - 7_201)));
        assert!(!are_open(&hours, at(end - 1)) && are_open(&hours, at(end)));
    }
}

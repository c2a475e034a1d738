//! When a queue takes calls.

use super::*;
use crate::{queue::Hours, time::Timestamp};
use serde_json::{Value, json};

fn at(text: &str) -> Timestamp {
    serde_json::from_value(json!(text)).expect("an instant")
}

fn hours(value: Value) -> Hours {
    serde_json::from_value(value).expect("hours")
}

/// Berlin, every day at those times.
fn daily(times: &[(&str, &str)]) -> Hours {
    let every = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let times: Vec<Value> = times
        .iter()
        .map(|(from, to)| json!({ "days": every, "from": from, "to": to }))
        .collect();
    hours(json!({ "zone": "Europe/Berlin", "week": times }))
}

/// Weekdays 9 to 17 in Berlin, with the end of 2026.
fn office() -> Hours {
    hours(json!({
        "zone": "Europe/Berlin",
        "week": [{
            "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "from": "09:00", "to": "17:00",
        }],
        "holidays": [
            { "date": "2026-12-24", "open": [{ "from": "08:00", "to": "12:00" }] },
            { "date": "2026-12-25" },
            { "date": "2026-12-26", "open": [{ "from": "10:00", "to": "11:00" }] },
        ],
    }))
}

/// The changes from an instant on, so many, as they stand in UTC.
fn changes(hours: &Hours, from: &str, count: usize) -> Vec<String> {
    let mut now = at(from);
    let mut changes = vec![];
    for _ in 0..count {
        let next = hours.next_change(now).expect("a change");
        assert!(next > now);
        // Nothing changes until then, and then it does.
        assert_eq!(
            hours.is_open(now),
            hours.is_open(Timestamp::from_micros(next.micros() - 1))
        );
        assert_ne!(hours.is_open(now), hours.is_open(next));
        let opens = if hours.is_open(next) {
            "opens"
        } else {
            "closes"
        };
        let instant = serde_json::to_value(next).expect("an instant");
        let instant = instant
            .as_str()
            .expect("a text")
            .get(..16)
            .map(str::to_owned);
        changes.push(format!("{opens} {}", instant.unwrap_or_default()));
        now = next;
    }
    changes
}

#[test]
fn a_queue_opens_and_closes_by_the_clocks_of_its_zone() {
    let office = office();
    // A Friday in winter and one in summer.
    for (open, shut) in [
        ("2026-11-27T08:00:00Z", "2026-11-27T07:59:59Z"),
        ("2026-11-27T15:59:59Z", "2026-11-27T16:00:00Z"),
        ("2026-07-03T07:00:00Z", "2026-07-03T06:59:59Z"),
        ("2026-07-03T14:59:59Z", "2026-07-03T15:00:00Z"),
    ] {
        assert!(office.is_open(at(open)), "{open}");
        assert!(!office.is_open(at(shut)), "{shut}");
    }
    assert_eq!(
        changes(&office, "2026-11-27T12:00:00Z", 2),
        ["closes 2026-11-27T16:00", "opens 2026-11-30T08:00"]
    );
}

#[test]
fn a_holiday_stands_for_its_whole_day_also_on_a_weekend() {
    assert_eq!(
        changes(&office(), "2026-12-23T17:00:00Z", 6),
        [
            "opens 2026-12-24T07:00",
            "closes 2026-12-24T11:00",
            "opens 2026-12-26T09:00",
            "closes 2026-12-26T10:00",
            "opens 2026-12-28T08:00",
            "closes 2026-12-28T16:00",
        ]
    );
}

#[test]
fn a_time_that_the_clocks_skip_is_the_moment_of_the_change() {
    // In the night to 2026-03-29 it is 03:00 right after 01:59.
    let until = daily(&[("01:00", "02:30")]);
    assert_eq!(
        changes(&until, "2026-03-28T12:00:00Z", 2),
        ["opens 2026-03-29T00:00", "closes 2026-03-29T01:00"]
    );
    let from = daily(&[("02:30", "05:00")]);
    assert_eq!(
        changes(&from, "2026-03-28T12:00:00Z", 2),
        ["opens 2026-03-29T01:00", "closes 2026-03-29T03:00"]
    );
    // All of it is skipped: that day it does not open.
    let within = daily(&[("02:10", "02:50")]);
    assert_eq!(
        changes(&within, "2026-03-28T12:00:00Z", 1),
        ["opens 2026-03-30T00:10"]
    );
}

#[test]
fn of_a_time_that_comes_twice_the_queue_opens_at_the_first_and_closes_at_the_second() {
    // In the night to 2026-10-25 it is 02:00 again right after 02:59.
    let until = daily(&[("01:00", "02:30")]);
    assert_eq!(
        changes(&until, "2026-10-24T12:00:00Z", 2),
        ["opens 2026-10-24T23:00", "closes 2026-10-25T01:30"]
    );
    let from = daily(&[("02:30", "05:00")]);
    assert_eq!(
        changes(&from, "2026-10-24T12:00:00Z", 2),
        ["opens 2026-10-25T00:30", "closes 2026-10-25T04:00"]
    );
    // A pause that comes twice is none.
    let pause = daily(&[("01:00", "02:20"), ("02:40", "05:00")]);
    assert_eq!(
        changes(&pause, "2026-10-24T12:00:00Z", 2),
        ["opens 2026-10-24T23:00", "closes 2026-10-25T04:00"]
    );
}

#[test]
fn times_that_touch_are_one_and_a_queue_that_never_changes_has_no_next_change() {
    let night = daily(&[("22:00", "24:00"), ("00:00", "06:00")]);
    assert_eq!(
        changes(&night, "2026-11-27T12:00:00Z", 2),
        ["opens 2026-11-27T21:00", "closes 2026-11-28T05:00"]
    );
    let always = daily(&[("00:00", "24:00")]);
    let never = daily(&[]);
    for instant in ["2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z"] {
        assert!(always.is_open(at(instant)));
        assert!(!never.is_open(at(instant)));
    }
    for hours in [always, never] {
        assert_eq!(hours.next_change(at("2026-11-27T12:00:00Z")), None);
    }
}

#[test]
fn hours_that_overlap_or_mean_nothing_are_refused() {
    let week = |week: Value| json!({ "zone": "UTC", "week": week });
    let time = |days: &[&str], from, to| json!({ "days": days, "from": from, "to": to });
    let holidays = |holidays: Value| json!({ "zone": "UTC", "week": [], "holidays": holidays });
    for (value, error) in [
        (
            week(json!([
                time(&["monday", "tuesday"], "08:00", "12:00"),
                time(&["tuesday"], "11:59", "13:00"),
            ])),
            Error::OverlappingHours,
        ),
        (
            week(json!([time(&["monday", "monday"], "08:00", "12:00")])),
            Error::OverlappingHours,
        ),
        (
            week(json!([time(&["monday"], "12:00", "12:00")])),
            Error::InvalidHours,
        ),
        (
            week(json!([time(&["monday"], "22:00", "06:00")])),
            Error::InvalidHours,
        ),
        (
            week(json!([time(&[], "08:00", "12:00")])),
            Error::InvalidHours,
        ),
        (
            holidays(json!([{ "date": "2026-12-24" }, { "date": "2026-12-24" }])),
            Error::HolidayTwice,
        ),
        (
            holidays(json!([{ "date": "2026-12-24", "open": [
                { "from": "08:00", "to": "12:00" }, { "from": "09:00", "to": "10:00" },
            ] }])),
            Error::OverlappingHours,
        ),
    ] {
        let hours = Some(hours(value.clone()));
        story([])
            .when(configure(Config {
                hours: hours.map(Box::new),
                ..config()
            }))
            .refused(error);
    }
    for text in ["8:00", "08:60", "24:01", "08:00:00", "+8:00", "0800", ""] {
        let value = week(json!([time(&["monday"], text, "24:00")]));
        assert!(serde_json::from_value::<Hours>(value).is_err(), "{text}");
    }
}

#[test]
fn hours_that_touch_are_accepted_and_stored_as_they_are_documented() {
    let stored = json!({
        "zone": "Europe/Berlin",
        "week": [
            { "days": ["monday"], "from": "08:00", "to": "12:00" },
            { "days": ["monday", "sunday"], "from": "12:00", "to": "24:00" },
        ],
        "holidays": [
            { "date": "2026-12-24", "open": [{ "from": "08:00", "to": "12:00" }] },
            { "date": "2026-12-25" },
        ],
    });
    let config = Config {
        hours: Some(Box::new(hours(stored.clone()))),
        ..config()
    };
    let name = "sales".into();
    story([])
        .when(configure(config.clone()))
        .then([Event::Created {
            name,
            config: config.clone(),
            config_version: None,
        }]);
    let written = serde_json::to_value(config).expect("it can be written");
    assert_eq!(written["hours"], stored);
}

#[test]
fn the_next_change_is_found_beyond_weeks_without_one() {
    let close = |dates: &[String]| {
        let holidays: Vec<Value> = dates.iter().map(|date| json!({ "date": date })).collect();
        holidays
    };
    // Open for ever but for one day in summer.
    let mut always = daily(&[("00:00", "24:00")]);
    assert_eq!(always.next_change(at("2026-11-28T12:00:00Z")), None);
    let summer = json!(close(&["2027-07-01".into()]));
    always.holidays = serde_json::from_value(summer).expect("holidays");
    assert_eq!(
        changes(&always, "2026-11-28T12:00:00Z", 2),
        ["closes 2027-06-30T22:00", "opens 2027-07-01T22:00"]
    );
    // Away for the whole of July and into a weekend.
    let mut away = office();
    let july: Vec<String> = (1..=31).map(|day| format!("2027-07-{day:02}")).collect();
    away.holidays = serde_json::from_value(json!(close(&july))).expect("holidays");
    assert_eq!(
        changes(&away, "2027-06-30T14:00:00Z", 2),
        ["closes 2027-06-30T15:00", "opens 2027-08-02T07:00"]
    );
    // A time that the change of the clocks skips comes a week later.
    let night = hours(json!({
        "zone": "Europe/Berlin",
        "week": [{ "days": ["sunday"], "from": "02:00", "to": "02:30" }],
    }));
    assert_eq!(
        changes(&night, "2027-03-22T00:00:00Z", 1),
        ["opens 2027-04-04T00:00"]
    );
}

//! The calendar or the routing of a queue is changed, and nothing else.

use super::*;
use crate::{
    calendar::Zone,
    queue::{
        Error, Hours, Matching, Requirement, SetCalendar, SetHours, SetRouting, SetTimeZone,
        Strategy,
    },
};

fn routing(routing: SetRouting) -> Command {
    Command::SetRouting(Box::new(routing))
}

fn zone(name: &str) -> Zone {
    name.parse().expect("a zone")
}

fn hours(zone: &str) -> Box<Hours> {
    let week = serde_json::json!({ "zone": zone, "week": [] });
    serde_json::from_value(week).expect("hours")
}

fn configured(config_version: u32, config: Config) -> Event {
    Event::Configured {
        config_version,
        config,
    }
}

fn skilled(skill: &str) -> Vec<Requirement> {
    let wanted = serde_json::json!([{ "skill": skill, "level": 3 }]);
    serde_json::from_value(wanted).expect("skills")
}

/// Two people look at the same rules: whoever comes second takes nothing back of what the
/// first has said.
#[test]
fn the_calendar_leaves_the_routing_that_was_set_a_moment_ago() {
    let routed = Config {
        strategy: Strategy::Random,
        ring_timeout_ms: 7_000,
        matching: Matching {
            priority: 4,
            ..config().matching
        },
        ..config()
    };
    let both = Config {
        hours: Some(hours("Europe/Berlin")),
        time_zone: Some(zone("Europe/Paris")),
        ..routed.clone()
    };
    story([created()])
        .when(routing(SetRouting {
            strategy: Some(Strategy::Random),
            ring_timeout_ms: Some(7_000),
            priority: Some(4),
            ..SetRouting::default()
        }))
        .then([configured(2, routed)])
        .when(Command::SetCalendar(SetCalendar {
            hours: SetHours::To(hours("Europe/Berlin")),
            time_zone: SetTimeZone::To(zone("Europe/Paris")),
        }))
        .then([configured(3, both.clone())])
        .when(Command::SetCalendar(SetCalendar::default()))
        .nothing()
        .when(Command::SetCalendar(SetCalendar {
            hours: SetHours::Keep,
            time_zone: SetTimeZone::OfHours,
        }))
        .then([configured(
            4,
            Config {
                time_zone: None,
                ..both
            },
        )]);
}

#[test]
fn of_the_routing_what_is_not_said_stays() {
    let first = Config {
        matching: Matching {
            skills: skilled("english"),
            ageing_ms: 30_000,
            ..config().matching
        },
        ..config()
    };
    let second = Config {
        matching: Matching {
            ageing_ms: 60_000,
            ..first.matching.clone()
        },
        ..first.clone()
    };
    story([created()])
        .when(routing(SetRouting {
            skills: Some(skilled("english")),
            ageing_ms: Some(30_000),
            ..SetRouting::default()
        }))
        .then([configured(2, first)])
        .when(routing(SetRouting {
            ageing_ms: Some(60_000),
            ..SetRouting::default()
        }))
        .then([configured(3, second)])
        .when(routing(SetRouting::default()))
        .nothing();
}

#[test]
fn what_the_rules_do_not_allow_is_refused_as_in_any_change() {
    for (set, refusal) in [
        (
            SetRouting {
                ring_timeout_ms: Some(1),
                ..SetRouting::default()
            },
            Error::InvalidRingTimeout,
        ),
        (
            SetRouting {
                attempts_max: Some(3),
                ..SetRouting::default()
            },
            Error::AttemptsWithoutOverflow,
        ),
        (
            SetRouting {
                skills: Some([skilled("english"), skilled("english")].concat()),
                ..SetRouting::default()
            },
            Error::InvalidSkill,
        ),
    ] {
        story([created()]).when(routing(set)).refused(refusal);
    }
    let mut wrong = hours("UTC");
    let day = serde_json::json!({ "date": "2026-12-24" });
    let day: crate::queue::Holiday = serde_json::from_value(day).expect("a holiday");
    wrong.holidays = vec![day.clone(), day];
    story([created()])
        .when(Command::SetCalendar(SetCalendar {
            hours: SetHours::To(wrong),
            ..SetCalendar::default()
        }))
        .refused(Error::HolidayTwice);
    for nowhere in [
        routing(SetRouting::default()),
        Command::SetCalendar(SetCalendar::default()),
    ] {
        story([]).when(nowhere).refused(Error::Unknown);
    }
}

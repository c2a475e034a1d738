//! Some rules of a queue are changed, and the others stay.

use super::*;
use crate::queue::{Change, SetHours, Strategy};

fn change(change: Change) -> Command {
    Command::Change(Box::new(change))
}

#[test]
fn what_is_not_said_stays() {
    let longer = Change {
        ring_timeout_ms: Some(15_000),
        ..Change::default()
    };
    story([created()])
        .when(change(longer.clone()))
        .then([Event::Configured {
            config_version: 2,
            config: other_config(),
        }])
        .when(change(longer))
        .nothing();
    story([created()]).when(change(Change::default())).nothing();
}

#[test]
fn hours_are_kept_set_and_taken_away() {
    let week = serde_json::json!({ "zone": "UTC", "week": [] });
    let hours: Box<crate::queue::Hours> = serde_json::from_value(week).expect("hours");
    let set = Change {
        hours: SetHours::To(hours.clone()),
        ..Change::default()
    };
    let away = Change {
        hours: SetHours::Always,
        ..Change::default()
    };
    let with = Config {
        hours: Some(hours),
        ..config()
    };
    let random = Change {
        strategy: Some(Strategy::Random),
        ..Change::default()
    };
    let kept = Config {
        strategy: Strategy::Random,
        ..with.clone()
    };
    let configured = |config_version, config| Event::Configured {
        config_version,
        config,
    };
    story([created()])
        .when(change(set))
        .then([configured(2, with)])
        .when(change(random))
        .then([configured(3, kept)])
        .when(change(away))
        .then([configured(
            4,
            Config {
                strategy: Strategy::Random,
                ..config()
            },
        )]);
}

#[test]
fn a_change_is_refused_as_a_new_queue_would_be() {
    let nobody = Change {
        capacity: Some(0),
        ..Change::default()
    };
    story([created()])
        .when(change(nobody.clone()))
        .refused(Error::InvalidCapacity);
    story([]).when(change(nobody)).refused(Error::Unknown);
}

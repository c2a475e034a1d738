//! A queue is made or changed to be as provisioned.

use super::*;

#[test]
fn provisioning_creates_what_is_not_there() {
    story([]).when(configure(config())).then([created()]);
}

#[test]
fn provisioning_again_changes_nothing() {
    story([created()]).when(configure(config())).nothing();
}

#[test]
fn each_change_has_the_next_version() {
    let queue = story([created()])
        .when(configure(other_config()))
        .then([Event::Configured {
            config_version: 2,
            config: other_config(),
        }])
        .when(configure(config()))
        .then([Event::Configured {
            config_version: 3,
            config: config(),
        }]);
    assert_eq!(queue.state().config, Some(config()));
    assert_eq!(queue.state().config_version, 3);
}

#[test]
fn a_name_that_a_uri_can_not_hold_is_refused() {
    story([])
        .when(Command::Configure {
            name: "not a name".into(),
            config: config(),
        })
        .refused(Error::InvalidName);
}

#[track_caller]
fn refused(config: Config, error: Error) {
    story([]).when(configure(config.clone())).refused(error);
    story([created()]).when(configure(config)).refused(error);
}

#[test]
fn a_ring_is_between_a_second_and_ten_minutes() {
    for ring_timeout_ms in [0, 999, 600_001] {
        let config = Config {
            ring_timeout_ms,
            ..config()
        };
        refused(config, Error::InvalidRingTimeout);
    }
}

#[test]
fn a_queue_has_room_for_somebody_and_is_not_endless() {
    for capacity in [0, 100_001] {
        let config = Config {
            capacity,
            ..config()
        };
        refused(config, Error::InvalidCapacity);
    }
}

#[test]
fn a_wrap_up_is_not_longer_than_a_day() {
    let config = Config {
        wrap_up_ms: 86_400_001,
        ..config()
    };
    refused(config, Error::InvalidWrapUp);
}

#[test]
fn a_number_is_something_that_can_be_dialled() {
    for number in ["", "not a number", "+49@host"] {
        let config = Config {
            numbers: vec!["100".into(), number.into()],
            ..config()
        };
        refused(config, Error::InvalidNumber);
    }
}

#[test]
fn the_limits_themselves_are_allowed() {
    let config = Config {
        ring_timeout_ms: 600_000,
        capacity: 100_000,
        wrap_up_ms: 86_400_000,
        numbers: vec!["*97#".into(), "+49-30.1_2".into()],
        ..config()
    };
    story([])
        .when(configure(config.clone()))
        .then([Event::Created {
            name: "sales".into(),
            config,
        }]);
}

//! A queue is made or changed to be as provisioned.

use super::*;
use crate::{
    call::OverflowCause,
    id::QueueId,
    queue::{Exit, Pause, Terms, VISIT_TTL_MS, loops},
};

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
fn a_target_is_one_to_a_hundred_of_a_hundred() {
    for service_level_target_percent in [0, 101, 255] {
        let config = Config {
            service_level_target_percent,
            ..config()
        };
        refused(config, Error::InvalidTarget);
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
fn pauses_of_agents_have_an_end_and_a_code_needs_a_wrap_up() {
    let endless = Pause {
        delay_ms: 86_400_001,
        in_a_row_max: 0,
    };
    let never = Pause {
        delay_ms: 0,
        in_a_row_max: 1_001,
    };
    for busy in [endless, never] {
        let terms = Terms {
            busy,
            ..Terms::STANDARD
        };
        refused(Config { terms, ..config() }, Error::InvalidPause);
    }
    let terms = Terms {
        wrap_up_code: true,
        ..Terms::STANDARD
    };
    let config = Config {
        terms,
        wrap_up_ms: 0,
        ..config()
    };
    refused(config, Error::CodeWithoutWrapUp);
}

#[test]
fn a_number_is_something_that_can_be_dialled() {
    for number in ["", "not a number", "+49@host"] {
        let config = Config {
            numbers: vec!["100".into(), number.into()],
            overflow: vec![],
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
        overflow: vec![],
        ..config()
    };
    story([])
        .when(configure(config.clone()))
        .then([Event::Created {
            name: "sales".into(),
            config,
            config_version: None,
        }]);
}

#[test]
fn a_case_of_overflow_has_one_destination_that_can_be_dialled() {
    let to = |number: &str| Overflow {
        when: OverflowCause::Full,
        to: OverflowTo::Number(number.into()),
    };
    let with = |overflow| Config {
        overflow,
        ..config()
    };
    story([])
        .when(configure(with(vec![to("+4930"), to("+4940")])))
        .refused(Error::OverflowTwice);
    story([])
        .when(configure(with(vec![to("no number")])))
        .refused(Error::InvalidNumber);
    let valid = with(vec![to("+4930")]);
    assert_eq!(valid.overflow(OverflowCause::MaxWait), None);
    story([])
        .when(configure(valid.clone()))
        .then([Event::Created {
            name: "sales".into(),
            config: valid,
            config_version: None,
        }]);
}

#[test]
fn a_chain_of_queues_that_comes_back_is_a_loop_and_one_that_ends_is_none() {
    let queue = |number: u128| QueueId(uuid::Uuid::from_u128(number));
    let to = |next: u128| Config {
        overflow: vec![Overflow {
            when: OverflowCause::Full,
            to: OverflowTo::Queue(queue(next)),
        }],
        ..config()
    };
    let chain = |id: QueueId| match id {
        id if id == queue(2) => vec![queue(3)],
        id if id == queue(3) => vec![queue(1)],
        // A ring that the first queue is not part of.
        id if id == queue(5) => vec![queue(6)],
        id if id == queue(6) => vec![queue(5)],
        _ => vec![],
    };
    assert!(loops(queue(1), &to(1), chain));
    assert!(loops(queue(1), &to(2), chain));
    assert!(!loops(queue(7), &to(2), chain));
    assert!(!loops(queue(7), &to(5), chain));
    assert!(!loops(queue(1), &config(), chain));
}

#[test]
fn overflow_is_stored_as_it_is_documented_and_left_out_when_there_is_none() {
    let plain = serde_json::to_value(config()).expect("it can be written");
    assert_eq!(plain.get("overflow"), None);
    let rules = serde_json::json!([
        { "when": "full", "to": { "queue": uuid::Uuid::from_u128(1) } },
        { "when": "max_wait", "to": { "number": "+4930" } },
    ]);
    let mut stored = plain;
    stored["overflow"] = rules.clone();
    let read: Config = serde_json::from_value(stored).expect("it can be read");
    assert_eq!(read.overflow.len(), 2);
    let again = serde_json::to_value(read).expect("it can be written");
    assert_eq!(again["overflow"], rules);
}

#[test]
fn a_limit_of_the_expected_wait_leads_somewhere_and_a_net_is_under_the_longest_wait() {
    let rule = Overflow {
        when: OverflowCause::ExpectedWait,
        to: OverflowTo::Number("+4930".into()),
    };
    let limit = Config {
        expected_wait_max_ms: 60_000,
        ..config()
    };
    let alone = Config {
        overflow: vec![rule.clone()],
        ..config()
    };
    for alone in [&limit, &alone] {
        story([])
            .when(configure(alone.clone()))
            .refused(Error::ExpectedWaitAlone);
    }
    let both = Config {
        overflow: vec![rule],
        ..limit
    };
    let nets = |max_wait_ms, visit_ttl_ms| Config {
        max_wait_ms,
        visit_ttl_ms,
        ..both.clone()
    };
    for (max_wait_ms, ttl_ms) in [(90_000, 89_999), (0, 59_999), (0, 2_592_000_001)] {
        story([])
            .when(configure(nets(max_wait_ms, ttl_ms)))
            .refused(Error::InvalidVisitTtl);
    }
    // Two days are more than the net that nobody chose.
    let long = nets(172_800_000, VISIT_TTL_MS);
    for config in [nets(90_000, 90_000), nets(90_000, 0), both.clone(), long] {
        story([])
            .when(configure(config.clone()))
            .then([Event::Created {
                name: "sales".into(),
                config,
                config_version: None,
            }]);
    }
}

#[test]
fn a_key_leads_to_one_place_that_can_be_dialled() {
    let exit = |key: &str, number: &str| Exit {
        key: key.parse().expect("a key"),
        to: OverflowTo::Number(number.into()),
    };
    let with = |exits| Config { exits, ..config() };
    let twice = vec![exit("1", "+4930"), exit("1", "+4940")];
    story([])
        .when(configure(with(twice)))
        .refused(Error::ExitTwice);
    story([])
        .when(configure(with(vec![exit("1", "no number")])))
        .refused(Error::InvalidNumber);
    // A rule of overflow says nothing about keys.
    let rule = Overflow {
        when: OverflowCause::ExitKey,
        to: OverflowTo::Number("+4930".into()),
    };
    let overflow = vec![rule];
    story([])
        .when(configure(Config {
            overflow,
            ..config()
        }))
        .refused(Error::ExitKeyOverflow);
    let valid = with(vec![exit("1", "+4930"), exit("#", "+4930")]);
    assert_eq!(valid.exit("*".parse().expect("a key")), None);
    assert_eq!(valid.exit_keys().len(), 2);
    let written = serde_json::to_value(&valid).expect("it can be written");
    let first = serde_json::json!({ "key": "1", "to": { "number": "+4930" } });
    assert_eq!(written["exits"][0], first);
    story([])
        .when(configure(valid.clone()))
        .then([Event::Created {
            name: "sales".into(),
            config: valid,
            config_version: None,
        }]);
}

#[test]
fn a_key_that_leads_back_is_a_loop_too() {
    let queue = |number: u128| QueueId(uuid::Uuid::from_u128(number));
    let exits = vec![Exit {
        key: "1".parse().expect("a key"),
        to: OverflowTo::Queue(queue(2)),
    }];
    let config = Config { exits, ..config() };
    assert_eq!(config.overflow_queues(), [queue(2)]);
    assert!(loops(queue(1), &config, |_| vec![queue(1)]));
    assert!(!loops(queue(1), &config, |_| vec![]));
}

#[test]
fn the_window_of_abandoned_places_is_read_by_its_first_name_too() {
    let mut stored = serde_json::to_value(config()).expect("it can be written");
    stored["ring_back_ms"] = 60_000.into();
    let read: Config = serde_json::from_value(stored).expect("it can be read");
    assert_eq!(read.resume_abandoned_ms, 60_000);
    let written = serde_json::to_value(read).expect("it can be written");
    assert_eq!(written["resume_abandoned_ms"], 60_000);
    assert_eq!(written.get("ring_back_ms"), None);
}

//! Opening and closing by hand.

use super::*;
use crate::{queue::Hand, time::Timestamp};

fn close(why: &str) -> Command {
    Command::Close {
        by: "token:wallboard".into(),
        why: why.into(),
    }
}

fn closed() -> Event {
    Event::Closed {
        by: "token:wallboard".into(),
        why: "fire_drill".into(),
    }
}

fn opened() -> Event {
    Event::Opened {
        by: "token:wallboard".into(),
        why: "storm".into(),
    }
}

#[test]
fn a_queue_is_closed_and_opened_by_hand_and_then_its_hours_count_again() {
    story([created()])
        .when(close("fire_drill"))
        .then([closed()]);
    let open = Command::Open {
        by: "token:wallboard".into(),
        why: "storm".into(),
    };
    story([created(), closed()]).when(open).then([opened()]);
    let follow = Command::FollowHours {
        by: "token:wallboard".into(),
        why: "over".into(),
    };
    let followed = Event::HoursFollowed {
        by: "token:wallboard".into(),
        why: "over".into(),
    };
    story([created(), opened()]).when(follow).then([followed]);
}

#[test]
fn what_counts_already_changes_nothing() {
    story([created(), closed()]).when(close("again")).nothing();
    let follow = Command::FollowHours {
        by: "token:wallboard".into(),
        why: "over".into(),
    };
    story([created()]).when(follow).nothing();
}

#[test]
fn a_person_can_not_open_what_is_not_there_or_give_no_reason() {
    story([]).when(close("fire_drill")).refused(Error::Unknown);
    for why in ["", "it burns, Mrs Smith"] {
        story([created()])
            .when(close(why))
            .refused(Error::InvalidReason);
    }
}

#[test]
fn a_new_configuration_leaves_the_word_as_it_is_and_the_word_counts_before_the_hours() {
    let configured = Event::Configured {
        config_version: 2,
        config: other_config(),
    };
    story([created(), closed()])
        .when(configure(other_config()))
        .then([configured])
        .when(close("again"))
        .nothing();
    let always = config();
    let now = Timestamp::from_micros(0);
    assert!(always.is_open(None, now));
    assert!(!always.is_open(Some(Hand::Closed), now));
    assert!(always.is_open(Some(Hand::Open), now));
}

//! Opened and closed by hand: what a person says counts before the hours, for whoever
//! comes; those who wait are served.

use super::{
    enqueue::{created, enqueued, opened},
    *,
};
use crate::{
    call::AnswerMode,
    line::{self, RejectReason},
    process::enqueue::Enqueue,
    queue,
    testing::QUEUE,
};

fn closed() -> AnyEvent {
    let (by, why) = ("token:wallboard".into(), "fire_drill".into());
    AnyEvent::Queue(QUEUE, queue::Event::Closed { by, why })
}

fn opened_by_hand() -> AnyEvent {
    let (by, why) = ("token:wallboard".into(), "storm".into());
    AnyEvent::Queue(QUEUE, queue::Event::Opened { by, why })
}

fn followed() -> AnyEvent {
    let (by, why) = ("token:wallboard".into(), "over".into());
    AnyEvent::Queue(QUEUE, queue::Event::HoursFollowed { by, why })
}

/// Whether the next call is let in, after these events.
fn bar(events: impl IntoIterator<Item = AnyEvent>) -> Option<RejectReason> {
    let heard = process::<Enqueue>().hears(events).hears([enqueued()]);
    match &heard.asked[..] {
        [AnyCommand::Line(QUEUE, line::Command::OpenVisit { barred, .. })] => *barred,
        other => panic!("the line is asked: {other:?}"),
    }
}

#[test]
fn a_queue_that_is_closed_by_hand_lets_nobody_in_until_that_is_taken_back() {
    let made = || created(AnswerMode::OnAgent, 0);
    assert_eq!(bar([made()]), None);
    assert_eq!(bar([made(), closed()]), Some(RejectReason::Closed));
    assert_eq!(bar([made(), closed(), followed()]), None);
    // A new configuration takes nothing back.
    assert_eq!(bar([made(), closed(), made()]), Some(RejectReason::Closed));
}

#[test]
fn a_queue_that_is_opened_by_hand_lets_calls_in_outside_its_hours() {
    let never = serde_json::from_value(serde_json::json!({ "zone": "UTC", "week": [] }));
    let config = queue::Config {
        hours: never.expect("hours are written so"),
        ..queue::Config::default()
    };
    let name = "sales".into();
    let shut = AnyEvent::Queue(
        QUEUE,
        queue::Event::Created {
            name,
            config,
            config_version: None,
        },
    );
    assert_eq!(bar([shut.clone()]), Some(RejectReason::Closed));
    assert_eq!(bar([shut.clone(), opened_by_hand()]), None);
    let followed = [shut, opened_by_hand(), followed()];
    assert_eq!(bar(followed), Some(RejectReason::Closed));
}

#[test]
fn whoever_waits_when_a_queue_is_closed_by_hand_waits_on() {
    process::<Enqueue>()
        .hears([created(AnswerMode::OnAgent, 60_000), enqueued()])
        .hears([opened(AnswerMode::OnAgent, 60_000)])
        .hears([closed()])
        .asks_nothing();
}

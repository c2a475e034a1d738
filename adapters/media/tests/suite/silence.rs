//! A far end that should send and does not is told, once.

use crate::support::{Phone, event, options, start};
use ringledger_media::{Direction, MediaEvent, Options, PayloadTypes};
use std::time::{Duration, Instant};

const PLAIN: PayloadTypes = PayloadTypes::pcmu(None);

#[test]
fn a_silent_leg_is_told_once_and_so_is_its_return() {
    let (relay, mut events) = start(&Options {
        silence_timeout_ms: 100,
        ..options(2)
    });
    let mut caller = Phone::agreed(&relay, 1, PLAIN);
    let began = Instant::now();
    relay.play_music(caller.leg, None);
    let MediaEvent::Silent { leg, since } = event(&mut events) else {
        panic!("silence comes first");
    };
    assert_eq!(leg, caller.leg);
    assert!(began.elapsed() >= Duration::from_millis(100));
    // When it began, and not when it was noticed.
    assert!(since.elapsed() >= Duration::from_millis(100));
    caller.say(0, b"here again");
    assert_eq!(event(&mut events), MediaEvent::Heard { leg });
    caller.say(0, b"and again");
    // The next thing told is a new silence, not a second return.
    assert!(matches!(event(&mut events), MediaEvent::Silent { .. }));
}

#[test]
fn a_held_or_idle_leg_may_be_silent() {
    let (relay, mut events) = start(&Options {
        silence_timeout_ms: 60,
        ..options(3)
    });
    let held = Phone::agreed(&relay, 1, PLAIN);
    let mut remote = held.remote(PLAIN);
    remote.direction = Direction::SendOnly;
    relay.set_remote(held.leg, remote);
    relay.play_music(held.leg, None);
    let _idle = Phone::agreed(&relay, 2, PLAIN);
    // A leg that must be told later proves that the others were looked at.
    let talking = Phone::agreed(&relay, 3, PLAIN);
    relay.silence(talking.leg);
    let told = event(&mut events);
    assert!(matches!(told, MediaEvent::Silent { leg, .. } if leg == talking.leg));
    for _ in 0..10 {
        held.hear();
    }
    assert!(events.try_recv().is_err(), "nothing else was told");
}

#[test]
fn whoever_was_heard_early_has_fresh_patience_when_the_call_is_answered() {
    let (relay, mut events) = start(&Options {
        silence_timeout_ms: 1_000,
        ..options(2)
    });
    let caller = Phone::agreed(&relay, 1, PLAIN);
    let carrier = Phone::agreed(&relay, 2, PLAIN);
    relay.bridge(caller.leg, carrier.leg);
    let early = Instant::now();
    // Ringing with early media in which nobody sends, then the answer.
    crate::support::until("it has rung for a while", || {
        early.elapsed() >= Duration::from_millis(50)
    });
    let answered = Instant::now();
    relay.bridge(caller.leg, carrier.leg);
    let MediaEvent::Silent { since, .. } = event(&mut events) else {
        panic!("silence comes first");
    };
    assert!(since >= answered, "since before the answer");
}

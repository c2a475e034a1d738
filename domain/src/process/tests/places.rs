//! Callers who hang up and call again.

use super::*;
use crate::{
    call::{self, AnswerMode, OverflowCause},
    cause::{By, Disposition, EndCause, EndReason, EndResult},
    id::{CallId, LegId, SubjectId, VisitId},
    line, person,
    process::enqueue::Enqueue,
    queue,
    sealed::Sealed,
    testing::{OTHER_QUEUE, QUEUE},
};

const WINDOW_MS: u64 = 60_000;
const ANN: SubjectId = SubjectId(Uuid::from_u128(1));
const BERT: SubjectId = SubjectId(Uuid::from_u128(2));

fn queue() -> AnyEvent {
    queue_with(WINDOW_MS)
}

fn queue_with(resume_abandoned_ms: u64) -> AnyEvent {
    let config = queue::Config {
        ring_timeout_ms: 20_000,
        wrap_up_ms: 5_000,
        answer_mode: AnswerMode::OnAgent,
        max_wait_ms: 0,
        capacity: 7,
        resume_abandoned_ms,
        ..queue::Config::default()
    };
    let name = "sales".into();
    AnyEvent::Queue(
        QUEUE,
        queue::Event::Created {
            name,
            config,
            config_version: None,
        },
    )
}

const fn call(number: u128) -> CallId {
    CallId(Uuid::from_u128(100 + number))
}

fn received(number: u128, subject: SubjectId, withheld: bool) -> AnyEvent {
    let received = call::Event::Received {
        leg: LegId(Uuid::from_u128(300 + number)),
        from: Sealed::new(subject, "sealed".into()),
        withheld,
        to: "sales".into(),
        trunk: None,
        sip_call_id: number.to_string(),
        user_agent: None,
    };
    AnyEvent::Call(call(number), received)
}

fn enqueued(number: u128) -> AnyEvent {
    let enqueued = call::Event::Enqueued {
        visit: VisitId(Uuid::from_u128(200 + number)),
        queue: QUEUE,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
        music: None,
    };
    AnyEvent::Call(call(number), enqueued)
}

fn ended(number: u128, by: By) -> AnyEvent {
    let ended = call::Event::Ended {
        cause: EndCause {
            result: EndResult::Caller,
            reason: EndReason::Hangup,
            by,
            sip_status: None,
            q850: None,
            reason_header: None,
        },
        disposition: Disposition::Abandoned,
        ended_at: second(0),
        incomplete: false,
        session: None,
        offer: None,
        visit: None,
        queue: None,
    };
    AnyEvent::Call(call(number), ended)
}

/// A first call at second 10 that is dropped at second 30.
fn dropped(subject: SubjectId) -> Heard<Enqueue> {
    process::<Enqueue>()
        .hears([queue(), received(1, subject, false)])
        .hears_at(second(10), enqueued(1))
        .hears_at(second(30), ended(1, By::Caller))
}

/// Since when the visit that was asked for counts, and when it began.
#[track_caller]
fn place(heard: &Heard<Enqueue>) -> (Timestamp, Option<Timestamp>) {
    match &heard.asked[..] {
        [
            AnyCommand::Line(
                QUEUE,
                line::Command::OpenVisit {
                    enqueued_at,
                    joined_at,
                    ..
                },
            ),
        ] => (*enqueued_at, *joined_at),
        other => panic!("a visit was expected: {other:?}"),
    }
}

#[test]
fn whoever_rings_back_in_time_has_the_old_place_and_a_stay_of_its_own() {
    let back = dropped(ANN)
        .hears([received(2, ANN, false)])
        .hears_at(second(90), enqueued(2));
    assert_eq!(place(&back), (second(10), Some(second(90))));
}

#[test]
fn too_late_is_too_late_and_another_caller_is_another() {
    let late = dropped(ANN)
        .hears([received(2, ANN, false)])
        .hears_at(second(91), enqueued(2));
    assert_eq!(place(&late), (second(91), None));
    let other = dropped(ANN)
        .hears([received(2, BERT, false)])
        .hears_at(second(40), enqueued(2));
    assert_eq!(place(&other), (second(40), None));
    // Nobody in particular has no place of its own, nor one of another such.
    let withheld = process::<Enqueue>()
        .hears([queue(), received(1, ANN, true)])
        .hears_at(second(10), enqueued(1))
        .hears_at(second(30), ended(1, By::Caller))
        .hears([received(2, ANN, true)])
        .hears_at(second(40), enqueued(2));
    assert_eq!(place(&withheld), (second(40), None));
}

#[test]
fn a_place_is_resumed_once() {
    let twice = dropped(ANN)
        .hears([received(2, ANN, false)])
        .hears_at(second(40), enqueued(2))
        .hears_at(second(50), ended(2, By::Caller))
        .hears([received(3, ANN, false)])
        .hears_at(second(55), enqueued(3));
    assert_eq!(place(&twice), (second(55), None));
    // And by one call at a time.
    let both = dropped(ANN)
        .hears([received(2, ANN, false), received(3, ANN, false)])
        .hears_at(second(40), enqueued(2))
        .hears_at(second(41), enqueued(3));
    assert_eq!(place(&both), (second(41), None));
}

#[test]
fn only_who_drops_a_waiting_call_has_a_place_to_come_back_to() {
    let again = |first: Heard<Enqueue>| {
        let second_call = first.hears([received(2, ANN, false)]);
        place(&second_call.hears_at(second(40), enqueued(2)))
    };
    let first = || {
        process::<Enqueue>()
            .hears([queue(), received(1, ANN, false)])
            .hears_at(second(10), enqueued(1))
    };
    assert_eq!(
        again(first().hears_at(second(30), ended(1, By::System))),
        (second(40), None)
    );
    let (visit, queue) = (VisitId(Uuid::from_u128(201)), QUEUE);
    let served = call::Event::AgentConnected {
        offer: crate::testing::OFFER,
        visit,
        session: crate::testing::SESSION,
        leg: LegId(Uuid::from_u128(9)),
        codec: None,
        device: None,
    };
    let cause = OverflowCause::MaxWait;
    let left = call::Event::Overflowed {
        mailbox: None,
        visit,
        queue,
        cause,
        by: None,
        why: None,
    };
    for event in [served, left] {
        let gone = first()
            .hears_at(second(20), AnyEvent::Call(call(1), event))
            .hears_at(second(30), ended(1, By::Caller));
        assert_eq!(again(gone), (second(40), None));
    }
}

fn opened(number: u128) -> AnyEvent {
    let opened = line::Event::Opened {
        visit: VisitId(Uuid::from_u128(200 + number)),
        call: call(number),
        enqueued_at: second(10),
        joined_at: Some(second(40)),
        priority: None,
        previous: None,
        position: 1,
        policy: line::VisitPolicy {
            config_version: 1,
            answer_mode: AnswerMode::OnAgent,
            ring_timeout_ms: 20_000,
            wrap_up_ms: 5_000,
            max_wait_ms: 0,
            measure: None,
        },
    };
    AnyEvent::Line(QUEUE, opened)
}

#[test]
fn whoever_finds_no_room_has_the_place_still() {
    let rejected = line::Event::Rejected {
        visit: VisitId(Uuid::from_u128(202)),
        call: call(2),
        reason: line::RejectReason::Full,
    };
    let back = || {
        dropped(ANN)
            .hears([received(2, ANN, false)])
            .hears_at(second(40), enqueued(2))
    };
    let third = |heard: Heard<Enqueue>| {
        let heard = heard.hears([received(3, ANN, false)]);
        place(&heard.hears_at(second(50), enqueued(3)))
    };
    // Who hangs up as the line says no has dropped nothing.
    for by in [By::System, By::Caller] {
        let full = back()
            .hears_at(second(41), AnyEvent::Line(QUEUE, rejected.clone()))
            .hears_at(second(42), ended(2, by));
        assert_eq!(third(full), (second(10), Some(second(50))));
    }
    // Who was let in has had it.
    let served = back()
        .hears_at(second(41), opened(2))
        .hears_at(second(42), ended(2, By::System));
    assert_eq!(third(served), (second(50), None));
}

/// The second call, which asks for the place of the first; there is another queue.
fn comes_back() -> Heard<Enqueue> {
    let AnyEvent::Queue(_, other) = queue() else {
        unreachable!("a queue is created");
    };
    dropped(ANN)
        .hears([AnyEvent::Queue(OTHER_QUEUE, other), received(2, ANN, false)])
        .hears_at(second(40), enqueued(2))
}

/// The second call is sent into the other queue.
fn sent_on(back: Heard<Enqueue>, cause: OverflowCause) -> Heard<Enqueue> {
    let overflowed = call::Event::Overflowed {
        mailbox: None,
        visit: VisitId(Uuid::from_u128(202)),
        queue: QUEUE,
        cause,
        by: None,
        why: None,
    };
    let next = call::Event::Enqueued {
        visit: VisitId(Uuid::from_u128(212)),
        queue: OTHER_QUEUE,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
        music: None,
    };
    back.hears_at(second(42), AnyEvent::Call(call(2), overflowed))
        .hears_at(second(42), AnyEvent::Call(call(2), next))
}

/// Since when the visit counts that was asked for in the other queue.
#[track_caller]
fn elsewhere(heard: &Heard<Enqueue>) -> Timestamp {
    match &heard.asked[..] {
        [AnyCommand::Line(OTHER_QUEUE, line::Command::OpenVisit { enqueued_at, .. })] => {
            *enqueued_at
        }
        other => panic!("a visit was expected: {other:?}"),
    }
}

/// The line was slow: it has let the call in at that place, and says so when the call is
/// on its way already.
#[test]
fn a_place_that_is_told_after_the_call_was_sent_on_goes_along() {
    let closed = line::Event::Closed {
        visit: VisitId(Uuid::from_u128(202)),
        call: call(2),
        result: line::VisitResult::ExitKey,
        closed_at: second(42),
        wait_ms: 2_000,
        measure: None,
    };
    let on_its_way = sent_on(comes_back(), OverflowCause::ExitKey)
        .hears_at(second(43), opened(2))
        .hears_at(second(44), AnyEvent::Line(QUEUE, closed));
    assert_eq!(elsewhere(&on_its_way), second(10));
}

/// What the caller was not let into is not taken along: it is there for the next call.
#[test]
fn a_place_that_a_full_queue_has_refused_counts_in_no_other_queue() {
    let rejected = line::Event::Rejected {
        visit: VisitId(Uuid::from_u128(202)),
        call: call(2),
        reason: line::RejectReason::Full,
    };
    let back = comes_back().hears_at(second(41), AnyEvent::Line(QUEUE, rejected));
    let sent_on = sent_on(back, OverflowCause::Full);
    // Since it came, and not since its caller came before.
    assert_eq!(elsewhere(&sent_on), second(40));
    let again = sent_on
        .hears_at(second(43), ended(2, By::System))
        .hears([received(3, ANN, false)])
        .hears_at(second(50), enqueued(3));
    assert_eq!(place(&again), (second(10), Some(second(50))));
}

#[test]
fn whoever_is_erased_is_forgotten() {
    let erased = || {
        let erased = person::Event::Erased {
            reason: person::Reason::ConsentWithdrawn,
            keys_through: 1,
        };
        AnyEvent::Person(ANN, erased)
    };
    let back = dropped(ANN)
        .hears([erased(), received(2, ANN, false)])
        .hears_at(second(40), enqueued(2));
    assert_eq!(place(&back), (second(40), None));
    // The call itself may go on.
    let back = process::<Enqueue>()
        .hears([queue(), received(1, ANN, false)])
        .hears_at(second(10), enqueued(1))
        .hears([erased()])
        .hears_at(second(30), ended(1, By::Caller))
        .hears([received(2, ANN, false)])
        .hears_at(second(40), enqueued(2));
    assert_eq!(place(&back), (second(40), None));
}

#[test]
fn nobody_is_remembered_for_a_queue_that_keeps_no_places() {
    let heard = process::<Enqueue>()
        .hears([queue_with(0), received(1, ANN, false)])
        .hears_at(second(10), enqueued(1));
    let saved = serde_json::to_string(&heard.state).expect("a state can be written");
    assert!(!saved.contains(&ANN.to_string()), "{saved}");
    let heard = dropped(ANN).hears([received(2, ANN, false)]);
    let saved = serde_json::to_string(&heard.state).expect("a state can be written");
    assert!(saved.contains(&ANN.to_string()), "{saved}");
    // A place that nobody came back to goes with the next caller who waits.
    let heard = dropped(ANN)
        .hears([received(2, BERT, false)])
        .hears_at(second(91), enqueued(2));
    let saved = serde_json::to_string(&heard.state).expect("a state can be written");
    assert!(!saved.contains(&ANN.to_string()), "{saved}");
}

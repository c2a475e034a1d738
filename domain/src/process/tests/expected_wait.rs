//! Who would wait too long goes where the queue says, before waiting.

use super::{
    enqueue::{config, enqueued, logged_in, overflow_of, serves, to_number},
    *,
};
use crate::{
    call::{AnswerMode, OverflowCause},
    id::{CallId, VisitId},
    process::enqueue::Enqueue,
    queue,
    session::WrapUpEndedBy,
    testing::{CALL, OFFER, OTHER_CALL, OTHER_VISIT, QUEUE, SESSION, VISIT},
};

/// Nobody is to wait for more than a minute and a half.
fn created() -> AnyEvent {
    let rule = queue::Overflow {
        when: OverflowCause::ExpectedWait,
        to: to_number(),
    };
    let config = queue::Config {
        expected_wait_max_ms: 90_000,
        ..config(AnswerMode::OnAgent, 0, vec![rule])
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

fn told(event: session::Event) -> AnyEvent {
    AnyEvent::Session(SESSION, event)
}

/// The agent is there and has had a contact of 60 s, with 20 s of work after it.
fn has_served() -> Heard<Enqueue> {
    let call = CallId(Uuid::from_u128(90));
    let connected = session::Event::ConnectedToContact {
        offer: OFFER,
        call,
        queue: QUEUE,
    };
    let over = session::Event::WrapUpEnded {
        call,
        by: WrapUpEndedBy::Agent,
        code: None,
        note: None,
    };
    let until = second(500);
    process::<Enqueue>()
        .hears([created(), serves(&[QUEUE])])
        .hears(logged_in())
        .hears_at(second(100), told(connected))
        .hears_at(second(160), told(session::Event::ContactEnded { call }))
        .hears_at(
            second(160),
            told(session::Event::WrapUpStarted {
                call,
                until,
                code_required: false,
            }),
        )
        .hears_at(second(180), told(over))
        .hears_at(second(180), told(session::Event::BecameReady {}))
}

fn comes(call: CallId, visit: VisitId) -> AnyEvent {
    let event = call::Event::Enqueued {
        visit,
        queue: QUEUE,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
    };
    AnyEvent::Call(call, event)
}

fn stands(call: CallId, visit: VisitId, priority: Option<i32>) -> AnyEvent {
    let event = line::Event::Opened {
        visit,
        call,
        enqueued_at: second(200),
        joined_at: None,
        priority,
        previous: None,
        position: 1,
        policy: line::VisitPolicy {
            config_version: 1,
            answer_mode: AnswerMode::OnAgent,
            ring_timeout_ms: 20_000,
            wrap_up_ms: 0,
            max_wait_ms: 0,
            measure: None,
        },
    };
    AnyEvent::Line(QUEUE, event)
}

fn is_let_in(heard: &Heard<Enqueue>) -> bool {
    matches!(
        heard.asked[..],
        [AnyCommand::Line(QUEUE, line::Command::OpenVisit { .. })]
    )
}

#[test]
fn who_would_wait_too_long_is_sent_on_before_waiting() {
    // The first waits for one contact of 80 s, the second for two of them.
    let heard = has_served().hears_at(second(200), comes(OTHER_CALL, OTHER_VISIT));
    assert!(is_let_in(&heard), "{:?}", heard.asked);
    let heard = heard
        .hears_at(second(200), stands(OTHER_CALL, OTHER_VISIT, None))
        .hears_at(second(210), enqueued());
    let (visit, cause, _) = overflow_of(&heard.asked);
    assert_eq!((visit, cause), (VISIT, OverflowCause::ExpectedWait));
}

#[test]
fn who_comes_before_those_who_wait_is_let_in() {
    let lowered = line::Event::PriorityChanged {
        visit: OTHER_VISIT,
        call: OTHER_CALL,
        priority: -5,
    };
    let heard = has_served()
        .hears_at(second(200), comes(OTHER_CALL, OTHER_VISIT))
        .hears_at(second(200), stands(OTHER_CALL, OTHER_VISIT, None))
        .hears_at(second(205), AnyEvent::Line(QUEUE, lowered))
        .hears_at(second(210), enqueued());
    assert!(is_let_in(&heard), "{:?}", heard.asked);
}

#[test]
fn who_can_go_nowhere_else_waits() {
    let heard = has_served()
        .hears_at(second(200), comes(OTHER_CALL, OTHER_VISIT))
        .hears_at(second(200), stands(OTHER_CALL, OTHER_VISIT, None))
        .hears_at(second(210), enqueued());
    let command = heard.asked.first().cloned();
    let command = command.expect("it is to be sent on");
    let heard = heard.gets_refused(&command, "call.overflow_loop", 3);
    assert!(is_let_in(&heard), "{:?}", heard.asked);
}

#[test]
fn while_nothing_is_known_everybody_is_let_in() {
    // No contact yet; and then nobody who is not paused.
    let heard = process::<Enqueue>()
        .hears([created(), serves(&[QUEUE])])
        .hears(logged_in())
        .hears([enqueued()]);
    assert!(is_let_in(&heard), "{:?}", heard.asked);
    let paused = queue::Event::MemberPaused {
        agent: SESSION.agent,
        by: "carla".into(),
        why: "training".into(),
    };
    let heard = has_served()
        .hears_at(second(200), comes(OTHER_CALL, OTHER_VISIT))
        .hears_at(second(200), stands(OTHER_CALL, OTHER_VISIT, None))
        .hears_at(second(205), AnyEvent::Queue(QUEUE, paused))
        .hears_at(second(210), AnyEvent::Call(CALL, said()));
    assert!(is_let_in(&heard), "{:?}", heard.asked);
}

fn said() -> call::Event {
    call::Event::Enqueued {
        visit: VISIT,
        queue: QUEUE,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
    }
}

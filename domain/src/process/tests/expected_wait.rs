//! Who would wait too long goes where the queue says, before waiting.

use super::{
    enqueue::{config, enqueued, logged_in, overflow_of, serves, to_number},
    *,
};
use crate::{
    agent,
    call::{AnswerMode, OverflowCause},
    cause::{By, Disposition, EndCause, EndReason, EndResult},
    id::{CallId, VisitId},
    process::enqueue::Enqueue,
    queue,
    session::WrapUpEndedBy,
    testing::{CALL, OFFER, OTHER_CALL, OTHER_QUEUE, OTHER_VISIT, QUEUE, SESSION, VISIT},
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

/// The agent is there.
fn is_there() -> Heard<Enqueue> {
    process::<Enqueue>()
        .hears([created(), serves(&[QUEUE])])
        .hears(logged_in())
}

/// A caller had the agent from that second on for so long, who worked for 20 s after it.
/// We may have placed the call.
fn serves_one(
    mut heard: Heard<Enqueue>,
    number: u64,
    (from, talked_s): (u64, u64),
    placed: bool,
) -> Heard<Enqueue> {
    let id = |kind| Uuid::from_u64_pair(kind, number);
    let (call, visit) = (CallId(id(90)), VisitId(id(91)));
    let came = second(from - 5);
    if placed {
        let placed = call::Event::Placed {
            leg: crate::id::LegId(id(92)),
            party: crate::sealed::Sealed::new(crate::id::SubjectId(id(93)), "sealed".into()),
            callback: crate::id::CallbackId(id(94)),
            place: came,
            wanted: None,
        };
        heard = heard.hears_at(came, AnyEvent::Call(call, placed));
    }
    let answered = line::Event::Closed {
        visit,
        call,
        result: line::VisitResult::Answered,
        closed_at: second(from),
        wait_ms: 5_000,
        measure: None,
    };
    let over = call::Event::Ended {
        cause: EndCause {
            result: EndResult::Caller,
            reason: EndReason::Hangup,
            by: By::Caller,
            sip_status: None,
            q850: None,
            reason_header: None,
        },
        disposition: Disposition::Answered,
        ended_at: second(from + talked_s),
        incomplete: false,
        session: None,
        offer: None,
        visit: Some(visit),
        queue: Some(QUEUE),
    };
    let over_at = second(from + talked_s);
    let works = session::Event::WrapUpStarted {
        call,
        until: second(from + talked_s + 500),
        code_required: false,
        still: None,
    };
    let done = session::Event::WrapUpEnded {
        call,
        by: WrapUpEndedBy::Agent,
        code: None,
        note: None,
        still: None,
    };
    heard
        .hears_at(came, comes(call, visit))
        .hears_at(came, stands_since(call, visit, came, None))
        .hears_at(second(from), AnyEvent::Line(QUEUE, answered))
        .hears_at(over_at, AnyEvent::Call(call, over))
        .hears_at(over_at, told(works))
        .hears_at(over_at.plus_ms(20_000), told(done))
        .hears_at(
            over_at.plus_ms(20_000),
            told(session::Event::BecameReady {}),
        )
}

/// The agent is there and has had a contact of 60 s, with 20 s of work after it.
fn has_served() -> Heard<Enqueue> {
    serves_one(is_there(), 1, (100, 60), false)
}

fn comes(call: CallId, visit: VisitId) -> AnyEvent {
    let event = call::Event::Enqueued {
        visit,
        queue: QUEUE,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
        music: None,
    };
    AnyEvent::Call(call, event)
}

fn stands(call: CallId, visit: VisitId, priority: Option<i32>) -> AnyEvent {
    stands_since(call, visit, second(200), priority)
}

fn stands_since(
    call: CallId,
    visit: VisitId,
    enqueued_at: Timestamp,
    priority: Option<i32>,
) -> AnyEvent {
    let event = line::Event::Opened {
        visit,
        call,
        enqueued_at,
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
fn an_agent_of_two_calls_at_once_is_expected_to_serve_twice_as_fast() {
    let may_have = |capacity| {
        let AnyEvent::Agent(agent, agent::Event::Created { config, .. }) = serves(&[QUEUE]) else {
            unreachable!("it is made");
        };
        let config_version = u32::from(capacity) + 1;
        let config = agent::Config { capacity, ..config };
        let configured = agent::Event::Configured {
            config_version,
            config,
        };
        AnyEvent::Agent(agent, configured)
    };
    let second_of = |told: &[AnyEvent]| {
        has_served()
            .hears_at(second(200), comes(OTHER_CALL, OTHER_VISIT))
            .hears_at(second(200), stands(OTHER_CALL, OTHER_VISIT, None))
            .hears(told.iter().cloned())
            .hears_at(second(210), enqueued())
    };
    assert!(!is_let_in(&second_of(&[])));
    assert!(is_let_in(&second_of(&[may_have(2)])));
    assert!(!is_let_in(&second_of(&[may_have(2), may_have(1)])));
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
        music: None,
    }
}

#[test]
fn contacts_of_callbacks_count_for_nobody_who_calls() {
    // As no board counts them that tells callers how long it takes.
    let heard = serves_one(is_there(), 1, (100, 60), true)
        .hears_at(second(200), comes(OTHER_CALL, OTHER_VISIT))
        .hears_at(second(200), stands(OTHER_CALL, OTHER_VISIT, None))
        .hears_at(second(210), enqueued());
    assert!(is_let_in(&heard), "{:?}", heard.asked);
}

#[test]
fn contacts_are_as_old_as_they_are_when_the_caller_joins_whatever_place_that_one_has() {
    // The last fifty took half a minute each, and the ten before them ten minutes.
    let mut heard = is_there();
    for number in 0..60 {
        let (from, talked_s) = if number < 10 { (100, 600) } else { (710, 10) };
        heard = serves_one(heard, number, (from + number, talked_s), false);
    }
    // Much later a call comes from another queue: when it was enqueued first, all of them
    // were recent.
    let elsewhere = call::Event::Enqueued {
        visit: OTHER_VISIT,
        queue: OTHER_QUEUE,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
        music: None,
    };
    let heard = heard
        .hears_at(second(800), AnyEvent::Call(CALL, elsewhere))
        .hears_at(second(9_000), enqueued());
    assert!(is_let_in(&heard), "{:?}", heard.asked);
}

#[test]
fn rounds_in_vain_count_for_the_place_where_the_queue_says_so() {
    let rules = |retry_boost| {
        let AnyEvent::Queue(_, queue::Event::Created { config, .. }) = created() else {
            unreachable!("it is made");
        };
        let matching = queue::Matching {
            retry_boost,
            ..config.matching.clone()
        };
        let config = queue::Config { matching, ..config };
        AnyEvent::Queue(
            QUEUE,
            queue::Event::Configured {
                config_version: 2,
                config,
            },
        )
    };
    // Who waits can wait, unless it was offered in vain and comes first for that.
    let is_before = |retry_boost| {
        let returned = line::Event::Returned {
            visit: OTHER_VISIT,
            call: OTHER_CALL,
            offer: OFFER,
            session: SESSION,
            cause: line::ReturnCause::NoAnswer,
            attempt: 1,
            still_ringing: false,
        };
        let heard = has_served()
            .hears_at(second(190), rules(retry_boost))
            .hears_at(second(200), comes(OTHER_CALL, OTHER_VISIT))
            .hears_at(second(200), stands(OTHER_CALL, OTHER_VISIT, Some(-5)))
            .hears_at(second(205), AnyEvent::Line(QUEUE, returned))
            .hears_at(second(210), enqueued());
        !is_let_in(&heard)
    };
    assert!(!is_before(1));
    assert!(is_before(6));
}

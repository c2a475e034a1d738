//! A call that its agent has sent into another queue: the next line, the last agent, the
//! contact that is over.

use super::{
    enqueue::{ELSEWHERE, created, enqueued, opened},
    *,
};
use crate::{
    call::{self, AnswerMode},
    id::VisitId,
    line::{self, VisitResult},
    process::{enqueue::Enqueue, wrap_up::WrapUp},
    session,
    testing::{AGENT_LEG, CALL, OFFER, OTHER_VISIT, QUEUE, SESSION, VISIT},
};

const NEXT: VisitId = OTHER_VISIT;

fn connected() -> AnyEvent {
    let connected = call::Event::AgentConnected {
        offer: OFFER,
        visit: VISIT,
        session: SESSION,
        leg: AGENT_LEG,
        codec: None,
        device: None,
    };
    AnyEvent::Call(CALL, connected)
}

fn answered() -> AnyEvent {
    let closed = line::Event::Closed {
        visit: VISIT,
        call: CALL,
        result: VisitResult::Answered,
        closed_at: second(30),
        wait_ms: 10_000,
        measure: None,
    };
    AnyEvent::Line(QUEUE, closed)
}

fn transferred() -> AnyEvent {
    let transferred = call::Event::Transferred {
        leg: AGENT_LEG,
        session: SESSION,
        offer: OFFER,
        visit: VISIT,
        queue: QUEUE,
        to: ELSEWHERE,
        by: "agent".into(),
    };
    AnyEvent::Call(CALL, transferred)
}

fn waits_elsewhere() -> AnyEvent {
    let next = call::Event::Enqueued {
        visit: NEXT,
        queue: ELSEWHERE,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
        music: None,
    };
    AnyEvent::Call(CALL, next)
}

/// An agent has the call, who has waited since the twentieth second.
fn talking() -> Heard<Enqueue> {
    let AnyEvent::Queue(_, elsewhere) = created(AnswerMode::OnAgent, 0) else {
        unreachable!("a queue is created");
    };
    let preferred = line::Event::PriorityChanged {
        visit: VISIT,
        call: CALL,
        priority: 7,
    };
    process::<Enqueue>()
        .hears([
            created(AnswerMode::OnAgent, 0),
            AnyEvent::Queue(ELSEWHERE, elsewhere),
        ])
        .hears_at(second(20), enqueued())
        .hears_at(second(20), opened(AnswerMode::OnAgent, 0))
        .hears_at(second(25), AnyEvent::Line(QUEUE, preferred))
        .hears_at(second(30), connected())
}

#[track_caller]
fn is_let_in_with_its_place(asked: &[AnyCommand]) {
    let [
        AnyCommand::Line(
            ELSEWHERE,
            line::Command::OpenVisit {
                visit,
                enqueued_at,
                joined_at,
                priority,
                previous,
                ..
            },
        ),
    ] = asked
    else {
        panic!("{asked:?}");
    };
    assert_eq!((*visit, *previous), (NEXT, Some(VISIT)));
    assert_eq!(*priority, Some(7));
    let since = (*enqueued_at, *joined_at);
    assert_eq!(since, (second(20), Some(second(60))));
}

#[test]
fn the_next_line_is_asked_at_once_for_the_place_and_the_priority_that_the_call_has() {
    let waiting = talking()
        .hears_at(second(31), answered())
        .hears_at(second(60), transferred());
    assert_eq!(waiting.asked, [], "the answered stay is closed");
    let waiting = waiting.hears_at(second(60), waits_elsewhere());
    is_let_in_with_its_place(&waiting.asked);
}

#[test]
fn a_line_that_has_not_heard_of_the_answer_lets_it_go_first() {
    let waiting = talking()
        .hears_at(second(60), transferred())
        .hears_at(second(60), waits_elsewhere());
    assert_eq!(waiting.asked, [], "it stands in the old line still");
    let waiting = waiting.hears_at(second(61), answered());
    is_let_in_with_its_place(&waiting.asked);
}

#[test]
fn the_agents_contact_is_over_with_the_transfer() {
    let end = session::Command::EndContact {
        call: CALL,
        offer: OFFER,
    };
    process::<WrapUp>()
        .hears([transferred()])
        .asks([AnyCommand::Session(SESSION, end)])
        .hears([waits_elsewhere()])
        .asks_nothing();
}

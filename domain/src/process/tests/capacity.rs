//! Agents who may have several calls at once: who is rung, and what the record says of it.

use super::*;
use crate::{
    agent,
    call::{self, AnswerMode},
    id::{AgentId, CallId, SessionId, VisitId},
    line::{self, VisitPolicy},
    process::{routing::Routing, wrap_up::WrapUp},
    queue::Terms,
    session::{self, Choice, DecidedBy, LeftOutReason},
    testing::{
        AGENT_LEG, CALL, OFFER, OTHER_CALL, OTHER_QUEUE, OTHER_SESSION, OTHER_VISIT, QUEUE,
        SESSION, VISIT,
    },
};

fn serves(agent: AgentId, capacity: u8, tier: u8) -> AnyEvent {
    let place = agent::Place {
        tier,
        ..agent::Place::first(QUEUE)
    };
    let config = agent::Config {
        display_name: None,
        queues: vec![QUEUE],
        ready_on_register: false,
        registration_grace_ms: agent::REGISTRATION_GRACE_MS,
        capacity,
        skills: vec![],
        places: vec![place],
    };
    let name = "alice".into();
    AnyEvent::Agent(agent, agent::Event::Created { name, config })
}

fn ready(session: SessionId, capacity: u8, tier: u8) -> [AnyEvent; 3] {
    [
        serves(session.agent, capacity, tier),
        AnyEvent::Session(session, session::Event::LoggedIn { session }),
        AnyEvent::Session(session, session::Event::BecameReady {}),
    ]
}

fn waits(visit: VisitId, call: CallId) -> AnyEvent {
    AnyEvent::Line(
        QUEUE,
        line::Event::Opened {
            visit,
            call,
            enqueued_at: second(0),
            joined_at: None,
            priority: None,
            previous: None,
            position: 1,
            policy: VisitPolicy {
                config_version: 1,
                answer_mode: AnswerMode::OnAgent,
                ring_timeout_ms: 20_000,
                wrap_up_ms: 7_000,
                max_wait_ms: 0,
                measure: None,
            },
        },
    )
}

/// The agent is with the first caller.
fn talks(session: SessionId) -> [AnyEvent; 2] {
    let (offer, call, queue) = (OFFER, CALL, QUEUE);
    [
        AnyEvent::Session(
            session,
            session::Event::Reserved {
                offer,
                call,
                visit: VISIT,
                queue,
                until: second(90),
                wrap_up_ms: 7_000,
                choice: None,
                terms: Terms::STANDARD,
                capacity: 2,
                still: None,
            },
        ),
        AnyEvent::Session(
            session,
            session::Event::ConnectedToContact { offer, call, queue },
        ),
    ]
}

/// Routing has heard these; for whom the last of them lets it ask, as of how many calls, and
/// why.
fn asked(heard: impl IntoIterator<Item = AnyEvent>) -> Vec<(SessionId, u8, Choice)> {
    let mut routing = process::<Routing>();
    let mut intents = vec![];
    for event in heard {
        routing.count += 1;
        let fact = routing.fact(second(routing.count), event);
        intents = Routing::step(&mut routing.state, &Input::Event(&fact));
    }
    let asked = intents.into_iter().map(|intent| {
        let AnyCommand::Session(
            session,
            session::Command::Reserve {
                capacity,
                choice: Some(choice),
                ..
            },
        ) = intent.command
        else {
            panic!("routing only reserves, and says why");
        };
        (session, capacity, *choice)
    });
    asked.collect()
}

/// The second caller comes, and waits.
fn comes() -> [AnyEvent; 2] {
    let opened = waits(OTHER_VISIT, OTHER_CALL);
    let said = said_before(&opened).expect("its call has said so");
    [said, opened]
}

fn all(parts: impl IntoIterator<Item = Vec<AnyEvent>>) -> Vec<AnyEvent> {
    parts.into_iter().flatten().collect()
}

#[test]
fn who_has_a_call_and_room_for_one_more_is_asked() {
    let heard = [
        ready(SESSION, 2, 1).into(),
        talks(SESSION).into(),
        comes().into(),
    ];
    let asked = asked(all(heard));
    let [(session, capacity, choice)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!((*session, *capacity), (SESSION, 2));
    let why = (choice.calls_count, choice.decided_by);
    assert_eq!(why, (1, DecidedBy::Alone));
}

#[test]
fn who_may_have_one_call_and_has_it_is_not_asked_until_there_may_be_two() {
    let heard = all([
        ready(SESSION, 1, 1).into(),
        talks(SESSION).into(),
        comes().into(),
    ]);
    assert_eq!(asked(heard.clone()), []);
    let more = all([heard, vec![serves(SESSION.agent, 2, 1)]]);
    assert_eq!(asked(more).len(), 1);
}

#[test]
fn who_has_sent_the_call_on_is_not_asked_for_it_while_it_still_has_it() {
    let transferred = call::Event::Transferred {
        leg: AGENT_LEG,
        session: SESSION,
        offer: OFFER,
        visit: VISIT,
        queue: OTHER_QUEUE,
        to: QUEUE,
        by: "agent".into(),
    };
    let opened = waits(OTHER_VISIT, CALL);
    let said = said_before(&opened).expect("its call has said so");
    let sent_on = all([
        ready(SESSION, 2, 1).into(),
        talks(SESSION).into(),
        vec![AnyEvent::Call(CALL, transferred), said, opened],
    ]);
    assert_eq!(asked(sent_on.clone()), []);
    // Somebody else is, though that one comes later.
    let other = all([sent_on.clone(), ready(OTHER_SESSION, 1, 2).into()]);
    let whose: Vec<_> = asked(other).into_iter().map(|(who, ..)| who).collect();
    assert_eq!(whose, [OTHER_SESSION]);
    let (call, still) = (CALL, None);
    let ended = session::Event::ContactEnded { call, still };
    let over = [
        AnyEvent::Session(SESSION, ended),
        AnyEvent::Session(SESSION, session::Event::BecameReady {}),
    ];
    assert_eq!(asked(all([sent_on, over.into()])).len(), 1);
}

#[test]
fn who_is_about_to_leave_is_not_asked_unless_that_is_taken_back() {
    let wants = |next| {
        let requested = session::Event::NextStateRequested { next, code: None };
        vec![AnyEvent::Session(SESSION, requested)]
    };
    let leaves = session::NextState::LoggedOut(session::LogoutReason::Agent);
    let heard = all([
        ready(SESSION, 2, 1).into(),
        talks(SESSION).into(),
        wants(leaves),
        comes().into(),
    ]);
    assert_eq!(asked(heard.clone()), []);
    let stays = all([heard, wants(session::NextState::Ready)]);
    assert_eq!(asked(stays).len(), 1);
}

#[test]
fn who_has_no_call_comes_first_also_in_a_later_tier() {
    let heard = [
        ready(SESSION, 2, 1).into(),
        talks(SESSION).into(),
        ready(OTHER_SESSION, 1, 2).into(),
        comes().into(),
    ];
    let asked = asked(all(heard));
    let [(session, capacity, choice)] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!((*session, *capacity), (OTHER_SESSION, 1));
    assert_eq!(choice.calls_count, 0);
    assert_eq!(choice.decided_by, DecidedBy::Idle);
    assert_eq!(choice.next, Some(SESSION.agent));
    let left_out = choice.left_out.iter();
    let left_out: Vec<_> = left_out
        .map(|left_out| (left_out.reason, left_out.agents.clone()))
        .collect();
    assert_eq!(left_out, [(LeftOutReason::Engaged, vec![SESSION.agent])]);
}

#[test]
fn each_of_several_wrap_ups_ends_when_its_time_is_over() {
    let works = |call, until| {
        let (code_required, still) = (false, None);
        let started = session::Event::WrapUpStarted {
            call,
            until,
            code_required,
            still,
        };
        AnyEvent::Session(SESSION, started)
    };
    let ends =
        |call, until| AnyCommand::Session(SESSION, session::Command::EndWrapUp { call, until });
    process::<WrapUp>()
        .hears([works(CALL, second(70)), works(OTHER_CALL, second(80))])
        .wakes(second(70))
        .asks([ends(CALL, second(70))])
        .wakes(second(80))
        .asks([ends(OTHER_CALL, second(80))]);
}

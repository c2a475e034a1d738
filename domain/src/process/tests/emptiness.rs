//! Queues in which nobody waits for nobody, and who counts as there.

use super::*;
use crate::{
    agent,
    call::{self, AnswerMode, OverflowCause},
    cause::EndReason,
    line::{self, RejectReason, VisitPolicy},
    process::enqueue::Enqueue,
    queue::{self, Away, Empty},
    session,
    testing::{AGENT, CALL, OFFER, OTHER_CALL, OTHER_VISIT, QUEUE, SESSION, VISIT},
};

fn queue(empty: Empty, overflow: Vec<queue::Overflow>) -> AnyEvent {
    let config = queue::Config {
        ring_timeout_ms: 20_000,
        wrap_up_ms: 5_000,
        answer_mode: AnswerMode::OnAgent,
        max_wait_ms: 0,
        capacity: 7,
        overflow,
        empty,
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

fn joins(away: &[Away]) -> Empty {
    Empty {
        join: Some(away.to_vec()),
        leave: None,
    }
}

fn leaves(away: &[Away]) -> Empty {
    Empty {
        join: None,
        leave: Some(away.to_vec()),
    }
}

fn agent(tier: u8, penalty: u8) -> AnyEvent {
    let place = agent::Place {
        tier,
        penalty,
        ..agent::Place::first(QUEUE)
    };
    let config = agent::Config {
        display_name: None,
        queues: vec![QUEUE],
        ready_on_register: false,
        registration_grace_ms: agent::REGISTRATION_GRACE_MS,
        capacity: 1,
        skills: vec![],
        places: vec![place],
    };
    let name = "alice".into();
    AnyEvent::Agent(AGENT, agent::Event::Created { name, config })
}

fn told(event: session::Event) -> AnyEvent {
    AnyEvent::Session(SESSION, event)
}

fn logged_in() -> [AnyEvent; 2] {
    let session = SESSION;
    [
        told(session::Event::LoggedIn { session }),
        told(session::Event::BecameReady {}),
    ]
}

fn not_ready(reason: session::NotReadyReason) -> AnyEvent {
    told(session::Event::BecameNotReady { reason, code: None })
}

fn reserved() -> AnyEvent {
    told(session::Event::Reserved {
        offer: OFFER,
        call: CALL,
        visit: VISIT,
        queue: QUEUE,
        until: second(90),
        wrap_up_ms: 5_000,
        choice: None,
        terms: queue::Terms::STANDARD,
        capacity: 1,
        still: None,
    })
}

fn talks() -> AnyEvent {
    told(session::Event::ConnectedToContact {
        offer: OFFER,
        call: CALL,
        queue: QUEUE,
    })
}

fn wraps_up() -> AnyEvent {
    told(session::Event::WrapUpStarted {
        call: CALL,
        until: second(90),
        code_required: false,
        still: None,
    })
}

fn paused() -> AnyEvent {
    let paused = queue::Event::MemberPaused {
        agent: SESSION.agent,
        by: "carla".into(),
        why: "training".into(),
    };
    AnyEvent::Queue(QUEUE, paused)
}

fn enqueued() -> AnyEvent {
    AnyEvent::Call(
        OTHER_CALL,
        call::Event::Enqueued {
            visit: OTHER_VISIT,
            queue: QUEUE,
            config_version: 1,
            answer_mode: AnswerMode::OnAgent,
            exit_keys: vec![],
            music: None,
        },
    )
}

fn opened(visit: crate::id::VisitId, call: crate::id::CallId) -> AnyEvent {
    AnyEvent::Line(
        QUEUE,
        line::Event::Opened {
            visit,
            call,
            enqueued_at: second(1),
            joined_at: None,
            priority: None,
            previous: None,
            position: 1,
            policy: VisitPolicy {
                config_version: 1,
                answer_mode: AnswerMode::OnAgent,
                ring_timeout_ms: 20_000,
                wrap_up_ms: 5_000,
                max_wait_ms: 0,
                measure: None,
            },
        },
    )
}

/// Why the next call is not let in, with agents of whom that was heard.
fn barred(away: &[Away], heard: impl IntoIterator<Item = AnyEvent>) -> Option<RejectReason> {
    let heard = process::<Enqueue>()
        .hears([queue(joins(away), vec![])])
        .hears(heard)
        .hears([enqueued()]);
    match &heard.asked[..] {
        [AnyCommand::Line(QUEUE, line::Command::OpenVisit { barred, .. })] => *barred,
        other => panic!("the line is to decide: {other:?}"),
    }
}

fn ends(call: crate::id::CallId) -> AnyCommand {
    let visit = if call == CALL { VISIT } else { OTHER_VISIT };
    let end = call::Command::EndCall {
        reason: EndReason::NobodyThere,
        ended_at: None,
        visit: Some(visit),
    };
    AnyCommand::Call(call, end)
}

#[test]
fn whoever_is_not_logged_in_is_away_whatever_is_named() {
    let out = told(session::Event::LoggedOut {
        reason: session::LogoutReason::Agent,
    });
    assert_eq!(barred(&[], []), Some(RejectReason::Empty));
    assert_eq!(barred(&[], [agent(1, 0)]), Some(RejectReason::Empty));
    let [login, ready] = logged_in();
    let there = [agent(1, 0), login, ready];
    assert_eq!(barred(&[], there.clone()), None);
    let gone = there.into_iter().chain([out]);
    assert_eq!(barred(&[], gone), Some(RejectReason::Empty));
}

#[test]
fn each_factor_makes_an_agent_away_and_no_other_does() {
    let all = [
        Away::NotReady,
        Away::Unreachable,
        Away::Ringing,
        Away::OnContact,
        Away::WrapUp,
        Away::LaterTier,
        Away::Penalty,
        Away::Paused,
    ];
    let pause = not_ready(session::NotReadyReason::Break);
    let lost = not_ready(session::NotReadyReason::Unreachable);
    for (place, more, away) in [
        ((1, 0), vec![pause], vec![Away::NotReady]),
        ((1, 0), vec![lost], vec![Away::NotReady, Away::Unreachable]),
        ((1, 0), vec![reserved()], vec![Away::Ringing]),
        ((1, 0), vec![reserved(), talks()], vec![Away::OnContact]),
        (
            (1, 0),
            vec![reserved(), talks(), wraps_up()],
            vec![Away::WrapUp],
        ),
        ((2, 0), vec![], vec![Away::LaterTier]),
        ((1, 3), vec![], vec![Away::Penalty]),
        ((1, 0), vec![paused()], vec![Away::Paused]),
        ((1, 0), vec![], vec![]),
    ] {
        let (tier, penalty) = place;
        let mut heard = vec![agent(tier, penalty)];
        heard.extend(logged_in());
        heard.extend(more);
        for factor in all {
            let expected = away.contains(&factor).then_some(RejectReason::Empty);
            assert_eq!(
                barred(&[factor], heard.clone()),
                expected,
                "{factor:?}: {heard:?}"
            );
        }
    }
}

#[test]
fn when_the_last_one_goes_those_who_wait_are_sent_away_or_on() {
    let waiting = |empty, overflow| {
        process::<Enqueue>()
            .hears([queue(empty, overflow), agent(1, 0)])
            .hears(logged_in())
            .hears([opened(OTHER_VISIT, OTHER_CALL)])
    };
    let pause = || not_ready(session::NotReadyReason::Break);
    let strict = leaves(&[Away::NotReady]);
    waiting(strict.clone(), vec![])
        .hears([pause()])
        .asks([ends(OTHER_CALL)]);
    // A break is no reason where it is not named, nor where nothing is said.
    for empty in [leaves(&[]), joins(&[Away::NotReady])] {
        waiting(empty, vec![]).hears([pause()]).asks_nothing();
    }
    let overflow = vec![queue::Overflow {
        when: OverflowCause::Unstaffed,
        to: queue::OverflowTo::Queue(QUEUE),
    }];
    let sent = waiting(strict, overflow).hears([pause()]);
    let asked = sent.asked[0].clone();
    assert!(
        matches!(
            asked,
            AnyCommand::Call(OTHER_CALL, call::Command::OverflowCall { .. })
        ),
        "{asked:?}"
    );
    // Where it has been before, it does not go: it ends instead.
    sent.gets_refused(&asked, "call.overflow_loop", 4)
        .asks([ends(OTHER_CALL)]);
}

#[test]
fn whoever_is_being_offered_does_not_leave_because_a_phone_rings() {
    let strict = leaves(&[Away::Ringing, Away::NotReady]);
    let heard = process::<Enqueue>()
        .hears([queue(strict, vec![]), agent(1, 0)])
        .hears(logged_in())
        .hears([opened(VISIT, CALL), opened(OTHER_VISIT, OTHER_CALL)])
        .hears([reserved()])
        .asks([ends(OTHER_CALL)]);
    // The phone rang in vain, and its agent is taken out: now nobody is there.
    let released = released(session::ReleaseReason::NoAnswer);
    let closed = line::Event::Closed {
        visit: OTHER_VISIT,
        call: OTHER_CALL,
        result: line::VisitResult::System,
        closed_at: second(20),
        wait_ms: 19_000,
        measure: None,
    };
    heard
        .hears([AnyEvent::Line(QUEUE, closed), released])
        .asks_nothing()
        .hears([not_ready(session::NotReadyReason::Rona)])
        .asks([ends(CALL)]);
}

fn released(reason: session::ReleaseReason) -> AnyEvent {
    told(session::Event::ReservationReleased {
        offer: OFFER,
        reason,
        not_before: None,
        still: None,
    })
}

#[test]
fn whoever_logs_in_and_takes_no_calls_yet_was_not_there_in_between() {
    let [login, _] = logged_in();
    process::<Enqueue>()
        .hears([queue(leaves(&[Away::NotReady]), vec![]), agent(1, 0)])
        .hears([opened(OTHER_VISIT, OTHER_CALL), login])
        .asks_nothing()
        .hears([not_ready(session::NotReadyReason::Login)])
        .asks_nothing();
}

#[test]
fn between_a_contact_and_what_follows_it_nobody_comes_or_goes() {
    let busy = leaves(&[Away::OnContact, Away::WrapUp, Away::NotReady]);
    let ended = || {
        told(session::Event::ContactEnded {
            call: CALL,
            still: None,
        })
    };
    let wrapped_up = told(session::Event::WrapUpEnded {
        call: CALL,
        by: session::WrapUpEndedBy::Timer,
        code: None,
        note: None,
        still: None,
    });
    // This caller came when the one agent was with somebody.
    let waits = || {
        process::<Enqueue>()
            .hears([queue(busy.clone(), vec![]), agent(1, 0)])
            .hears(logged_in())
            .hears([reserved(), talks(), opened(OTHER_VISIT, OTHER_CALL)])
            .hears([ended()])
            .asks_nothing()
    };
    let pause = || not_ready(session::NotReadyReason::Break);
    waits().hears([pause()]).asks_nothing();
    let worked = waits()
        .hears([wraps_up()])
        .asks_nothing()
        .hears([wrapped_up])
        .asks_nothing()
        .hears([pause()])
        .asks_nothing();
    // Once the agent has been there, it can go.
    worked
        .hears([told(session::Event::BecameReady {})])
        .asks_nothing()
        .hears([pause()])
        .asks([ends(OTHER_CALL)]);
}

#[test]
fn whoever_was_spared_for_a_phone_leaves_when_it_stops_and_nobody_is_there() {
    let next = session::NextState::NotReady(session::NotReadyReason::Break);
    process::<Enqueue>()
        .hears([queue(leaves(&[Away::Ringing, Away::NotReady]), vec![])])
        .hears([agent(1, 0)])
        .hears(logged_in())
        .hears([opened(VISIT, CALL), reserved()])
        .asks_nothing()
        .hears([told(session::Event::NextStateRequested {
            next,
            code: None,
        })])
        .asks_nothing()
        .hears([released(session::ReleaseReason::Rejected)])
        .asks([ends(CALL)])
        .hears([not_ready(session::NotReadyReason::Break)])
        .asks_nothing();
}

#[test]
fn a_caller_who_found_somebody_and_is_let_in_after_the_last_has_gone_leaves() {
    let out = || {
        told(session::Event::LoggedOut {
            reason: session::LogoutReason::Agent,
        })
    };
    let asked = |staff: Vec<AnyEvent>| {
        process::<Enqueue>()
            .hears([queue(leaves(&[]), vec![]), agent(1, 0)])
            .hears(staff)
            .hears([enqueued()])
    };
    asked(logged_in().to_vec())
        .hears([out(), opened(OTHER_VISIT, OTHER_CALL)])
        .asks([ends(OTHER_CALL)]);
    asked(logged_in().to_vec())
        .hears([opened(OTHER_VISIT, OTHER_CALL)])
        .asks_nothing();
    // Whoever came when nobody was there waits for somebody to come.
    asked(vec![])
        .hears([opened(OTHER_VISIT, OTHER_CALL)])
        .asks_nothing();
}

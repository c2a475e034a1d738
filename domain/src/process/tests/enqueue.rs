//! From "enqueued" to an open visit, and to its end.

use super::*;
use crate::{
    agent,
    call::{self, AnswerMode, Destination, OverflowCause},
    cause::{By, Disposition, EndCause, EndReason, EndResult},
    id::{QueueId, VisitId},
    line::{self, RejectReason, VisitPolicy, VisitResult},
    process::enqueue::Enqueue,
    queue, session,
    testing::{AGENT, CALL, OFFER, QUEUE, SESSION, VISIT},
};

const ENQUEUED_AT: Timestamp = second(10);
pub(super) fn created(answer_mode: AnswerMode, max_wait_ms: u64) -> AnyEvent {
    created_with(answer_mode, max_wait_ms, vec![])
}

pub(super) fn created_with(
    answer_mode: AnswerMode,
    max_wait_ms: u64,
    overflow: Vec<queue::Overflow>,
) -> AnyEvent {
    made(config(answer_mode, max_wait_ms, overflow))
}

fn made(config: queue::Config) -> AnyEvent {
    let created = queue::Event::Created {
        name: "sales".into(),
        config,
        config_version: None,
    };
    AnyEvent::Queue(QUEUE, created)
}

pub(super) fn config(
    answer_mode: AnswerMode,
    max_wait_ms: u64,
    overflow: Vec<queue::Overflow>,
) -> queue::Config {
    queue::Config {
        ring_timeout_ms: 20_000,
        wrap_up_ms: 5_000,
        answer_mode,
        max_wait_ms,
        visit_ttl_ms: 0,
        capacity: 7,
        overflow,
        ..queue::Config::default()
    }
}

fn policy(answer_mode: AnswerMode, max_wait_ms: u64) -> VisitPolicy {
    VisitPolicy {
        config_version: 1,
        answer_mode,
        ring_timeout_ms: 20_000,
        wrap_up_ms: 5_000,
        max_wait_ms,
        measure: Some(queue::Config::default().measure()),
    }
}

pub(super) fn enqueued() -> AnyEvent {
    AnyEvent::Call(
        CALL,
        call::Event::Enqueued {
            visit: VISIT,
            queue: QUEUE,
            config_version: 1,
            answer_mode: AnswerMode::OnAgent,
            exit_keys: vec![],
            music: None,
        },
    )
}

pub(super) fn opened(answer_mode: AnswerMode, max_wait_ms: u64) -> AnyEvent {
    opened_in((VISIT, QUEUE), answer_mode, max_wait_ms)
}

pub(super) fn opened_in(
    (visit, queue): (VisitId, QueueId),
    answer_mode: AnswerMode,
    max_wait_ms: u64,
) -> AnyEvent {
    AnyEvent::Line(
        queue,
        line::Event::Opened {
            visit,
            call: CALL,
            enqueued_at: ENQUEUED_AT,
            joined_at: None,
            priority: None,
            previous: None,
            position: 1,
            policy: policy(answer_mode, max_wait_ms),
        },
    )
}

fn ended(reason: EndReason, by: By, disposition: Disposition) -> AnyEvent {
    ended_in((VISIT, QUEUE), reason, by, disposition)
}

pub(super) fn ended_in(
    (visit, queue): (VisitId, QueueId),
    reason: EndReason,
    by: By,
    disposition: Disposition,
) -> AnyEvent {
    AnyEvent::Call(
        CALL,
        call::Event::Ended {
            cause: EndCause {
                result: EndResult::Caller,
                reason,
                by,
                sip_status: None,
                q850: None,
                reason_header: None,
            },
            disposition,
            ended_at: second(33),
            incomplete: false,
            session: None,
            offer: None,
            visit: Some(visit),
            queue: Some(queue),
        },
    )
}

pub(super) fn end_call(reason: EndReason) -> AnyCommand {
    let end = call::Command::EndCall {
        reason,
        ended_at: None,
        visit: Some(VISIT),
    };
    AnyCommand::Call(CALL, end)
}

fn close(result: VisitResult) -> AnyCommand {
    AnyCommand::Line(
        QUEUE,
        line::Command::CloseVisit {
            visit: VISIT,
            result,
            closed_at: second(33),
        },
    )
}

#[test]
fn an_enqueued_call_opens_a_visit_under_the_queues_present_rules() {
    process::<Enqueue>()
        .hears([created(AnswerMode::OnAgent, 60_000)])
        .hears_at(ENQUEUED_AT, enqueued())
        .asks([AnyCommand::Line(
            QUEUE,
            line::Command::OpenVisit {
                visit: VISIT,
                call: CALL,
                enqueued_at: ENQUEUED_AT,
                joined_at: None,
                priority: None,
                previous: None,
                capacity: 7,
                policy: policy(AnswerMode::OnAgent, 60_000),
                barred: None,
            },
        )]);
}

#[test]
fn a_call_to_a_queue_that_is_not_in_the_log_ends() {
    process::<Enqueue>()
        .hears([enqueued()])
        .asks([end_call(EndReason::UnknownAddress)]);
}

#[test]
fn a_queue_that_answers_at_once_answers_who_was_let_in() {
    process::<Enqueue>()
        .hears([opened(AnswerMode::Immediate, 0)])
        .asks([AnyCommand::Call(CALL, call::Command::AnswerCall)]);
}

#[test]
fn a_queue_that_lets_agents_answer_lets_the_caller_ring() {
    process::<Enqueue>()
        .hears([opened(AnswerMode::OnAgent, 0)])
        .asks_nothing()
        .sleeps_until(None);
}

#[test]
fn a_caller_who_finds_no_room_or_comes_outside_the_hours_is_sent_away() {
    let visit = VISIT;
    for (reason, end) in [
        (RejectReason::Full, EndReason::QueueFull),
        (RejectReason::Closed, EndReason::QueueClosed),
        (RejectReason::Empty, EndReason::NobodyThere),
    ] {
        let call = CALL;
        let rejected = line::Event::Rejected {
            visit,
            call,
            reason,
        };
        process::<Enqueue>()
            .hears([AnyEvent::Line(QUEUE, rejected)])
            .asks([end_call(end)]);
    }
}

#[test]
fn a_caller_who_has_waited_long_enough_is_sent_away_once() {
    process::<Enqueue>()
        .hears([opened(AnswerMode::OnAgent, 60_000)])
        .sleeps_until(Some(second(70)))
        .wakes(second(69))
        .asks_nothing()
        .wakes(second(70))
        .asks([end_call(EndReason::MaxWait)])
        .sleeps_until(None);
}

#[test]
fn the_limit_of_waiting_falls_with_the_agent_the_end_or_the_visit() {
    let connected = call::Event::AgentConnected {
        codec: None,
        device: None,
        offer: OFFER,
        visit: VISIT,
        session: SESSION,
        leg: crate::testing::AGENT_LEG,
    };
    let closed = line::Event::Closed {
        visit: VISIT,
        call: CALL,
        result: VisitResult::Abandoned,
        closed_at: second(30),
        wait_ms: 20_000,
        measure: None,
    };
    for over in [
        AnyEvent::Call(CALL, connected),
        AnyEvent::Line(QUEUE, closed),
        ended(EndReason::Hangup, By::Caller, Disposition::Abandoned),
    ] {
        process::<Enqueue>()
            .hears([opened(AnswerMode::OnAgent, 60_000), over])
            .sleeps_until(None);
    }
}

#[test]
fn a_call_that_ends_in_the_queue_closes_its_visit_with_the_reason() {
    use Disposition as D;
    for (reason, by, disposition, result) in [
        (
            EndReason::Cancelled,
            By::Caller,
            D::Abandoned,
            VisitResult::Abandoned,
        ),
        (
            EndReason::MaxWait,
            By::System,
            D::NoAnswer,
            VisitResult::Timeout,
        ),
        (
            EndReason::Operator,
            By::Supervisor,
            D::Failed,
            VisitResult::Withdrawn,
        ),
        (
            EndReason::NodeLost,
            By::System,
            D::SystemError,
            VisitResult::System,
        ),
    ] {
        process::<Enqueue>()
            .hears([ended(reason, by, disposition)])
            .asks([close(result)]);
    }
}

#[test]
fn a_conversation_that_ends_left_the_queue_before() {
    process::<Enqueue>()
        .hears([ended(EndReason::Hangup, By::Caller, Disposition::Answered)])
        .asks_nothing();
}

#[test]
fn a_visit_that_opens_after_its_call_has_ended_is_closed_again() {
    process::<Enqueue>()
        .hears([created(AnswerMode::Immediate, 60_000), enqueued()])
        .hears([ended(
            EndReason::Cancelled,
            By::Caller,
            Disposition::Abandoned,
        )])
        .asks([close(VisitResult::Abandoned)])
        .hears([opened(AnswerMode::Immediate, 60_000)])
        .asks([close(VisitResult::Abandoned)])
        .sleeps_until(None);
}

pub(super) fn overflows(when: OverflowCause, to: queue::OverflowTo) -> Vec<queue::Overflow> {
    vec![queue::Overflow { when, to }]
}

pub(super) fn to_number() -> queue::OverflowTo {
    queue::OverflowTo::Number("+491701234567".into())
}

pub(super) fn rejected() -> AnyEvent {
    let reason = RejectReason::Full;
    AnyEvent::Line(
        QUEUE,
        line::Event::Rejected {
            visit: VISIT,
            call: CALL,
            reason,
        },
    )
}

/// The overflow that was asked for.
#[track_caller]
pub(super) fn overflow_of(asked: &[AnyCommand]) -> (VisitId, OverflowCause, Destination) {
    match asked {
        [AnyCommand::Call(CALL, call::Command::OverflowCall { visit, cause, to })] => {
            (*visit, *cause, to.clone())
        }
        other => panic!("an overflow was expected: {other:?}"),
    }
}

#[test]
fn a_full_queue_and_a_long_wait_send_the_caller_outside_where_the_queue_says_so() {
    let full = process::<Enqueue>().hears([
        created_with(
            AnswerMode::OnAgent,
            0,
            overflows(OverflowCause::Full, to_number()),
        ),
        enqueued(),
        rejected(),
    ]);
    let (visit, cause, to) = overflow_of(&full.asked);
    assert_eq!((visit, cause), (VISIT, OverflowCause::Full));
    assert!(matches!(to, Destination::Forward { number, .. } if number == "+491701234567"));

    let long = process::<Enqueue>()
        .hears([
            created_with(
                AnswerMode::OnAgent,
                30_000,
                overflows(OverflowCause::MaxWait, to_number()),
            ),
            enqueued(),
            opened(AnswerMode::OnAgent, 30_000),
        ])
        .wakes(ENQUEUED_AT.plus_ms(30_000));
    let (visit, cause, _) = overflow_of(&long.asked);
    assert_eq!((visit, cause), (VISIT, OverflowCause::MaxWait));
}

#[test]
fn a_call_that_would_go_round_ends_as_if_its_queue_had_no_overflow() {
    let rules = overflows(OverflowCause::Full, queue::OverflowTo::Queue(QUEUE));
    let process = process::<Enqueue>().hears([
        created_with(AnswerMode::OnAgent, 0, rules),
        enqueued(),
        rejected(),
    ]);
    let refused = process.asked[0].clone();
    let process = process.gets_refused(&refused, "call.overflow_loop", 4);
    assert_eq!(process.asked, [end_call(EndReason::QueueFull)]);
}

#[test]
fn a_call_that_was_sent_on_leaves_the_line_as_overflow() {
    let process = process::<Enqueue>().hears([
        created(AnswerMode::OnAgent, 0),
        enqueued(),
        opened(AnswerMode::OnAgent, 0),
    ]);
    let overflowed = call::Event::Overflowed {
        mailbox: None,
        visit: VISIT,
        queue: QUEUE,
        cause: OverflowCause::MaxWait,
        by: None,
        why: None,
    };
    let process = process.hears_at(second(40), AnyEvent::Call(CALL, overflowed));
    assert_eq!(
        process.asked,
        [AnyCommand::Line(
            QUEUE,
            line::Command::CloseVisit {
                visit: VISIT,
                result: VisitResult::Overflow,
                closed_at: second(40),
            }
        )]
    );
}

#[test]
fn a_call_outside_the_hours_is_barred_whoever_is_there_and_goes_where_closed_leads() {
    // Second 0 is 08:00 of a Friday.
    let hours = serde_json::from_value(serde_json::json!({
        "zone": "UTC",
        "week": [{ "days": ["friday"], "from": "08:01", "to": "24:00" }],
    }));
    let both = [OverflowCause::Closed, OverflowCause::Unstaffed];
    let overflow = both.map(|when| queue::Overflow {
        when,
        to: to_number(),
    });
    let configured = AnyEvent::Queue(
        QUEUE,
        queue::Event::Configured {
            config_version: 2,
            config: queue::Config {
                hours: hours.expect("hours"),
                ..config(AnswerMode::OnAgent, 0, overflow.into())
            },
        },
    );
    let closed = process::<Enqueue>()
        .hears([configured.clone()])
        .hears_at(second(59), enqueued());
    let [AnyCommand::Line(QUEUE, line::Command::OpenVisit { barred, .. })] = &closed.asked[..]
    else {
        panic!("the line is to write it: {:?}", closed.asked);
    };
    assert_eq!(*barred, Some(RejectReason::Closed));
    let rejected = AnyEvent::Line(
        QUEUE,
        line::Event::Rejected {
            visit: VISIT,
            call: CALL,
            reason: RejectReason::Closed,
        },
    );
    let (visit, cause, _) = overflow_of(&closed.hears([rejected]).asked);
    assert_eq!((visit, cause), (VISIT, OverflowCause::Closed));
    // A second later it is open, and empty.
    let open = process::<Enqueue>()
        .hears([configured])
        .hears_at(second(60), enqueued());
    let (_, cause, _) = overflow_of(&open.asked);
    assert_eq!(cause, OverflowCause::Unstaffed);
}

#[test]
fn an_exit_key_leads_where_the_queue_says_now_and_its_stay_closes_as_such() {
    let key: call::Key = "1".parse().expect("a key");
    let exits = vec![queue::Exit {
        key,
        to: to_number(),
    }];
    let with = |exits| queue::Config {
        exits,
        ..config(AnswerMode::Immediate, 0, vec![])
    };
    let waiting = process::<Enqueue>().hears([
        made(with(exits)),
        enqueued(),
        opened(AnswerMode::Immediate, 0),
    ]);
    let (visit, queue) = (VISIT, QUEUE);
    let pressed = AnyEvent::Call(CALL, call::Event::ExitKeyPressed { visit, queue, key });
    let heard = waiting.hears([pressed.clone()]);
    let (visit, cause, to) = overflow_of(&heard.asked);
    assert_eq!((visit, cause), (VISIT, OverflowCause::ExitKey));
    assert!(matches!(to, Destination::Forward { number, .. } if number == "+491701234567"));
    // Where the way out would go round, the caller waits on.
    let asked = heard.asked[0].clone();
    let heard = heard
        .gets_refused(&asked, "call.overflow_loop", 4)
        .asks_nothing();
    let left = call::Event::Overflowed {
        mailbox: None,
        visit,
        queue,
        cause,
        by: None,
        why: None,
    };
    let heard = heard.hears_at(second(33), AnyEvent::Call(CALL, left));
    assert_eq!(heard.asked, [close(VisitResult::ExitKey)]);
    // The key means nothing any more.
    let (config_version, config) = (2, with(vec![]));
    let changed = queue::Event::Configured {
        config_version,
        config,
    };
    heard
        .hears([AnyEvent::Queue(QUEUE, changed), pressed])
        .asks_nothing();
}

pub(super) const ELSEWHERE: QueueId = crate::testing::OTHER_QUEUE;

pub(super) fn unstaffed(to: queue::OverflowTo) -> AnyEvent {
    let rules = overflows(OverflowCause::Unstaffed, to);
    created_with(AnswerMode::OnAgent, 0, rules)
}

pub(super) fn serves(queues: &[QueueId]) -> AnyEvent {
    let config = agent::Config {
        display_name: None,
        queues: queues.to_vec(),
        ready_on_register: false,
        registration_grace_ms: agent::REGISTRATION_GRACE_MS,
        capacity: 1,
        skills: vec![],
        places: vec![],
    };
    let name = "alice".into();
    AnyEvent::Agent(AGENT, agent::Event::Created { name, config })
}

pub(super) fn logged_in() -> [AnyEvent; 2] {
    let session = SESSION;
    [
        session::Event::LoggedIn { session },
        session::Event::BecameReady {},
    ]
    .map(|event| AnyEvent::Session(SESSION, event))
}

pub(super) fn logged_out() -> AnyEvent {
    let reason = session::LogoutReason::Agent;
    AnyEvent::Session(SESSION, session::Event::LoggedOut { reason })
}

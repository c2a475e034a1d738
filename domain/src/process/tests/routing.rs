//! Who gets which caller.

use super::{enqueue::ended_in, *};
use crate::{
    agent,
    call::{self, AnswerMode},
    cause::{By, Disposition, EndReason},
    device,
    id::{AgentId, CallId, OfferId, QueueId, SessionId, VisitId},
    line::{self, ReturnCause, VisitPolicy, VisitResult},
    process::routing::Routing,
    session::{self, NotReadyReason, ReleaseReason},
    testing::{
        AGENT, CALL, OTHER_AGENT, OTHER_CALL, OTHER_SESSION, OTHER_VISIT, QUEUE, SESSION, VISIT,
    },
};

const OTHER_QUEUE: QueueId = QueueId(Uuid::from_u128(0xabc));

fn serves(agent: AgentId, queues: &[QueueId]) -> AnyEvent {
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
    AnyEvent::Agent(agent, agent::Event::Created { name, config })
}

fn in_session(session: SessionId, event: session::Event) -> AnyEvent {
    AnyEvent::Session(session, event)
}

fn ready(session: SessionId) -> [AnyEvent; 3] {
    [
        serves(session.agent, &[QUEUE]),
        in_session(session, session::Event::LoggedIn { session }),
        in_session(session, session::Event::BecameReady {}),
    ]
}

fn on_break(session: SessionId) -> AnyEvent {
    let reason = NotReadyReason::Break;
    in_session(
        session,
        session::Event::BecameNotReady { reason, code: None },
    )
}

fn waits_in(queue: QueueId, visit: VisitId, call: CallId, since: Timestamp) -> AnyEvent {
    AnyEvent::Line(
        queue,
        line::Event::Opened {
            visit,
            call,
            enqueued_at: since,
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

fn waits(visit: VisitId, call: CallId) -> AnyEvent {
    waits_in(QUEUE, visit, call, second(0))
}

fn closed(visit: VisitId, call: CallId) -> AnyEvent {
    AnyEvent::Line(
        QUEUE,
        line::Event::Closed {
            visit,
            call,
            result: VisitResult::Abandoned,
            closed_at: second(5),
            wait_ms: 5_000,
            measure: None,
        },
    )
}

/// What routing wishes for: which session for which visit.
fn wishes(heard: &Heard<Routing>) -> Vec<(SessionId, VisitId)> {
    heard
        .asked
        .iter()
        .map(|command| {
            let (session, wish) = wish(command);
            (session, wish.visit)
        })
        .collect()
}

/// A reservation that routing asks for.
#[derive(Clone, Copy)]
struct Wish {
    offer: OfferId,
    call: CallId,
    visit: VisitId,
    until: Timestamp,
}

fn wish(command: &AnyCommand) -> (SessionId, Wish) {
    let AnyCommand::Session(
        session,
        session::Command::Reserve {
            offer,
            call,
            visit,
            until,
            ..
        },
    ) = command
    else {
        panic!("routing only reserves: {command:?}");
    };
    let wish = Wish {
        offer: *offer,
        call: *call,
        visit: *visit,
        until: *until,
    };
    (*session, wish)
}

fn offer_of(command: &AnyCommand) -> OfferId {
    wish(command).1.offer
}

/// The wish was granted.
fn reserved(command: &AnyCommand) -> AnyEvent {
    let (session, wish) = wish(command);
    in_session(
        session,
        session::Event::Reserved {
            offer: wish.offer,
            call: wish.call,
            visit: wish.visit,
            queue: QUEUE,
            until: wish.until,
            wrap_up_ms: 7_000,
            choice: None,
            terms: crate::queue::Terms::STANDARD,
            capacity: 1,
            still: None,
        },
    )
}

/// The offer of the first caller to that session came to nothing.
fn in_vain(session: SessionId, offer: OfferId, not_before: Option<Timestamp>) -> [AnyEvent; 2] {
    [
        AnyEvent::Line(
            QUEUE,
            line::Event::Returned {
                visit: VISIT,
                call: CALL,
                offer,
                session,
                cause: ReturnCause::Rejected,
                attempt: 1,
                still_ringing: false,
            },
        ),
        in_session(
            session,
            session::Event::ReservationReleased {
                offer,
                reason: ReleaseReason::Rejected,
                not_before,
                still: None,
            },
        ),
    ]
}

#[test]
fn a_caller_who_comes_gets_the_agent_who_is_free() {
    let heard = process::<Routing>()
        .hears(ready(SESSION))
        .asks_nothing()
        .hears_at(second(10), waits(VISIT, CALL));
    assert_eq!(wishes(&heard), [(SESSION, VISIT)]);
    assert!(
        matches!(
            heard.asked[0],
            AnyCommand::Session(
                SESSION,
                session::Command::Reserve {
                    call: CALL,
                    queue: QUEUE,
                    until,
                    wrap_up_ms: 7_000,
                    ..
                }
            ) if until == second(35)
        ),
        "the ring of 20 seconds and 5 of grace: {:?}",
        heard.asked
    );
}

#[test]
fn an_agent_who_becomes_ready_gets_the_caller_who_waits() {
    let heard = process::<Routing>()
        .hears([waits(VISIT, CALL)])
        .asks_nothing()
        .hears(ready(SESSION));
    assert_eq!(wishes(&heard), [(SESSION, VISIT)]);
}

#[test]
fn the_caller_who_has_waited_longest_comes_first() {
    let heard = process::<Routing>()
        .hears([
            waits_in(QUEUE, VISIT, CALL, second(9)),
            waits_in(QUEUE, OTHER_VISIT, OTHER_CALL, second(3)),
        ])
        .hears(ready(SESSION));
    assert_eq!(wishes(&heard), [(SESSION, OTHER_VISIT)]);
}

#[test]
fn an_agent_of_two_queues_takes_the_caller_who_has_waited_longest_in_either() {
    let heard = process::<Routing>()
        .hears([
            waits_in(QUEUE, VISIT, CALL, second(9)),
            waits_in(OTHER_QUEUE, OTHER_VISIT, OTHER_CALL, second(3)),
            serves(AGENT, &[QUEUE, OTHER_QUEUE]),
            in_session(SESSION, session::Event::LoggedIn { session: SESSION }),
        ])
        .asks_nothing()
        .hears([in_session(SESSION, session::Event::BecameReady {})]);
    assert_eq!(wishes(&heard), [(SESSION, OTHER_VISIT)]);
}

#[test]
fn the_agent_who_has_been_idle_longest_comes_first() {
    let heard = process::<Routing>()
        .hears(ready(OTHER_SESSION))
        .hears(ready(SESSION))
        .hears([waits(VISIT, CALL)]);
    assert_eq!(wishes(&heard), [(OTHER_SESSION, VISIT)]);
}

#[test]
fn two_callers_and_two_agents_make_two_matches() {
    let heard = process::<Routing>()
        .hears(ready(SESSION))
        .hears(ready(OTHER_SESSION))
        .hears([waits(VISIT, CALL)]);
    assert_eq!(wishes(&heard), [(SESSION, VISIT)]);
    let heard = heard.hears([waits(OTHER_VISIT, OTHER_CALL)]);
    assert_eq!(wishes(&heard), [(OTHER_SESSION, OTHER_VISIT)]);
}

#[test]
fn an_agent_who_was_asked_for_is_not_asked_for_again() {
    process::<Routing>()
        .hears(ready(SESSION))
        .hears([waits(VISIT, CALL), waits(OTHER_VISIT, OTHER_CALL)])
        .asks_nothing();
}

/// Planted fault: the command never reached anybody and no answer comes. The
/// sweep runs only when nothing is under way, so it may ask again.
#[test]
fn a_reservation_that_was_lost_on_the_way_is_repaired_by_the_sweep() {
    let heard = process::<Routing>()
        .hears(ready(SESSION))
        .hears([waits(VISIT, CALL)]);
    let lost = heard.asked[0].clone();
    let heard = heard.sweeps(second(60));
    assert_eq!(wishes(&heard), [(SESSION, VISIT)]);
    assert_ne!(heard.asked[0], lost, "under a new offer");
}

#[test]
fn an_agent_who_is_not_ready_or_serves_another_queue_gets_nobody() {
    process::<Routing>()
        .hears(ready(SESSION))
        .hears([on_break(SESSION)])
        .hears([
            serves(OTHER_AGENT, &[OTHER_QUEUE]),
            in_session(
                OTHER_SESSION,
                session::Event::LoggedIn {
                    session: OTHER_SESSION,
                },
            ),
            in_session(OTHER_SESSION, session::Event::BecameReady {}),
            waits(VISIT, CALL),
        ])
        .asks_nothing();
}

#[test]
fn a_refused_reservation_tries_the_next_agent_at_once() {
    let heard = process::<Routing>()
        .hears(ready(SESSION))
        .hears(ready(OTHER_SESSION))
        .hears([waits(VISIT, CALL)]);
    let first = heard.asked[0].clone();
    let heard = heard.gets_refused(&first, "agent.not_ready", 1_000);
    assert_eq!(wishes(&heard), [(OTHER_SESSION, VISIT)]);
}

#[test]
fn a_refusal_that_is_newer_than_what_was_heard_is_believed() {
    let heard = process::<Routing>()
        .hears(ready(SESSION))
        .hears([waits(VISIT, CALL)]);
    let first = heard.asked[0].clone();
    heard
        .gets_refused(&first, "agent.engaged", 1_000)
        .asks_nothing()
        .sweeps(second(60))
        .asks_nothing();
}

#[test]
fn a_refusal_that_is_older_than_what_was_heard_is_not_believed() {
    let heard = process::<Routing>()
        .hears(ready(SESSION))
        .hears([waits(VISIT, CALL)]);
    let first = heard.asked[0].clone();
    let heard = heard.gets_refused(&first, "agent.not_ready", 1);
    assert_eq!(wishes(&heard), [(SESSION, VISIT)], "ready again since");
}

#[test]
fn a_caller_who_left_is_offered_to_nobody() {
    process::<Routing>()
        .hears([waits(VISIT, CALL), closed(VISIT, CALL)])
        .hears(ready(SESSION))
        .asks_nothing();
}

#[test]
fn after_an_offer_in_vain_somebody_else_comes_first() {
    let heard = process::<Routing>()
        .hears(ready(SESSION))
        .hears(ready(OTHER_SESSION))
        .hears([waits(VISIT, CALL)]);
    let first = heard.asked[0].clone();
    let heard = heard.hears([reserved(&first)]).asks_nothing();
    let [returned, released] = in_vain(SESSION, offer_of(&first), None);
    let heard = heard.hears([returned]);
    assert_eq!(wishes(&heard), [(OTHER_SESSION, VISIT)]);
    heard.hears([released]).asks_nothing();
}

#[test]
fn an_agent_who_is_left_alone_for_a_while_is_asked_again_after_it() {
    let heard = process::<Routing>()
        .hears(ready(SESSION))
        .hears([waits(VISIT, CALL)]);
    let first = heard.asked[0].clone();
    let heard = heard
        .hears([reserved(&first)])
        .hears(in_vain(SESSION, offer_of(&first), Some(second(90))))
        .asks_nothing()
        .sleeps_until(Some(second(90)))
        .wakes(second(89))
        .asks_nothing()
        .wakes(second(90));
    assert_eq!(
        wishes(&heard),
        [(SESSION, VISIT)],
        "when all were tried, they may be tried again"
    );
    assert_ne!(offer_of(&heard.asked[0]), offer_of(&first));
}

#[test]
fn an_agent_whose_phone_is_back_is_not_left_alone_any_longer() {
    let phone = |reason: ReleaseReason| {
        let heard = process::<Routing>()
            .hears(ready(SESSION))
            .hears([waits(VISIT, CALL)]);
        let first = heard.asked[0].clone();
        let offer = offer_of(&first);
        let [returned, _] = in_vain(SESSION, offer, None);
        let not_before = Some(second(90));
        let released = session::Event::ReservationReleased {
            offer,
            reason,
            not_before,
            still: None,
        };
        let back = device::Event::Registered {
            agent: SESSION.agent,
            binding: Uuid::from_u128(9),
            transport: "tcp".into(),
        };
        heard
            .hears([reserved(&first), returned, in_session(SESSION, released)])
            .asks_nothing()
            .hears([AnyEvent::Device(SESSION.agent, back)])
    };
    let heard = phone(ReleaseReason::Unreachable).sleeps_until(None);
    assert_eq!(wishes(&heard), [(SESSION, VISIT)]);
    // Whoever does not want to be asked is not, however often the phone registers.
    phone(ReleaseReason::Rejected)
        .asks_nothing()
        .sleeps_until(Some(second(90)));
}

#[test]
fn an_agent_on_a_call_or_in_wrap_up_gets_nobody_until_ready() {
    let heard = process::<Routing>()
        .hears(ready(SESSION))
        .hears([waits(VISIT, CALL)]);
    let first = heard.asked[0].clone();
    let offer = offer_of(&first);
    let (call, queue, until) = (CALL, QUEUE, second(99));
    let heard = heard
        .hears([
            reserved(&first),
            in_session(
                SESSION,
                session::Event::ConnectedToContact { offer, call, queue },
            ),
            closed(VISIT, CALL),
            waits(OTHER_VISIT, OTHER_CALL),
        ])
        .asks_nothing()
        .hears([in_session(
            SESSION,
            session::Event::ContactEnded { call, still: None },
        )])
        .asks_nothing()
        .hears([in_session(
            SESSION,
            session::Event::WrapUpStarted {
                call,
                until,
                code_required: false,
                still: None,
            },
        )])
        .asks_nothing()
        .hears([in_session(SESSION, session::Event::BecameReady {})]);
    assert_eq!(wishes(&heard), [(SESSION, OTHER_VISIT)]);
}

#[test]
fn nobody_is_reserved_for_a_caller_whose_line_has_not_heard_that_it_is_gone() {
    let place = (VISIT, QUEUE);
    let ended = ended_in(place, EndReason::Hangup, By::Caller, Disposition::Abandoned);
    let sent_on = call::Event::Overflowed {
        mailbox: None,
        visit: VISIT,
        queue: QUEUE,
        cause: call::OverflowCause::MaxWait,
        by: None,
        why: None,
    };
    let sent_on = AnyEvent::Call(CALL, sent_on);
    for gone in [ended, sent_on] {
        let routing = process::<Routing>().hears([waits(VISIT, CALL)]);
        let routing = routing.hears([gone]);
        routing.hears(ready(SESSION)).asks_nothing();
    }
}

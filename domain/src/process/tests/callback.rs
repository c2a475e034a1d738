//! Callers who went home are rung back.

use super::*;
use crate::{
    call::{self, OverflowCause, Placing},
    callback::{Command, Event, Outcome, Request, Terms},
    cause::{By, Disposition, EndCause, EndReason, EndResult},
    id::{CallId, CallbackId, LegId, VisitId},
    line::{self, VisitPolicy},
    person,
    process::callback::CallbackProcess,
    queue,
    testing::{
        CALL, OTHER_CALL, OTHER_LEG, OTHER_QUEUE, OTHER_VISIT, QUEUE, SUBJECT, TRUNK, VISIT, caller,
    },
};

const BACK: CallbackId = CallbackId(Uuid::from_u128(77));
const TERMS: Terms = Terms {
    attempts_max: 2,
    gap_ms: 10_000,
    valid_ms: 100_000,
};
const EXPIRES: Timestamp = second(200);

fn back(event: Event) -> AnyEvent {
    AnyEvent::Callback(BACK, event)
}

fn ask(command: Command) -> AnyCommand {
    AnyCommand::Callback(BACK, command)
}

fn created() -> AnyEvent {
    let config = queue::Config {
        callback: TERMS,
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

fn request() -> Request {
    Request {
        queue: QUEUE,
        party: caller(),
        place: second(5),
        call: Some(CALL),
        terms: TERMS,
        not_before: None,
        wanted: None,
    }
}

fn requested() -> AnyEvent {
    back(Event::Requested {
        request: request(),
        expires_at: EXPIRES,
    })
}

fn started(attempt: u32) -> AnyEvent {
    back(Event::AttemptStarted {
        attempt,
        call: OTHER_CALL,
        visit: OTHER_VISIT,
        leg: OTHER_LEG,
    })
}

fn ended(reason: EndReason) -> AnyEvent {
    let event = call::Event::Ended {
        cause: EndCause {
            result: EndResult::Upstream,
            reason,
            by: By::Outside,
            sip_status: None,
            q850: None,
            reason_header: None,
        },
        disposition: Disposition::Busy,
        ended_at: second(50),
        incomplete: false,
        session: None,
        offer: None,
        visit: None,
        queue: None,
    };
    AnyEvent::Call(OTHER_CALL, event)
}

fn dialled() -> AnyEvent {
    let event = call::Event::TrunkSelected {
        leg: OTHER_LEG,
        trunk: TRUNK,
        party: caller(),
        after: None,
        after_at: None,
    };
    AnyEvent::Call(OTHER_CALL, event)
}

fn outcome(attempt: u32, outcome: Outcome) -> AnyCommand {
    ask(Command::RecordOutcome { attempt, outcome })
}

const fn withdraw() -> AnyCommand {
    let command = call::Command::EndCall {
        reason: EndReason::CallbackWithdrawn,
        ended_at: None,
        visit: None,
    };
    AnyCommand::Call(OTHER_CALL, command)
}

/// The attempt that was asked for.
#[track_caller]
fn attempt(heard: &Heard<CallbackProcess>) -> (u32, CallId, VisitId, LegId) {
    match &heard.asked[..] {
        [
            AnyCommand::Callback(
                BACK,
                Command::StartAttempt {
                    attempt,
                    call,
                    visit,
                    leg,
                },
            ),
        ] => (*attempt, *call, *visit, *leg),
        other => panic!("an attempt was expected: {other:?}"),
    }
}

#[test]
fn the_promise_has_the_place_that_the_caller_had() {
    let opened = line::Event::Opened {
        visit: VISIT,
        call: CALL,
        enqueued_at: second(5),
        joined_at: Some(second(8)),
        priority: None,
        previous: None,
        position: 1,
        policy: VisitPolicy {
            config_version: 1,
            answer_mode: call::AnswerMode::OnAgent,
            ring_timeout_ms: 1,
            wrap_up_ms: 0,
            max_wait_ms: 0,
            measure: None,
        },
    };
    let asked = call::Event::CallbackRequested {
        callback: BACK,
        visit: VISIT,
        queue: QUEUE,
        cause: OverflowCause::ExitKey,
        party: caller(),
    };
    process::<CallbackProcess>()
        .hears([
            created(),
            enqueued(VISIT),
            AnyEvent::Line(QUEUE, opened),
            AnyEvent::Call(CALL, asked),
        ])
        .asks([ask(Command::Request(request()))]);
}

fn enqueued(visit: VisitId) -> AnyEvent {
    let event = call::Event::Enqueued {
        visit,
        queue: QUEUE,
        config_version: 1,
        answer_mode: call::AnswerMode::OnAgent,
        exit_keys: vec![],
        music: None,
    };
    AnyEvent::Call(CALL, event)
}

/// A caller who has waited and is sent on goes home from the next queue, which is full.
#[test]
fn the_promise_of_a_queue_that_let_nobody_in_has_the_place_of_the_queue_before() {
    let opened = line::Event::Opened {
        visit: VISIT,
        call: CALL,
        enqueued_at: second(5),
        joined_at: Some(second(8)),
        priority: None,
        previous: None,
        position: 1,
        policy: VisitPolicy {
            config_version: 1,
            answer_mode: call::AnswerMode::OnAgent,
            ring_timeout_ms: 1,
            wrap_up_ms: 0,
            max_wait_ms: 0,
            measure: None,
        },
    };
    let sent_on = call::Event::Overflowed {
        visit: VISIT,
        queue: OTHER_QUEUE,
        cause: OverflowCause::MaxWait,
        by: None,
        mailbox: None,
        why: None,
    };
    let closed = line::Event::Closed {
        visit: VISIT,
        call: CALL,
        result: line::VisitResult::Overflow,
        closed_at: second(20),
        wait_ms: 12_000,
        measure: None,
    };
    let rejected = line::Event::Rejected {
        visit: OTHER_VISIT,
        call: CALL,
        reason: line::RejectReason::Full,
    };
    let asked = call::Event::CallbackRequested {
        callback: BACK,
        visit: OTHER_VISIT,
        queue: QUEUE,
        cause: OverflowCause::Full,
        party: caller(),
    };
    process::<CallbackProcess>()
        .hears([
            created(),
            enqueued(VISIT),
            AnyEvent::Line(OTHER_QUEUE, opened),
            AnyEvent::Call(CALL, sent_on),
            enqueued(OTHER_VISIT),
            AnyEvent::Line(OTHER_QUEUE, closed),
            AnyEvent::Line(QUEUE, rejected),
            AnyEvent::Call(CALL, asked),
        ])
        .asks([ask(Command::Request(request()))]);
}

fn deleted() -> AnyEvent {
    let (by, why) = ("carla".into(), "merged".into());
    AnyEvent::Queue(QUEUE, queue::Event::Deleted { by, why })
}

#[test]
fn nobody_is_rung_back_for_a_queue_that_was_taken_away() {
    let cancel = || {
        ask(Command::Cancel {
            by: "queue_deleted".into(),
        })
    };
    let cancelled = || {
        back(Event::Cancelled {
            by: "queue_deleted".into(),
        })
    };
    process::<CallbackProcess>()
        .hears([created(), requested(), deleted()])
        .asks([cancel()])
        .hears([cancelled()])
        .sleeps_until(None);
    // The call of an attempt is taken back with it.
    process::<CallbackProcess>()
        .hears([created(), requested(), started(1), deleted()])
        .asks([cancel()])
        .hears([cancelled()])
        .asks([withdraw()]);
    // What was promised in the same moment does not wait for its end.
    let heard = process::<CallbackProcess>()
        .hears([created(), deleted(), requested()])
        .asks([cancel()]);
    assert_eq!(CallbackProcess::next_deadline(&heard.state), None);
    // Made again, it promises again.
    let heard = process::<CallbackProcess>()
        .hears([created(), deleted(), created(), requested()])
        .asks_nothing();
    assert!(CallbackProcess::next_deadline(&heard.state).is_some());
}

#[test]
fn each_attempt_is_a_call_of_its_own_that_is_placed_when_it_is_due() {
    let heard = process::<CallbackProcess>().hears([created(), requested()]);
    let due = CallbackProcess::next_deadline(&heard.state);
    let heard = heard.wakes(due.expect("it is due at once"));
    let (number, call, ..) = attempt(&heard);
    assert_eq!(number, 1);
    let heard = heard.hears([started(1)]).asks([AnyCommand::Call(
        OTHER_CALL,
        call::Command::PlaceCall(Placing {
            leg: OTHER_LEG,
            party: caller(),
            callback: BACK,
            place: second(5),
            queue: QUEUE,
            config_version: 1,
            visit: OTHER_VISIT,
            wanted: None,
            music: None,
        }),
    )]);
    let failed = back(Event::AttemptFailed {
        attempt: 1,
        call: OTHER_CALL,
        reason: EndReason::OutsideBusy,
        is_counted: true,
        not_before: second(60),
    });
    let heard = heard.hears([failed]).sleeps_until(Some(second(60)));
    let (number, other, ..) = attempt(&heard.wakes(second(60)));
    assert_eq!(number, 2);
    assert_ne!(call, other);
}

#[test]
fn an_attempt_counts_when_the_person_was_rung() {
    let trying = || process::<CallbackProcess>().hears([created(), requested(), started(1)]);
    let missed = |reason, is_counted| outcome(1, Outcome::Missed { reason, is_counted });
    trying()
        .hears([ended(EndReason::NodeLost)])
        .asks([missed(EndReason::NodeLost, false)]);
    trying()
        .hears([dialled(), ended(EndReason::OutsideBusy)])
        .asks([missed(EndReason::OutsideBusy, true)]);
    // A trunk that is down says nothing of the person.
    trying()
        .hears([dialled(), ended(EndReason::OutsideUnreachable)])
        .asks([missed(EndReason::OutsideUnreachable, false)]);
    let rings = call::Event::LegProgressed {
        leg: OTHER_LEG,
        early_media: false,
    };
    trying()
        .hears([
            dialled(),
            AnyEvent::Call(OTHER_CALL, rings),
            ended(EndReason::Hangup),
        ])
        .asks([missed(EndReason::Hangup, true)]);
    let answered = call::Event::LegAnswered {
        leg: OTHER_LEG,
        codec: None,
    };
    trying()
        .hears([dialled(), AnyEvent::Call(OTHER_CALL, answered)])
        .asks([outcome(1, Outcome::Reached)])
        .hears([ended(EndReason::Hangup)])
        .asks_nothing();
}

#[test]
fn a_call_that_can_not_be_placed_has_reached_nobody() {
    let trying = process::<CallbackProcess>().hears([created(), requested(), started(1)]);
    let place = trying.asked[0].clone();
    let reason = EndReason::CallbackWithdrawn;
    let is_counted = false;
    trying
        .gets_refused(&place, "call.already_received", 1)
        .asks([outcome(1, Outcome::Missed { reason, is_counted })]);
}

#[test]
fn a_callback_whose_time_is_over_is_given_up_also_in_the_line() {
    let waiting = process::<CallbackProcess>().hears([created(), requested(), started(1)]);
    waiting
        .sleeps_until(Some(EXPIRES))
        .wakes(EXPIRES)
        .asks([withdraw()]);
    let late = back(Event::AttemptFailed {
        attempt: 1,
        call: OTHER_CALL,
        reason: EndReason::OutsideBusy,
        is_counted: true,
        not_before: EXPIRES,
    });
    process::<CallbackProcess>()
        .hears([created(), requested(), started(1), late])
        .wakes(EXPIRES)
        .asks([ask(Command::Expire)]);
}

#[test]
fn a_callback_that_was_cancelled_leaves_the_line() {
    let cancelled = || back(Event::Cancelled { by: "ann".into() });
    process::<CallbackProcess>()
        .hears([created(), requested(), started(1), cancelled()])
        .asks([withdraw()])
        .sleeps_until(None);
    process::<CallbackProcess>()
        .hears([created(), requested(), cancelled()])
        .asks_nothing()
        .sleeps_until(None);
}

#[test]
fn what_time_heals_is_looked_at_again() {
    let heard = process::<CallbackProcess>().hears([created(), requested()]);
    let due = CallbackProcess::next_deadline(&heard.state);
    let heard = heard.wakes(due.expect("it is due at once"));
    let start = heard.asked[0].clone();
    heard
        .gets_refused(&start, "callback.not_due", 1)
        .asks_nothing()
        .sleeps_until(Some(second(61)));
    let waiting = process::<CallbackProcess>().hears([created(), requested(), started(1)]);
    let reason = EndReason::CallbackWithdrawn;
    let is_counted = false;
    waiting
        .wakes(EXPIRES)
        .gets_refused(&withdraw(), "call.unknown", 0)
        .asks([outcome(1, Outcome::Missed { reason, is_counted })]);
}

#[test]
fn a_closed_queue_rings_nobody_back_before_it_opens() {
    let hours = serde_json::json!({
        "zone": "UTC",
        "week": [],
        "holidays": [{ "date": "2027-01-15", "open": [{ "from": "12:00", "to": "13:00" }] }],
    });
    let config = queue::Config {
        callback: TERMS,
        hours: serde_json::from_value(hours).expect("hours are written so"),
        ..queue::Config::default()
    };
    let name = "sales".into();
    let closed = AnyEvent::Queue(
        QUEUE,
        queue::Event::Created {
            name,
            config,
            config_version: None,
        },
    );
    // The story begins on that day at eight.
    let noon = second(4 * 3_600);
    let asked = back(Event::Requested {
        request: request(),
        expires_at: second(10 * 3_600),
    });
    let heard = process::<CallbackProcess>().hears([closed, asked]);
    let heard = heard
        .wakes(second(60))
        .asks_nothing()
        .sleeps_until(Some(noon));
    assert_eq!(attempt(&heard.wakes(noon)).0, 1);
}

#[test]
fn a_queue_that_opens_earlier_than_it_said_rings_back_then() {
    let hours = serde_json::json!({ "zone": "UTC", "week": [] });
    let config = queue::Config {
        callback: TERMS,
        hours: serde_json::from_value(hours).expect("hours are written so"),
        ..queue::Config::default()
    };
    let name = "sales".into();
    let never = AnyEvent::Queue(
        QUEUE,
        queue::Event::Created {
            name,
            config,
            config_version: None,
        },
    );
    let heard = process::<CallbackProcess>()
        .hears([never, requested()])
        .wakes(second(60))
        .sleeps_until(Some(EXPIRES));
    let always = queue::Event::Configured {
        config_version: 2,
        config: queue::Config::default(),
    };
    let heard = heard
        .hears_at(second(70), AnyEvent::Queue(QUEUE, always))
        .sleeps_until(Some(second(70)));
    assert_eq!(attempt(&heard.wakes(second(70))).0, 1);
}

#[test]
fn a_queue_that_is_closed_by_hand_rings_nobody_back_until_that_is_taken_back() {
    let (by, why) = ("token:wallboard".to_owned(), "fire_drill".to_owned());
    let closed = queue::Event::Closed {
        by: by.clone(),
        why: why.clone(),
    };
    let heard = process::<CallbackProcess>()
        .hears([created(), AnyEvent::Queue(QUEUE, closed), requested()])
        .wakes(second(60))
        .asks_nothing()
        .sleeps_until(Some(EXPIRES));
    let over = AnyEvent::Queue(QUEUE, queue::Event::HoursFollowed { by, why });
    let heard = heard
        .hears_at(second(70), over)
        .sleeps_until(Some(second(70)));
    assert_eq!(attempt(&heard.wakes(second(70))).0, 1);
}

#[test]
fn whoever_is_forgotten_is_not_rung_back() {
    let erased = person::Event::Erased {
        keys_through: 1,
        reason: person::Reason::Objection,
    };
    process::<CallbackProcess>()
        .hears([created(), requested(), AnyEvent::Person(SUBJECT, erased)])
        .asks([ask(Command::Cancel {
            by: "erasure".into(),
        })]);
}

#[test]
fn another_time_is_another_time() {
    let later = back(Event::Rescheduled {
        not_before: second(300),
        expires_at: second(400),
        by: "desk".into(),
    });
    process::<CallbackProcess>()
        .hears([created(), requested(), later.clone()])
        .sleeps_until(Some(second(300)));
    // An attempt that was asked for before that is refused after it.
    let heard = process::<CallbackProcess>().hears([created(), requested()]);
    let due = CallbackProcess::next_deadline(&heard.state);
    let heard = heard.wakes(due.expect("it is due at once"));
    let start = heard.asked[0].clone();
    heard
        .hears([later])
        .gets_refused(&start, "callback.not_due", 1)
        .sleeps_until(Some(second(300)));
}

use super::*;
use crate::{
    cause::EndReason,
    id::{CallId, VisitId},
    testing::{
        CALL, Given, NOW, OTHER_CALL, OTHER_VISIT, OUTSIDE_LEG, QUEUE, VISIT, caller, given, second,
    },
    time::Timestamp,
};

const TERMS: Terms = Terms {
    attempts_max: 2,
    gap_ms: 10_000,
    valid_ms: 100_000,
};

fn request() -> Request {
    Request {
        queue: QUEUE,
        party: caller(),
        place: second(0),
        call: Some(CALL),
        terms: TERMS,
        not_before: None,
        wanted: None,
    }
}

fn requested() -> Event {
    Event::Requested {
        request: request(),
        expires_at: second(100),
    }
}

const fn start(attempt: u32, call: CallId, visit: VisitId) -> Command {
    Command::StartAttempt {
        attempt,
        call,
        visit,
        leg: OUTSIDE_LEG,
    }
}

const fn started(attempt: u32, call: CallId, visit: VisitId) -> Event {
    Event::AttemptStarted {
        attempt,
        call,
        visit,
        leg: OUTSIDE_LEG,
    }
}

const fn missed(attempt: u32, is_counted: bool) -> Command {
    Command::RecordOutcome {
        attempt,
        outcome: Outcome::Missed {
            reason: EndReason::OutsideBusy,
            is_counted,
        },
    }
}

const fn failed(attempt: u32, call: CallId, is_counted: bool, not_before: Timestamp) -> Event {
    Event::AttemptFailed {
        attempt,
        call,
        reason: EndReason::OutsideBusy,
        is_counted,
        not_before,
    }
}

fn story(events: impl IntoIterator<Item = Event>) -> Given<Callback> {
    given(events)
}

fn first_failed() -> Vec<Event> {
    vec![
        requested(),
        started(1, CALL, VISIT),
        failed(1, CALL, true, second(20)),
    ]
}

#[test]
fn a_callback_is_promised_once_and_for_a_time_that_can_be_kept() {
    let expires_at = NOW.plus_ms(100_000);
    story([])
        .when(Command::Request(request()))
        .then([Event::Requested {
            request: request(),
            expires_at,
        }])
        .when(Command::Request(request()))
        .refused(Error::AlreadyRequested);
    for not_before in [second(59), NOW.plus_ms(31 * 86_400_000)] {
        let wrong = Request {
            not_before: Some(not_before),
            ..request()
        };
        story([])
            .when(Command::Request(wrong))
            .refused(Error::InvalidTime);
    }
    for for_ms in [0, 3_600_001] {
        let agent = crate::testing::AGENT;
        let wrong = Request {
            wanted: Some(Wanted { agent, for_ms }),
            ..request()
        };
        story([])
            .when(Command::Request(wrong))
            .refused(Error::InvalidAgentTime);
    }
}

#[test]
fn one_attempt_is_under_way_at_a_time() {
    story([requested()])
        .when(start(1, CALL, VISIT))
        .then([started(1, CALL, VISIT)])
        .when(start(2, OTHER_CALL, OTHER_VISIT))
        .refused(Error::Trying);
}

#[test]
fn the_next_attempt_is_the_one_after_the_last_and_not_before_the_gap() {
    story(first_failed())
        .when(start(3, OTHER_CALL, OTHER_VISIT))
        .refused(Error::StaleAttempt);
    story([
        requested(),
        started(1, CALL, VISIT),
        failed(1, CALL, true, second(61)),
    ])
    .when(start(2, OTHER_CALL, OTHER_VISIT))
    .refused(Error::NotDue);
}

#[test]
fn whoever_is_reached_is_not_rung_again() {
    story([requested(), started(1, CALL, VISIT)])
        .when(Command::RecordOutcome {
            attempt: 1,
            outcome: Outcome::Reached,
        })
        .then([Event::Connected {
            attempt: 1,
            call: CALL,
        }])
        .when(start(2, OTHER_CALL, OTHER_VISIT))
        .refused(Error::Over);
}

#[test]
fn attempts_in_which_the_person_was_rung_are_counted() {
    let next = NOW.plus_ms(10_000);
    story([requested(), started(1, CALL, VISIT)])
        .when(missed(1, true))
        .then([failed(1, CALL, true, next)]);
    let mut history = first_failed();
    history.push(started(2, OTHER_CALL, OTHER_VISIT));
    story(history.clone())
        .when(missed(2, true))
        .then([failed(2, OTHER_CALL, true, next), Event::Exhausted {}]);
    story(history)
        .when(missed(2, false))
        .then([failed(2, OTHER_CALL, false, next)]);
}

/// An attempt that ended so, and was not counted.
fn missed_by(attempt: u32, reason: EndReason) -> Vec<Event> {
    vec![
        started(attempt, CALL, VISIT),
        Event::AttemptFailed {
            attempt,
            call: CALL,
            reason,
            is_counted: false,
            not_before: second(20),
        },
    ]
}

#[test]
fn what_could_not_be_tried_at_all_uses_nothing_up() {
    let most = TERMS.attempts_max * 10;
    let lost = |reason| Command::RecordOutcome {
        attempt: most,
        outcome: Outcome::Missed {
            reason,
            is_counted: false,
        },
    };
    let ends = |before: EndReason, last: EndReason| {
        let tries = (1..most).flat_map(|attempt| missed_by(attempt, before));
        let history = [requested()].into_iter().chain(tries);
        let history: Vec<Event> = history.chain([started(most, CALL, VISIT)]).collect();
        let state = history.iter().fold(Callback::default(), |state, event| {
            Callback::evolve(state, NOW, event)
        });
        let decided = Callback::decide(&state, NOW, lost(last)).unwrap();
        decided.contains(&Event::Exhausted {})
    };
    let (burden, none) = (EndReason::OutsideUnreachable, EndReason::AccountSuspended);
    assert!(ends(burden, burden), "each cost an agent");
    for idle in [
        none,
        EndReason::NoTrunk,
        EndReason::Shutdown,
        EndReason::NodeLost,
    ] {
        assert!(!ends(burden, idle), "{idle:?}");
        assert!(!ends(idle, burden), "{idle:?}");
    }
}

#[test]
fn a_number_without_a_price_is_tried_once_and_waits_for_a_person() {
    let next = NOW.plus_ms(10_000);
    let outcome = Outcome::Missed {
        reason: EndReason::NoPrice,
        is_counted: false,
    };
    let missed = Event::AttemptFailed {
        attempt: 1,
        call: CALL,
        reason: EndReason::NoPrice,
        is_counted: false,
        not_before: next,
    };
    let given_up = Event::GivenUp {
        reason: EndReason::NoPrice,
    };
    story([requested(), started(1, CALL, VISIT)])
        .when(Command::RecordOutcome {
            attempt: 1,
            outcome,
        })
        .then([missed, given_up])
        .when(start(2, OTHER_CALL, OTHER_VISIT))
        .refused(Error::Over);
}

#[test]
fn an_outcome_that_is_told_twice_counts_once() {
    story(first_failed()).when(missed(1, true)).nothing();
}

#[test]
fn nobody_is_rung_when_the_time_is_over() {
    let late = Event::Requested {
        request: request(),
        expires_at: second(65),
    };
    story([late.clone(), started(1, CALL, VISIT)])
        .when(missed(1, true))
        .then([
            failed(1, CALL, true, NOW.plus_ms(10_000)),
            Event::Expired {},
        ]);
    story([late])
        .when(Command::Expire)
        .refused(Error::NotExpired);
    let over = Event::Requested {
        request: request(),
        expires_at: second(30),
    };
    story([over.clone()])
        .when(start(1, CALL, VISIT))
        .refused(Error::Over);
    story([over])
        .when(Command::Expire)
        .then([Event::Expired {}]);
}

#[test]
fn another_time_has_its_own_end() {
    let by = || "supervisor".to_owned();
    story([requested()])
        .when(Command::Reschedule {
            not_before: second(90),
            by: by(),
        })
        .then([Event::Rescheduled {
            not_before: second(90),
            expires_at: second(190),
            by: by(),
        }]);
    story([requested(), started(1, CALL, VISIT)])
        .when(Command::Reschedule {
            not_before: second(90),
            by: by(),
        })
        .refused(Error::Trying);
}

#[test]
fn whoever_does_not_want_it_any_more_is_not_rung() {
    let cancel = || Command::Cancel { by: "ann".into() };
    story([requested()])
        .when(cancel())
        .then([Event::Cancelled { by: "ann".into() }])
        .when(cancel())
        .refused(Error::Over);
    story([]).when(cancel()).refused(Error::Unknown);
    story([])
        .when(start(1, CALL, VISIT))
        .refused(Error::Unknown);
}

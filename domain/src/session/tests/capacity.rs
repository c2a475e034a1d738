//! An agent who may have several calls at once.

use super::{force::force, *};
use crate::{
    id::{CallId, OfferId, VisitId},
    queue::Terms,
    session::{Error, Refused},
    testing::{OTHER_CALL, OTHER_OFFER, OTHER_VISIT},
};

const FIRST: (CallId, OfferId, VisitId) = (CALL, OFFER, VISIT);
const SECOND: (CallId, OfferId, VisitId) = (OTHER_CALL, OTHER_OFFER, OTHER_VISIT);

fn asks((call, offer, visit): (CallId, OfferId, VisitId), capacity: u8) -> Command {
    Command::Reserve {
        offer,
        call,
        visit,
        queue: QUEUE,
        until: RESERVED_UNTIL,
        wrap_up_ms: 0,
        choice: None,
        terms: Terms::STANDARD,
        capacity,
    }
}

fn taken(
    (call, offer, visit): (CallId, OfferId, VisitId),
    wrap_up_ms: u64,
    still: Option<Still>,
) -> Event {
    Event::Reserved {
        offer,
        call,
        visit,
        queue: QUEUE,
        until: RESERVED_UNTIL,
        wrap_up_ms,
        choice: None,
        terms: Terms::STANDARD,
        capacity: 2,
        still,
    }
}

const fn connected((call, offer, _): (CallId, OfferId, VisitId)) -> Event {
    let queue = QUEUE;
    Event::ConnectedToContact { offer, call, queue }
}

const fn talks_in((call, offer, _): (CallId, OfferId, VisitId)) -> Still {
    Still {
        doing: Doing::OnContact,
        call,
        offer: Some(offer),
        queue: Some(QUEUE),
    }
}

const fn works_after(call: CallId) -> Still {
    Still {
        doing: Doing::WrapUp,
        call,
        offer: None,
        queue: None,
    }
}

fn ends((call, offer, _): (CallId, OfferId, VisitId)) -> Command {
    Command::EndContact { call, offer }
}

/// With the first caller, while the phone rings for the second.
fn rings_beside(wrap_up_ms: u64) -> Vec<Event> {
    let still = Some(talks_in(FIRST));
    let first = [taken(FIRST, wrap_up_ms, None), connected(FIRST)];
    let events = with(ready(), first);
    with(events, [taken(SECOND, wrap_up_ms, still)])
}

/// With both.
fn with_both(wrap_up_ms: u64) -> Vec<Event> {
    with(rings_beside(wrap_up_ms), [connected(SECOND)])
}

#[test]
fn who_may_have_two_calls_is_asked_for_the_second_beside_the_first() {
    let first = with(ready(), [taken(FIRST, 0, None), connected(FIRST)]);
    story(first.clone())
        .when(asks(SECOND, 2))
        .then([taken(SECOND, 0, Some(talks_in(FIRST)))]);
    story(first).when(asks(SECOND, 1)).refused(Error::Engaged);
}

#[test]
fn a_phone_does_not_ring_twice_at_once() {
    story(with(ready(), [taken(FIRST, 0, None)]))
        .when(asks(SECOND, 3))
        .refused(Error::Engaged);
}

#[test]
fn no_phone_rings_during_a_wrap_up_nor_for_who_is_about_to_leave() {
    story(wrapping_up())
        .when(asks(SECOND, 3))
        .refused(Error::Engaged);
    story(on_contact())
        .when(go_not_ready(NotReadyReason::Break))
        .then([requested(NextState::NotReady(NotReadyReason::Break))])
        .when(asks(SECOND, 3))
        .refused(Error::Engaged)
        .when(Command::GoReady)
        .then([requested(NextState::Ready)]);
    let back = with(on_contact(), [requested(NextState::Ready)]);
    assert!(story(back).state().has_room(2));
}

#[test]
fn each_call_ends_on_its_own_and_with_the_last_the_agent_is_ready() {
    story(with_both(0))
        .when(ends(FIRST))
        .then([Event::ContactEnded {
            call: CALL,
            still: Some(talks_in(SECOND)),
        }])
        .when(ends(SECOND))
        .then([
            Event::ContactEnded {
                call: OTHER_CALL,
                still: None,
            },
            Event::BecameReady {},
        ]);
}

#[test]
fn calls_go_on_when_there_are_more_than_there_may_be() {
    let session = story(with_both(0));
    assert_eq!(session.state().calls_count(), 2);
    assert!(!session.state().has_room(1));
    let left = session.when(ends(SECOND)).then([Event::ContactEnded {
        call: OTHER_CALL,
        still: Some(talks_in(FIRST)),
    }]);
    assert!(!left.state().has_room(1), "of one call it has one");
}

#[test]
fn what_was_asked_for_comes_with_the_end_of_the_last_call() {
    story(with_both(0))
        .when(LOG_OUT)
        .then([requested(NextState::LoggedOut(LogoutReason::Agent))])
        .when(ends(SECOND))
        .then([Event::ContactEnded {
            call: OTHER_CALL,
            still: Some(talks_in(FIRST)),
        }])
        .when(ends(FIRST))
        .then([
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
            LOGGED_OUT,
        ]);
}

#[test]
fn an_offer_too_many_in_vain_beside_a_call_takes_the_agent_out_afterwards() {
    let mut events = with(ready(), [taken(FIRST, 0, None), connected(FIRST)]);
    let still = Some(talks_in(FIRST));
    let in_vain = Event::ReservationReleased {
        offer: OTHER_OFFER,
        reason: ReleaseReason::NoAnswer,
        not_before: None,
        still,
    };
    for _ in 0..2 {
        events.extend([taken(SECOND, 0, still), in_vain.clone()]);
    }
    events.push(taken(SECOND, 0, still));
    let rona = NotReadyReason::Rona;
    story(events)
        .when(Command::ReleaseReservation {
            offer: OTHER_OFFER,
            reason: ReleaseReason::NoAnswer,
        })
        .then([in_vain, requested(NextState::NotReady(rona))])
        .when(ends(FIRST))
        .then([
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
            not_ready(rona),
        ]);
}

/// With the first caller, and offers of every kind came to nothing beside it.
fn missed_beside_a_call() -> Vec<Event> {
    let still = Some(talks_in(FIRST));
    let mut events = with(ready(), [taken(FIRST, 0, None), connected(FIRST)]);
    let causes = [
        ReleaseReason::NoAnswer,
        ReleaseReason::NoAnswer,
        ReleaseReason::Rejected,
        ReleaseReason::Busy,
        ReleaseReason::Unreachable,
    ];
    for reason in causes {
        let offer = OTHER_OFFER;
        let not_before = None;
        let in_vain = Event::ReservationReleased {
            offer,
            reason,
            not_before,
            still,
        };
        events.extend([taken(SECOND, 0, still), in_vain]);
    }
    events
}

#[test]
fn who_is_had_back_beside_a_call_has_missed_nothing() {
    let rona = NextState::NotReady(NotReadyReason::Rona);
    let taken_out = with(missed_beside_a_call(), [requested(rona)]);
    for back in [Command::GoReady, force(NextState::Ready)] {
        let mut events = taken_out.clone();
        events.extend(story(taken_out.clone()).when(back).events());
        let session = story(events.clone());
        let state = session.state();
        assert_eq!((state.missed_count, state.refused), (0, Refused::default()));
        // The next offer in vain is the first.
        let rings = story(with(events, [taken(SECOND, 0, None)]));
        let reason = ReleaseReason::NoAnswer;
        assert_eq!(rings.state().next_after_release(reason), None);
    }
}

#[test]
fn who_is_about_to_leave_keeps_what_was_missed() {
    let meal = NextState::NotReady(NotReadyReason::Meal);
    for next in [meal, NextState::LoggedOut(LogoutReason::Agent)] {
        let session = story(with(missed_beside_a_call(), [requested(next)]));
        assert_eq!(session.state().missed_count, 2);
        assert_eq!(session.state().refused.busy, 1);
    }
}

fn wrap_up(call: CallId, still: Option<Still>) -> Event {
    Event::WrapUpStarted {
        call,
        until: second(80),
        code_required: false,
        still,
    }
}

fn worked(call: CallId, still: Option<Still>) -> Event {
    Event::WrapUpEnded {
        call,
        by: WrapUpEndedBy::Agent,
        code: Some("sold".into()),
        note: None,
        still,
    }
}

fn complete(call: Option<CallId>) -> Command {
    Command::CompleteWrapUp {
        code: Some("sold".into()),
        note: None,
        call,
    }
}

/// At work after both calls, the second first.
fn works_after_both() -> Vec<Event> {
    let talks = Some(talks_in(FIRST));
    let works = Some(works_after(OTHER_CALL));
    with(
        with_both(WRAP_UP_MS),
        [
            Event::ContactEnded {
                call: OTHER_CALL,
                still: talks,
            },
            wrap_up(OTHER_CALL, talks),
            Event::ContactEnded {
                call: CALL,
                still: works,
            },
            wrap_up(CALL, works),
        ],
    )
}

#[test]
fn each_call_has_a_wrap_up_of_its_own() {
    let talks = Some(talks_in(FIRST));
    let works = Some(works_after(OTHER_CALL));
    story(with_both(WRAP_UP_MS))
        .when(ends(SECOND))
        .then([
            Event::ContactEnded {
                call: OTHER_CALL,
                still: talks,
            },
            wrap_up(OTHER_CALL, talks),
        ])
        .when(ends(FIRST))
        .then([
            Event::ContactEnded {
                call: CALL,
                still: works,
            },
            wrap_up(CALL, works),
        ]);
}

#[test]
fn a_wrap_up_that_is_done_is_the_one_that_is_named_or_the_first() {
    let left = Some(works_after(OTHER_CALL));
    story(works_after_both())
        .when(complete(Some(CALL)))
        .then([worked(CALL, left)])
        .when(complete(Some(CALL)))
        .refused(Error::NoWrapUp)
        .when(complete(None))
        .then([worked(OTHER_CALL, None), Event::BecameReady {}]);
    story(works_after_both())
        .when(complete(None))
        .then([worked(OTHER_CALL, Some(works_after(CALL)))]);
    story(works_after_both())
        .when(Command::ExtendWrapUp {
            by_ms: 1_000,
            call: Some(CALL),
        })
        .then([Event::WrapUpExtended {
            call: CALL,
            until: second(81),
        }]);
}

#[test]
fn who_goes_ready_ends_every_wrap_up() {
    let ended = |call, still| Event::WrapUpEnded {
        call,
        by: WrapUpEndedBy::Agent,
        code: None,
        note: None,
        still,
    };
    story(works_after_both()).when(Command::GoReady).then([
        ended(OTHER_CALL, Some(works_after(CALL))),
        ended(CALL, None),
        Event::BecameReady {},
    ]);
}

/// Beside a call, work that ends only with a code.
fn works_beside_a_call() -> Vec<Event> {
    let work = [
        Event::ContactEnded {
            call: CALL,
            still: Some(talks_in(SECOND)),
        },
        Event::WrapUpStarted {
            call: CALL,
            until: second(99),
            code_required: true,
            still: Some(talks_in(SECOND)),
        },
    ];
    with(with_both(0), work)
}

#[test]
fn what_others_decide_ends_the_work_beside_a_call_also_where_a_code_is_missing() {
    let supervisor = LogoutReason::Supervisor;
    let pause = NotReadyReason::Supervisor;
    let ended = |by| Event::WrapUpEnded {
        call: CALL,
        by,
        code: None,
        note: None,
        still: Some(talks_in(SECOND)),
    };
    for next in [NextState::LoggedOut(supervisor), NextState::NotReady(pause)] {
        let events = story(works_beside_a_call()).when(force(next)).events();
        assert_eq!(
            events[1..],
            [ended(WrapUpEndedBy::Supervisor), requested(next)],
            "{next:?}"
        );
    }
    let lost = LogoutReason::DeviceLost;
    story(works_beside_a_call())
        .when(Command::LogOut { reason: lost })
        .then([
            ended(WrapUpEndedBy::Device),
            requested(NextState::LoggedOut(lost)),
        ]);
    // The agent's own word leaves it to the agent.
    story(works_beside_a_call())
        .when(LOG_OUT)
        .then([requested(NextState::LoggedOut(LogoutReason::Agent))]);
}

//! What follows once an agent is reserved.

use super::*;
use crate::{
    call,
    cause::{By, Disposition, EndCause, EndReason, EndResult, OfferOutcome, WireCause},
    line::{self, ReturnCause, VisitResult},
    process::offer::OfferProcess,
    queue,
    session::{self, ReleaseReason},
    testing::{AGENT_LEG, CALL, OFFER, OTHER_OFFER, QUEUE, SESSION, VISIT},
};

/// The ring ends at 20, the reservation 5 seconds later.
const RING_UNTIL: Timestamp = second(20);

fn reserved() -> AnyEvent {
    AnyEvent::Session(
        SESSION,
        session::Event::Reserved {
            offer: OFFER,
            call: CALL,
            visit: VISIT,
            queue: QUEUE,
            until: second(25),
            wrap_up_ms: 0,
            choice: None,
            terms: crate::queue::Terms::STANDARD,
            capacity: 1,
            still: None,
        },
    )
}

fn offer_ended(outcome: OfferOutcome) -> AnyEvent {
    AnyEvent::Call(
        CALL,
        call::Event::OfferEnded {
            offer: OFFER,
            visit: VISIT,
            session: SESSION,
            leg: AGENT_LEG,
            outcome,
            wire: WireCause::default(),
        },
    )
}

fn connected() -> AnyEvent {
    AnyEvent::Call(
        CALL,
        call::Event::AgentConnected {
            codec: None,
            device: None,
            offer: OFFER,
            visit: VISIT,
            session: SESSION,
            leg: AGENT_LEG,
        },
    )
}

fn ended(disposition: Disposition) -> AnyEvent {
    AnyEvent::Call(
        CALL,
        call::Event::Ended {
            cause: EndCause {
                result: EndResult::Caller,
                reason: EndReason::Cancelled,
                by: By::Caller,
                sip_status: None,
                q850: None,
                reason_header: None,
            },
            disposition,
            ended_at: second(9),
            incomplete: false,
            session: Some(SESSION),
            offer: Some(OFFER),
            visit: Some(VISIT),
            queue: Some(QUEUE),
        },
    )
}

fn released() -> AnyEvent {
    AnyEvent::Session(
        SESSION,
        session::Event::ReservationReleased {
            offer: OFFER,
            reason: ReleaseReason::CallerGone,
            not_before: None,
            still: None,
        },
    )
}

fn give_back(cause: ReturnCause) -> AnyCommand {
    AnyCommand::Line(
        QUEUE,
        line::Command::ReturnVisit {
            visit: VISIT,
            offer: OFFER,
            cause,
        },
    )
}

fn release(reason: ReleaseReason) -> AnyCommand {
    AnyCommand::Session(
        SESSION,
        session::Command::ReleaseReservation {
            offer: OFFER,
            reason,
        },
    )
}

fn end_offer(outcome: OfferOutcome) -> AnyCommand {
    AnyCommand::Call(
        CALL,
        call::Command::EndOffer {
            offer: OFFER,
            outcome,
        },
    )
}

fn match_visit() -> AnyCommand {
    AnyCommand::Line(
        QUEUE,
        line::Command::MatchVisit {
            visit: VISIT,
            offer: OFFER,
            session: SESSION,
            beside: false,
        },
    )
}

/// The command that makes the agent's phone ring.
fn ring() -> AnyCommand {
    process::<OfferProcess>()
        .hears([reserved()])
        .asked
        .remove(0)
}

#[test]
fn a_reserved_agents_phone_rings_and_the_visit_is_matched() {
    let heard = process::<OfferProcess>().hears([reserved()]);
    let [ring, matched] = heard.asked.as_slice() else {
        panic!("not two commands: {:?}", heard.asked);
    };
    assert!(
        matches!(
            ring,
            AnyCommand::Call(
                CALL,
                call::Command::StartOffer {
                    offer: OFFER,
                    visit: VISIT,
                    session: SESSION,
                    until: RING_UNTIL,
                    ..
                }
            )
        ),
        "{ring:?}"
    );
    assert_eq!(*matched, match_visit());
    heard.sleeps_until(Some(RING_UNTIL));
}

/// The reservation was under way when a supervisor took the agent out of the queue.
#[test]
fn who_was_paused_before_being_reserved_is_not_rung() {
    let (by, why) = (|| "carla".to_owned(), || "training".to_owned());
    let agent = SESSION.agent;
    let paused = AnyEvent::Queue(
        QUEUE,
        queue::Event::MemberPaused {
            agent,
            by: by(),
            why: why(),
        },
    );
    let unpaused = AnyEvent::Queue(
        QUEUE,
        queue::Event::MemberUnpaused {
            agent,
            by: by(),
            why: why(),
        },
    );
    process::<OfferProcess>()
        .hears([paused.clone(), reserved()])
        .asks([release(ReleaseReason::Superseded)])
        .hears([released()])
        .sleeps_until(None);
    let back = process::<OfferProcess>().hears([paused.clone(), unpaused, reserved()]);
    assert_eq!(back.asked.len(), 2, "it rings: {:?}", back.asked);
    // What is reserved already rings, and goes on.
    process::<OfferProcess>()
        .hears([reserved()])
        .asks([ring(), match_visit()])
        .hears([paused])
        .asks_nothing();
}

#[test]
fn an_agent_who_answers_leaves_the_line_and_the_reservation() {
    process::<OfferProcess>()
        .hears([reserved()])
        .hears_at(second(12), connected())
        .asks([
            AnyCommand::Line(
                QUEUE,
                line::Command::CloseVisit {
                    visit: VISIT,
                    result: VisitResult::Answered,
                    closed_at: second(12),
                },
            ),
            AnyCommand::Session(SESSION, session::Command::ConfirmConnect { offer: OFFER }),
        ]);
}

#[test]
fn an_offer_in_vain_returns_the_visit_and_frees_the_agent() {
    use OfferOutcome as O;
    for (outcome, back, free) in [
        (O::NoAnswer, ReturnCause::NoAnswer, ReleaseReason::NoAnswer),
        (O::Rejected, ReturnCause::Rejected, ReleaseReason::Rejected),
        (O::Busy, ReturnCause::Busy, ReleaseReason::Busy),
        (
            O::Unreachable,
            ReturnCause::Unreachable,
            ReleaseReason::Unreachable,
        ),
        (
            O::Withdrawn,
            ReturnCause::Withdrawn,
            ReleaseReason::Superseded,
        ),
    ] {
        process::<OfferProcess>()
            .hears([reserved(), offer_ended(outcome)])
            .asks([give_back(back), release(free)]);
    }
}

#[test]
fn a_caller_who_leaves_while_it_rings_frees_the_agent_without_blame() {
    process::<OfferProcess>()
        .hears([reserved(), ended(Disposition::Abandoned)])
        .asks([release(ReleaseReason::CallerGone)]);
}

#[test]
fn the_end_of_a_conversation_is_not_the_offers_business() {
    process::<OfferProcess>()
        .hears([reserved(), connected(), ended(Disposition::Answered)])
        .asks_nothing();
}

#[test]
fn a_phone_that_rings_too_long_ends_the_offer_once() {
    process::<OfferProcess>()
        .hears([reserved()])
        .wakes(second(19))
        .asks_nothing()
        .wakes(RING_UNTIL)
        .asks([end_offer(OfferOutcome::NoAnswer)])
        .wakes(second(999))
        .asks_nothing()
        .sleeps_until(None);
}

#[test]
fn a_process_that_wakes_late_does_not_free_an_agent_who_may_have_answered() {
    // The call has not said yet which came first, the answer or the timeout.
    process::<OfferProcess>()
        .hears([reserved()])
        .wakes(second(500))
        .asks([end_offer(OfferOutcome::NoAnswer)])
        .hears([connected()])
        .gets_refused(&end_offer(OfferOutcome::NoAnswer), "call.stale_offer", 9)
        .asks_nothing()
        .hears([AnyEvent::Session(
            SESSION,
            session::Event::ConnectedToContact {
                offer: OFFER,
                call: CALL,
                queue: QUEUE,
            },
        )])
        .sleeps_until(None);
}

#[test]
fn a_reservation_that_nobody_ends_falls_by_itself() {
    process::<OfferProcess>()
        .hears([reserved()])
        .wakes(RING_UNTIL)
        .gets_refused(&end_offer(OfferOutcome::NoAnswer), "call.stale_offer", 9)
        .sleeps_until(Some(second(65)))
        .wakes(second(65))
        .asks([
            give_back(ReturnCause::Withdrawn),
            release(ReleaseReason::TimedOut),
        ])
        .sleeps_until(None);
}

#[test]
fn a_call_that_can_not_be_offered_frees_the_agent_and_the_visit() {
    process::<OfferProcess>()
        .hears([reserved()])
        .gets_refused(&ring(), "call.already_ended", 9)
        .asks([
            give_back(ReturnCause::Withdrawn),
            release(ReleaseReason::CallerGone),
        ]);
}

#[test]
fn a_visit_that_can_not_be_matched_stops_the_ringing_and_frees_the_agent() {
    process::<OfferProcess>()
        .hears([reserved()])
        .gets_refused(&match_visit(), "visit.not_open", 9)
        .asks([
            end_offer(OfferOutcome::Withdrawn),
            release(ReleaseReason::CallerGone),
        ]);
}

#[test]
fn an_offer_that_is_over_is_forgotten() {
    process::<OfferProcess>()
        .hears([reserved(), released()])
        .sleeps_until(None)
        .hears([offer_ended(OfferOutcome::NoAnswer)])
        .asks_nothing()
        .gets_refused(&ring(), "call.already_ended", 9)
        .asks_nothing()
        .gets_refused(&match_visit(), "visit.not_open", 9)
        .asks_nothing();
}

#[test]
fn the_release_of_another_offer_does_not_stop_this_one() {
    process::<OfferProcess>()
        .hears([
            reserved(),
            AnyEvent::Session(
                SESSION,
                session::Event::ReservationReleased {
                    offer: OTHER_OFFER,
                    reason: ReleaseReason::TimedOut,
                    not_before: None,
                    still: None,
                },
            ),
        ])
        .sleeps_until(Some(RING_UNTIL));
}

fn matched() -> AnyEvent {
    AnyEvent::Line(
        QUEUE,
        line::Event::Matched {
            visit: VISIT,
            call: CALL,
            offer: OFFER,
            session: SESSION,
        },
    )
}

#[test]
fn a_match_of_a_live_offer_is_as_it_should_be() {
    process::<OfferProcess>()
        .hears([reserved(), matched()])
        .asks_nothing();
}

#[test]
fn a_match_that_comes_after_its_offer_was_given_up_is_taken_back() {
    process::<OfferProcess>()
        .hears([reserved(), offer_ended(OfferOutcome::Busy), matched()])
        .asks([give_back(ReturnCause::Withdrawn)]);
    process::<OfferProcess>()
        .hears([reserved(), offer_ended(OfferOutcome::Busy), released()])
        .hears([matched()])
        .asks([give_back(ReturnCause::Withdrawn)]);
}

#[test]
fn a_ring_that_a_clock_years_ahead_began_ends_when_the_clock_is_set_right() {
    let ahead = second(315_360_000);
    let mut reserved = reserved();
    if let AnyEvent::Session(_, session::Event::Reserved { until, .. }) = &mut reserved {
        *until = ahead.plus_ms(25_000);
    }
    let end = call::Command::EndOffer {
        offer: OFFER,
        outcome: OfferOutcome::NoAnswer,
    };
    process::<OfferProcess>()
        .hears_at(ahead, reserved)
        .sweeps(ahead.plus_ms(1_000))
        .asks_nothing()
        .sweeps(second(300))
        .asks([AnyCommand::Call(CALL, end)])
        .sweeps(second(301))
        .asks_nothing();
}

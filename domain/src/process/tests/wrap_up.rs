//! After the call.

use super::*;
use crate::{
    call,
    cause::{By, Disposition, EndCause, EndReason, EndResult},
    id::VisitId,
    process::wrap_up::WrapUp,
    session::{self, WrapUpEndedBy},
    testing::{AGENT_LEG, CALL, OFFER, OTHER_AGENT, OTHER_CALL, SESSION, SUPERVISOR_LEG, VISIT},
};

fn ended(disposition: Disposition) -> AnyEvent {
    ended_in(disposition, Some(VISIT))
}

fn ended_in(disposition: Disposition, visit: Option<VisitId>) -> AnyEvent {
    AnyEvent::Call(
        CALL,
        call::Event::Ended {
            cause: EndCause {
                result: EndResult::Success,
                reason: EndReason::Hangup,
                by: By::Agent,
                sip_status: None,
                q850: None,
                reason_header: None,
            },
            disposition,
            ended_at: second(9),
            incomplete: false,
            session: Some(SESSION),
            offer: Some(OFFER),
            visit,
            queue: None,
        },
    )
}

fn started(until: Timestamp) -> AnyEvent {
    AnyEvent::Session(
        SESSION,
        session::Event::WrapUpStarted {
            call: CALL,
            until,
            code_required: false,
            still: None,
        },
    )
}

fn over() -> AnyEvent {
    let by = WrapUpEndedBy::Agent;
    AnyEvent::Session(
        SESSION,
        session::Event::WrapUpEnded {
            call: CALL,
            by,
            code: None,
            note: None,
            still: None,
        },
    )
}

fn end_wrap_up(until: Timestamp) -> AnyCommand {
    AnyCommand::Session(SESSION, session::Command::EndWrapUp { call: CALL, until })
}

#[test]
fn the_end_of_a_conversation_ends_the_agents_contact() {
    process::<WrapUp>()
        .hears([ended(Disposition::Answered)])
        .asks([AnyCommand::Session(
            SESSION,
            session::Command::EndContact {
                call: CALL,
                offer: OFFER,
            },
        )]);
}

#[test]
fn a_supervisor_who_takes_the_call_ends_the_agents_contact_and_its_end_does_not_again() {
    let taken = call::Event::TakenOver {
        leg: SUPERVISOR_LEG,
        supervisor: OTHER_AGENT,
        from_leg: AGENT_LEG,
        session: SESSION,
        offer: OFFER,
    };
    let end = session::Command::EndContact {
        call: CALL,
        offer: OFFER,
    };
    let mut over = ended(Disposition::Answered);
    if let AnyEvent::Call(_, call::Event::Ended { session, offer, .. }) = &mut over {
        (*session, *offer) = (None, None);
    }
    process::<WrapUp>()
        .hears([AnyEvent::Call(CALL, taken)])
        .asks([AnyCommand::Session(SESSION, end)])
        .hears([over])
        .asks_nothing();
}

#[test]
fn a_call_that_only_rang_leaves_no_contact_to_end() {
    process::<WrapUp>()
        .hears([ended_in(Disposition::Abandoned, Some(VISIT))])
        .asks_nothing();
}

#[test]
fn an_agent_who_rang_back_in_vain_had_a_contact() {
    let end = session::Command::EndContact {
        call: CALL,
        offer: OFFER,
    };
    process::<WrapUp>()
        .hears([ended_in(Disposition::Busy, None)])
        .asks([AnyCommand::Session(SESSION, end)]);
}

#[test]
fn a_wrap_up_ends_when_its_time_is_over() {
    process::<WrapUp>()
        .hears([started(second(40))])
        .sleeps_until(Some(second(40)))
        .wakes(second(39))
        .asks_nothing()
        .wakes(second(40))
        .asks([end_wrap_up(second(40))])
        .sleeps_until(None);
}

#[test]
fn an_extended_wrap_up_ends_when_the_new_time_is_over() {
    let extended = session::Event::WrapUpExtended {
        call: CALL,
        until: second(70),
    };
    process::<WrapUp>()
        .hears([started(second(40)), AnyEvent::Session(SESSION, extended)])
        .sleeps_until(Some(second(70)))
        .wakes(second(40))
        .asks_nothing()
        .wakes(second(70))
        .asks([end_wrap_up(second(70))]);
}

#[test]
fn a_wrap_up_that_the_agent_ended_has_no_timer() {
    process::<WrapUp>()
        .hears([started(second(40)), over()])
        .sleeps_until(None)
        .wakes(second(40))
        .asks_nothing();
}

#[test]
fn the_timer_of_the_last_wrap_up_is_the_one_that_counts() {
    process::<WrapUp>()
        .hears([
            started(second(40)),
            over(),
            AnyEvent::Session(
                SESSION,
                session::Event::WrapUpStarted {
                    call: OTHER_CALL,
                    until: second(80),
                    code_required: false,
                    still: None,
                },
            ),
        ])
        .wakes(second(40))
        .asks_nothing()
        .sleeps_until(Some(second(80)));
}

/// The clock that told when it began was ten years ahead, and was set right.
#[test]
fn a_wrap_up_of_a_clock_that_was_years_ahead_ends_when_the_clock_is_set_right() {
    let ahead = second(315_360_000);
    process::<WrapUp>()
        .hears_at(ahead, started(ahead.plus_ms(30_000)))
        .sweeps(ahead.plus_ms(1_000))
        .asks_nothing()
        .sweeps(second(300))
        .asks([end_wrap_up(ahead.plus_ms(30_000))])
        .sweeps(second(301))
        .asks_nothing()
        .sleeps_until(None);
}

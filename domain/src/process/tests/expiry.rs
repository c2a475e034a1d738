//! No stay becomes older than its queue allows, however it came to be stuck.

use super::{
    enqueue::{config, ended_in, enqueued, opened},
    *,
};
use crate::{
    call::AnswerMode,
    cause::{By, Disposition, EndReason},
    line::VisitResult,
    process::enqueue::Enqueue,
    queue,
    testing::{CALL, QUEUE, VISIT},
};

/// The stay begins at 10.
const TOO_OLD: Timestamp = second(130);

fn created() -> AnyEvent {
    let config = queue::Config {
        visit_ttl_ms: 120_000,
        ..config(AnswerMode::OnAgent, 0, vec![])
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

fn waiting() -> Heard<Enqueue> {
    process::<Enqueue>().hears([created(), enqueued(), opened(AnswerMode::OnAgent, 0)])
}

fn ends() -> AnyCommand {
    let end = call::Command::EndCall {
        reason: EndReason::VisitExpired,
        ended_at: None,
        visit: Some(VISIT),
    };
    AnyCommand::Call(CALL, end)
}

fn closes(closed_at: Timestamp) -> AnyCommand {
    let close = line::Command::CloseVisit {
        visit: VISIT,
        result: VisitResult::Expired,
        closed_at,
    };
    AnyCommand::Line(QUEUE, close)
}

fn closed() -> AnyEvent {
    let closed = line::Event::Closed {
        visit: VISIT,
        call: CALL,
        result: VisitResult::Expired,
        closed_at: TOO_OLD,
        wait_ms: 120_000,
        measure: None,
    };
    AnyEvent::Line(QUEUE, closed)
}

#[test]
fn a_stay_that_is_too_old_ends_with_its_call_and_says_so() {
    let heard = waiting()
        .sleeps_until(Some(TOO_OLD))
        .wakes(TOO_OLD)
        .asks([ends()]);
    let over = ended_in(
        (VISIT, QUEUE),
        EndReason::VisitExpired,
        By::System,
        Disposition::NoAnswer,
    );
    heard
        .hears([over])
        .asks([closes(second(33))])
        .hears([closed()])
        .sleeps_until(None);
}

/// The call is over or with an agent, and its line was never told.
#[test]
fn a_stay_whose_call_is_elsewhere_is_closed_in_its_line() {
    for code in [
        "call.already_ended",
        "call.already_connected",
        "call.unknown",
    ] {
        waiting()
            .wakes(TOO_OLD)
            .gets_refused(&ends(), code, 9)
            .asks([closes(second(60))])
            .hears([closed()])
            .sleeps_until(None);
    }
}

/// Whatever was asked for has not helped: it is asked for again, each time as a new order.
#[test]
fn a_stay_that_is_there_still_is_looked_at_again() {
    let again = TOO_OLD.plus_ms(60_000);
    waiting()
        .wakes(TOO_OLD)
        .sleeps_until(Some(again))
        .wakes(again)
        .asks([ends()])
        .hears([closed()])
        .sleeps_until(None);
}

/// The net is only for what nothing else ends: not beside the longest wait, and never
/// before it.
#[test]
fn the_longest_wait_comes_before_the_net() {
    for max_wait_ms in [120_000, 240_000] {
        let at = second(10).plus_ms(max_wait_ms);
        let end = call::Command::EndCall {
            reason: EndReason::MaxWait,
            ended_at: None,
            visit: Some(VISIT),
        };
        process::<Enqueue>()
            .hears([
                created(),
                enqueued(),
                opened(AnswerMode::OnAgent, max_wait_ms),
            ])
            .wakes(at)
            .asks([AnyCommand::Call(CALL, end)])
            .sleeps_until(Some(at.plus_ms(60_000)));
    }
}

#[test]
fn without_such_a_net_a_stay_lasts() {
    let config = config(AnswerMode::OnAgent, 0, vec![]);
    let name = "sales".into();
    let created = queue::Event::Created {
        name,
        config,
        config_version: None,
    };
    process::<Enqueue>()
        .hears([
            AnyEvent::Queue(QUEUE, created),
            enqueued(),
            opened(AnswerMode::OnAgent, 0),
        ])
        .sleeps_until(None);
}

#[test]
fn a_stay_that_a_clock_years_ahead_began_is_too_old_when_the_clock_is_set_right() {
    process::<Enqueue>()
        .hears([created(), enqueued()])
        .hears_at(second(315_360_000), opened(AnswerMode::OnAgent, 0))
        .sweeps(second(20))
        .asks([ends()])
        .sweeps(second(21))
        .asks_nothing();
}

#[test]
fn a_caller_of_a_clock_years_ahead_has_waited_long_enough_when_the_clock_is_set_right() {
    let waited = call::Command::EndCall {
        reason: EndReason::MaxWait,
        ended_at: None,
        visit: Some(VISIT),
    };
    process::<Enqueue>()
        .hears([created(), enqueued()])
        .hears_at(second(315_360_000), opened(AnswerMode::OnAgent, 60_000))
        .sweeps(second(20))
        .asks([AnyCommand::Call(CALL, waited)])
        // Looked at again in a minute, if the call is there still.
        .sleeps_until(Some(second(80)));
}

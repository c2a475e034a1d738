//! Which calls a node that died has left behind.

use super::*;
use crate::{
    call,
    cause::{By, Disposition, EndCause, EndReason, EndResult},
    id::CallId,
    process::recovery::Recovery,
    testing::{CALL, CALLER_LEG, OTHER_CALL, caller},
};

fn received(call: CallId) -> AnyEvent {
    AnyEvent::Call(
        call,
        call::Event::Received {
            withheld: false,
            leg: CALLER_LEG,
            from: caller(),
            to: "sales".into(),
            trunk: None,
            sip_call_id: "1".into(),
            user_agent: None,
        },
    )
}

fn ended(call: CallId) -> AnyEvent {
    AnyEvent::Call(
        call,
        call::Event::Ended {
            cause: EndCause {
                result: EndResult::Success,
                reason: EndReason::Hangup,
                by: By::Caller,
                sip_status: None,
                q850: None,
                reason_header: None,
            },
            disposition: Disposition::Answered,
            ended_at: second(3),
            incomplete: false,
            session: None,
            offer: None,
            visit: None,
            queue: None,
        },
    )
}

#[test]
fn calls_in_progress_end_at_the_last_heartbeat_of_the_run_that_had_them() {
    let heard = process::<Recovery>()
        .written_by(7)
        .hears([received(CALL), received(OTHER_CALL), ended(OTHER_CALL)])
        .asks_nothing();
    assert_eq!(heard.state.runs(), [7].into());
    let intents = heard.state.end_all_of(7, Some(second(30)));
    assert_eq!(
        commands(intents),
        vec![AnyCommand::Call(
            CALL,
            call::Command::EndCall {
                reason: EndReason::NodeLost,
                ended_at: Some(second(30)),
                visit: None,
            }
        )]
    );
}

#[test]
fn calls_of_a_run_that_lives_go_on() {
    let heard = process::<Recovery>()
        .written_by(7)
        .hears([received(CALL)])
        .written_by(8)
        .hears([received(OTHER_CALL)]);
    let of = |run| match commands(heard.state.end_all_of(run, None)).as_slice() {
        [AnyCommand::Call(call, _)] => Some(*call),
        _ => None,
    };
    assert_eq!((of(7), of(8), of(9)), (Some(CALL), Some(OTHER_CALL), None));
}

#[test]
fn a_call_stays_with_the_run_that_received_it_whoever_writes_its_events() {
    let heard = process::<Recovery>()
        .written_by(7)
        .hears([received(CALL)])
        .written_by(8)
        .hears([AnyEvent::Call(CALL, call::Event::Answered {})]);
    assert_eq!(heard.state.runs(), [7].into());
}

#[test]
fn a_run_that_left_nothing_behind_has_nothing_to_end() {
    let heard = process::<Recovery>()
        .written_by(7)
        .hears([received(CALL), ended(CALL)]);
    assert_eq!(heard.state.end_all_of(7, None), vec![]);
}

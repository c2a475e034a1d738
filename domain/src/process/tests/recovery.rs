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
            leg: CALLER_LEG,
            from: caller(),
            to: "sales".into(),
            trunk: None,
            sip_call_id: "1".into(),
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
fn calls_in_progress_end_at_the_last_heartbeat_of_the_dead_node() {
    let epoch = Uuid::from_u128(7);
    let heard = process::<Recovery>()
        .hears([received(CALL), received(OTHER_CALL), ended(OTHER_CALL)])
        .asks_nothing();
    let intents = heard.state.end_all(epoch, Some(second(30)));
    assert_eq!(
        commands(intents),
        vec![AnyCommand::Call(
            CALL,
            call::Command::EndCall {
                reason: EndReason::NodeLost,
                ended_at: Some(second(30)),
            }
        )]
    );
}

#[test]
fn a_node_that_left_nothing_behind_has_nothing_to_end() {
    let heard = process::<Recovery>().hears([received(CALL), ended(CALL)]);
    assert_eq!(heard.state.end_all(Uuid::from_u128(7), None), vec![]);
}

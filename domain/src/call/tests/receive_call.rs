//! An INVITE has come.

use super::*;
use crate::{
    call::{Diversion, DiversionReason, Error},
    testing::{NOW, second},
};

#[test]
fn a_call_is_received_routed_and_enqueued_in_one_decision() {
    story([])
        .when(receive(into_queue(AnswerMode::OnAgent)))
        .then(waiting());
}

#[test]
fn who_sent_the_call_on_is_told_in_the_same_decision() {
    let diversion = Diversion {
        by: caller(),
        reason: DiversionReason::NoAnswer,
    };
    let mut invite = receive(into_queue(AnswerMode::OnAgent));
    if let Command::ReceiveCall { diversion: at, .. } = &mut invite {
        *at = Some(diversion);
    }
    let diverted = Event::Diverted {
        diverter: caller(),
        reason: DiversionReason::NoAnswer,
    };
    let mut expected = waiting();
    expected.insert(1, diverted);
    story([]).when(invite).then(expected);
}

#[test]
fn a_queue_that_answers_at_once_still_lets_the_answer_be_a_fact_of_its_own() {
    let call = story([])
        .when(receive(into_queue(AnswerMode::Immediate)))
        .then([received(), routed(), enqueued(AnswerMode::Immediate)]);
    assert_eq!(call.state().answered_at, None);
}

#[test]
fn a_call_that_leads_nowhere_is_recorded_and_ends_at_once() {
    for (reason, sip_status, q850, result, disposition) in [
        (
            EndReason::UnknownAddress,
            404,
            1,
            EndResult::Caller,
            Disposition::Failed,
        ),
        (
            EndReason::NotAllowed,
            403,
            21,
            EndResult::Caller,
            Disposition::Blocked,
        ),
        (
            EndReason::NoCredit,
            402,
            21,
            EndResult::Caller,
            Disposition::Blocked,
        ),
        (
            EndReason::NoCommonCodec,
            488,
            65,
            EndResult::Caller,
            Disposition::Failed,
        ),
        (
            EndReason::NoMediaPort,
            503,
            47,
            EndResult::Ours,
            Disposition::Congestion,
        ),
        (
            EndReason::Shutdown,
            503,
            41,
            EndResult::Ours,
            Disposition::SystemError,
        ),
    ] {
        let call = story([]).when(receive(Route::Refused(reason))).then([
            received(),
            Event::Ended {
                cause: EndCause {
                    result,
                    reason,
                    by: By::System,
                    sip_status: Some(sip_status),
                    q850: Some(q850),
                    reason_header: None,
                },
                disposition,
                ended_at: NOW,
                incomplete: false,
                session: None,
                offer: None,
                visit: None,
                queue: None,
            },
        ]);
        assert!(call.state().is_ended());
    }
}

#[test]
fn a_call_id_is_used_once() {
    for (_, history) in phases().into_iter().skip(1) {
        story(history)
            .when(receive(into_queue(AnswerMode::OnAgent)))
            .refused(Error::AlreadyReceived);
    }
}

#[test]
fn a_received_call_knows_its_caller_queue_and_time() {
    let call = story(waiting());
    assert_eq!(call.state().caller_leg, Some(CALLER_LEG));
    assert_eq!(call.state().visit, Some((VISIT, QUEUE)));
    assert_eq!(call.state().received_at, second(0));
    assert_eq!(call.state().agent_leg(), None);
    assert_eq!(call.state().engaged(), None);
}

//! The call is ended by the system or by a person.

use super::*;
use crate::{call::Error, testing::NOW};

fn end(reason: EndReason) -> Command {
    Command::EndCall {
        reason,
        ended_at: None,
        visit: None,
    }
}

/// `(result, by, SIP status, Q.850, disposition, incomplete)` of the one end.
fn verdict(
    events: Vec<Event>,
) -> (
    EndResult,
    By,
    Option<u16>,
    Option<u8>,
    Disposition,
    bool,
    Timestamp,
) {
    match events.as_slice() {
        [
            Event::Ended {
                cause,
                disposition,
                ended_at,
                incomplete,
                ..
            },
        ] => (
            cause.result,
            cause.by,
            cause.sip_status,
            cause.q850,
            *disposition,
            *incomplete,
            *ended_at,
        ),
        other => panic!("not one end: {other:?}"),
    }
}

#[test]
fn each_reason_gives_a_waiting_caller_its_own_verdict() {
    use Disposition as D;
    use EndReason as E;
    use EndResult as R;
    for (reason, result, status, q850, disposition) in [
        (E::QueueFull, R::Ours, 486, 17, D::Busy),
        (E::QueueClosed, R::Caller, 480, 20, D::NoAnswer),
        (E::NobodyThere, R::Ours, 480, 20, D::NoAnswer),
        (E::MaxWait, R::Ours, 480, 19, D::NoAnswer),
        (E::NodeLost, R::Ours, 503, 41, D::SystemError),
        (E::Operator, R::Ours, 480, 31, D::Failed),
        (E::Shutdown, R::Ours, 503, 41, D::SystemError),
        (E::NoMediaPort, R::Ours, 503, 47, D::Congestion),
        (E::Overload, R::Ours, 503, 42, D::Congestion),
        (E::NoCommonCodec, R::Caller, 488, 65, D::Failed),
    ] {
        let events = story(waiting()).when(end(reason)).events();
        let by = if reason == E::Operator {
            By::Supervisor
        } else {
            By::System
        };
        let incomplete = reason == E::NodeLost;
        assert_eq!(
            verdict(events),
            (
                result,
                by,
                Some(status),
                Some(q850),
                disposition,
                incomplete,
                NOW
            ),
            "{reason:?}"
        );
    }
}

#[test]
fn a_caller_who_was_answered_got_no_refusal_status() {
    for history in [waiting_with_music(), connected()] {
        let (_, _, status, ..) = verdict(story(history).when(end(EndReason::Shutdown)).events());
        assert_eq!(status, None);
    }
}

#[test]
fn a_call_that_reached_an_agent_stays_answered_whatever_ended_it() {
    for reason in [
        EndReason::Operator,
        EndReason::Shutdown,
        EndReason::NodeLost,
    ] {
        let (_, _, _, _, disposition, ..) = verdict(story(connected()).when(end(reason)).events());
        assert_eq!(disposition, Disposition::Answered, "{reason:?}");
    }
}

#[test]
fn the_end_frees_the_agent_whose_phone_rings() {
    for history in [offering(), ringing(), connected(), held()] {
        let events = story(history).when(end(EndReason::Operator)).events();
        assert!(
            matches!(
                events.as_slice(),
                [Event::Ended {
                    session: Some(SESSION),
                    offer: Some(OFFER),
                    visit: Some(VISIT),
                    queue: Some(QUEUE),
                    ..
                }]
            ),
            "{events:?}"
        );
    }
}

#[test]
fn waiting_too_long_ends_a_call_that_waits_or_rings() {
    for history in [waiting(), waiting_with_music(), offering(), ringing()] {
        let (_, _, _, _, disposition, ..) =
            verdict(story(history).when(end(EndReason::MaxWait)).events());
        assert_eq!(disposition, Disposition::NoAnswer);
    }
}

#[test]
fn the_limit_of_waiting_is_over_once_an_agent_is_connected() {
    for history in [connected(), held()] {
        story(history)
            .when(end(EndReason::MaxWait))
            .refused(Error::AlreadyConnected);
    }
}

#[test]
fn a_lost_node_ends_its_calls_at_its_last_heartbeat() {
    let (.., incomplete, ended_at) = verdict(
        story(connected())
            .when(Command::EndCall {
                reason: EndReason::NodeLost,
                ended_at: Some(second(40)),
                visit: None,
            })
            .events(),
    );
    assert_eq!((incomplete, ended_at), (true, second(40)));
}

#[test]
fn an_end_is_never_earlier_than_what_is_known_to_have_happened() {
    let (.., ended_at) = verdict(
        story(connected())
            .when(Command::EndCall {
                reason: EndReason::NodeLost,
                ended_at: Some(second(2)),
                visit: None,
            })
            .events(),
    );
    assert_eq!(ended_at, second(6), "the call was answered at second 6");
}

#[test]
fn an_end_is_never_later_than_now() {
    let (.., ended_at) = verdict(
        story(connected())
            .when(Command::EndCall {
                reason: EndReason::NodeLost,
                ended_at: Some(second(600)),
                visit: None,
            })
            .events(),
    );
    assert_eq!(ended_at, NOW);
}

#[test]
fn a_call_ends_once() {
    story(over())
        .when(end(EndReason::Operator))
        .refused(Error::AlreadyEnded);
}

#[test]
fn a_call_that_never_came_does_not_end() {
    story([])
        .when(end(EndReason::Operator))
        .refused(Error::Unknown);
}

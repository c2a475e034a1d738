//! A person sends a waiting call into another queue.

use super::*;
use crate::{
    call::{Error, Requeue},
    testing::OTHER_QUEUE,
};

fn requeue(queue: QueueId, why: &str) -> Command {
    Command::RequeueCall(Requeue {
        queue,
        config_version: 5,
        answer_mode: AnswerMode::OnAgent,
        visit: OTHER_VISIT,
        exit_keys: vec![],
        music: None,
        expected: None,
        by: "carla".into(),
        why: why.into(),
    })
}

fn sent(queue: QueueId, visit: VisitId, next: (QueueId, VisitId)) -> [Event; 2] {
    [
        Event::Overflowed {
            mailbox: None,
            visit,
            queue,
            cause: OverflowCause::Supervisor,
            by: Some("carla".into()),
            why: Some("wrong_queue".into()),
        },
        Event::Enqueued {
            visit: next.1,
            queue: next.0,
            config_version: 5,
            answer_mode: AnswerMode::OnAgent,
            exit_keys: vec![],
            music: None,
        },
    ]
}

#[test]
fn a_call_that_waits_goes_into_the_other_queue_and_back_again() {
    let Command::RequeueCall(back) = requeue(QUEUE, "wrong_queue") else {
        unreachable!("it is one");
    };
    let back = Requeue {
        visit: VISIT,
        ..back
    };
    story(waiting())
        .when(requeue(OTHER_QUEUE, "wrong_queue"))
        .then(sent(QUEUE, VISIT, (OTHER_QUEUE, OTHER_VISIT)))
        .when(requeue(OTHER_QUEUE, "wrong_queue"))
        .refused(Error::SameQueue)
        .when(Command::RequeueCall(back))
        .then(sent(OTHER_QUEUE, OTHER_VISIT, (QUEUE, VISIT)));
}

/// Two supervisors look at one caller: the second has not seen what the first has done.
#[test]
fn an_order_about_a_stay_that_the_call_has_left_is_refused() {
    let about = |order: Command, expected| {
        let Command::RequeueCall(requeue) = order else {
            unreachable!("it is one");
        };
        Command::RequeueCall(Requeue {
            expected: Some(expected),
            ..requeue
        })
    };
    story(waiting())
        .when(about(requeue(OTHER_QUEUE, "wrong_queue"), VISIT))
        .then(sent(QUEUE, VISIT, (OTHER_QUEUE, OTHER_VISIT)))
        .when(about(requeue(QUEUE, "late"), VISIT))
        .refused(Error::StaleVisit);
}

/// The rule of a queue sends a call into another one; a person sends it back; the rule
/// holds again.
#[test]
fn where_a_person_has_sent_a_call_its_queue_sends_it_on_as_ever() {
    let by_rule = |visit, cause| Command::OverflowCall {
        visit,
        cause,
        to: Destination::Queue {
            queue: OTHER_QUEUE,
            config_version: 5,
            answer_mode: AnswerMode::OnAgent,
            visit: OTHER_VISIT,
            exit_keys: vec![],
            music: None,
        },
    };
    let Command::RequeueCall(back) = requeue(QUEUE, "wrong_queue") else {
        unreachable!("it is one");
    };
    let back = Requeue {
        visit: VISIT,
        ..back
    };
    let there = story(waiting())
        .when(by_rule(VISIT, OverflowCause::MaxWait))
        .events();
    let back_again = story(waiting().into_iter().chain(there.clone()))
        .when(Command::RequeueCall(back))
        .events();
    let again = story(waiting().into_iter().chain(there).chain(back_again))
        .when(by_rule(VISIT, OverflowCause::MaxWait))
        .events();
    assert!(
        again
            .iter()
            .any(|event| matches!(event, Event::Enqueued { queue, .. } if *queue == OTHER_QUEUE)),
        "{again:?}"
    );
}

#[test]
fn a_phone_that_rings_is_let_go_before_the_call_is_sent() {
    let [overflowed, enqueued] = sent(QUEUE, VISIT, (OTHER_QUEUE, OTHER_VISIT));
    story(ringing())
        .when(requeue(OTHER_QUEUE, "wrong_queue"))
        .then([
            offer_ended(OfferOutcome::Withdrawn, WireCause::default()),
            overflowed,
            enqueued,
        ]);
}

#[test]
fn what_can_not_be_sent_is_refused_with_its_reason() {
    for (history, queue, why, refusal) in [
        (waiting(), QUEUE, "wrong_queue", Error::SameQueue),
        (waiting(), OTHER_QUEUE, "Mr Smith", Error::InvalidReason),
        (connected(), OTHER_QUEUE, "rush", Error::AlreadyConnected),
        (outside(), OTHER_QUEUE, "rush", Error::AlreadyConnected),
        (over(), OTHER_QUEUE, "rush", Error::AlreadyEnded),
        (vec![], OTHER_QUEUE, "rush", Error::Unknown),
    ] {
        story(history).when(requeue(queue, why)).refused(refusal);
    }
}

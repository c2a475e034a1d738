//! A command id has one effect and one answer, however often it is sent.

use commands::error::DispatchError;
use domain::{
    any::AnyCommand,
    call::{self, AnswerMode},
    cause::EndReason,
};
use ringledger_tests::office::{Office, rules};

#[tokio::test]
async fn a_retried_command_hears_its_first_answer_though_the_rules_would_now_refuse_it() {
    let office = Office::open().await;
    let queue = office.queue("support", rules()).await;
    let caller = office.ring_in(queue, AnswerMode::OnAgent).await;
    let end = call::Command::EndCall {
        reason: EndReason::Operator,
        ended_at: None,
    };
    let envelope = office.envelope(AnyCommand::Call(caller.call, end.clone()));
    let first = office.gateway.dispatch(envelope.clone()).await.unwrap();
    let again = office.gateway.dispatch(envelope).await.unwrap();
    assert_eq!(first, again);
    let other = office.dispatch(AnyCommand::Call(caller.call, end)).await;
    assert!(
        matches!(&other, Err(DispatchError::Refused(refused)) if refused.code == "call.already_ended"),
        "{other:?}"
    );
}

#[tokio::test]
async fn a_hundred_commands_at_once_on_one_aggregate_are_all_decided_in_some_order() {
    let office = Office::open().await;
    let queue = office.queue("support", rules()).await;
    let caller = office.ring_in(queue, AnswerMode::OnAgent).await;
    let end = call::Command::EndCall {
        reason: EndReason::Operator,
        ended_at: None,
    };
    let pending: Vec<_> = (0..100)
        .map(|_| {
            let command = AnyCommand::Call(caller.call, end.clone());
            office.gateway.submit(office.envelope(command))
        })
        .collect();
    let mut committed = 0;
    for answer in pending {
        committed += u32::from(answer.wait().await.is_ok());
    }
    assert_eq!(
        committed, 1,
        "one ends the call, the others hear that it has ended"
    );
}

#[tokio::test]
async fn the_same_command_twice_in_one_batch_is_one_command() {
    let office = Office::open().await;
    let queue = office.queue("support", rules()).await;
    let caller = office.ring_in(queue, AnswerMode::OnAgent).await;
    let end = call::Command::EndCall {
        reason: EndReason::Operator,
        ended_at: None,
    };
    let envelope = office.envelope(AnyCommand::Call(caller.call, end));
    let one = office.gateway.submit(envelope.clone());
    let other = office.gateway.submit(envelope);
    assert_eq!(one.wait().await.unwrap(), other.wait().await.unwrap());
    let ends = office.history().await;
    let ends = ends
        .iter()
        .filter(|entry| &*entry.recorded.event_type == "call_ended")
        .count();
    assert_eq!(ends, 1);
}

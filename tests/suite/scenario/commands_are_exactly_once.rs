//! A command id has one effect and one answer, however often it is sent.

use commands::error::DispatchError;
use domain::{
    any::AnyCommand,
    call::{self, AnswerMode},
    cause::EndReason,
    queue,
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
        visit: None,
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
        visit: None,
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
        visit: None,
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

#[tokio::test]
async fn a_client_that_sends_everything_again_hears_everything_again_and_goes_on() {
    let office = Office::open().await;
    let queue = office.queue("support", rules()).await;
    let configure = |capacity| {
        let mut config = rules();
        config.capacity = capacity;
        let name = "support".into();
        office.envelope(AnyCommand::Queue(
            queue,
            queue::Command::Configure { name, config },
        ))
    };
    let sent: Vec<_> = (1..=200).map(configure).collect();
    let mut first = vec![];
    for envelope in &sent {
        first.push(office.gateway.dispatch(envelope.clone()).await.unwrap());
    }
    // All at once, and something new among them.
    let news = configure(1_000);
    let pending: Vec<_> = sent
        .iter()
        .take(100)
        .chain([&news])
        .chain(sent.iter().skip(100))
        .map(|envelope| office.gateway.submit(envelope.clone()))
        .collect();
    let mut again = vec![];
    for answer in pending {
        again.push(answer.wait().await.unwrap());
    }
    let new = again.remove(100);
    assert_eq!(again, first);
    assert_eq!(new.version, first.last().unwrap().version + 1);
    let later = office.gateway.dispatch(configure(1_001)).await.unwrap();
    assert_eq!(later.version, new.version + 1, "it goes on from there");
}

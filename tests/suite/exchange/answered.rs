//! A caller is answered.

use domain::{
    call::{AnswerMode, Event},
    cause::{By, Disposition},
    queue,
};
use phone::{CallOptions, Phase};
use ringledger_tests::{exchange::Exchange, office::rules};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_caller_hears_ringing_talks_to_the_agent_and_hangs_up() {
    let exchange = Exchange::open().await;
    let queue = exchange.office.queue("support", rules()).await;
    let (_, anna) = exchange.agent("anna", queue).await;
    let caller = exchange.caller("4930111").await;
    let call = caller
        .call("support", CallOptions::default())
        .await
        .unwrap();
    let incoming = anna.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    call.wait_ringing(SOON).await.unwrap();
    incoming.answer().await.unwrap();
    call.wait_answered(SOON).await.unwrap();
    call.media().play_tone(440.0, 0.25);
    incoming.media().play_tone(880.0, 0.25);
    let heard_by_agent = incoming.media().record(4_000, SOON).await;
    let heard_by_caller = call.media().record(4_000, SOON).await;
    assert!(phone::tone::tone_share(&heard_by_agent[800..], 440.0) > 0.9);
    assert!(phone::tone::tone_share(&heard_by_caller[800..], 880.0) > 0.9);
    assert_eq!(call.hang_up().await.unwrap(), 200);
    incoming.wait_ended(SOON).await.unwrap();
    let (_, ended) = exchange.ended(call.call_id()).await;
    let Event::Ended {
        cause, disposition, ..
    } = ended
    else {
        panic!("{ended:?}")
    };
    assert_eq!((cause.by, disposition), (By::Caller, Disposition::Answered));
}

#[tokio::test]
async fn a_caller_of_an_immediate_queue_hears_music_until_an_agent_is_free() {
    let exchange = Exchange::open().await;
    let config = queue::Config {
        answer_mode: AnswerMode::Immediate,
        ..rules()
    };
    let queue = exchange.office.queue("support", config).await;
    let caller = exchange.caller("4930111").await;
    let call = caller
        .call("support", CallOptions::default())
        .await
        .unwrap();
    call.wait_answered(SOON).await.unwrap();
    let music = call.media().record(8_000, SOON).await;
    assert!(phone::tone::power(&music) > 0.0, "there is music");
    let (_, anna) = exchange.agent("anna", queue).await;
    let incoming = anna.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    incoming.media().play_tone(880.0, 0.25);
    incoming.hang_up().await.unwrap();
    let progress = call.wait_ended(SOON).await.unwrap();
    assert_eq!(progress.phase, Phase::Ended);
    let (_, ended) = exchange.ended(call.call_id()).await;
    let Event::Ended {
        cause, disposition, ..
    } = ended
    else {
        panic!("{ended:?}")
    };
    assert_eq!((cause.by, disposition), (By::Agent, Disposition::Answered));
}

//! Calls that reach an agent.

use crate::{
    ends::{hung_up, no_complaints},
    world::{PATIENCE, World, dial, open, open_with, options, rules},
};
use domain::{
    call::{self, AnswerMode},
    cause::{By, Disposition, EndReason},
    queue,
};
use phone::{CallOptions, EndedBy, IncomingCall, Offer, OutgoingCall, Phase, Phone};

fn immediate() -> queue::Config {
    queue::Config {
        answer_mode: AnswerMode::Immediate,
        ..rules()
    }
}

fn cause(event: &call::Event) -> (EndReason, By, Disposition) {
    match event {
        call::Event::Ended {
            cause, disposition, ..
        } => (cause.reason, cause.by, *disposition),
        other => panic!("not an end: {other:?}"),
    }
}

/// A caller and an agent who talk.
async fn talk(world: &World, caller: &Phone, agent: &Phone) -> (OutgoingCall, IncomingCall) {
    let out = dial(caller, "support").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    incoming.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    assert_eq!(world.sip.calls(), 1);
    (out, incoming)
}

#[tokio::test]
async fn a_caller_rings_an_agent_talks_both_ways_and_hangs_up() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();

    let out = dial(&caller, "support").await;
    let incoming = agent.next_incoming().await.unwrap();
    assert_eq!(incoming.from_user(), Some("4930111"));
    incoming.ring().await.unwrap();
    let ringing = out.wait_ringing(PATIENCE).await.unwrap();
    assert_eq!(ringing.phase, Phase::Ringing, "180 until the agent answers");
    incoming.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();

    out.media().play_tone(440.0, 0.5);
    incoming.media().play_tone(880.0, 0.5);
    assert!(incoming.media().wait_packets(25, PATIENCE).await);
    assert!(out.media().wait_packets(25, PATIENCE).await);

    assert_eq!(out.hang_up().await.unwrap(), 200);
    let ended = incoming.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Remote));
    let (_, call) = world.see(before, "call_ended").await;
    assert_eq!(
        world.story(call).await,
        [
            "call_received",
            "call_routed",
            "call_enqueued",
            "offer_started",
            "leg_alerting",
            "agent_connected",
            "call_answered",
            "call_ended"
        ]
    );
    let end = world.see_end(before).await;
    assert_eq!(
        cause(&end),
        (EndReason::Hangup, By::Caller, Disposition::Answered)
    );
    world.see_nothing_left().await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn an_immediate_queue_answers_at_once_and_plays_music_until_the_agent_comes() {
    let world = open().await;
    let queue = world.support(immediate()).await;
    world.agent("anna", queue).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    out.wait_answered(PATIENCE).await.unwrap();
    assert!(out.media().wait_packets(10, PATIENCE).await, "music plays");

    let agent = world.agent_phone("anna").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    world.see(before, "agent_connected").await;
    incoming.media().play_tone(880.0, 0.5);
    out.media().play_tone(440.0, 0.5);
    assert!(incoming.media().wait_packets(25, PATIENCE).await);

    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    let ended = out.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Remote));
    let end = world.see_end(before).await;
    assert_eq!(
        cause(&end),
        (EndReason::Hangup, By::Agent, Disposition::Answered)
    );
    world.see_nothing_left().await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn hold_and_resume_from_either_side_are_answered_and_recorded() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let (out, incoming) = talk(&world, &caller, &agent).await;

    assert_eq!(incoming.hold().await.unwrap(), 200);
    let (held, _) = world.see(before, "call_held").await;
    assert_eq!(incoming.resume().await.unwrap(), 200);
    let (back, _) = world.see(held, "call_retrieved").await;
    assert_eq!(out.hold().await.unwrap(), 200);
    let (held, _) = world.see(back, "call_held").await;
    assert_eq!(out.resume().await.unwrap(), 200);
    world.see(held, "call_retrieved").await;
    out.media().play_tone(440.0, 0.5);
    let heard = incoming.media().received_packets();
    assert!(incoming.media().wait_packets(heard + 10, PATIENCE).await);
    out.hang_up().await.unwrap();
    incoming.wait_ended(PATIENCE).await.unwrap();
    world.see_nothing_left().await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_phone_that_vanishes_while_on_hold_is_found_by_a_probe() {
    let world = open_with(sip::Options {
        probe_interval_ms: 500,
        t1_ms: 10,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let (out, incoming) = talk(&world, &caller, &agent).await;
    assert_eq!(incoming.hold().await.unwrap(), 200);
    out.vanish().await.unwrap();
    let end = world.see_end(before).await;
    assert_eq!(
        cause(&end),
        (EndReason::SignallingLost, By::Caller, Disposition::Answered)
    );
    hung_up(&incoming).await;
    world.see_nothing_left().await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn an_answer_that_is_never_acknowledged_ends_the_call() {
    let world = open_with(sip::Options {
        t1_ms: 10,
        ..options()
    })
    .await;
    world.support(immediate()).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let options = CallOptions {
        withhold_ack: true,
        ..CallOptions::default()
    };
    let out = caller.call("support", options).await.unwrap();
    let end = world.see_end(before).await;
    assert_eq!(
        cause(&end),
        (
            EndReason::SignallingLost,
            By::Caller,
            Disposition::Abandoned
        )
    );
    let ended = out.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Remote), "we send BYE");
    world.see_nothing_left().await;
    no_complaints(&[&caller]);
}

/// The caller's INVITE has no description: the 200 offers, the ACK answers.
async fn they_talk_on_our_offer(world: &World, caller: &Phone, agent: &Phone) {
    let options = CallOptions {
        offer: Offer::Nothing,
        ..CallOptions::default()
    };
    let out = caller.call("support", options).await.unwrap();
    let incoming = agent.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    out.media().play_tone(440.0, 0.5);
    incoming.media().play_tone(440.0, 0.5);
    assert!(incoming.media().wait_packets(10, PATIENCE).await);
    assert!(out.media().wait_packets(10, PATIENCE).await);
    out.hang_up().await.unwrap();
    world.see_nothing_left().await;
}

#[tokio::test]
async fn a_caller_who_wants_our_offer_gets_it_in_the_200() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    they_talk_on_our_offer(&world, &caller, &agent).await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_caller_who_wants_our_offer_may_take_another_codec_than_the_agents() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let mut options = world.phone_options("anna");
    options.codecs = vec![phone::Codec::Pcma];
    let agent = world.agent_phone_with(options).await;
    let mut options = world.phone_options("4930111");
    options.codecs = vec![phone::Codec::Pcmu];
    let caller = Phone::bind(options).await.unwrap();
    they_talk_on_our_offer(&world, &caller, &agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn both_sides_speak_the_codec_that_both_have() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let mut options = world.phone_options("anna");
    options.codecs = vec![phone::Codec::Pcma];
    let agent = world.agent_phone_with(options).await;
    let caller = world.phone("4930111").await;
    let (out, incoming) = talk(&world, &caller, &agent).await;
    assert_eq!(out.media().codec(), phone::Codec::Pcma);
    assert_eq!(incoming.media().codec(), phone::Codec::Pcma);
    out.hang_up().await.unwrap();
    world.see_nothing_left().await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_call_over_tcp_is_answered_and_hung_up_on_its_connection() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let mut options = world.phone_options("anna");
    options.transport = phone::Transport::Tcp;
    let agent = world.agent_phone_with(options).await;
    let mut options = world.phone_options("4930111");
    options.transport = phone::Transport::Tcp;
    let caller = Phone::bind(options).await.unwrap();
    let (out, incoming) = talk(&world, &caller, &agent).await;
    incoming.hang_up().await.unwrap();
    out.wait_ended(PATIENCE).await.unwrap();
    world.see_nothing_left().await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn the_first_of_two_phones_to_answer_has_the_call_and_the_other_stops_ringing() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let desk = world.agent_phone("anna").await;
    let mobile = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let out = dial(&caller, "support").await;
    let on_desk = desk.next_incoming().await.unwrap();
    let on_mobile = mobile.next_incoming().await.unwrap();
    on_desk.ring().await.unwrap();
    on_mobile.ring().await.unwrap();
    on_mobile.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    let ended = on_desk.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Cancelled));
    out.hang_up().await.unwrap();
    on_mobile.wait_ended(PATIENCE).await.unwrap();
    world.see_nothing_left().await;
    no_complaints(&[&caller, &desk, &mobile]);
}

//! Phones whose network is gone in a call: no BYE, no RTP, no answer.

use crate::{
    ends::{End, connect, hung_up, no_complaints},
    wire::{is, next, raw_agent, reply_with},
    world::{PATIENCE, World, dial, open_relay, options, relay_options, rules},
};
use domain::{
    call::AnswerMode,
    cause::{By, Disposition, EndReason},
    queue,
};
use phone::{CallOptions, Offer, RawSocket};
use std::time::Duration;
use tokio::time::timeout;

/// A server that notices soon.
async fn open() -> World {
    let sip = sip::Options {
        t1_ms: 10,
        probe_interval_ms: 200,
        ..options()
    };
    let relay = media::Options {
        silence_timeout_ms: 2_000,
        ..relay_options()
    };
    open_relay(sip, relay).await
}

fn silence(by: By, disposition: Disposition) -> End {
    End {
        disposition,
        by,
        reason: EndReason::MediaSilence,
        sip_status: None,
        incomplete: true,
    }
}

#[tokio::test]
async fn a_caller_who_vanishes_in_a_call_is_missed_and_the_agent_gets_a_bye() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let (out, incoming) = connect(&caller, &agent).await;
    assert!(incoming.media().wait_packets(5, PATIENCE).await);
    out.vanish().await.unwrap();
    hung_up(&incoming).await;
    let end = world.the_end(before).await;
    assert_eq!(end, silence(By::Caller, Disposition::Answered));
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn an_agent_who_vanishes_in_a_call_is_missed_and_the_caller_gets_a_bye() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let (out, incoming) = connect(&caller, &agent).await;
    assert!(out.media().wait_packets(5, PATIENCE).await);
    incoming.vanish().await.unwrap();
    hung_up(&out).await;
    let end = world.the_end(before).await;
    assert_eq!(end, silence(By::Agent, Disposition::Answered));
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_caller_who_vanishes_while_waiting_with_music_has_left_the_queue() {
    let world = open().await;
    let config = queue::Config {
        answer_mode: AnswerMode::Immediate,
        ..rules()
    };
    let queue = world.support(config).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    out.media().play_silence();
    out.wait_answered(PATIENCE).await.unwrap();
    assert!(out.media().wait_packets(5, PATIENCE).await);
    out.vanish().await.unwrap();
    let end = world.the_end(before).await;
    assert_eq!(end, silence(By::Caller, Disposition::Abandoned));
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

fn lost(by: By, disposition: Disposition) -> End {
    End {
        reason: EndReason::SignallingLost,
        ..silence(by, disposition)
    }
}

#[tokio::test]
async fn a_caller_who_only_listens_is_asked_and_no_third_host_is_flooded() {
    let world = open().await;
    let config = queue::Config {
        answer_mode: AnswerMode::Immediate,
        ..rules()
    };
    let queue = world.support(config).await;
    let anywhere = "127.0.0.2:0".parse().unwrap();
    let third = RawSocket::bind(anywhere, anywhere).await.unwrap();
    let caller = world.phone("4930111").await;
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\n\
        m=audio {} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=recvonly\r\n",
        third.local_addr().port()
    );
    let options = CallOptions {
        offer: Offer::Body(sdp),
        ..CallOptions::default()
    };
    let before = world.feed().head();
    let out = caller.call("support", options).await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    let music = third.receive(PATIENCE).await.unwrap();
    assert!(music.is_some(), "it may be a gateway's");
    let stops = async {
        let pause = Duration::from_millis(200);
        while third.receive(pause).await.unwrap().is_some() {}
    };
    timeout(PATIENCE, stops).await.unwrap();
    // The phone says that it is there for as long as it is.
    let (_, call) = world.see(before, "call_answered").await;
    assert_eq!(world.ends_of(call).await, 0);
    out.vanish().await.unwrap();
    let end = world.the_end(before).await;
    assert_eq!(end, lost(By::Caller, Disposition::Abandoned));
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn an_agent_whose_answer_holds_is_asked_whether_it_is_there() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let (_phone, socket) = raw_agent(&world).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let invite = next(&socket, |message| is(message, "INVITE")).await;
    let holds = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=inactive\r\n";
    let ok = reply_with(&invite, "200 OK", "held", &socket, holds);
    socket.send(ok.as_bytes()).await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    out.media().play_silence();
    world.see(before, "call_held").await;
    next(&socket, |message| is(message, "OPTIONS")).await;
    hung_up(&out).await;
    let end = world.the_end(before).await;
    assert_eq!(end, lost(By::Agent, Disposition::Answered));
    no_complaints(&[&caller]);
}

#[tokio::test]
async fn silence_on_hold_is_no_sign_of_a_lost_phone() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let (out, incoming) = connect(&caller, &agent).await;
    assert_eq!(incoming.hold().await.unwrap(), 200);
    world.see(before, "call_held").await;
    // Two limits long the caller hears music and sends nothing.
    out.media().stop();
    assert!(out.media().wait_packets(60, PATIENCE).await);
    out.media().play_silence();
    assert_eq!(incoming.resume().await.unwrap(), 200);
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    hung_up(&out).await;
    let end = world.the_end(before).await;
    assert_eq!(end, crate::ends::hangup(By::Agent));
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

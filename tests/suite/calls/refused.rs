//! Calls that lead nowhere.

use crate::{
    ends::{End, connect, end_of, hangup, hung_up, no_complaints},
    wire::{next, raw},
    world::{PATIENCE, dial, open, open_relay, open_with, options, relay_options, rules},
};
use domain::{
    any::AnyEvent,
    call,
    cause::{By, Disposition, EndReason},
    id::{AgentId, DEFAULT_TENANT, TrunkId},
    queue, session,
};
use phone::{CallEvent, CallOptions, Offer, OutgoingCall, RawSocket, Rejection};
use std::time::Duration;

/// The end of a call that was refused by us.
fn refused(disposition: Disposition, reason: EndReason, status: u16) -> End {
    End {
        disposition,
        by: By::System,
        reason,
        sip_status: Some(status),
        incomplete: false,
    }
}

fn overload() -> End {
    refused(Disposition::Congestion, EndReason::Overload, 503)
}

pub async fn rejection(mut out: OutgoingCall) -> Rejection {
    loop {
        match tokio::time::timeout(PATIENCE, out.next_event())
            .await
            .unwrap()
        {
            Some(CallEvent::Rejected(rejection)) => return rejection,
            Some(_) => {}
            None => panic!("the call ended without a refusal"),
        }
    }
}

#[tokio::test]
async fn an_address_that_nobody_has_is_not_found() {
    let world = open().await;
    let before = world.feed().head();
    let caller = world.phone("4930111").await;
    assert_eq!(rejection(dial(&caller, "nobody").await).await.status, 404);
    let unknown = refused(Disposition::Failed, EndReason::UnknownAddress, 404);
    assert_eq!(world.the_end(before).await, unknown);
    let (_, call) = world.see(before, "call_ended").await;
    assert_eq!(world.story(call).await, ["call_received", "call_ended"]);
    world.see_nothing_left().await;
}

#[tokio::test]
async fn a_number_of_a_queue_leads_to_it() {
    let world = open().await;
    let config = queue::Config {
        numbers: vec!["+49301234".into()],
        overflow: vec![],
        ..rules()
    };
    world.support(config).await;
    let caller = world.phone("4930111").await;
    let out = dial(&caller, "+49301234").await;
    out.wait_ringing(PATIENCE).await.unwrap();
    out.cancel().await.unwrap();
    world.see_nothing_left().await;
}

#[tokio::test]
async fn an_offer_without_our_codecs_is_not_acceptable() {
    let world = open().await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n";
    let options = CallOptions {
        offer: Offer::Body(sdp.into()),
        ..CallOptions::default()
    };
    let before = world.feed().head();
    let out = caller.call("support", options).await.unwrap();
    assert_eq!(rejection(out).await.status, 488);
    let no_codec = refused(Disposition::Failed, EndReason::NoCommonCodec, 488);
    assert_eq!(world.the_end(before).await, no_codec);
    no_complaints(&[&caller]);
}

#[tokio::test]
async fn a_full_queue_is_busy_and_says_why() {
    let world = open().await;
    let config = queue::Config {
        capacity: 1,
        ..rules()
    };
    world.support(config).await;
    let caller = world.phone("4930111").await;
    let first = dial(&caller, "support").await;
    first.wait_ringing(PATIENCE).await.unwrap();
    let before = world.feed().head();
    let told = rejection(dial(&caller, "support").await).await;
    assert_eq!(told.status, 486);
    assert!(
        told.reason
            .as_deref()
            .is_some_and(|r| r.starts_with("Q.850;cause=17")),
        "{:?}",
        told.reason
    );
    let (_, end) = world
        .office
        .see(before, |entry| match &entry.fact.event {
            AnyEvent::Call(_, event) => end_of(event),
            _ => None,
        })
        .await;
    assert_eq!(end, refused(Disposition::Busy, EndReason::QueueFull, 486));
    first.cancel().await.unwrap();
    world.see_nothing_left().await;
    no_complaints(&[&caller]);
}

#[tokio::test]
async fn with_trunks_only_their_networks_may_call() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    world.trunk("carrier", "10.0.0.0/8").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    assert_eq!(rejection(dial(&caller, "support").await).await.status, 403);
    let blocked = refused(Disposition::Blocked, EndReason::NotAllowed, 403);
    assert_eq!(world.the_end(before).await, blocked);

    world.trunk("lab", "127.0.0.0/8").await;
    let before = world.feed().head();
    world.see_free(&agent).await;
    let (_, trunk) = world
        .office
        .see(before, |entry| match &entry.fact.event {
            AnyEvent::Call(_, call::Event::Received { trunk, .. }) => Some(*trunk),
            _ => None,
        })
        .await;
    assert_eq!(trunk, Some(TrunkId::named(DEFAULT_TENANT, "lab")));
    no_complaints(&[&caller, &agent]);
}

/// The first INVITE of a call of a raw phone, without a description.
fn bare_invite(socket: &RawSocket, branch: &str) -> String {
    let us = socket.local_addr();
    format!(
        "INVITE sip:support@ringledger SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{branch}\r\n\
         From: <sip:4930111@a>;tag={branch}\r\nTo: <sip:support@ringledger>\r\n\
         Call-ID: {branch}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\
         Contact: <sip:4930111@{us}>\r\nContent-Length: 0\r\n\r\n"
    )
}

#[tokio::test]
async fn an_invite_from_where_no_trunk_leads_costs_one_datagram_and_no_transaction() {
    let world = open_with(sip::Options {
        t1_ms: 10,
        ..options()
    })
    .await;
    world.support(rules()).await;
    world.trunk("carrier", "10.0.0.0/8").await;
    let before = world.feed().head();
    let socket = raw(&world).await;
    let mut tags = vec![];
    for _ in 0..2 {
        let invite = bare_invite(&socket, "stranger");
        socket.send(invite.as_bytes()).await.unwrap();
        let answer = socket.receive(PATIENCE).await.unwrap().unwrap();
        assert_eq!(answer.status(), Some(403), "nothing comes before it");
        let to = answer.message().unwrap().header("To").unwrap().to_owned();
        tags.push(phone::address::tag_of(&to).unwrap().to_owned());
    }
    assert_eq!(tags[0], tags[1], "RFC 3261, 8.2.7");
    let more = socket.receive(Duration::from_millis(300)).await.unwrap();
    assert_eq!(more, None, "nothing is repeated without an ACK");
    assert_eq!(world.sip.transactions(), 0);
    let blocked = refused(Disposition::Blocked, EndReason::NotAllowed, 403);
    assert_eq!(world.the_end(before).await, blocked);
    let history = world.office.history().await;
    let received = history
        .iter()
        .filter(|entry| &*entry.recorded.event_type == "call_received");
    assert_eq!(received.count(), 1, "its repetition is no call");
}

#[tokio::test]
async fn a_server_that_shuts_down_refuses_new_calls_and_keeps_the_running_ones() {
    let world = open_with(sip::Options {
        retry_after_s: 9,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    world.agent("bert", queue).await;
    let first = world.agent_phone("anna").await;
    let second = world.agent_phone("bert").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let (talking, with_anna) = connect(&caller, &first).await;
    let ringing = dial(&caller, "support").await;
    let at_bert = second.next_incoming().await.unwrap();
    at_bert.ring().await.unwrap();
    ringing.wait_ringing(PATIENCE).await.unwrap();

    world.sip.refuse_new_calls();
    let turned_away = rejection(dial(&caller, "support").await).await;
    assert_eq!(turned_away.status, 503);
    let wait = turned_away
        .headers
        .iter()
        .find(|(name, _)| name == "Retry-After");
    assert_eq!(wait.map(|(_, value)| &**value), Some("9"));

    let (before, call) = world.see(before, "call_ended").await;
    assert_eq!(world.story(call).await, ["call_received", "call_ended"]);

    // One that talks and one that rings go on as if nothing had happened.
    assert!(with_anna.media().wait_packets(10, PATIENCE).await);
    assert_eq!(with_anna.hold().await.unwrap(), 200);
    assert_eq!(with_anna.resume().await.unwrap(), 200);
    at_bert.answer().await.unwrap();
    ringing.wait_answered(PATIENCE).await.unwrap();
    assert_eq!(talking.hang_up().await.unwrap(), 200);
    hung_up(&with_anna).await;
    assert_eq!(at_bert.hang_up().await.unwrap(), 200);
    hung_up(&ringing).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));
    let history = world.office.history().await;
    let ends: Vec<_> = history
        .iter()
        .filter_map(|entry| match &entry.fact.event {
            AnyEvent::Call(_, event) => end_of(event),
            _ => None,
        })
        .collect();
    let turned_away = refused(Disposition::SystemError, EndReason::Shutdown, 503);
    assert_eq!(ends, [turned_away, hangup(By::Caller), hangup(By::Agent)]);
    for agent in ["anna", "bert"] {
        let agent = AgentId::named(DEFAULT_TENANT, agent);
        world
            .office
            .see(before, |entry| match &entry.fact.event {
                AnyEvent::Session(session, session::Event::ContactEnded { .. })
                    if session.agent == agent =>
                {
                    Some(())
                }
                _ => None,
            })
            .await;
    }
    assert_eq!(caller.options_ping("support").await.unwrap().status, 200);
    no_complaints(&[&caller, &first, &second]);
}

#[tokio::test]
async fn one_source_can_not_call_faster_than_its_rate() {
    let world = open_with(sip::Options {
        calls_per_source_per_s: 1,
        calls_per_source_burst: 2,
        ..options()
    })
    .await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let first = dial(&caller, "support").await;
    let second = dial(&caller, "support").await;
    first.wait_ringing(PATIENCE).await.unwrap();
    second.wait_ringing(PATIENCE).await.unwrap();
    let refused = rejection(dial(&caller, "support").await).await;
    assert_eq!(refused.status, 503);
    let wait = refused
        .headers
        .iter()
        .find(|(name, _)| name == "Retry-After");
    assert!(wait.is_some(), "{:?}", refused.headers);
    first.cancel().await.unwrap();
    second.cancel().await.unwrap();
}

#[tokio::test]
async fn a_server_that_holds_all_the_calls_it_can_says_when_to_come_back() {
    let world = open_with(sip::Options {
        calls_max: 1,
        retry_after_s: 7,
        ..options()
    })
    .await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let first = dial(&caller, "support").await;
    first.wait_ringing(PATIENCE).await.unwrap();
    let before = world.feed().head();
    let refused = rejection(dial(&caller, "support").await).await;
    assert_eq!(refused.status, 503);
    assert!(
        refused
            .headers
            .contains(&("Retry-After".into(), "7".into()))
    );
    // It is on the record as well, with no leg and no port of ours.
    let (_, call) = world.see(before, "call_ended").await;
    assert_eq!(world.story(call).await, ["call_received", "call_ended"]);
    first.cancel().await.unwrap();
    assert_eq!(world.the_end(before).await, overload());
    let next = dial(&caller, "support").await;
    next.wait_ringing(PATIENCE).await.unwrap();
    next.cancel().await.unwrap();
}

#[tokio::test]
async fn callers_who_wait_do_not_take_the_last_ports_from_the_agents_who_come() {
    let relay = media::Options {
        // Four pairs, where no other test of this suite has any.
        port_min: 19_900,
        port_max: 19_907,
        ..relay_options()
    };
    let world = open_relay(options(), relay).await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let caller = world.phone("4930111").await;
    let mut waiting = vec![];
    for _ in 0..3 {
        let out = dial(&caller, "support").await;
        out.wait_ringing(PATIENCE).await.unwrap();
        waiting.push(out);
    }
    let before = world.feed().head();
    let refused = rejection(dial(&caller, "support").await).await;
    assert_eq!(refused.status, 503);
    let mut headers = refused.headers.iter();
    assert!(headers.any(|(name, _)| name == "Retry-After"));
    let call::Event::Ended { cause, .. } = world.see_end(before).await else {
        panic!("an end was expected");
    };
    assert_eq!(cause.reason, EndReason::NoMediaPort);

    let agent = world.agent_phone("anna").await;
    for out in &waiting {
        let incoming = tokio::time::timeout(PATIENCE, agent.next_incoming()).await;
        let incoming = incoming.expect("the agent is rung").unwrap();
        incoming.answer().await.unwrap();
        out.wait_answered(PATIENCE).await.unwrap();
        out.hang_up().await.unwrap();
        hung_up(&incoming).await;
    }
    world.see_nothing_left().await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_caller_finds_a_port_while_those_of_the_last_calls_rest() {
    let relay = media::Options {
        // Four pairs, where no other test of this suite has any.
        port_min: 19_912,
        port_max: 19_919,
        quarantine_ms: 60_000,
        ..relay_options()
    };
    let world = open_relay(options(), relay).await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    for _ in 0..4 {
        let out = dial(&caller, "support").await;
        out.wait_ringing(PATIENCE).await.unwrap();
        out.cancel().await.unwrap();
        world.see_nothing_left().await;
    }
    let refused = rejection(dial(&caller, "support").await).await;
    assert_eq!(refused.status, 503, "what rests is for those who answer");
}

#[tokio::test]
async fn calls_without_a_port_are_recorded_no_faster_than_other_refused_ones() {
    let relay = media::Options {
        // One pair, where no other test of this suite has any.
        port_min: 19_910,
        port_max: 19_911,
        ..relay_options()
    };
    let none = sip::Options {
        refused_records_per_s: 0,
        ..options()
    };
    let world = open_relay(none, relay).await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let waiting = dial(&caller, "support").await;
    waiting.wait_ringing(PATIENCE).await.unwrap();
    let refused = rejection(dial(&caller, "support").await).await;
    assert_eq!(refused.status, 503);
    let mut headers = refused.headers.iter();
    assert!(headers.any(|(name, _)| name == "Retry-After"));
    let history = world.office.history().await;
    let received = history
        .iter()
        .filter(|entry| &*entry.recorded.event_type == "call_received");
    assert_eq!(received.count(), 1, "only the one that waits");
    waiting.cancel().await.unwrap();
    world.see_nothing_left().await;
}

#[tokio::test]
async fn an_invite_that_is_repeated_after_its_refusal_is_refused_again_and_is_one_call() {
    let world = open_with(sip::Options {
        calls_max: 0,
        ..options()
    })
    .await;
    let before = world.feed().head();
    let socket = raw(&world).await;
    for branch in ["first", "first", "second"] {
        let invite = bare_invite(&socket, branch);
        socket.send(invite.as_bytes()).await.unwrap();
        let answer = next(&socket, |message| message.status().is_some()).await;
        assert_eq!(answer.status(), Some(503), "{branch}");
    }
    // The second is recorded after the first: nothing can come between them.
    let second = world
        .office
        .see(before, |entry| match &entry.fact.event {
            AnyEvent::Call(call, call::Event::Received { sip_call_id, .. })
                if sip_call_id == "second" =>
            {
                Some(*call)
            }
            _ => None,
        })
        .await;
    world.see(before, "call_ended").await;
    let history = world.office.history().await;
    let calls: Vec<_> = history
        .iter()
        .filter_map(|entry| match &entry.fact.event {
            AnyEvent::Call(_, call::Event::Received { sip_call_id, .. }) => Some(&**sip_call_id),
            _ => None,
        })
        .collect();
    assert_eq!(calls, ["first", "second"], "{second:?}");
}

#[tokio::test]
async fn an_extension_that_we_do_not_have_is_named_in_the_refusal() {
    let world = open().await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let options = CallOptions {
        headers: vec![("Require".into(), "100rel".into())],
        ..CallOptions::default()
    };
    let refused = rejection(caller.call("support", options).await.unwrap()).await;
    assert_eq!(refused.status, 420);
    let named: Vec<_> = refused
        .headers
        .iter()
        .filter(|(name, _)| name == "Unsupported")
        .map(|(_, value)| &**value)
        .collect();
    assert_eq!(named, ["100rel"]);
    assert_eq!(world.office.history().await.len(), 1, "only the queue");
    no_complaints(&[&caller]);
}

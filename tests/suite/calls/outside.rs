//! Calls that leave through a trunk: our own phones play the carriers.

use crate::{
    ends::{End, hung_up, no_complaints},
    wire::{is, next, raw, reply, reply_with},
    world::{PATIENCE, World, dial, open, open_with, options, rules},
};
use domain::{
    any::AnyEvent,
    call::{self, OverflowCause},
    cause::{By, Disposition, EndReason},
    id::{DEFAULT_TENANT, TrunkId},
    queue, trunk,
};
use phone::{
    CallEvent, Codec, EndedBy, Message, OutgoingCall, Phone, RawSocket, g711, rtp,
    tone::{self, Tone},
};
use std::{net::SocketAddr, time::Duration};

pub const HERE: &str = "+4930999";
const THERE: &str = "+491701234567";

/// A carrier that takes whatever is sent to it.
pub async fn carrier(world: &World) -> Phone {
    world.phone("carrier").await
}

/// A trunk to that carrier; calls from here are let in, and one number leads out.
pub fn to(carrier: &Phone, outbound: trunk::Outbound) -> trunk::Config {
    to_address(carrier.local_addr(), outbound)
}

pub fn to_address(address: SocketAddr, outbound: trunk::Outbound) -> trunk::Config {
    trunk::Config {
        allow: vec!["127.0.0.0/8".into()],
        host: Some(address.to_string()),
        user: Some("ringledger".into()),
        outbound,
        forwards: vec![trunk::Forward {
            number: HERE.into(),
            to: THERE.into(),
        }],
    }
}

pub fn priority(priority: u32) -> trunk::Outbound {
    trunk::Outbound {
        priority,
        ..trunk::Outbound::default()
    }
}

pub fn end(reason: EndReason, by: By, disposition: Disposition, sip_status: Option<u16>) -> End {
    End {
        disposition,
        by,
        reason,
        sip_status,
        incomplete: false,
    }
}

/// Trunks that were tried, in order.
async fn tried(world: &World) -> Vec<TrunkId> {
    let history = world.office.history().await;
    let trunk = |event: &AnyEvent| match event {
        AnyEvent::Call(_, call::Event::TrunkSelected { trunk, .. }) => Some(*trunk),
        _ => None,
    };
    history
        .iter()
        .filter_map(|entry| trunk(&entry.fact.event))
        .collect()
}

#[tokio::test]
async fn a_forwarded_number_rings_outside_is_answered_there_and_hung_up_by_either_side() {
    let world = open().await;
    let carrier = carrier(&world).await;
    let outbound = trunk::Outbound {
        strip_prefix: "+".into(),
        add_prefix: "00".into(),
        number: Some("+4930123".into()),
        ..trunk::Outbound::default()
    };
    world.trunk_with("carrier", to(&carrier, outbound)).await;
    let caller = world.phone("4930111").await;
    for by in [By::Caller, By::Outside] {
        let before = world.feed().head();
        let out = dial(&caller, HERE).await;
        let incoming = carrier.next_incoming().await.unwrap();
        assert_eq!(incoming.to_user(), Some("00491701234567"));
        assert_eq!(incoming.from_user(), Some("+4930123"));
        let asserted = incoming.header("P-Asserted-Identity").unwrap();
        assert!(asserted.contains("sip:4930111@"), "{asserted}");
        let hops: u32 = incoming.header("Max-Forwards").unwrap().parse().unwrap();
        assert!(hops < 70, "one hop is used up: {hops}");
        incoming.ring().await.unwrap();
        out.wait_ringing(PATIENCE).await.unwrap();
        incoming.answer().await.unwrap();
        out.wait_answered(PATIENCE).await.unwrap();
        out.media().play_tone(440.0, 0.5);
        incoming.media().play_tone(880.0, 0.5);
        assert!(incoming.media().wait_packets(25, PATIENCE).await);
        assert!(out.media().wait_packets(25, PATIENCE).await);
        let (hangs_up, other) = match by {
            By::Caller => (out.hang_up().await, &*incoming),
            _ => (incoming.hang_up().await, &*out),
        };
        assert_eq!(hangs_up.unwrap(), 200);
        hung_up(other).await;
        let (_, call) = world.see(before, "call_ended").await;
        assert_eq!(
            world.story(call).await,
            [
                "call_received",
                "call_forwarded",
                "leg_dialled",
                "trunk_selected",
                "leg_progressed",
                "leg_answered",
                "call_answered",
                "call_ended"
            ]
        );
        let expected = end(EndReason::Hangup, by, Disposition::Forwarded, None);
        assert_eq!(world.the_end(before).await, expected);
    }
    no_complaints(&[&caller, &carrier]);
}

#[tokio::test]
async fn what_the_carrier_says_of_a_failure_reaches_the_caller_and_the_record() {
    let world = open().await;
    let carrier = carrier(&world).await;
    world.trunk_with("carrier", to(&carrier, priority(0))).await;
    let caller = world.phone("4930111").await;
    let unreachable = EndReason::OutsideUnreachable;
    for (status, reason, disposition, q850) in [
        (486, EndReason::OutsideBusy, Disposition::Busy, 17),
        (480, EndReason::OutsideNoAnswer, Disposition::NoAnswer, 18),
        (603, EndReason::OutsideRejected, Disposition::Rejected, 21),
        (404, unreachable, Disposition::Failed, 1),
        (484, unreachable, Disposition::Failed, 28),
        (488, unreachable, Disposition::Failed, 31),
        (502, unreachable, Disposition::Congestion, 38),
        (503, unreachable, Disposition::Congestion, 41),
    ] {
        let before = world.feed().head();
        let out = dial(&caller, HERE).await;
        let incoming = carrier.next_incoming().await.unwrap();
        incoming.reject(status).await.unwrap();
        let ended = out.wait_ended(PATIENCE).await.unwrap();
        assert_eq!(ended.status, Some(status));
        let expected = end(reason, By::Outside, disposition, Some(status));
        assert_eq!(world.the_end(before).await, expected);
        let call::Event::Ended { cause, .. } = world.see_end(before).await else {
            panic!("an end was expected");
        };
        // The carrier sends no Reason: the status means as much (RFC 3398, 7.2.4.1).
        assert_eq!(cause.q850, Some(q850), "{status}");
    }
    no_complaints(&[&caller, &carrier]);
}

#[tokio::test]
async fn the_next_trunk_is_tried_when_one_is_out_of_order_and_a_busy_number_is_not_tried_twice() {
    let world = open().await;
    let (first, second) = (carrier(&world).await, carrier(&world).await);
    world.trunk_with("first", to(&first, priority(1))).await;
    world.trunk_with("second", to(&second, priority(2))).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, HERE).await;
    let broken = first.next_incoming().await.unwrap();
    broken.reject(503).await.unwrap();
    let incoming = second.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    out.hang_up().await.unwrap();
    hung_up(&incoming).await;
    world.the_end(before).await;
    let names = ["first", "second"].map(|name| TrunkId::named(DEFAULT_TENANT, name));
    assert_eq!(tried(&world).await, names);

    let before = world.feed().head();
    let out = dial(&caller, HERE).await;
    let busy = first.next_incoming().await.unwrap();
    busy.reject(486).await.unwrap();
    out.wait_ended(PATIENCE).await.unwrap();
    world.the_end(before).await;
    assert_eq!(tried(&world).await.len(), 3, "the second was not asked");
    no_complaints(&[&caller, &first, &second]);
}

/// Half a second of a tone, from the far end of a leg to the relay.
async fn speak(from: &RawSocket, tone: &mut Tone, sequence: &mut u16) {
    for _ in 0..25 {
        *sequence += 1;
        let payload = g711::encode(Codec::Pcmu, &tone.next_samples(160));
        let packet = rtp::Packet {
            payload_type: 0,
            marker: false,
            sequence: *sequence,
            timestamp: u32::from(*sequence) * 160,
            ssrc: 7,
            payload: &payload,
        };
        from.send(&packet.to_bytes()).await.unwrap();
    }
}

/// The caller hears that tone by and by.
async fn is_heard(out: &OutgoingCall, hz: f64) {
    let second = Duration::from_secs(1);
    let heard =
        async { while tone::tone_share(&out.media().record(1_600, second).await, hz) < 0.9 {} };
    tokio::time::timeout(PATIENCE, heard).await.unwrap();
}

#[tokio::test]
async fn the_caller_hears_the_next_trunk_ring_and_speak_after_one_that_spoke_and_failed() {
    let world = open().await;
    let (first, second) = (raw(&world).await, raw(&world).await);
    for (name, socket, rank) in [("first", &first, 1), ("second", &second, 2)] {
        let config = to_address(socket.local_addr(), priority(rank));
        world.trunk_with(name, config).await;
    }
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, HERE).await;
    let invite = next(&first, |message| is(message, "INVITE")).await;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let voice = RawSocket::bind(any, any).await.unwrap();
    let described = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio {} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
        voice.local_addr().port()
    );
    let speaks = reply_with(&invite, "183 Session Progress", "one", &first, &described);
    first.send(speaks.as_bytes()).await.unwrap();
    let (spoke, _) = world.see(before, "leg_progressed").await;
    let fails = reply(&invite, "503 Service Unavailable", "one", &first);
    first.send(fails.as_bytes()).await.unwrap();

    let invite = next(&second, |message| is(message, "INVITE")).await;
    let offer = String::from_utf8(invite.body.clone()).unwrap();
    assert!(offer.contains("telephone-event"), "{offer}");
    let rings = reply(&invite, "180 Ringing", "two", &second);
    second.send(rings.as_bytes()).await.unwrap();
    let (rang, _) = world.see(spoke, "leg_progressed").await;
    is_heard(&out, 425.0).await;

    let relay = offer.split("m=audio ").nth(1).unwrap();
    let relay: u16 = relay.split(' ').next().unwrap().parse().unwrap();
    let voice = voice.aimed_at(SocketAddr::from(([127, 0, 0, 1], relay)));
    let speaks = reply_with(&invite, "183 Session Progress", "two", &second, &described);
    second.send(speaks.as_bytes()).await.unwrap();
    world.see(rang, "leg_progressed").await;
    let (mut tone, mut sequence) = (Tone::new(880.0, 0.5), 0);
    let speaking = async {
        loop {
            speak(&voice, &mut tone, &mut sequence).await;
            // Not much more than the caller can hear.
            let pace = Duration::from_millis(100);
            out.media().wait_packets(20, pace).await;
        }
    };
    tokio::select! {
        () = is_heard(&out, 880.0) => {}
        () = speaking => {}
    }
    out.cancel().await.unwrap();
    let cancelled = next(&second, |message| is(message, "CANCEL")).await;
    assert_eq!(cancelled.header("Call-ID"), invite.header("Call-ID"));
    for (request, status) in [(&cancelled, "200 OK"), (&invite, "487 Request Terminated")] {
        let said = reply(request, status, "two", &second);
        second.send(said.as_bytes()).await.unwrap();
    }
    world.the_end(before).await;
    no_complaints(&[&caller]);
}

#[tokio::test]
async fn a_caller_who_hears_the_other_side_is_told_that_again_and_not_that_it_rings() {
    let world = open_with(sip::Options {
        ring_repeat_ms: 500,
        ..options()
    })
    .await;
    let carrier = raw(&world).await;
    let config = to_address(carrier.local_addr(), priority(0));
    world.trunk_with("carrier", config).await;
    let caller = world.phone("4930111").await;
    let mut out = dial(&caller, HERE).await;
    let invite = next(&carrier, |message| is(message, "INVITE")).await;
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
    let speaks = reply_with(&invite, "183 Session Progress", "one", &carrier, sdp);
    carrier.send(speaks.as_bytes()).await.unwrap();
    let mut told = 0;
    while told < 3 {
        let event = tokio::time::timeout(PATIENCE, out.next_event()).await;
        if let Some(CallEvent::Ringing { status }) = event.unwrap() {
            assert_eq!(status, 183);
            told += 1;
        }
    }
    out.cancel().await.unwrap();
    let cancelled = next(&carrier, |message| is(message, "CANCEL")).await;
    for (request, status) in [(&cancelled, "200 OK"), (&invite, "487 Request Terminated")] {
        let said = reply(request, status, "one", &carrier);
        carrier.send(said.as_bytes()).await.unwrap();
    }
    world.see_nothing_left().await;
    no_complaints(&[&caller]);
}

#[tokio::test]
async fn a_caller_who_gives_up_stops_the_ringing_outside() {
    let world = open().await;
    let carrier = carrier(&world).await;
    world.trunk_with("carrier", to(&carrier, priority(0))).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, HERE).await;
    let incoming = carrier.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    out.wait_ringing(PATIENCE).await.unwrap();
    out.cancel().await.unwrap();
    let ended = incoming.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Cancelled));
    let expected = end(
        EndReason::Cancelled,
        By::Caller,
        Disposition::Cancelled,
        Some(487),
    );
    assert_eq!(world.the_end(before).await, expected);
    no_complaints(&[&caller, &carrier]);
}

#[tokio::test]
async fn a_trunk_without_a_free_channel_is_not_called() {
    let world = open().await;
    let carrier = carrier(&world).await;
    let outbound = trunk::Outbound {
        channels_max: 1,
        ..trunk::Outbound::default()
    };
    world.trunk_with("carrier", to(&carrier, outbound)).await;
    let (one, two) = (world.phone("4930111").await, world.phone("4930222").await);
    let first = dial(&one, HERE).await;
    let incoming = carrier.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    first.wait_answered(PATIENCE).await.unwrap();

    let before = world.feed().head();
    let second = dial(&two, HERE).await;
    let ended = second.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.status, Some(503));
    let end = world.see_end(before).await;
    let call::Event::Ended { cause, .. } = end else {
        panic!("an end was expected");
    };
    assert_eq!((cause.reason, cause.by), (EndReason::NoTrunk, By::System));

    // The channel is free again as soon as the first call is over.
    first.hang_up().await.unwrap();
    hung_up(&incoming).await;
    world.see_nothing_left().await;
    let third = dial(&two, HERE).await;
    let incoming = carrier.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    third.wait_answered(PATIENCE).await.unwrap();
    third.hang_up().await.unwrap();
    world.see_nothing_left().await;
    no_complaints(&[&one, &two, &carrier]);
}

#[tokio::test]
async fn a_caller_who_has_waited_long_enough_or_finds_no_room_is_sent_outside() {
    let world = open().await;
    let carrier = carrier(&world).await;
    world.trunk_with("carrier", to(&carrier, priority(0))).await;
    let number = || queue::OverflowTo::Number(THERE.into());
    let config = queue::Config {
        capacity: 1,
        max_wait_ms: 1_500,
        overflow: [OverflowCause::Full, OverflowCause::MaxWait]
            .map(|when| queue::Overflow { when, to: number() })
            .into(),
        ..rules()
    };
    world.support(config).await;
    let (one, two) = (world.phone("4930111").await, world.phone("4930222").await);
    let waiting = dial(&one, "support").await;
    waiting.wait_ringing(PATIENCE).await.unwrap();
    let full = dial(&two, "support").await;
    for (out, from) in [(full, "4930222"), (waiting, "4930111")] {
        let incoming = carrier.next_incoming().await.unwrap();
        let asserted = incoming.header("P-Asserted-Identity").unwrap();
        assert!(asserted.contains(from), "{asserted}");
        incoming.answer().await.unwrap();
        out.wait_answered(PATIENCE).await.unwrap();
        out.hang_up().await.unwrap();
        hung_up(&incoming).await;
    }
    world.see_nothing_left().await;
    no_complaints(&[&one, &two, &carrier]);
}

#[tokio::test]
async fn an_overflow_goes_into_the_next_queue_and_never_round() {
    let world = open().await;
    let next = queue::OverflowTo::Queue(domain::id::QueueId::named(DEFAULT_TENANT, "next"));
    let back = queue::OverflowTo::Queue(domain::id::QueueId::named(DEFAULT_TENANT, "support"));
    let overflow = |to| {
        vec![queue::Overflow {
            when: OverflowCause::MaxWait,
            to,
        }]
    };
    let config = |overflow| queue::Config {
        max_wait_ms: 700,
        overflow,
        ..rules()
    };
    world.support(config(overflow(next))).await;
    world.office.queue("next", config(overflow(back))).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let ended = out.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.status, Some(480));
    let (_, call) = world.see(before, "call_ended").await;
    assert_eq!(
        world.story(call).await,
        [
            "call_received",
            "call_routed",
            "call_enqueued",
            "call_overflowed",
            "call_enqueued",
            "call_ended"
        ]
    );
    let expected = end(
        EndReason::MaxWait,
        By::System,
        Disposition::NoAnswer,
        Some(480),
    );
    assert_eq!(world.the_end(before).await, expected);
    no_complaints(&[&caller]);
}

#[tokio::test]
async fn a_caller_whom_nobody_could_answer_is_sent_outside_at_once() {
    let world = open().await;
    let carrier = carrier(&world).await;
    world.trunk_with("carrier", to(&carrier, priority(0))).await;
    let config = queue::Config {
        overflow: vec![queue::Overflow {
            when: OverflowCause::Unstaffed,
            to: queue::OverflowTo::Number(THERE.into()),
        }],
        ..rules()
    };
    let queue = world.support(config).await;
    world.agent("anna", queue).await;
    let caller = world.phone("4930111").await;
    let out = dial(&caller, "support").await;
    let incoming = carrier.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    out.hang_up().await.unwrap();
    hung_up(&incoming).await;
    world.see_nothing_left().await;

    // With an agent there the call stays; it goes when the agent goes.
    let agent = world.agent_phone("anna").await;
    let out = dial(&caller, "support").await;
    let rings = agent.next_incoming().await.unwrap();
    rings.ring().await.unwrap();
    rings.reject(486).await.unwrap();
    agent.unregister().await.unwrap();
    let incoming = carrier.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    out.hang_up().await.unwrap();
    hung_up(&incoming).await;
    world.see_nothing_left().await;
    no_complaints(&[&caller, &carrier, &agent]);
}

#[tokio::test]
async fn a_carrier_that_challenges_the_bye_too_gets_it_again_with_credentials() {
    let world = open().await;
    let socket = raw(&world).await;
    let config = to_address(socket.local_addr(), priority(0));
    world.trunk_with("carrier", config).await;
    let trunk = TrunkId::named(DEFAULT_TENANT, "carrier").to_string();
    let secrets = &world.office.stores.secrets;
    secrets
        .put("trunk_password", &trunk, "secret")
        .await
        .unwrap();
    let challenge = |request: &Message, nonce: &str| {
        let asks = format!(
            "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"{nonce}\", qop=\"auth\"\r\n"
        );
        let kind = "Content-Type: application/sdp\r\n";
        reply(request, "407 Proxy Authentication Required", "no", &socket).replace(kind, &asks)
    };
    let credentials = |message: &Message| {
        let header = message.header("Proxy-Authorization");
        header.map(str::to_owned)
    };
    let before = world.feed().head();
    let caller = world.phone("4930111").await;
    let out = dial(&caller, HERE).await;
    let invite = next(&socket, |message| is(message, "INVITE")).await;
    let asked = challenge(&invite, "n1");
    socket.send(asked.as_bytes()).await.unwrap();
    let with = |method: &'static str| {
        move |message: &Message| is(message, method) && credentials(message).is_some()
    };
    let invite = next(&socket, with("INVITE")).await;
    let ok = reply(&invite, "200 OK", "yes", &socket);
    socket.send(ok.as_bytes()).await.unwrap();
    let ack = next(&socket, with("ACK")).await;
    assert_eq!(
        credentials(&ack),
        credentials(&invite),
        "RFC 3261, 13.2.2.4"
    );
    out.wait_answered(PATIENCE).await.unwrap();
    assert_eq!(out.hang_up().await.unwrap(), 200);

    let bye = next(&socket, |message| is(message, "BYE")).await;
    assert_eq!(credentials(&bye), None);
    let asked = challenge(&bye, "n2");
    socket.send(asked.as_bytes()).await.unwrap();
    let again = next(&socket, with("BYE")).await;
    let (number, _) = bye.cseq().unwrap();
    assert_eq!(again.cseq().unwrap().0, number + 1);
    assert_eq!(again.header("To"), bye.header("To"));
    assert!(credentials(&again).is_some_and(|value| value.contains("nonce=\"n2\"")));
    let ok = reply(&again, "200 OK", "yes", &socket);
    socket.send(ok.as_bytes()).await.unwrap();
    let expected = end(EndReason::Hangup, By::Caller, Disposition::Forwarded, None);
    assert_eq!(world.the_end(before).await, expected);
    no_complaints(&[&caller]);
}

//! The relay between two phones: who is heard, what is passed on.

use crate::{
    ends::{connect, hangup, hung_up, no_complaints},
    wire::{is, next, raw_agent, reply_with},
    world::{PATIENCE, World, open, rules},
};
use domain::cause::By;
use phone::{CallOptions, Codec, Message, Offer, OutgoingCall, Phone, RawSocket, rtp, tone};
use std::{net::SocketAddr, time::Duration};

/// A pair of sockets for RTP and RTCP, as an endpoint of one stream.
struct Endpoint {
    rtp: RawSocket,
    rtcp: RawSocket,
    /// Where the relay listens for it.
    relay: SocketAddr,
    ssrc: u32,
}

impl Endpoint {
    /// Binds an even port and the odd one after it.
    async fn bind(ssrc: u32) -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        loop {
            let rtp = RawSocket::bind(anywhere, anywhere).await.unwrap();
            let port = rtp.local_addr().port();
            let after = SocketAddr::from(([127, 0, 0, 1], port.wrapping_add(1)));
            if port % 2 == 0
                && let Ok(rtcp) = RawSocket::bind(after, anywhere).await
            {
                return Self {
                    rtp,
                    rtcp,
                    relay: anywhere,
                    ssrc,
                };
            }
        }
    }

    fn sdp(&self) -> String {
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
            m=audio {} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
            self.rtp.local_addr().port()
        )
    }

    /// Aims at the relay.
    fn aimed_at(self, relay: SocketAddr) -> Self {
        let after = SocketAddr::new(relay.ip(), relay.port() + 1);
        Self {
            rtp: self.rtp.aimed_at(relay),
            rtcp: self.rtcp.aimed_at(after),
            relay,
            ssrc: self.ssrc,
        }
    }

    /// One packet of audio, all its bytes the same.
    fn audio(&self, number: u16, byte: u8) -> Vec<u8> {
        self.audio_of(0, number, byte)
    }

    fn audio_of(&self, payload_type: u8, number: u16, byte: u8) -> Vec<u8> {
        let payload = [byte; 160];
        let packet = rtp::Packet {
            payload_type,
            marker: false,
            sequence: number,
            timestamp: u32::from(number) * 160,
            ssrc: self.ssrc,
            payload: &payload,
        };
        packet.to_bytes()
    }

    /// The next audio: its source and the first of its bytes.
    async fn hears(&self) -> (u32, u8) {
        let received = self.rtp.receive(PATIENCE).await.unwrap();
        let received = received.expect("audio comes");
        let packet = rtp::Packet::parse(&received.bytes).unwrap();
        (packet.ssrc, packet.payload[0])
    }

    /// A receiver report about the stream of the other side.
    fn report(&self, about: u32) -> Vec<u8> {
        let mut report = vec![0x81, 201, 0, 7];
        report.extend(self.ssrc.to_be_bytes());
        report.extend(about.to_be_bytes());
        report.extend([0; 20]);
        report
    }

    /// The next report: its sender and whom it is about.
    async fn report_comes(&self) -> (u32, u32) {
        let received = self.rtcp.receive(PATIENCE).await.unwrap();
        let bytes = received.expect("RTCP comes").bytes;
        assert_eq!((bytes.len(), bytes[1]), (32, 201));
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        (word(4), word(8))
    }
}

/// The RTP address that a description names.
fn described(sdp: &str) -> SocketAddr {
    let port = sdp.split("m=audio ").nth(1).unwrap();
    let port = port.split(' ').next().unwrap().parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A call whose two ends are bare sockets for media.
struct Bare {
    world: World,
    _phone: Phone,
    signalling: RawSocket,
    /// The INVITE that the agent's side got.
    invite: Message,
    caller: Phone,
    out: OutgoingCall,
    at_caller: Endpoint,
    at_agent: Endpoint,
}

impl Bare {
    async fn open() -> Self {
        let world = open().await;
        let queue = world.support(rules()).await;
        world.agent("anna", queue).await;
        let (phone, signalling) = raw_agent(&world).await;
        let (at_caller, at_agent) = (Endpoint::bind(0xaaaa).await, Endpoint::bind(0xbbbb).await);
        let caller = world.phone("4930111").await;
        let options = CallOptions {
            offer: Offer::Body(at_caller.sdp()),
            ..CallOptions::default()
        };
        let out = caller.call("support", options).await.unwrap();
        let invite = next(&signalling, |message| is(message, "INVITE")).await;
        let ok = reply_with(&invite, "200 OK", "agent", &signalling, &at_agent.sdp());
        signalling.send(ok.as_bytes()).await.unwrap();
        next(&signalling, |message| is(message, "ACK")).await;
        out.wait_answered(PATIENCE).await.unwrap();
        let offer = String::from_utf8(invite.body.clone()).unwrap();
        let at_agent = at_agent.aimed_at(described(&offer));
        let at_caller = at_caller.aimed_at(out.media().remote_addr().unwrap());
        let bare = Self {
            world,
            _phone: phone,
            signalling,
            invite,
            caller,
            out,
            at_caller,
            at_agent,
        };
        bare.bridged().await;
        bare
    }

    /// Audio flows both ways: the relay has heard of the connection.
    async fn bridged(&self) {
        for (from, to) in [
            (&self.at_caller, &self.at_agent),
            (&self.at_agent, &self.at_caller),
        ] {
            let flows = async {
                let mut number = 0;
                loop {
                    from.rtp.send(&from.audio(number, 1)).await.unwrap();
                    number += 1;
                    let came = to.rtp.receive(Duration::from_millis(20)).await.unwrap();
                    if came.is_some() {
                        return;
                    }
                }
            };
            tokio::time::timeout(PATIENCE, flows).await.unwrap();
        }
    }

    /// The last packets of the start are out of the way.
    async fn settled(endpoint: &Endpoint) {
        while endpoint
            .rtp
            .receive(Duration::from_millis(100))
            .await
            .unwrap()
            .is_some()
        {}
    }

    /// The agent's side describes itself anew, inside the dialog.
    async fn re_invite(&self, body: &str) -> Message {
        self.change(1, body, "").await
    }

    /// The same as the request of that number, the description in it or in its ACK.
    async fn change(&self, number: u32, offer: &str, answer: &str) -> Message {
        let invite = self.request("INVITE", number, offer);
        self.signalling.send(invite.as_bytes()).await.unwrap();
        let answered = next(&self.signalling, |message| {
            message.status().is_some_and(|status| status >= 200)
        });
        let answered = answered.await;
        let ack = self.request("ACK", number, answer);
        self.signalling.send(ack.as_bytes()).await.unwrap();
        answered
    }

    /// A request of the agent's side.
    fn request(&self, method: &str, number: u32, body: &str) -> String {
        let header = |name| self.invite.header(name).unwrap();
        let us = self.signalling.local_addr();
        let target = phone::address::uri_of(header("Contact"));
        let kind = match body {
            "" => "",
            _ => "Content-Type: application/sdp\r\n",
        };
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{method}{number}\r\n\
            From: {};tag=agent\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {number} {method}\r\n\
            Max-Forwards: 70\r\nContact: <sip:anna@{us}>\r\n\
            {kind}Content-Length: {}\r\n\r\n{body}",
            header("To"),
            header("From"),
            header("Call-ID"),
            body.len()
        )
    }

    async fn end(self) {
        let out = self.out;
        let hanging_up = tokio::spawn(async move { out.hang_up().await });
        let bye = next(&self.signalling, |message| is(message, "BYE")).await;
        let ok = reply_with(&bye, "200 OK", "agent", &self.signalling, "");
        self.signalling.send(ok.as_bytes()).await.unwrap();
        assert_eq!(hanging_up.await.unwrap().unwrap(), 200);
        self.world.see_nothing_left().await;
        no_complaints(&[&self.caller]);
    }
}

#[tokio::test]
async fn audio_from_a_stranger_is_not_heard_on_either_side() {
    let call = Bare::open().await;
    let (caller, agent) = (&call.at_caller, &call.at_agent);
    Bare::settled(caller).await;
    Bare::settled(agent).await;
    let stranger = Endpoint::bind(0xdead).await;
    for (mine, theirs) in [(caller, agent), (agent, caller)] {
        // The relay reads one socket in order: what came first and is not
        // passed on is gone when the next is heard.
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let socket = RawSocket::bind(anywhere, mine.relay).await.unwrap();
        for number in 900..910 {
            socket.send(&stranger.audio(number, 0x33)).await.unwrap();
            // Even one that pretends to be of the same stream.
            socket.send(&mine.audio(number, 0x44)).await.unwrap();
        }
        mine.rtp.send(&mine.audio(910, 0x55)).await.unwrap();
        assert_eq!(theirs.hears().await.1, 0x55);
    }
    let dropped: u64 = call
        .world
        .relay
        .open_legs()
        .into_iter()
        .filter_map(|leg| call.world.relay.stats(leg))
        .map(|stats| stats.dropped_source)
        .sum();
    assert_eq!(dropped, 40, "each was seen and not let through");
    call.end().await;
}

#[tokio::test]
async fn a_side_that_changes_its_law_in_a_call_is_still_understood() {
    let call = Bare::open().await;
    let (caller, agent) = (&call.at_caller, &call.at_agent);
    let to_a_law = agent
        .sdp()
        .replace("RTP/AVP 0", "RTP/AVP 8")
        .replace("0 PCMU", "8 PCMA");
    let answer = call.re_invite(&to_a_law).await;
    assert_eq!(answer.status(), Some(200));
    let body = String::from_utf8(answer.body).unwrap();
    assert!(body.contains("RTP/AVP 8\r\n"), "{body}");
    Bare::settled(caller).await;
    Bare::settled(agent).await;
    // Digital silence is 0xd5 in A-law and 0xff in mu-law.
    let quiet = agent.audio_of(8, 700, 0xd5);
    agent.rtp.send(&quiet).await.unwrap();
    let (_, heard) = caller.hears().await;
    let heard = phone::g711::decode(Codec::Pcmu, &[heard])[0];
    assert!(heard.abs() <= 8, "{heard}");
    caller.rtp.send(&caller.audio(700, 0xff)).await.unwrap();
    let (_, heard) = agent.hears().await;
    let heard = phone::g711::decode(Codec::Pcma, &[heard])[0];
    assert!(heard.abs() <= 8, "{heard}");
    call.end().await;
}

#[tokio::test]
async fn a_hold_begins_and_ends_also_with_a_description_in_the_ack() {
    let call = Bare::open().await;
    let (caller, agent) = (&call.at_caller, &call.at_agent);
    let voice = agent.sdp();
    let hold = format!("{voice}a=sendonly\r\n");
    let before = call.world.feed().head();
    call.change(1, &hold, "").await;
    let (held, _) = call.world.see(before, "call_held").await;
    // It takes our offer (RFC 3261, 14.1) and answers it with the ACK.
    let offered = call.change(2, "", &voice).await;
    let offered = String::from_utf8(offered.body).unwrap();
    assert!(!offered.contains("a=sendonly"), "{offered}");
    let (retrieved, _) = call.world.see(held, "call_retrieved").await;
    let quiet = Bare::settled(caller);
    tokio::time::timeout(PATIENCE, quiet)
        .await
        .expect("the music ends");
    agent.rtp.send(&agent.audio(800, 0x55)).await.unwrap();
    assert_eq!(caller.hears().await.1, 0x55);
    caller.rtp.send(&caller.audio(800, 0x44)).await.unwrap();
    assert_eq!(agent.hears().await.1, 0x44);

    call.change(3, "", &hold).await;
    let (held, _) = call.world.see(retrieved, "call_held").await;
    call.change(4, &voice, "").await;
    call.world.see(held, "call_retrieved").await;
    call.end().await;
}

#[tokio::test]
async fn rtcp_is_passed_on_both_ways_and_speaks_of_the_streams_that_each_side_knows() {
    let call = Bare::open().await;
    let (caller, agent) = (&call.at_caller, &call.at_agent);
    Bare::settled(caller).await;
    Bare::settled(agent).await;
    caller.rtp.send(&caller.audio(500, 2)).await.unwrap();
    let (heard_by_agent, _) = agent.hears().await;
    agent.rtp.send(&agent.audio(500, 3)).await.unwrap();
    let (heard_by_caller, _) = caller.hears().await;

    // Reports name the stream as its receiver got it.
    caller
        .rtcp
        .send(&caller.report(heard_by_caller))
        .await
        .unwrap();
    assert_eq!(agent.report_comes().await, (heard_by_agent, agent.ssrc));
    agent
        .rtcp
        .send(&agent.report(heard_by_agent))
        .await
        .unwrap();
    assert_eq!(caller.report_comes().await, (heard_by_caller, caller.ssrc));
    call.end().await;
}

#[tokio::test]
async fn keys_reach_the_other_side_under_the_number_that_each_phone_has_for_them() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let mut options = world.phone_options("4930111");
    options.telephone_event = Some(96);
    let caller = Phone::bind(options).await.unwrap();
    let before = world.feed().head();
    let (out, incoming) = connect(&caller, &agent).await;
    let offered = String::from_utf8(incoming.invite().body.clone()).unwrap();
    assert!(
        !offered.contains("rtpmap:96 telephone-event"),
        "the agent's side has another number: {offered}"
    );
    out.media().play_tone(440.0, 0.3);
    assert!(incoming.media().wait_packets(10, PATIENCE).await);
    assert!(out.media().wait_packets(10, PATIENCE).await);
    for digit in "123A*0#".chars() {
        assert!(out.media().send_digit(digit, 60));
    }
    for digit in "987".chars() {
        assert!(incoming.media().send_digit(digit, 60));
    }
    let all = |media: &phone::Media| media.received_digits().len() >= 7;
    assert!(incoming.media().wait_until(PATIENCE, all).await);
    assert_eq!(incoming.media().received_digits(), "123A*0#");
    let all = |media: &phone::Media| media.received_digits().len() >= 3;
    assert!(out.media().wait_until(PATIENCE, all).await);
    assert_eq!(out.media().received_digits(), "987");
    for media in [out.media(), incoming.media()] {
        assert_eq!(media.stats().foreign_packets, 0, "only agreed numbers");
        assert_eq!(media.stats().lost_packets, 0);
    }
    let voice = incoming.media().record(4_000, PATIENCE).await;
    assert!(tone::tone_share(&voice, 440.0) > 0.9, "the voice goes on");
    assert_eq!(out.hang_up().await.unwrap(), 200);
    hung_up(&incoming).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn each_side_hears_the_tone_of_the_other_also_across_the_two_laws() {
    let laws = [Codec::Pcmu, Codec::Pcma];
    for (codec, other) in laws.into_iter().flat_map(|a| laws.map(|b| (a, b))) {
        let world = open().await;
        let queue = world.support(rules()).await;
        world.agent("anna", queue).await;
        let mut options = world.phone_options("anna");
        options.codecs = vec![other];
        let agent = world.agent_phone_with(options).await;
        let mut options = world.phone_options("4930111");
        options.codecs = vec![codec];
        let caller = Phone::bind(options).await.unwrap();
        let before = world.feed().head();
        let (out, incoming) = connect(&caller, &agent).await;
        assert_eq!(out.media().codec(), codec);
        assert_eq!(incoming.media().codec(), other);
        out.media().play_tone(440.0, 0.25);
        incoming.media().play_tone(880.0, 0.25);
        assert!(incoming.media().wait_packets(10, PATIENCE).await);
        assert!(out.media().wait_packets(10, PATIENCE).await);
        let heard_by_agent = incoming.media().record(4_000, PATIENCE).await;
        let heard_by_caller = out.media().record(4_000, PATIENCE).await;
        assert!(tone::tone_share(&heard_by_agent[800..], 440.0) > 0.9);
        assert!(tone::tone_share(&heard_by_caller[800..], 880.0) > 0.9);
        assert_eq!(out.hang_up().await.unwrap(), 200);
        hung_up(&incoming).await;
        assert_eq!(world.the_end(before).await, hangup(By::Caller));
        world.see_free(&agent).await;
        no_complaints(&[&caller, &agent]);
    }
}

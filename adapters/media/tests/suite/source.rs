//! Whose packets are believed.

use crate::support::{Phone, options, start, until};
use ringledger_media::{PayloadTypes, SourcePolicy};
use std::{
    net::{Ipv4Addr, UdpSocket},
    time::{Duration, Instant},
};

const PLAIN: PayloadTypes = PayloadTypes::pcmu(None);

#[test]
fn packets_from_elsewhere_are_dropped_and_counted() {
    let (relay, _events) = start(&options(2));
    let mut caller = Phone::agreed(&relay, 1, PLAIN);
    let agent = Phone::agreed(&relay, 2, PLAIN);
    relay.bridge(caller.leg, agent.leg);
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let forged = caller.packet(0, b"forged");
    stranger.send_to(&forged, caller.local.rtp).unwrap();
    stranger
        .send_to(b"no RTP at all", caller.local.rtp)
        .unwrap();
    caller.say(0, b"real");
    assert_eq!(agent.hear().payload, b"real");
    agent.hears_nothing();
    let stats = relay.stats(caller.leg).unwrap();
    assert_eq!((stats.dropped_source, stats.dropped_malformed), (1, 1));
    assert_eq!(stats.packets_in, 1);
}

#[test]
fn nothing_is_taken_before_signalling_has_named_the_far_end() {
    let (relay, _events) = start(&options(2));
    let mut caller = Phone::open(&relay, 1);
    let agent = Phone::agreed(&relay, 2, PLAIN);
    relay.bridge(caller.leg, agent.leg);
    caller.say(0, b"early");
    agent.hears_nothing();
    assert_eq!(relay.stats(caller.leg).unwrap().dropped_source, 1);
}

#[test]
fn behind_nat_the_first_packet_of_the_registered_host_decides_once() {
    let (relay, _events) = start(&options(2));
    let mut caller = Phone::open(&relay, 1);
    let mut agent = Phone::agreed(&relay, 2, PLAIN);
    // The SDP names a private address; the registration came from loopback.
    let mut remote = caller.remote(PLAIN);
    remote.rtp = "10.9.8.7:4000".parse().unwrap();
    remote.rtcp = None;
    remote.policy = SourcePolicy::Latch {
        registered: Ipv4Addr::LOCALHOST.into(),
    };
    relay.set_remote(caller.leg, remote.clone());
    relay.bridge(caller.leg, agent.leg);
    caller.say(0, b"latches");
    assert_eq!(agent.hear().payload, b"latches");
    agent.say(0, b"to the latched port");
    assert_eq!(caller.hear().payload, b"to the latched port");

    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let forged = caller.packet(0, b"forged");
    stranger.send_to(&forged, caller.local.rtp).unwrap();
    agent.hears_nothing();
    agent.say(0, b"still to the latched port");
    assert_eq!(caller.hear().payload, b"still to the latched port");

    // Signalling that says the same again keeps the latch ...
    relay.set_remote(caller.leg, remote.clone());
    stranger.send_to(&forged, caller.local.rtp).unwrap();
    agent.hears_nothing();
    assert_eq!(relay.stats(caller.leg).unwrap().dropped_source, 2);
    // ... and signalling that says something new opens it once more.
    remote.rtp = "10.9.8.7:4002".parse().unwrap();
    relay.set_remote(caller.leg, remote);
    stranger.send_to(&forged, caller.local.rtp).unwrap();
    assert_eq!(agent.hear().payload, b"forged");
    let now_there = stranger.local_addr().unwrap();
    until("the leg has moved", || {
        relay.stats(caller.leg).unwrap().far_end == Some(now_there)
    });
}

#[test]
fn a_far_end_whose_nat_gives_it_another_port_is_followed() {
    let (relay, _events) = start(&options(3));
    let mut caller = Phone::agreed(&relay, 1, PLAIN);
    let mut agent = Phone::agreed(&relay, 2, PLAIN);
    relay.bridge(caller.leg, agent.leg);
    caller.say(0, b"from the port of the SDP");
    assert_eq!(agent.hear().payload, b"from the port of the SDP");
    let moved = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    moved
        .set_read_timeout(Some(crate::support::PATIENCE))
        .unwrap();
    let mut other = Phone::agreed(&relay, 3, PLAIN);
    let mut spoken = Instant::now();
    until("packets from there are taken", || {
        if spoken.elapsed() >= Duration::from_millis(20) {
            spoken = Instant::now();
            // A stream of somebody else behind the same NAT is not.
            let forged = other.packet(0, b"forged");
            moved.send_to(&forged, caller.local.rtp).unwrap();
            let packet = caller.packet(0, b"from elsewhere");
            moved.send_to(&packet, caller.local.rtp).unwrap();
        }
        relay.stats(caller.leg).unwrap().packets_in > 1
    });
    assert_eq!(agent.hear().payload, b"from elsewhere");
    agent.say(0, b"to the new port");
    let mut buffer = [0; 1500];
    let (length, _) = moved.recv_from(&mut buffer).unwrap();
    assert!(buffer[..length].ends_with(b"to the new port"));
}

#[test]
fn another_host_than_the_registered_one_never_latches() {
    let (relay, _events) = start(&options(2));
    let mut caller = Phone::open(&relay, 1);
    let agent = Phone::agreed(&relay, 2, PLAIN);
    let mut remote = caller.remote(PLAIN);
    remote.policy = SourcePolicy::Latch {
        registered: "192.0.2.1".parse().unwrap(),
    };
    remote.rtp = "198.51.100.1:4000".parse().unwrap();
    relay.set_remote(caller.leg, remote);
    relay.bridge(caller.leg, agent.leg);
    caller.say(0, b"from loopback");
    agent.hears_nothing();
    assert_eq!(relay.stats(caller.leg).unwrap().far_end, None);
}

#[test]
fn a_relay_on_every_address_serves_ipv4_and_ipv6_phones() {
    if UdpSocket::bind("[::1]:0").is_err() {
        println!("SKIPPED: this host has no IPv6");
        return;
    }
    let (relay, _events) = start(&ringledger_media::Options {
        listen: "::".parse().unwrap(),
        advertised_host: Some(Ipv4Addr::LOCALHOST.into()),
        ..options(2)
    });
    let mut caller = Phone::agreed(&relay, 1, PLAIN);
    let mut agent = Phone::open(&relay, 2);
    agent.rtp = UdpSocket::bind("[::1]:0").unwrap();
    agent
        .rtp
        .set_read_timeout(Some(crate::support::PATIENCE))
        .unwrap();
    agent.local.rtp.set_ip("::1".parse().unwrap());
    relay.set_remote(agent.leg, agent.remote(PLAIN));
    relay.bridge(caller.leg, agent.leg);
    caller.say(0, b"four to six");
    assert_eq!(agent.hear().payload, b"four to six");
    agent.say(0, b"six to four");
    assert_eq!(caller.hear().payload, b"six to four");
}

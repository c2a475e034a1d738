//! What waiting callers hear, and that switching leaves no seam.

use crate::support::{Packet, Phone, options, start};
use ringledger_media::{FRAME_SAMPLES, Law, PayloadTypes, Track};
use std::time::{Duration, Instant};

fn continuous(packets: &[Packet]) {
    for pair in packets.windows(2) {
        assert_eq!(pair[0].ssrc, pair[1].ssrc);
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32;
        assert!(step >= FRAME_SAMPLES as i32, "timestamps go on: {step}");
    }
}

#[test]
fn music_comes_every_20_ms_and_is_the_track() {
    let (relay, _events) = start(&options(2));
    let track = Track::synthesise();
    for (number, law, types) in [
        (1, Law::Mu, PayloadTypes::pcmu(None)),
        (2, Law::A, PayloadTypes::pcma(None)),
    ] {
        let caller = Phone::agreed(&relay, number, types);
        let began = Instant::now();
        relay.play_music(caller.leg, None);
        relay.play_music(caller.leg, None);
        let heard: Vec<Packet> = (0..50).map(|_| caller.hear()).collect();
        continuous(&heard);
        for (number, packet) in heard.iter().enumerate() {
            assert_eq!(packet.payload_type, types.audio);
            assert_eq!(packet.payload, track.frame(law, number), "frame {number}");
            assert_eq!(packet.marker, number == 0);
        }
        // Pace: 49 intervals of 20 ms, of which the first packet may have a part for itself.
        // A machine that is busy with other tests is late, and never early.
        let took = heard[49].at - began;
        assert!(took >= Duration::from_millis(48 * 20), "{took:?}");
    }
}

#[test]
fn music_then_an_agent_then_music_is_one_stream() {
    let (relay, _events) = start(&options(2));
    let types = PayloadTypes::pcmu(None);
    let caller = Phone::agreed(&relay, 1, types);
    let mut agent = Phone::agreed(&relay, 2, types);
    relay.play_music(caller.leg, None);
    let mut heard: Vec<Packet> = (0..5).map(|_| caller.hear()).collect();
    relay.bridge(caller.leg, agent.leg);
    for _ in 0..5 {
        agent.say(0, &[0x11; FRAME_SAMPLES]);
    }
    let spoken = |packet: &Packet| packet.payload == [0x11; FRAME_SAMPLES];
    while heard.iter().filter(|packet| spoken(packet)).count() < 5 {
        heard.push(caller.hear());
    }
    relay.silence(caller.leg);
    for _ in 0..3 {
        let silent = caller.hear();
        assert_eq!(silent.payload, [Law::Mu.encode(0); FRAME_SAMPLES]);
        heard.push(silent);
    }
    relay.play_music(caller.leg, None);
    heard.extend((0..5).map(|_| caller.hear()));
    continuous(&heard);
    // Each change of what is heard is marked, and nothing else is.
    let agent_starts = heard.iter().position(spoken).unwrap();
    for (index, packet) in heard.iter().enumerate() {
        let starts = index == 0 || index == agent_starts || index == agent_starts + 5;
        assert_eq!(packet.marker, starts, "packet {index}");
    }
    // The agent is alone now.
    agent.say(0, b"to nobody");
    agent.hears_nothing();
}

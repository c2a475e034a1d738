//! Two bridged legs hear each other.

use crate::support::{PATIENCE, Phone, event, leg, options, start};
use ringledger_media::{Direction, Law, MediaEvent, PayloadTypes};

const PLAIN: PayloadTypes = PayloadTypes::pcmu(Some(101));

#[test]
fn bridged_legs_hear_each_other_until_the_bridge_ends() {
    let (relay, _events) = start(&options(2));
    let mut caller = Phone::agreed(&relay, 1, PLAIN);
    let mut agent = Phone::agreed(&relay, 2, PLAIN);
    caller.say(0, b"too early");
    agent.hears_nothing();

    relay.bridge(caller.leg, agent.leg);
    caller.say(0, b"hello agent");
    let heard = agent.hear();
    assert_eq!(heard.payload, b"hello agent");
    assert_eq!(
        heard.from, agent.local.rtp,
        "from the port that the agent sends to"
    );
    assert!(heard.marker, "the first packet of a talk spurt");
    agent.say(0, b"hello caller");
    assert_eq!(caller.hear().payload, b"hello caller");

    relay.unbridge(agent.leg, caller.leg);
    caller.say(0, b"too late");
    agent.hears_nothing();
    let stats = relay.stats(caller.leg).unwrap();
    assert_eq!((stats.packets_in, stats.packets_out), (3, 1));
    assert_eq!(stats.bytes_out, 12 + 12);
    assert_eq!(stats.far_end, Some(caller.rtp.local_addr().unwrap()));
}

#[test]
fn a_new_bridge_ends_the_old_one_of_both_legs() {
    let (relay, _events) = start(&options(4));
    let mut phones: Vec<Phone> = (1..=4).map(|n| Phone::agreed(&relay, n, PLAIN)).collect();
    relay.bridge(leg(1), leg(2));
    relay.bridge(leg(3), leg(4));
    relay.bridge(leg(2), leg(3));
    for (from, heard_by) in [(1, Some(2)), (2, Some(1)), (0, None), (3, None)] {
        phones[from].say(0, &[from as u8]);
        for (to, phone) in phones.iter().enumerate() {
            if Some(to) == heard_by {
                assert_eq!(phone.hear().payload, [from as u8]);
            } else if heard_by.is_none() {
                phone.hears_nothing();
            }
        }
    }
}

#[test]
fn each_leg_keeps_its_own_payload_type_numbers() {
    let (relay, _events) = start(&options(2));
    let mut caller = Phone::agreed(&relay, 1, PayloadTypes::pcmu(Some(96)));
    let types = PayloadTypes {
        law: Law::Mu,
        audio: 100,
        telephone_event: Some(101),
    };
    let mut agent = Phone::agreed(&relay, 2, types);
    relay.bridge(caller.leg, agent.leg);
    caller.say(0, b"audio");
    assert_eq!(agent.hear().payload_type, 100);
    caller.say(96, &[5, 0x8a, 3, 0x20]);
    let digit = agent.hear();
    assert_eq!(
        (digit.payload_type, digit.payload),
        (101, vec![5, 0x8a, 3, 0x20])
    );
    agent.say(101, &[1, 0, 0, 160]);
    assert_eq!(caller.hear().payload_type, 96);
    agent.say(0, b"not agreed on this leg");
    caller.hears_nothing();
    assert_eq!(relay.stats(agent.leg).unwrap().dropped_payload_type, 1);
}

#[test]
fn legs_with_different_laws_still_understand_each_other() {
    let (relay, _events) = start(&options(2));
    let mut caller = Phone::agreed(&relay, 1, PayloadTypes::pcmu(None));
    let mut agent = Phone::agreed(&relay, 2, PayloadTypes::pcma(None));
    relay.bridge(caller.leg, agent.leg);
    let wave: Vec<i16> = (0..160).map(|n: i16| (n % 16 - 8) * 1_000).collect();
    for (from, to, spoken, heard) in [(&mut caller, &agent.rtp, (0, Law::Mu), (8, Law::A))] {
        let payload: Vec<u8> = wave.iter().map(|sample| spoken.1.encode(*sample)).collect();
        from.say(spoken.0, &payload);
        let packet = crate::support::receive(to).unwrap();
        assert_eq!(packet.payload_type, heard.0);
        for (byte, sample) in packet.payload.iter().zip(&wave) {
            let error = i32::from(heard.1.decode(*byte)) - i32::from(*sample);
            assert!(error.abs() < 600, "{sample}: off by {error}");
        }
    }
    agent.say(8, &[Law::A.encode(4_000); 160]);
    let back = caller.hear();
    assert_eq!(back.payload_type, 0);
    assert!((3_800..4_200).contains(&Law::Mu.decode(back.payload[0])));
}

#[test]
fn a_conversation_goes_on_when_the_numbers_of_its_packets_come_round() {
    let (relay, _events) = start(&options(2));
    let mut caller = Phone::agreed(&relay, 1, PLAIN);
    let agent = Phone::agreed(&relay, 2, PLAIN);
    relay.bridge(caller.leg, agent.leg);
    // 23 minutes of packets of 20 ms: more than there are numbers.
    for _ in 0..1_400 {
        for _ in 0..50 {
            caller.say(0, b"sound");
        }
        for _ in 0..50 {
            assert_eq!(agent.hear().payload, b"sound");
        }
    }
}

#[test]
fn media_flows_only_in_the_agreed_direction() {
    let (relay, _events) = start(&options(2));
    let mut caller = Phone::agreed(&relay, 1, PLAIN);
    let mut agent = Phone::agreed(&relay, 2, PLAIN);
    relay.bridge(caller.leg, agent.leg);
    let mut held = agent.remote(PLAIN);
    held.direction = Direction::SendOnly;
    relay.set_remote(agent.leg, held.clone());
    agent.say(0, b"against the agreement");
    caller.hears_nothing();
    caller.say(0, b"heard");
    assert_eq!(agent.hear().payload, b"heard");
    held.direction = Direction::Inactive;
    relay.set_remote(agent.leg, held.clone());
    caller.say(0, b"held");
    agent.hears_nothing();
    held.direction = Direction::SendRecv;
    relay.set_remote(agent.leg, held);
    agent.say(0, b"back");
    assert_eq!(caller.hear().payload, b"back");
    assert_eq!(relay.stats(agent.leg).unwrap().dropped_direction, 1);
}

#[test]
fn rtcp_is_relayed_with_the_numbers_of_the_rewritten_stream() {
    let (relay, _events) = start(&options(2));
    let mut caller = Phone::agreed(&relay, 1, PLAIN);
    let agent = Phone::agreed(&relay, 2, PLAIN);
    relay.bridge(caller.leg, agent.leg);
    caller.say(0, b"first");
    let heard = agent.hear();
    // A sender report of the caller, without report blocks.
    let mut report = vec![0x80, 200, 0, 6];
    for word in [caller.ssrc, 1, 2, caller.timestamp, 1, 5] {
        report.extend(word.to_be_bytes());
    }
    caller.rtcp.send_to(&report, caller.rtcp_to()).unwrap();
    let mut buffer = [0; 1500];
    let (length, from) = agent.rtcp.recv_from(&mut buffer).unwrap();
    assert_eq!(from, agent.rtcp_to());
    assert_eq!(length, report.len());
    assert_eq!(buffer[4..8], heard.ssrc.to_be_bytes());
    let timestamp = u32::from_be_bytes(buffer[16..20].try_into().unwrap());
    assert_eq!(timestamp, heard.timestamp.wrapping_add(160));
    // The agent's report on what it hears comes back as one on the caller's stream.
    let mut receiver = vec![0x81, 201, 0, 7];
    let highest = u32::from(heard.sequence);
    for word in [agent.ssrc, heard.ssrc, 0, highest, 0, 0, 0] {
        receiver.extend(word.to_be_bytes());
    }
    let mut agent = agent;
    agent.say(0, b"so that the way back has numbers");
    caller.hear();
    agent.rtcp.send_to(&receiver, agent.rtcp_to()).unwrap();
    let (_, _) = caller.rtcp.recv_from(&mut buffer).unwrap();
    assert_eq!(buffer[8..12], caller.ssrc.to_be_bytes());
    assert_eq!(buffer[16..20], u32::from(caller.sequence - 1).to_be_bytes());
    // From elsewhere it is not taken.
    agent.rtp.send_to(&report, caller.rtcp_to()).unwrap();
    crate::support::until("the stranger's RTCP is counted", || {
        relay.stats(caller.leg).unwrap().dropped_source == 1
    });
}

#[test]
fn a_closed_leg_tells_once_what_was_lost_and_how_far_away_it_was() {
    let (relay, mut events) = start(&options(2));
    let mut caller = Phone::agreed(&relay, 1, PLAIN);
    let mut agent = Phone::agreed(&relay, 2, PLAIN);
    relay.bridge(caller.leg, agent.leg);
    for place in 0..10 {
        if place == 4 || place == 7 {
            // On its way it is lost.
            caller.packet(0, b"lost");
            continue;
        }
        caller.say(0, b"sound");
    }
    let heard: Vec<_> = (0..8).map(|_| agent.hear()).collect();
    let heard = heard.last().unwrap();
    agent.say(0, b"answer");
    caller.hear();
    // The caller reports, and the agent answers that report at once.
    let stamp: u32 = 0x1234_5678;
    let mut report = vec![0x80, 200, 0, 6];
    for word in [
        caller.ssrc,
        stamp >> 16,
        stamp << 16,
        caller.timestamp,
        8,
        5,
    ] {
        report.extend(word.to_be_bytes());
    }
    caller.rtcp.send_to(&report, caller.rtcp_to()).unwrap();
    agent.rtcp.recv_from(&mut [0; 1500]).unwrap();
    let mut answer = vec![0x81, 201, 0, 7];
    let highest = u32::from(heard.sequence);
    for word in [agent.ssrc, heard.ssrc, 2, highest, 0, stamp, 0] {
        answer.extend(word.to_be_bytes());
    }
    agent.rtcp.send_to(&answer, agent.rtcp_to()).unwrap();
    caller.rtcp.recv_from(&mut [0; 1500]).unwrap();

    assert!(relay.close(caller.leg) && relay.close(agent.leg));
    assert!(relay.close(agent.leg), "again, and it is told of once");
    let mut told = [event(&mut events), event(&mut events)].map(|told| {
        let MediaEvent::Closed(measured) = told else {
            panic!("not closed: {told:?}");
        };
        measured
    });
    told.sort_by_key(|measured| measured.leg);
    let [of_caller, of_agent] = told;
    assert_eq!((of_caller.leg, of_agent.leg), (caller.leg, agent.leg));
    assert_eq!((of_caller.received_count, of_caller.lost_count), (8, 2));
    assert_eq!((of_caller.sent_count, of_caller.rtt_us), (1, None));
    assert_eq!((of_agent.received_count, of_agent.lost_count), (1, 0));
    assert_eq!(of_agent.far_lost_count, Some(2));
    let rtt_us = of_agent.rtt_us.unwrap();
    assert!(rtt_us < PATIENCE.as_micros() as u32, "{rtt_us}");
    assert!(events.try_recv().is_err(), "each is told once");
    assert!(!relay.close(leg(99)), "it was never open");
}

#[test]
fn orders_about_closed_legs_and_repeated_orders_are_void() {
    let (relay, _events) = start(&options(2));
    let mut caller = Phone::agreed(&relay, 1, PLAIN);
    let mut agent = Phone::agreed(&relay, 2, PLAIN);
    relay.close(leg(99));
    relay.close(leg(99));
    relay.bridge(caller.leg, leg(99));
    relay.bridge(leg(98), leg(99));
    relay.bridge(caller.leg, caller.leg);
    relay.unbridge(leg(98), caller.leg);
    relay.play_music(leg(99), None);
    relay.silence(leg(99));
    assert_eq!(relay.stats(leg(99)), None);
    let closed = relay.open(leg(99)).unwrap_err();
    assert_eq!(closed.to_string(), "leg was closed before it was opened");
    relay.bridge(caller.leg, agent.leg);
    relay.bridge(agent.leg, caller.leg);
    caller.say(0, b"one");
    assert_eq!(agent.hear().payload, b"one");
    assert_eq!(
        relay.open(caller.leg).unwrap(),
        caller.local,
        "opened twice is one leg"
    );
    relay.close(agent.leg);
    relay.close(agent.leg);
    caller.say(0, b"two");
    agent.say(0, b"three");
    caller.hears_nothing();
    assert_eq!(relay.open_legs(), [caller.leg]);
}

#[test]
fn what_was_ordered_before_a_leg_was_opened_is_done_when_it_is() {
    let (relay, _events) = start(&options(4));
    let mut caller = Phone::agreed(&relay, 1, PLAIN);
    relay.bridge(caller.leg, leg(2));
    let mut agent = Phone::agreed(&relay, 2, PLAIN);
    caller.say(0, b"bridged");
    assert_eq!(agent.hear().payload, b"bridged");
    agent.say(0, b"both ways");
    assert_eq!(caller.hear().payload, b"both ways");
    // A later order for one of the two takes the place of the early one.
    relay.bridge(leg(3), leg(4));
    relay.play_music(leg(4), None);
    let mut third = Phone::agreed(&relay, 3, PLAIN);
    let fourth = Phone::agreed(&relay, 4, PLAIN);
    third.say(0, b"not bridged");
    assert_eq!(fourth.hear().payload.len(), 160, "music");
    third.hears_nothing();
}

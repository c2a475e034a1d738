use std::time::{Duration, Instant};

use ringledger_phone::tone::{best_match, sweep, tone_share};
use ringledger_phone::{Codec, Phone, PhoneOptions, g711};

use crate::{LIMIT, nowhere, talk, two_phones};

/// Half a second.
const HALF_SECOND: usize = 4000;

async fn check_tones(codecs: Vec<Codec>) {
    let options = |options: PhoneOptions| PhoneOptions {
        codecs: codecs.clone(),
        ..options
    };
    let bob = Phone::bind(options(PhoneOptions::new(nowhere(), "bob")))
        .await
        .unwrap();
    let alice = Phone::bind(options(PhoneOptions::new(bob.local_addr(), "alice")))
        .await
        .unwrap();
    let (outgoing, incoming) = talk(&alice, &bob).await;
    assert_eq!(
        (outgoing.media().codec(), incoming.media().codec()),
        (codecs[0], codecs[0])
    );
    outgoing.media().play_tone(440.0, 0.3);
    incoming.media().play_tone(1000.0, 0.3);
    let (at_alice, at_bob) = tokio::join!(
        outgoing.media().record(HALF_SECOND, LIMIT),
        incoming.media().record(HALF_SECOND, LIMIT)
    );
    assert!(tone_share(&at_bob, 440.0) > 0.95 && tone_share(&at_bob, 1000.0) < 0.01);
    assert!(tone_share(&at_alice, 1000.0) > 0.95 && tone_share(&at_alice, 440.0) < 0.01);
}

#[tokio::test]
async fn tones_arrive_both_ways_in_mu_law() {
    check_tones(vec![Codec::Pcmu]).await;
}

#[tokio::test]
async fn tones_arrive_both_ways_in_a_law() {
    check_tones(vec![Codec::Pcma, Codec::Pcmu]).await;
}

#[tokio::test]
async fn what_is_played_arrives_sample_for_sample() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = talk(&alice, &bob).await;
    let signal = sweep(300.0, 3000.0, 1600, 0.3);
    incoming.media().record_start();
    outgoing.media().play_samples(signal.clone(), false);
    assert!(
        incoming
            .media()
            .wait_until(LIMIT, |media| media.recorded_samples() >= 2400)
            .await
    );
    let heard = incoming.media().record_stop();
    let found = best_match(&signal, &heard).unwrap();
    assert!(found.correlation > 0.999, "{found:?}");
    let sent = g711::decode(Codec::Pcmu, &g711::encode(Codec::Pcmu, &signal));
    assert_eq!(
        heard[found.offset..found.offset + signal.len()],
        sent[..],
        "G.711 loses nothing more on the way"
    );
}

#[tokio::test]
async fn packets_are_paced_at_20_ms_and_none_is_lost() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = talk(&alice, &bob).await;
    let began = Instant::now();
    outgoing.media().play_silence();
    assert!(incoming.media().wait_packets(50, LIMIT).await);
    let stats = incoming.media().stats();
    let spent = stats.last_rtp_at.unwrap() - began;
    let frames = u32::try_from(stats.received_packets - 1).unwrap();
    // A busy machine is late, and never early.
    let each = spent / frames;
    assert!(each >= Duration::from_millis(19), "{each:?}");
    assert_eq!(
        (
            stats.lost_packets,
            stats.late_packets,
            stats.foreign_packets,
            stats.unexpected_source_packets
        ),
        (0, 0, 0, 0)
    );
}

#[tokio::test]
async fn keys_arrive_as_telephone_events() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = talk(&alice, &bob).await;
    outgoing.media().play_silence();
    for key in "10#*".chars() {
        assert!(outgoing.media().send_digit(key, 60));
    }
    assert!(
        incoming
            .media()
            .wait_until(LIMIT, |media| media.received_digits().len() == 4)
            .await
    );
    assert_eq!(incoming.media().received_digits(), "10#*");
    assert!(
        incoming.media().wait_packets(3, LIMIT).await,
        "audio goes on behind the keys"
    );
}

#[tokio::test]
async fn keys_are_not_sent_to_a_phone_that_takes_none() {
    let bob = Phone::bind(PhoneOptions {
        telephone_event: None,
        ..PhoneOptions::new(nowhere(), "bob")
    })
    .await
    .unwrap();
    let alice = Phone::bind(PhoneOptions::new(bob.local_addr(), "alice"))
        .await
        .unwrap();
    let (outgoing, _incoming) = talk(&alice, &bob).await;
    assert!(!outgoing.media().send_digit('1', 60));
}

#[tokio::test]
async fn rtp_stops_with_the_call_and_its_port_is_free_again() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = talk(&alice, &bob).await;
    let port = outgoing.media().local_addr().unwrap();
    incoming.media().play_silence();
    assert!(outgoing.media().wait_packets(2, LIMIT).await);
    outgoing.hang_up().await.unwrap();
    incoming.wait_ended(LIMIT).await.unwrap();
    let rebound = async {
        loop {
            if tokio::net::UdpSocket::bind(port).await.is_ok() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, rebound).await.unwrap();
}

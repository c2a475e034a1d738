use ringledger_phone::{
    CallEvent, CallOptions, EndedBy, Error, MediaMode, Offer, Phase, Phone, PhoneOptions,
};

use crate::{LIMIT, call_in, nowhere, talk, two_phones};

#[tokio::test]
async fn a_call_rings_is_answered_and_hung_up_by_the_caller() {
    let (alice, bob) = two_phones().await;
    let (mut outgoing, mut incoming) = call_in(&alice, &bob).await;
    assert_eq!(incoming.from_user(), Some("alice"));
    assert_eq!(incoming.to_user(), Some("bob"));
    incoming.trying().await.unwrap();
    assert_eq!(outgoing.next_event().await, Some(CallEvent::Trying));
    incoming.ring().await.unwrap();
    assert_eq!(
        outgoing.next_event().await,
        Some(CallEvent::Ringing { status: 180 })
    );
    incoming.answer().await.unwrap();
    assert_eq!(outgoing.next_event().await, Some(CallEvent::Answered));
    assert_eq!(outgoing.hang_up().await.unwrap(), 200);
    assert_eq!(
        incoming.next_event().await,
        Some(CallEvent::RemoteHangup { reason: None })
    );
    assert_eq!(incoming.next_event().await, None);
    assert_eq!(outgoing.progress().ended_by, Some(EndedBy::Us));
    assert_eq!(incoming.progress().ended_by, Some(EndedBy::Remote));

    let (out, inc) = (outgoing.steps(), incoming.steps());
    assert!(out.invite_sent_at <= inc.invite_received_at);
    assert!(inc.answered_at <= out.answered_at && out.answered_at <= out.ack_at);
    assert!(out.bye_sent_at <= inc.bye_received_at && inc.bye_received_at <= out.bye_answered_at);
}

#[tokio::test]
async fn the_called_side_can_hang_up() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = talk(&alice, &bob).await;
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    assert_eq!(
        outgoing.wait_ended(LIMIT).await.unwrap().ended_by,
        Some(EndedBy::Remote)
    );
    assert!(matches!(outgoing.hang_up().await, Err(Error::WrongState)));
}

#[tokio::test]
async fn a_refusal_arrives_with_its_status_and_headers() {
    let (alice, bob) = two_phones().await;
    let (mut outgoing, incoming) = call_in(&alice, &bob).await;
    let reason = ("Reason".to_owned(), "Q.850;cause=17".to_owned());
    incoming.reject_with(486, vec![reason]).await.unwrap();
    match outgoing.next_event().await {
        Some(CallEvent::Rejected(rejection)) => {
            assert_eq!(
                (rejection.status, rejection.phrase.as_str()),
                (486, "Busy Here")
            );
            assert_eq!(rejection.reason.as_deref(), Some("Q.850;cause=17"));
        }
        other => panic!("{other:?}"),
    }
    let refused = outgoing.wait_answered(LIMIT).await;
    assert!(
        matches!(refused, Err(Error::Rejected { status: 486, .. })),
        "{refused:?}"
    );
    assert_eq!(
        incoming.wait_ended(LIMIT).await.unwrap().ended_by,
        Some(EndedBy::Rejected)
    );
}

#[tokio::test]
async fn a_phone_that_ignores_a_call_answers_nothing_and_the_caller_times_out() {
    let bob = Phone::bind(PhoneOptions::new(nowhere(), "bob"))
        .await
        .unwrap();
    let options = PhoneOptions {
        t1_ms: 10,
        ..PhoneOptions::new(bob.local_addr(), "alice")
    };
    let alice = Phone::bind(options).await.unwrap();
    let (mut outgoing, incoming) = call_in(&alice, &bob).await;
    incoming.ignore().await.unwrap();
    assert_eq!(outgoing.next_event().await, Some(CallEvent::TimedOut));
    let progress = outgoing.wait_ended(LIMIT).await.unwrap();
    assert_eq!(
        (progress.status, progress.ended_by),
        (None, Some(EndedBy::Timeout))
    );
    // Timer B is 64 x T1 (RFC 3261 17.1.1.2).
    let waited = progress.steps.ended_at.unwrap() - progress.steps.invite_sent_at.unwrap();
    assert!((640..2000).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn a_caller_that_vanishes_leaves_the_other_side_in_the_call() {
    let (alice, _) = two_phones().await;
    let bob = Phone::bind(PhoneOptions {
        t1_ms: 10,
        ..PhoneOptions::new(alice.local_addr(), "bob")
    })
    .await
    .unwrap();
    let alice = Phone::bind(PhoneOptions::new(bob.local_addr(), "alice"))
        .await
        .unwrap();
    let (outgoing, incoming) = talk(&alice, &bob).await;
    outgoing.vanish().await.unwrap();
    assert_eq!(
        outgoing.wait_ended(LIMIT).await.unwrap().ended_by,
        Some(EndedBy::Vanished)
    );
    assert_eq!(incoming.progress().phase, Phase::Answered);
    assert!(
        matches!(incoming.hang_up().await, Err(Error::Timeout)),
        "nobody answers the BYE"
    );
}

#[tokio::test]
async fn a_silent_phone_sees_nothing_until_it_is_back() {
    let (alice, bob) = two_phones().await;
    bob.set_silent(true).await.unwrap();
    let outgoing = alice.call("bob", CallOptions::default()).await.unwrap();
    let unseen =
        tokio::time::timeout(std::time::Duration::from_millis(300), bob.next_incoming()).await;
    assert!(unseen.is_err());
    bob.set_silent(false).await.unwrap();
    let incoming = bob.next_incoming().await.unwrap(); // the INVITE is repeated
    incoming.answer().await.unwrap();
    outgoing.wait_answered(LIMIT).await.unwrap();
}

#[tokio::test]
async fn an_unacknowledged_answer_is_repeated_and_then_hung_up() {
    let options = PhoneOptions {
        t1_ms: 10,
        ..PhoneOptions::new(nowhere(), "bob")
    };
    let bob = Phone::bind(options).await.unwrap();
    let alice = Phone::bind(PhoneOptions::new(bob.local_addr(), "alice"))
        .await
        .unwrap();
    let options = CallOptions {
        withhold_ack: true,
        ..CallOptions::default()
    };
    let outgoing = alice.call("bob", options).await.unwrap();
    let incoming = bob.next_incoming().await.unwrap();
    assert!(matches!(
        incoming.answer().await,
        Err(Error::NotAcknowledged)
    ));
    assert_eq!(
        incoming.wait_ended(LIMIT).await.unwrap().ended_by,
        Some(EndedBy::Timeout)
    );
    assert_eq!(
        outgoing.wait_ended(LIMIT).await.unwrap().ended_by,
        Some(EndedBy::Remote)
    );
}

#[tokio::test]
async fn a_call_without_an_offer_is_offered_to_and_answers_in_its_ack() {
    let (alice, bob) = two_phones().await;
    let options = CallOptions {
        offer: Offer::Nothing,
        ..CallOptions::default()
    };
    let outgoing = alice.call("bob", options).await.unwrap();
    let incoming = bob.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    outgoing.wait_answered(LIMIT).await.unwrap();
    outgoing.media().play_tone(440.0, 0.2);
    assert!(incoming.media().wait_packets(5, LIMIT).await);
}

#[tokio::test]
async fn an_offer_without_a_common_codec_is_refused_with_488() {
    let (alice, bob) = two_phones().await;
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n";
    let options = CallOptions {
        offer: Offer::Body(sdp.to_owned()),
        ..CallOptions::default()
    };
    let outgoing = alice.call("bob", options).await.unwrap();
    let incoming = bob.next_incoming().await.unwrap();
    assert!(matches!(incoming.answer().await, Err(Error::NoCommonCodec)));
    assert!(matches!(
        outgoing.wait_answered(LIMIT).await,
        Err(Error::Rejected { status: 488, .. })
    ));
}

#[tokio::test]
async fn one_phone_holds_a_hundred_calls() {
    let quiet = |options: PhoneOptions| PhoneOptions {
        media: MediaMode::PortOnly,
        incoming_max: 200,
        ..options
    };
    let bob = Phone::bind(quiet(PhoneOptions::new(nowhere(), "bob")))
        .await
        .unwrap();
    let alice = Phone::bind(quiet(PhoneOptions::new(bob.local_addr(), "alice")))
        .await
        .unwrap();
    let mut calls = Vec::new();
    for _ in 0..100 {
        let (outgoing, incoming) = call_in(&alice, &bob).await;
        incoming.answer().await.unwrap();
        outgoing.wait_answered(LIMIT).await.unwrap();
        calls.push((outgoing, incoming));
    }
    for (outgoing, incoming) in calls {
        assert_eq!(outgoing.hang_up().await.unwrap(), 200);
        assert_eq!(
            incoming.wait_ended(LIMIT).await.unwrap().ended_by,
            Some(EndedBy::Remote)
        );
    }
}

#[tokio::test]
async fn a_phone_on_every_address_names_one_that_can_be_reached() {
    let options = PhoneOptions {
        bind: "0.0.0.0:0".parse().unwrap(),
        ..PhoneOptions::new(nowhere(), "bob")
    };
    let bob = Phone::bind(options).await.unwrap();
    assert_eq!(bob.local_addr().ip().to_string(), "127.0.0.1");
    let alice = Phone::bind(PhoneOptions::new(bob.local_addr(), "alice"))
        .await
        .unwrap();
    let (outgoing, _incoming) = talk(&alice, &bob).await;
    assert_eq!(outgoing.hang_up().await.unwrap(), 200);
}

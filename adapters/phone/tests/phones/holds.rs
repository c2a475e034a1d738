use ringledger_phone::{CallEvent, Error};

use crate::{LIMIT, talk, two_phones};

#[tokio::test]
async fn the_caller_holds_and_resumes() {
    let (alice, bob) = two_phones().await;
    let (outgoing, mut incoming) = talk(&alice, &bob).await;
    incoming.media().play_tone(440.0, 0.3);
    assert!(outgoing.media().wait_packets(3, LIMIT).await);

    assert_eq!(outgoing.hold().await.unwrap(), 200);
    assert_eq!(incoming.next_event().await, Some(CallEvent::RemoteHold));
    assert!(incoming.progress().held_by_remote);
    // A phone on hold sends nothing: the count of its packets stands still.
    let sent = incoming.media().stats().sent_packets;
    outgoing.media().play_tone(350.0, 0.3);
    assert!(
        incoming.media().wait_packets(5, LIMIT).await,
        "the one who holds may play music"
    );
    assert_eq!(incoming.media().stats().sent_packets, sent);

    assert_eq!(outgoing.resume().await.unwrap(), 200);
    assert_eq!(incoming.next_event().await, Some(CallEvent::RemoteResume));
    assert!(outgoing.media().wait_packets(3, LIMIT).await);
}

#[tokio::test]
async fn the_called_side_holds_and_resumes() {
    let (alice, bob) = two_phones().await;
    let (mut outgoing, incoming) = talk(&alice, &bob).await;
    assert_eq!(
        outgoing.next_event().await,
        Some(CallEvent::Ringing { status: 180 })
    );
    assert_eq!(outgoing.next_event().await, Some(CallEvent::Answered));
    incoming.hold().await.unwrap();
    assert_eq!(outgoing.next_event().await, Some(CallEvent::RemoteHold));
    incoming.resume().await.unwrap();
    assert_eq!(outgoing.next_event().await, Some(CallEvent::RemoteResume));
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
}

#[tokio::test]
async fn two_re_invites_that_cross_are_refused_with_491_and_the_call_stays() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = talk(&alice, &bob).await;
    let (one, other) = tokio::join!(outgoing.hold(), incoming.hold());
    for result in [one, other] {
        match result {
            Ok(200) | Err(Error::Rejected { status: 491, .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(outgoing.hang_up().await.unwrap(), 200);
}

#[tokio::test]
async fn an_ended_call_cannot_be_held() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = talk(&alice, &bob).await;
    outgoing.hang_up().await.unwrap();
    assert!(matches!(outgoing.hold().await, Err(Error::WrongState)));
    assert!(matches!(incoming.hold().await, Err(Error::WrongState)));
}

#[tokio::test]
async fn a_refused_hold_leaves_the_audio_as_it_was() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = talk(&alice, &bob).await;
    // Both ask at once until one is refused; whoever was refused is not holding.
    for _ in 0..50 {
        let (one, other) = tokio::join!(outgoing.hold(), incoming.hold());
        let refused = [one.is_err(), other.is_err()];
        // What was held is taken back before the next try.
        let resumed = [outgoing.resume().await, incoming.resume().await];
        assert!(resumed.iter().all(Result::is_ok), "{resumed:?}");
        if refused.contains(&true) {
            break;
        }
    }
    outgoing.media().play_silence();
    incoming.media().play_silence();
    assert!(
        incoming.media().wait_packets(3, LIMIT).await
            && outgoing.media().wait_packets(3, LIMIT).await
    );
}

#[tokio::test]
async fn these_phones_have_nothing_to_complain_about_each_other() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = talk(&alice, &bob).await;
    outgoing.hold().await.unwrap();
    incoming.hang_up().await.unwrap();
    let (outgoing, incoming) = crate::call_in(&alice, &bob).await;
    incoming.ring().await.unwrap();
    outgoing.wait_ringing(LIMIT).await.unwrap();
    outgoing.cancel().await.unwrap();
    let (outgoing, incoming) = crate::call_in(&alice, &bob).await;
    incoming.reject(603).await.unwrap();
    outgoing.wait_ended(LIMIT).await.unwrap();
    alice.options_ping("bob").await.unwrap();
    assert!(alice.register(60).await.is_err());
    assert_eq!((alice.complaints(), bob.complaints()), (vec![], vec![]));
}

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

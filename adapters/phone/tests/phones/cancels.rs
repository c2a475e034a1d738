use std::time::Duration;

use ringledger_phone::{CallEvent, CallOptions, CancelOutcome, EndedBy, Error};

use crate::{LIMIT, call_in, two_phones};

#[tokio::test]
async fn a_cancelled_call_stops_ringing_and_ends_with_487() {
    let (alice, bob) = two_phones().await;
    let (outgoing, mut incoming) = call_in(&alice, &bob).await;
    incoming.ring().await.unwrap();
    outgoing.wait_ringing(LIMIT).await.unwrap();
    assert_eq!(
        outgoing.cancel().await.unwrap(),
        CancelOutcome::Cancelled { status: Some(487) }
    );
    assert_eq!(incoming.next_event().await, Some(CallEvent::Cancelled));
    let cancelled_at = tokio::time::timeout(LIMIT, incoming.cancelled())
        .await
        .unwrap();
    assert!(cancelled_at >= outgoing.steps().cancel_at.unwrap());
    assert_eq!(
        incoming.wait_ended(LIMIT).await.unwrap().ended_by,
        Some(EndedBy::Cancelled)
    );
    assert!(matches!(incoming.answer().await, Err(Error::Cancelled)));
}

#[tokio::test]
async fn cancel_waits_for_the_first_provisional_response() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = call_in(&alice, &bob).await;
    let (cancelled, ()) = tokio::join!(outgoing.cancel(), async {
        let early = tokio::time::timeout(Duration::from_millis(200), incoming.cancelled()).await;
        assert!(
            early.is_err(),
            "RFC 3261 9.1: no CANCEL before a provisional response"
        );
        incoming.ring().await.unwrap();
    });
    assert_eq!(
        cancelled.unwrap(),
        CancelOutcome::Cancelled { status: Some(487) }
    );
}

#[tokio::test]
async fn an_answer_after_the_cancel_is_acknowledged_and_hung_up() {
    let (alice, bob) = two_phones().await;
    let (mut outgoing, incoming) = call_in(&alice, &bob).await;
    incoming.keep_on_cancel().await.unwrap();
    incoming.ring().await.unwrap();
    outgoing.wait_ringing(LIMIT).await.unwrap();
    let (cancelled, late) = tokio::join!(outgoing.cancel(), incoming.answer_late(LIMIT));
    assert_eq!(cancelled.unwrap(), CancelOutcome::AnsweredFirst);
    let late = late.unwrap();
    assert!(late.acked && late.byed, "{late:?}");
    assert!(late.cancelled_at <= late.answered_at);
    let mut events = Vec::new();
    while let Some(event) = outgoing.next_event().await {
        events.push(event);
    }
    assert!(
        events.contains(&CallEvent::AnsweredAfterCancel),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_late_answer_after_487_is_not_possible() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = call_in(&alice, &bob).await;
    incoming.ring().await.unwrap();
    outgoing.wait_ringing(LIMIT).await.unwrap();
    outgoing.cancel().await.unwrap();
    assert!(matches!(
        incoming.answer_late(LIMIT).await,
        Err(Error::Cancelled)
    ));
}

#[tokio::test]
async fn a_cancel_that_crosses_the_answer_changes_nothing_and_the_caller_hangs_up() {
    let (alice, bob) = two_phones().await;
    let (outgoing, incoming) = call_in(&alice, &bob).await;
    incoming.answer().await.unwrap();
    outgoing.wait_answered(LIMIT).await.unwrap();
    assert!(matches!(outgoing.cancel().await, Err(Error::WrongState)));
    assert_eq!(
        outgoing.cancel_even_if_answered().await.unwrap(),
        CancelOutcome::AnsweredFirst
    );
    let progress = incoming.wait_ended(LIMIT).await.unwrap();
    assert!(progress.steps.cancel_at.is_some());
    assert_eq!(progress.ended_by, Some(EndedBy::Remote));
}

#[tokio::test]
async fn a_cancel_that_is_ignored_ends_by_the_clock() {
    let (_, bob) = two_phones().await;
    let options = ringledger_phone::PhoneOptions {
        t1_ms: 10,
        ..ringledger_phone::PhoneOptions::new(bob.local_addr(), "alice")
    };
    let alice = ringledger_phone::Phone::bind(options).await.unwrap();
    let outgoing = alice.call("bob", CallOptions::default()).await.unwrap();
    let incoming = bob.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    outgoing.wait_ringing(LIMIT).await.unwrap();
    incoming.ignore().await.unwrap();
    assert_eq!(
        outgoing.cancel().await.unwrap(),
        CancelOutcome::Cancelled { status: None }
    );
}

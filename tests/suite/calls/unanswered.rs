//! Calls that an agent does not take, and callers who leave.

use crate::{
    ends::{End, hangup, hung_up, no_complaints},
    world::{PATIENCE, dial, open, open_with, options, rules},
};
use domain::{
    call,
    cause::{By, Disposition, EndReason, OfferOutcome},
    queue,
};
use phone::{CancelOutcome, EndedBy};
use std::time::Duration;

/// A caller who took the call back.
const CANCELLED: End = End {
    disposition: Disposition::Abandoned,
    by: By::Caller,
    reason: EndReason::Cancelled,
    sip_status: Some(487),
    incomplete: false,
};

#[tokio::test]
async fn a_caller_who_leaves_the_queue_is_abandoned() {
    let world = open().await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    out.wait_ringing(PATIENCE).await.unwrap();
    let outcome = out.cancel().await.unwrap();
    assert!(
        matches!(outcome, CancelOutcome::Cancelled { .. }),
        "{outcome:?}"
    );
    assert_eq!(world.the_end(before).await, CANCELLED);
    no_complaints(&[&caller]);
}

#[tokio::test]
async fn the_agents_phone_stops_ringing_when_the_caller_leaves() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    world.see(before, "leg_alerting").await;
    out.cancel().await.unwrap();
    let ended = incoming.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Cancelled));
    world
        .office
        .see(before, |entry| {
            (&*entry.recorded.event_type == "reservation_released").then_some(())
        })
        .await;
    assert_eq!(world.the_end(before).await, CANCELLED);
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_200_that_crosses_the_cancel_is_acknowledged_and_hung_up() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    incoming.keep_on_cancel().await.unwrap();
    out.wait_ringing(PATIENCE).await.unwrap();
    out.cancel().await.unwrap();
    let late = incoming.answer_late(PATIENCE).await.unwrap();
    assert!(late.acked && late.byed, "{late:?}");
    assert_eq!(world.the_end(before).await, CANCELLED);
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn an_agent_who_refuses_is_followed_by_the_next() {
    for status in [486, 603] {
        let world = open().await;
        let queue = world.support(rules()).await;
        world.agent("anna", queue).await;
        world.agent("bert", queue).await;
        let first = world.agent_phone("anna").await;
        let second = world.agent_phone("bert").await;
        let caller = world.phone("4930111").await;
        let before = world.feed().head();
        let out = dial(&caller, "support").await;
        let refused = first.next_incoming().await.unwrap();
        refused.ring().await.unwrap();
        refused.reject(status).await.unwrap();
        let taken = second.next_incoming().await.unwrap();
        taken.answer().await.unwrap();
        out.wait_answered(PATIENCE).await.unwrap();
        let (_, outcome) = world
            .office
            .see(before, |entry| match &entry.fact.event {
                domain::any::AnyEvent::Call(_, call::Event::OfferEnded { outcome, wire, .. }) => {
                    Some((*outcome, wire.sip_status))
                }
                _ => None,
            })
            .await;
        let expected = match status {
            486 => OfferOutcome::Busy,
            _ => OfferOutcome::Rejected,
        };
        assert_eq!(outcome, (expected, Some(status)));
        out.hang_up().await.unwrap();
        hung_up(&taken).await;
        assert_eq!(world.the_end(before).await, hangup(By::Caller));
        world.see_free(&second).await;
        no_complaints(&[&caller, &first, &second]);
    }
}

#[tokio::test]
async fn a_phone_that_rings_too_long_is_cancelled_and_the_next_agent_rings() {
    let world = open().await;
    let config = queue::Config {
        ring_timeout_ms: 1_000,
        ..rules()
    };
    let queue = world.support(config).await;
    world.agent("anna", queue).await;
    world.agent("bert", queue).await;
    let first = world.agent_phone("anna").await;
    let second = world.agent_phone("bert").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let rings = first.next_incoming().await.unwrap();
    rings.ring().await.unwrap();
    let taken = second.next_incoming().await.unwrap();
    let ended = rings.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Cancelled));
    taken.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    out.hang_up().await.unwrap();
    hung_up(&taken).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));
    // Not tried for this call again, but free for the next.
    world.see_free(&first).await;
    no_complaints(&[&caller, &first, &second]);
}

#[tokio::test]
async fn a_phone_that_does_not_respond_is_unreachable() {
    let world = open_with(sip::Options {
        t1_ms: 10,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    agent.set_silent(true).await.unwrap();
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let (_, outcome) = world
        .office
        .see(before, |entry| match &entry.fact.event {
            domain::any::AnyEvent::Call(_, call::Event::OfferEnded { outcome, .. }) => {
                Some(*outcome)
            }
            _ => None,
        })
        .await;
    assert_eq!(outcome, OfferOutcome::Unreachable);
    out.cancel().await.unwrap();
    assert_eq!(world.the_end(before).await, CANCELLED);
    // The agent is left alone for a while; another gets the next call.
    world.agent("bert", queue).await;
    let other = world.agent_phone("bert").await;
    world.see_free(&other).await;
    no_complaints(&[&caller, &agent, &other]);
}

#[tokio::test]
async fn a_caller_who_waits_too_long_is_told_so() {
    let world = open().await;
    let config = queue::Config {
        max_wait_ms: 300,
        ..rules()
    };
    let queue = world.support(config).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let ended = out.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.status, Some(480));
    let unanswered = End {
        disposition: Disposition::NoAnswer,
        by: By::System,
        reason: EndReason::MaxWait,
        sip_status: Some(480),
        incomplete: false,
    };
    assert_eq!(world.the_end(before).await, unanswered);
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn ringing_is_repeated_so_that_no_proxy_gives_up() {
    let world = open_with(sip::Options {
        ring_repeat_ms: 500,
        ..options()
    })
    .await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let mut out = dial(&caller, "support").await;
    let mut rings = 0;
    while rings < 3 {
        let event = tokio::time::timeout(Duration::from_secs(10), out.next_event())
            .await
            .unwrap();
        if matches!(event, Some(phone::CallEvent::Ringing { status: 180 })) {
            rings += 1;
        }
    }
    out.cancel().await.unwrap();
    world.see_nothing_left().await;
}

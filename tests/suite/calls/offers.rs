//! Offers that come to nothing, and what becomes of caller and agent.

use crate::{
    ends::{hangup, hung_up, no_complaints},
    world::{PATIENCE, World, dial, open, rules},
};
use commands::{ports::Position, sessions::Wish};
use domain::{
    any::AnyEvent,
    call,
    cause::{By, OfferOutcome},
    id::AgentId,
    queue,
    session::{self, NotReadyReason, ReleaseReason},
};
use phone::{EndedBy, Phase, Phone};

/// Waits for the next offer that ends without an agent.
async fn see_offer_end(world: &World, after: Position) -> (Position, (OfferOutcome, Option<u16>)) {
    world
        .office
        .see(after, |entry| match &entry.fact.event {
            AnyEvent::Call(_, call::Event::OfferEnded { outcome, wire, .. }) => {
                Some((*outcome, wire.sip_status))
            }
            _ => None,
        })
        .await
}

/// Waits until the agent is let go, and says why.
async fn see_release(world: &World, after: Position, wanted: AgentId) -> (Position, ReleaseReason) {
    world
        .office
        .see(after, |entry| match &entry.fact.event {
            AnyEvent::Session(session, session::Event::ReservationReleased { reason, .. })
                if session.agent == wanted =>
            {
                Some(*reason)
            }
            _ => None,
        })
        .await
}

async fn refuse(agent: &Phone, status: u16) {
    let offered = agent.next_incoming().await.unwrap();
    offered.ring().await.unwrap();
    offered.reject(status).await.unwrap();
    let ended = offered.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Rejected));
}

#[tokio::test]
async fn a_caller_whom_both_agents_refuse_keeps_waiting_and_is_offered_again() {
    let world = open().await;
    let queue = world.support(rules()).await;
    let anna = world.agent("anna", queue).await;
    let bert = world.agent("bert", queue).await;
    let first = world.agent_phone("anna").await;
    let second = world.agent_phone("bert").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    refuse(&first, 603).await;
    let (next, outcome) = see_offer_end(&world, before).await;
    assert_eq!(outcome, (OfferOutcome::Rejected, Some(603)));
    refuse(&second, 603).await;
    let (_, outcome) = see_offer_end(&world, next).await;
    assert_eq!(outcome, (OfferOutcome::Rejected, Some(603)));
    for agent in [anna, bert] {
        let (_, reason) = see_release(&world, before, agent).await;
        assert_eq!(reason, ReleaseReason::Rejected);
    }
    assert_eq!(out.progress().phase, Phase::Ringing, "the caller waits");
    assert_eq!(world.sip.calls(), 1);

    // Left alone for a while, then asked again.
    let again = first.next_incoming().await.unwrap();
    assert_eq!(out.progress().phase, Phase::Ringing);
    again.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    assert_eq!(again.hang_up().await.unwrap(), 200);
    hung_up(&out).await;
    assert_eq!(world.the_end(before).await, hangup(By::Agent));
    world.see_free(&second).await;
    no_complaints(&[&caller, &first, &second]);
}

#[tokio::test]
async fn an_agent_whose_phone_is_away_is_followed_by_the_next() {
    for status in [480, 404, 500] {
        let world = open().await;
        let queue = world.support(rules()).await;
        let anna = world.agent("anna", queue).await;
        world.agent("bert", queue).await;
        let first = world.agent_phone("anna").await;
        let second = world.agent_phone("bert").await;
        let caller = world.phone("4930111").await;
        let before = world.feed().head();
        let out = dial(&caller, "support").await;
        let offered = first.next_incoming().await.unwrap();
        offered.reject(status).await.unwrap();
        let (_, outcome) = see_offer_end(&world, before).await;
        assert_eq!(outcome, (OfferOutcome::Unreachable, Some(status)));
        let (_, reason) = see_release(&world, before, anna).await;
        assert_eq!(reason, ReleaseReason::Unreachable, "{status}");
        let taken = second.next_incoming().await.unwrap();
        taken.answer().await.unwrap();
        out.wait_answered(PATIENCE).await.unwrap();
        assert_eq!(out.hang_up().await.unwrap(), 200);
        hung_up(&taken).await;
        assert_eq!(world.the_end(before).await, hangup(By::Caller));
        world.see_free(&second).await;
        no_complaints(&[&caller, &first, &second]);
    }
}

#[tokio::test]
async fn an_agent_who_lets_it_ring_three_times_is_taken_out_until_ready_again() {
    let world = open().await;
    let config = queue::Config {
        ring_timeout_ms: 1_000,
        ..rules()
    };
    let queue = world.support(config).await;
    let anna = world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let mut after = before;
    for _ in 0..3 {
        let rings = agent.next_incoming().await.unwrap();
        rings.ring().await.unwrap();
        let ended = rings.wait_ended(PATIENCE).await.unwrap();
        assert_eq!(ended.ended_by, Some(EndedBy::Cancelled));
        let (position, reason) = see_release(&world, after, anna).await;
        assert_eq!(reason, ReleaseReason::NoAnswer);
        after = position;
    }
    world
        .office
        .see(before, |entry| match &entry.fact.event {
            AnyEvent::Session(
                session,
                session::Event::BecameNotReady {
                    reason: NotReadyReason::Rona,
                    ..
                },
            ) if session.agent == anna => Some(()),
            _ => None,
        })
        .await;
    assert_eq!(out.progress().phase, Phase::Ringing, "the caller waits");

    world.office.wish(anna, Wish::Ready).await;
    let taken = agent.next_incoming().await.unwrap();
    taken.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    assert_eq!(out.hang_up().await.unwrap(), 200);
    hung_up(&taken).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));
    let offers = world
        .office
        .history()
        .await
        .iter()
        .filter(|entry| &*entry.recorded.event_type == "offer_started")
        .count();
    assert_eq!(offers, 4, "none while the agent was out");
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

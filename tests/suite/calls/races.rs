//! Two things at once: whatever comes first in the record decides, and nothing
//! is left standing.

use crate::{
    ends::{hangup, no_complaints},
    world::{PATIENCE, dial, open, rules},
};
use domain::{any::AnyEvent, call, cause::By};
use std::time::Duration;

#[tokio::test]
async fn a_caller_who_leaves_as_the_agent_answers_leaves_nothing_behind() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    // From "well before" over "the same instant" to "well after".
    for round in 0..24_u64 {
        let before = world.feed().head();
        let out = dial(&caller, "support").await;
        let incoming = agent.next_incoming().await.unwrap();
        incoming.ring().await.unwrap();
        out.wait_ringing(PATIENCE).await.unwrap();
        let leave = async {
            tokio::time::sleep(Duration::from_micros(round * 250)).await;
            out.cancel_even_if_answered().await
        };
        let answer = async {
            tokio::time::sleep(Duration::from_micros(3_000)).await;
            incoming.answer().await
        };
        let (left, _answered) = tokio::join!(leave, answer);

        // It was answered and hung up, or taken back: never stuck.
        assert!(left.is_ok(), "round {round}: {left:?}");
        incoming.wait_ended(PATIENCE).await.unwrap();
        world.see_end(before).await;
        world.see_nothing_left().await;
        // The agent takes the next call at once.
        world
            .office
            .see(before, |entry| match &entry.fact.event {
                AnyEvent::Session(
                    _,
                    domain::session::Event::ReservationReleased { .. }
                    | domain::session::Event::ContactEnded { .. },
                ) => Some(()),
                _ => None,
            })
            .await;
    }
    no_complaints(&[&caller, &agent]);
    let history = world.office.history().await;
    let ends = history
        .iter()
        .filter(|entry| {
            matches!(
                &entry.fact.event,
                AnyEvent::Call(_, call::Event::Ended { .. })
            )
        })
        .count();
    assert_eq!(ends, 24, "each call ended exactly once");
}

#[tokio::test]
async fn both_sides_hang_up_at_once() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    for _ in 0..10 {
        let before = world.feed().head();
        let out = dial(&caller, "support").await;
        let incoming = agent.next_incoming().await.unwrap();
        incoming.answer().await.unwrap();
        out.wait_answered(PATIENCE).await.unwrap();
        let (first, second) = tokio::join!(out.hang_up(), incoming.hang_up());
        // Each BYE got 200, or found that the other had been faster.
        assert!(first.is_ok() || second.is_ok());
        out.wait_ended(PATIENCE).await.unwrap();
        incoming.wait_ended(PATIENCE).await.unwrap();
        let end = world.the_end(before).await;
        assert!(
            end == hangup(By::Caller) || end == hangup(By::Agent),
            "{end:?}"
        );
    }
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn five_callers_share_two_agents_and_none_is_lost() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    world.agent("bert", queue).await;
    let script = phone::AgentScript {
        ring_ms: 10,
        talk: phone::Talk::ForMs(200),
        ..phone::AgentScript::default()
    };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut shifts = Vec::new();
    for name in ["anna", "bert"] {
        let agent = world.agent_phone(name).await;
        let mut stopped = stopped.clone();
        shifts.push(tokio::spawn(async move {
            let until = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            agent.run_agent(script, until).await
        }));
    }
    let mut callers = Vec::new();
    for number in 0..5 {
        let caller = world.phone(&format!("493000{number}")).await;
        callers.push(tokio::spawn(async move {
            let out = dial(&caller, "support").await;
            out.wait_answered(PATIENCE).await.unwrap();
            out.wait_ended(PATIENCE).await.unwrap();
        }));
    }
    for caller in callers {
        caller.await.unwrap();
    }
    world.see_nothing_left().await;
    stop.send(true).unwrap();
    let mut answered = Vec::new();
    for shift in shifts {
        let stats = shift.await.unwrap();
        assert_eq!(stats.overlaps(), 0, "one call at a time");
        answered.push(stats.answered);
    }
    answered.sort_unstable();
    assert_eq!(answered, [2, 3]);
}

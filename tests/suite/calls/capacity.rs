//! An agent who may have two calls at once: the phone rings for the second caller while the
//! first is on the line, and a third waits.

use crate::{
    ends::{hung_up, no_complaints},
    world::{PATIENCE, World, dial, open, rules},
};
use commands::ports::Position;
use domain::{
    any::AnyEvent,
    id::{AgentId, CallId},
    session::Event,
};
use phone::Phase;

/// What the sessions of the agent have said after that, each with its call.
async fn said(world: &World, after: Position, agent: AgentId) -> Vec<(String, Option<CallId>)> {
    let history = world.office.history().await;
    let said = history.into_iter().filter_map(|entry| {
        let is_new = entry.recorded.position > after;
        match &entry.fact.event {
            AnyEvent::Session(session, event) if session.agent == agent && is_new => {
                let call = match event {
                    Event::Reserved { call, .. }
                    | Event::ConnectedToContact { call, .. }
                    | Event::ContactEnded { call, .. } => Some(*call),
                    _ => None,
                };
                Some((entry.recorded.event_type.to_string(), call))
            }
            _ => None,
        }
    });
    said.collect()
}

#[tokio::test]
async fn a_second_caller_rings_while_the_first_is_on_the_line_and_a_third_waits() {
    let world = open().await;
    let rules = domain::queue::Config {
        wrap_up_ms: 0,
        ..rules()
    };
    let queue = world.support(rules).await;
    let anna = world.agent_of("anna", queue, 2).await;
    let agent = world.agent_phone("anna").await;
    let (one, two, three) = (
        world.phone("4930111").await,
        world.phone("4930222").await,
        world.phone("4930333").await,
    );
    let before = world.feed().head();

    let first_out = dial(&one, "support").await;
    let first = agent.next_incoming().await.unwrap();
    assert_eq!(first.from_user(), Some("4930111"));
    first.answer().await.unwrap();
    first_out.wait_answered(PATIENCE).await.unwrap();
    let (_, first_call) = world.see(before, "agent_connected").await;

    // The first is held while the phone is picked up for the second.
    let second_out = dial(&two, "support").await;
    let second = agent.next_incoming().await.unwrap();
    assert_eq!(second.from_user(), Some("4930222"));
    second.ring().await.unwrap();
    assert_eq!(first.hold().await.unwrap(), 200);
    let (held, _) = world.see(before, "call_held").await;
    second.answer().await.unwrap();
    second_out.wait_answered(PATIENCE).await.unwrap();
    let (both, second_call) = world.see(held, "agent_connected").await;
    assert_ne!(first_call, second_call);
    assert_eq!(first.progress().phase, Phase::Answered);

    let third_out = dial(&three, "support").await;
    third_out.wait_ringing(PATIENCE).await.unwrap();
    let (_, third_call) = world.see(both, "call_enqueued").await;

    // The first ends, and the second goes on: there is room for the third.
    assert_eq!(first.resume().await.unwrap(), 200);
    assert_eq!(first_out.hang_up().await.unwrap(), 200);
    hung_up(&first).await;
    let third = agent.next_incoming().await.unwrap();
    assert_eq!(third.from_user(), Some("4930333"));
    third.answer().await.unwrap();
    third_out.wait_answered(PATIENCE).await.unwrap();
    assert_eq!(second.progress().phase, Phase::Answered);

    let late = world.feed().head();
    assert_eq!(second.hang_up().await.unwrap(), 200);
    hung_up(&second_out).await;
    world.see_any(late, "agent_contact_ended").await;
    assert_eq!(third_out.hang_up().await.unwrap(), 200);
    hung_up(&third).await;
    world.see_any(late, "agent_became_ready").await;

    let (first, second, third) = (Some(first_call), Some(second_call), Some(third_call));
    let expected = [
        ("agent_reserved", first),
        ("agent_connected_to_contact", first),
        ("agent_reserved", second),
        ("agent_connected_to_contact", second),
        // Not before there was room.
        ("agent_contact_ended", first),
        ("agent_reserved", third),
        ("agent_connected_to_contact", third),
        ("agent_contact_ended", second),
        ("agent_contact_ended", third),
        ("agent_became_ready", None),
    ];
    let expected = expected.map(|(event, call)| (event.to_owned(), call));
    assert_eq!(said(&world, before, anna).await, expected);
    no_complaints(&[&one, &two, &three, &agent]);
    world.see_nothing_left().await;
}

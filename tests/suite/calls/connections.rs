//! Phones over TCP whose connection does not last as long as their calls.

use crate::{
    ends::{End, connect, end_of, hangup, hung_up, no_complaints},
    line::{Line, comes_back_to_its_call},
    world::{PATIENCE, dial, open, open_with, options, rules},
};
use domain::cause::{By, Disposition, EndReason};
use phone::{EndedBy, Phone, Transport};
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};

#[tokio::test]
async fn a_phone_that_comes_back_over_another_connection_keeps_its_call_on_hold_and_is_hung_up() {
    let world = open_with(sip::Options {
        probe_interval_ms: 200,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let (line, callers) = (
        Line::to(world.sip.local_addr()).await,
        Line::to(world.sip.local_addr()).await,
    );
    let agent = world.agent_phone_with(line.options(&world, "anna")).await;
    let caller = Phone::bind(callers.options(&world, "4930111"))
        .await
        .unwrap();
    let before = world.feed().head();
    let (out, incoming) =
        comes_back_to_its_call(&world, (&caller, &callers), (&agent, &line)).await;

    // It may also be gone without a request in the dialog until the end.
    line.cut().await;
    agent.register(120).await.unwrap();
    assert_eq!(out.hang_up().await.unwrap(), 200);
    hung_up(&incoming).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_phone_that_comes_back_over_another_connection_while_it_rings_answers_or_stops_there() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let line = Line::to(world.sip.local_addr()).await;
    let agent = world.agent_phone_with(line.options(&world, "anna")).await;
    let caller = world.phone("4930111").await;

    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    out.wait_ringing(PATIENCE).await.unwrap();
    line.cut().await;
    agent.register(120).await.unwrap();
    incoming.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    line.sees("ACK", 1).await;
    assert_eq!(out.hang_up().await.unwrap(), 200);
    hung_up(&incoming).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));
    world.see_free(&agent).await;

    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    out.wait_ringing(PATIENCE).await.unwrap();
    line.cut().await;
    agent.register(120).await.unwrap();
    out.cancel().await.unwrap();
    let ended = incoming.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Cancelled));
    let end = end_of(&world.see_end(before).await).unwrap();
    assert_eq!(end.disposition, Disposition::Abandoned);
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_caller_who_is_cut_off_while_waiting_has_left_the_queue() {
    let world = open_with(sip::Options {
        t1_ms: 10,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let line = Line::to(world.sip.local_addr()).await;
    let caller = Phone::bind(line.options(&world, "4930111")).await.unwrap();
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    out.wait_ringing(PATIENCE).await.unwrap();
    line.cut().await;
    let gone = End {
        disposition: Disposition::Abandoned,
        by: By::Caller,
        reason: EndReason::SignallingLost,
        sip_status: Some(480),
        incomplete: true,
    };
    assert_eq!(world.the_end(before).await, gone);
    // Whoever is ready then is rung for the next caller.
    let agent = world.agent_phone("anna").await;
    world.see_free(&agent).await;
    no_complaints(&[&agent]);
}

#[tokio::test]
async fn a_phone_whose_contact_names_its_connection_is_hung_up_over_the_new_one() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let old = Line::to(world.sip.local_addr()).await;
    let agent = world.agent_phone_with(old.options(&world, "anna")).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let (out, _incoming) = connect(&caller, &agent).await;
    old.cut().await;
    let new = Line::to(world.sip.local_addr()).await;
    let again = world.agent_phone_with(new.options(&world, "anna")).await;
    assert_eq!(out.hang_up().await.unwrap(), 200);
    new.sees("BYE", 1).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));
    no_complaints(&[&caller, &agent]);
    drop(again);
}

#[tokio::test]
async fn a_connection_is_not_closed_for_its_silence_while_a_call_is_on_it() {
    let world = open_with(sip::Options {
        tcp_idle_timeout_ms: 100,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let mut options = world.phone_options("4930111");
    options.transport = Transport::Tcp;
    let caller = Phone::bind(options).await.unwrap();
    let before = world.feed().head();
    let (out, incoming) = connect(&caller, &agent).await;
    // Others that say nothing are closed, one after the other, and this one not.
    for _ in 0..3 {
        let mut silent = TcpStream::connect(world.sip.local_addr()).await.unwrap();
        let closed = timeout(PATIENCE, silent.read_u8()).await.unwrap();
        assert!(closed.is_err(), "the server says nothing either");
    }
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    hung_up(&out).await;
    assert_eq!(world.the_end(before).await, hangup(By::Agent));
    no_complaints(&[&caller, &agent]);
}

//! Calls that come while they can not be recorded: each is on record once it can.

use crate::{
    faults::open_faulty,
    refused::rejection,
    wire::{raw, request, status, tag},
    world::{World, dial, rules},
};
use commands::ports::Position;
use domain::{
    any::AnyEvent,
    call,
    cause::{Disposition, EndReason},
    id::CallId,
};
use phone::Phone;
use std::sync::atomic::Ordering;

/// The status that a caller hears who can not be taken in, and whether it says when to
/// come back.
async fn turned_away(caller: &Phone, target: &str) -> (u16, bool) {
    let rejection = rejection(dial(caller, target).await).await;
    let mut headers = rejection.headers.iter();
    let says_when = headers.any(|(name, _)| name == "Retry-After");
    (rejection.status, says_when)
}

/// The next call that ends, and how.
async fn next_end(
    world: &World,
    after: Position,
) -> (Position, CallId, EndReason, Option<u16>, Disposition) {
    let ended = |entry: &commands::tail::Entry| match &entry.fact.event {
        AnyEvent::Call(
            call,
            call::Event::Ended {
                cause, disposition, ..
            },
        ) => Some((*call, cause.reason, cause.sip_status, *disposition)),
        _ => None,
    };
    let (position, (call, reason, status, disposition)) = world.office.see(after, ended).await;
    (position, call, reason, status, disposition)
}

/// Calls that the record knows.
async fn received(world: &World) -> usize {
    let history = world.office.history().await;
    let names = history.iter().map(|entry| &*entry.recorded.event_type);
    names.filter(|name| *name == "call_received").count()
}

#[tokio::test]
async fn a_call_that_comes_while_the_keys_are_away_is_on_record_once_they_are_back() {
    let (world, faults) = open_faulty().await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    faults.keys.store(true, Ordering::Relaxed);
    assert_eq!(turned_away(&caller, "support").await, (503, true));
    assert_eq!(turned_away(&caller, "nobody").await, (404, false));
    world.see_nothing_left().await;
    assert_eq!(received(&world).await, 0);
    faults.heal();
    let (after, _, reason, status, disposition) = next_end(&world, before).await;
    assert_eq!((reason, status), (EndReason::Overload, Some(503)));
    assert_eq!(disposition, Disposition::Congestion);
    let (_, call, reason, status, _) = next_end(&world, after).await;
    assert_eq!((reason, status), (EndReason::UnknownAddress, Some(404)));
    assert_eq!(world.story(call).await, ["call_received", "call_ended"]);
    assert_eq!(received(&world).await, 2);
}

#[tokio::test]
async fn a_call_that_comes_while_the_log_is_away_is_on_record_once_it_is_back() {
    let (world, faults) = open_faulty().await;
    world.support(rules()).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    faults.refuse("call_received", u32::MAX);
    assert_eq!(turned_away(&caller, "support").await, (503, true));
    assert_eq!(turned_away(&caller, "nobody").await, (404, false));
    faults.heal();
    let (after, call, reason, status, _) = next_end(&world, before).await;
    assert_eq!((reason, status), (EndReason::Overload, Some(503)));
    assert_eq!(world.story(call).await, ["call_received", "call_ended"]);
    let (_, call, reason, status, _) = next_end(&world, after).await;
    assert_eq!((reason, status), (EndReason::UnknownAddress, Some(404)));
    assert_eq!(world.story(call).await, ["call_received", "call_ended"]);
    world.see_nothing_left().await;
    assert_eq!(received(&world).await, 2);
}

#[tokio::test]
async fn a_call_that_the_log_took_without_saying_so_is_one_that_its_caller_has_left() {
    let (world, faults) = open_faulty().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    faults.lose_answer("call_received");
    assert_eq!(turned_away(&caller, "support").await, (503, true));
    let (after, first, reason, ..) = next_end(&world, before).await;
    assert_eq!(reason, EndReason::Cancelled);
    // One that is turned away after it is recorded after it: then the first was tried
    // again.
    faults.refuse("call_received", 1);
    assert_eq!(turned_away(&caller, "support").await, (503, true));
    let (_, second, reason, ..) = next_end(&world, after).await;
    assert_eq!(reason, EndReason::Overload);
    world.see_nothing_left().await;
    for call in [first, second] {
        assert_eq!(world.ends_of(call).await, 1);
    }
    assert_eq!(received(&world).await, 2, "each once");
}

#[tokio::test]
async fn who_has_left_before_the_keys_were_found_to_be_away_is_on_record_as_one_who_left() {
    let (world, faults) = open_faulty().await;
    world.support(rules()).await;
    let before = world.feed().head();
    let sealing = faults.sealing.lock().await;
    let socket = raw(&world).await;
    let line = |method: &str| format!("{method} sip:support@127.0.0.1");
    let invite = request(&socket, &line("INVITE"), "1 INVITE", "a", "", "");
    socket.send(invite.as_bytes()).await.unwrap();
    status(&socket, 100).await;
    let cancel = request(&socket, &line("CANCEL"), "1 CANCEL", "a", "", "");
    socket.send(cancel.as_bytes()).await.unwrap();
    status(&socket, 200).await;
    // What comes after the CANCEL is answered after it is known.
    let probe = request(&socket, &line("OPTIONS"), "2 OPTIONS", "b", "", "");
    socket.send(probe.as_bytes()).await.unwrap();
    status(&socket, 200).await;
    faults.keys.store(true, Ordering::Relaxed);
    drop(sealing);
    let terminated = status(&socket, 487).await;
    let to_tag = tag(&terminated);
    let ack = request(&socket, &line("ACK"), "1 ACK", "a", &to_tag, "");
    socket.send(ack.as_bytes()).await.unwrap();
    world.see_nothing_left().await;
    faults.heal();
    let (_, call, reason, heard, disposition) = next_end(&world, before).await;
    assert_eq!((reason, heard), (EndReason::Cancelled, Some(487)));
    assert_eq!(disposition, Disposition::Abandoned);
    assert_eq!(world.story(call).await, ["call_received", "call_ended"]);
    assert_eq!(received(&world).await, 1);
}

//! Phones that call each other over loopback: what one does, the other must see.

#![allow(clippy::unwrap_used, clippy::panic)] // tests may: a broken expectation is a failed test

mod calls;
mod cancels;
mod holds;
mod registers;
mod registrar;
mod scripts;
mod sounds;
mod strays;
mod wires;

use std::time::Duration;

use ringledger_phone::{CallOptions, IncomingCall, OutgoingCall, Phone, PhoneOptions};

/// Every wait of these tests ends here at the latest.
const LIMIT: Duration = Duration::from_secs(10);

/// Nobody listens here: the server of a phone that is only called.
fn nowhere() -> std::net::SocketAddr {
    "127.0.0.1:9".parse().unwrap()
}

/// Two phones; the first calls the second directly.
async fn two_phones() -> (Phone, Phone) {
    let bob = Phone::bind(PhoneOptions::new(nowhere(), "bob"))
        .await
        .unwrap();
    let alice = Phone::bind(PhoneOptions::new(bob.local_addr(), "alice"))
        .await
        .unwrap();
    (alice, bob)
}

/// Alice's call at Bob's phone, not yet answered in any way.
async fn call_in(alice: &Phone, bob: &Phone) -> (OutgoingCall, IncomingCall) {
    let outgoing = alice.call("bob", CallOptions::default()).await.unwrap();
    let incoming = bob.next_incoming().await.unwrap();
    (outgoing, incoming)
}

/// Alice and Bob in conversation.
async fn talk(alice: &Phone, bob: &Phone) -> (OutgoingCall, IncomingCall) {
    let (outgoing, incoming) = call_in(alice, bob).await;
    incoming.ring().await.unwrap();
    incoming.answer().await.unwrap();
    outgoing.wait_answered(LIMIT).await.unwrap();
    (outgoing, incoming)
}

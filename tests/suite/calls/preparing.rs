//! What happens while the next trunk is prepared: its address and its password are looked
//! up before it is called.

use crate::{
    ends::no_complaints,
    outside::{HERE, carrier, end, priority, to, to_address},
    wire::{is, next, raw, reply},
    world::{PATIENCE, dial, open_on, options},
};
use async_trait::async_trait;
use commands::ports::{Secrets, StoreError};
use domain::{
    cause::{By, Disposition, EndReason},
    id::{DEFAULT_TENANT, TrunkId},
    trunk,
};
use ringledger_tests::office::Office;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The credential store, slow to say the password of one trunk.
struct Slow {
    secrets: Arc<dyn Secrets>,
    trunk: String,
    asked: Semaphore,
    answers: Semaphore,
}

impl Slow {
    /// Puts it before that of the office.
    fn before(office: &mut Office, trunk: &str) -> Arc<Self> {
        let slow = Arc::new(Self {
            secrets: office.stores.secrets.clone(),
            trunk: TrunkId::named(DEFAULT_TENANT, trunk).to_string(),
            asked: Semaphore::new(0),
            answers: Semaphore::new(0),
        });
        office.stores.secrets = slow.clone();
        slow
    }

    /// Waits until it is asked.
    async fn is_asked(&self) {
        let asked = tokio::time::timeout(PATIENCE, self.asked.acquire()).await;
        asked.expect("it is asked").unwrap().forget();
    }
}

#[async_trait]
impl Secrets for Slow {
    async fn put(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError> {
        self.secrets.put(kind, key, value).await
    }

    async fn put_new(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError> {
        self.secrets.put_new(kind, key, value).await
    }

    async fn get(&self, kind: &str, key: &str) -> Result<Option<String>, StoreError> {
        if key == self.trunk {
            self.asked.add_permits(1);
            self.answers.acquire().await.unwrap().forget();
        }
        self.secrets.get(kind, key).await
    }

    async fn remove(&self, kind: &str, key: &str) -> Result<(), StoreError> {
        self.secrets.remove(kind, key).await
    }

    async fn list(&self, kind: &str) -> Result<Vec<(String, String)>, StoreError> {
        self.secrets.list(kind).await
    }
}

#[tokio::test]
async fn a_channel_is_taken_while_its_trunk_is_prepared() {
    let mut office = Office::open().await;
    let slow = Slow::before(&mut office, "carrier");
    let world = open_on(Arc::new(office), options()).await;
    let carrier = carrier(&world).await;
    let outbound = trunk::Outbound {
        channels_max: 1,
        ..trunk::Outbound::default()
    };
    world.trunk_with("carrier", to(&carrier, outbound)).await;
    let (one, two) = (world.phone("4930111").await, world.phone("4930222").await);
    let first = dial(&one, HERE).await;
    slow.is_asked().await;
    let second = dial(&two, HERE).await;
    let ended = second.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.status, Some(503));
    slow.answers.add_permits(1);
    let incoming = carrier.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    first.wait_answered(PATIENCE).await.unwrap();
    first.hang_up().await.unwrap();
    world.see_nothing_left().await;
    no_complaints(&[&one, &two, &carrier]);
}

#[tokio::test]
async fn what_a_trunk_says_that_was_given_up_does_not_end_the_call_that_goes_on() {
    let mut office = Office::open().await;
    let slow = Slow::before(&mut office, "second");
    let brief = sip::Options {
        t1_ms: 50,
        ..options()
    };
    let world = open_on(Arc::new(office), brief).await;
    let (first, second) = (raw(&world).await, raw(&world).await);
    for (name, socket, rank) in [("first", &first, 1), ("second", &second, 2)] {
        let config = to_address(socket.local_addr(), priority(rank));
        world.trunk_with(name, config).await;
    }
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, HERE).await;
    let invite = next(&first, |message| is(message, "INVITE")).await;
    // It says nothing for 64*T1, and then too much.
    slow.is_asked().await;
    let late = reply(&invite, "200 OK", "late", &first);
    first.send(late.as_bytes()).await.unwrap();
    let bye = next(&first, |message| is(message, "BYE")).await;
    let done = reply(&bye, "200 OK", "late", &first);
    first.send(done.as_bytes()).await.unwrap();

    slow.answers.add_permits(1);
    let invite = next(&second, |message| is(message, "INVITE")).await;
    let ok = reply(&invite, "200 OK", "second", &second);
    second.send(ok.as_bytes()).await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    out.hang_up().await.unwrap();
    let bye = next(&second, |message| is(message, "BYE")).await;
    let done = reply(&bye, "200 OK", "second", &second);
    second.send(done.as_bytes()).await.unwrap();
    let expected = end(EndReason::Hangup, By::Caller, Disposition::Forwarded, None);
    assert_eq!(world.the_end(before).await, expected);
    no_complaints(&[&caller]);
}

//! What is due survives the death of the node and happens once, at its time.

use anyhow::{Context as _, ensure};
use commands::ports::Position;
use domain::any::{AnyEvent, decode};
use domain::{
    call,
    cause::{EndReason, OfferOutcome},
    id::OfferId,
    session,
    time::Timestamp,
};
use phone::{CallOptions, IncomingCall, Phone, PhoneOptions};
use ringledger_tests::server::{Server, Setup};
use std::{collections::BTreeMap, time::Duration};

const PATIENCE: Duration = Duration::from_secs(20);
const EVENTS_MAX: usize = 10_000;
const QUEUE: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
                     ring_timeout_ms = 10000\nwrap_up_ms = 4000\n";

async fn agent_is(server: &Server, state: &str) -> anyhow::Result<()> {
    server
        .until("{ agents(first: 5) { nodes { state } } }", |answer| {
            answer["agents"]["nodes"][0]["state"] == state
        })
        .await?;
    Ok(())
}

/// Everything that has happened.
async fn record(setup: &Setup) -> anyhow::Result<Vec<(Timestamp, AnyEvent)>> {
    let stores = store::open(&format!("sqlite:{}", setup.data().display())).await?;
    let page = stores.log.read_all(Position(0), EVENTS_MAX).await?;
    let events = page.events.iter().map(|event| {
        let (category, key) = (event.stream.category(), event.stream.key());
        let version = event.event_version;
        let decoded = decode(category, key, &event.event_type, version, &event.payload)?;
        Ok(decoded)
    });
    events.collect()
}

async fn incoming(phone: &Phone) -> anyhow::Result<IncomingCall> {
    let rings = tokio::time::timeout(PATIENCE, phone.next_incoming()).await;
    rings.context("no call comes")?.context("the phone is gone")
}

/// One call that anna takes and the caller ends.
async fn a_call(server: &Server, anna: &Phone) -> anyhow::Result<()> {
    let caller = Phone::bind(PhoneOptions::new(server.sip, "4930111")).await?;
    let out = caller.call("support", CallOptions::default()).await?;
    let rings = incoming(anna).await?;
    rings.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    Ok(())
}

#[tokio::test]
async fn a_wrap_up_ends_once_and_at_its_time_though_the_node_died_in_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = Setup::new(folder.path(), &Setup::provisioning(QUEUE, &["anna"]));
    let mut server = Server::start(&setup).await?;
    setup.sip = server.sip;
    let anna =
        Phone::bind(PhoneOptions::new(server.sip, "anna").with_password("anna-secret")).await?;
    anna.register(3_600).await?;
    agent_is(&server, "READY").await?;
    a_call(&server, &anna).await?;
    agent_is(&server, "WRAP_UP").await?;
    // Twice: what a dead run has asked for must not be asked for again.
    for _ in 0..2 {
        server.kill().await?;
        server = Server::start(&setup).await?;
    }
    agent_is(&server, "READY").await?;
    // And she takes calls again.
    a_call(&server, &anna).await?;
    agent_is(&server, "WRAP_UP").await?;
    server.kill().await?;

    let mut due: Vec<Timestamp> = vec![];
    let mut ended: Vec<Timestamp> = vec![];
    for (at, fact) in record(&setup).await? {
        if let AnyEvent::Session(_, session::Event::WrapUpStarted { until, .. }) = &fact {
            due.push(*until);
        } else if let AnyEvent::Session(_, session::Event::WrapUpEnded { .. }) = &fact {
            ended.push(at);
        }
    }
    ensure!(due.len() == 2 && ended.len() == 1, "{due:?} {ended:?}");
    ensure!(
        ended[0] >= due[0],
        "it ended {ended:?}, before it was due {due:?}"
    );
    Ok(())
}

/// What became of one offer.
#[derive(Debug, Default)]
struct Offered {
    until: Option<Timestamp>,
    ended: Vec<(OfferOutcome, Timestamp)>,
    connected: usize,
    released: usize,
}

/// Every offer in the order of its time, and why each call ended.
async fn offered(setup: &Setup) -> anyhow::Result<(Vec<Offered>, Vec<EndReason>)> {
    let mut offers: BTreeMap<OfferId, Offered> = BTreeMap::new();
    let mut ends = vec![];
    for (at, fact) in record(setup).await? {
        if let AnyEvent::Call(_, call::Event::OfferStarted { offer, until, .. }) = &fact {
            let known = offers.entry(*offer).or_default();
            ensure!(known.until.replace(*until).is_none(), "{offer} began twice");
        } else if let AnyEvent::Call(_, call::Event::OfferEnded { offer, outcome, .. }) = &fact {
            offers.entry(*offer).or_default().ended.push((*outcome, at));
        } else if let AnyEvent::Call(_, call::Event::AgentConnected { offer, .. }) = &fact {
            offers.entry(*offer).or_default().connected += 1;
        } else if let AnyEvent::Session(_, session::Event::ReservationReleased { offer, .. }) =
            &fact
        {
            offers.entry(*offer).or_default().released += 1;
        } else if let AnyEvent::Call(_, call::Event::Ended { cause, .. }) = &fact {
            ends.push(cause.reason);
        }
    }
    let mut offers: Vec<_> = offers.into_values().collect();
    offers.sort_by_key(|offer| offer.until);
    Ok((offers, ends))
}

#[tokio::test]
async fn an_offer_ends_once_with_its_call_and_the_next_at_its_time_though_the_node_died_as_it_rang()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let queue = QUEUE.replace("ring_timeout_ms = 10000", "ring_timeout_ms = 2500");
    let queue = queue.replace("wrap_up_ms = 4000", "wrap_up_ms = 100");
    let mut setup = Setup::new(folder.path(), &Setup::provisioning(&queue, &["anna"]));
    let mut server = Server::start(&setup).await?;
    setup.sip = server.sip;
    let anna =
        Phone::bind(PhoneOptions::new(server.sip, "anna").with_password("anna-secret")).await?;
    anna.register(3_600).await?;
    agent_is(&server, "READY").await?;
    let caller = Phone::bind(PhoneOptions::new(server.sip, "4930111")).await?;
    let out = caller.call("support", CallOptions::default()).await?;
    let rings = incoming(&anna).await?;
    rings.ring().await?;
    out.wait_ringing(PATIENCE).await?;
    for _ in 0..2 {
        server.kill().await?;
        server = Server::start(&setup).await?;
    }
    agent_is(&server, "READY").await?;
    // The next one rings beyond the time at which the first was due, and until its own.
    let caller = Phone::bind(PhoneOptions::new(server.sip, "4930112")).await?;
    let out = caller.call("support", CallOptions::default()).await?;
    let rings = incoming(&anna).await?;
    rings.ring().await?;
    tokio::time::timeout(PATIENCE, rings.cancelled())
        .await
        .context("it rings for ever")?;
    let again = incoming(&anna).await?;
    again.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    agent_is(&server, "READY").await?;
    server.kill().await?;

    let (offers, ends) = offered(&setup).await?;
    let [lost, missed, taken] = offers.as_slice() else {
        anyhow::bail!("{offers:?}");
    };
    // The first has ended with its call, also when its time came; the second at its time.
    ensure!(lost.ended.is_empty(), "{lost:?}");
    let [(outcome, at)] = missed.ended.as_slice() else {
        anyhow::bail!("{missed:?}");
    };
    ensure!(*outcome == OfferOutcome::NoAnswer, "{missed:?}");
    ensure!(Some(*at) >= missed.until, "{missed:?}");
    for offer in [lost, missed] {
        ensure!(offer.released == 1 && offer.connected == 0, "{offer:?}");
    }
    ensure!(taken.connected == 1 && taken.ended.is_empty(), "{taken:?}");
    ensure!(
        ends.len() == 2 && ends[0] == EndReason::NodeLost,
        "{ends:?}"
    );
    Ok(())
}

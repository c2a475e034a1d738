//! What is due survives the death of the node and happens once, at its time.

use anyhow::{Context as _, ensure};
use commands::ports::Position;
use domain::any::{AnyEvent, decode};
use domain::{session, time::Timestamp};
use phone::{CallOptions, Phone, PhoneOptions};
use ringledger_tests::server::{Server, Setup};
use std::time::Duration;

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

/// One call that anna takes and the caller ends.
async fn a_call(server: &Server, anna: &Phone) -> anyhow::Result<()> {
    let caller = Phone::bind(PhoneOptions::new(server.sip, "4930111")).await?;
    let out = caller.call("support", CallOptions::default()).await?;
    let rings = tokio::time::timeout(PATIENCE, anna.next_incoming()).await;
    let rings = rings
        .context("no call comes")?
        .context("the phone is gone")?;
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

    let stores = store::open(&format!("sqlite:{}", setup.data().display())).await?;
    let page = stores.log.read_all(Position(0), EVENTS_MAX).await?;
    let mut due: Vec<Timestamp> = vec![];
    let mut ended: Vec<Timestamp> = vec![];
    for event in &page.events {
        let (category, key) = (event.stream.category(), event.stream.key());
        let (at, fact) = decode(
            category,
            key,
            &event.event_type,
            event.event_version,
            &event.payload,
        )?;
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

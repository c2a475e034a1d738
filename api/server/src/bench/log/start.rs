//! How long a start takes on a long record: from the process to the first
//! caller who hears something, after an orderly stop and after `kill -9`; and how
//! long it takes to look at an instant anywhere on it.

use super::{Kind, Log, Places, Table, visible};
use crate::bench::{
    figures::{Distribution, elapsed_us},
    server_process::{QUEUE, ServerProcess, Setup},
};
use commands::{ports::Clock as _, system::SystemClock};
use domain::time::Timestamp;
use phone::{CallOptions, Phone, PhoneOptions};
use std::time::{Duration, Instant};

/// Whatever is waited for comes within this.
const PATIENCE: Duration = Duration::from_secs(60);
/// The record is filled behind the server's back: within this it has heard of all of it.
const CATCH_UP: Duration = Duration::from_secs(1_800);

/// Starts, rings in, waits for the first answer; milliseconds of each.
async fn first_call(
    setup: &Setup,
    patience: Duration,
) -> anyhow::Result<(ServerProcess, [f64; 2])> {
    let began = Instant::now();
    let server = ServerProcess::start(setup).await?;
    let served = elapsed_us(began) as f64 / 1_000.0;
    let caller = Phone::bind(PhoneOptions::new(server.sip, "4930111")).await?;
    let call = caller.call(QUEUE, CallOptions::default()).await?;
    call.wait_ringing(patience).await?;
    let rang = elapsed_us(began) as f64 / 1_000.0;
    call.cancel().await?;
    Ok((server, [served, rang]))
}

/// Instants that are looked at.
const INSTANTS: u32 = 100;
/// Coprime to it: one look is never near the last.
const STRIDE: u32 = 37;

/// How long boards of the past take, all over that time.
async fn looks_back(
    server: &ServerProcess,
    from: Timestamp,
    until: Timestamp,
) -> anyhow::Result<Distribution> {
    let span = u64::try_from(until.micros().saturating_sub(from.micros())).unwrap_or(0);
    let mut took = vec![];
    for index in 0..INSTANTS {
        let part = u64::from(index * STRIDE % INSTANTS);
        let at = from.plus_ms(span / 1_000 * part / u64::from(INSTANTS));
        let query = format!(
            "{{ board(asOf: \"{at}\") {{ position activeCalls {{ nodes {{ id state }} }} \
             agents {{ nodes {{ id state }} }} queues {{ nodes {{ id waitingCount }} }} }} }}"
        );
        let began = Instant::now();
        let answer = server.graphql(&query).await?;
        took.push(elapsed_us(began));
        anyhow::ensure!(answer["board"]["position"] != "0", "{answer}");
    }
    Ok(Distribution::of_us(took))
}

/// Measures and prints.
pub(super) async fn measure(settings: &Log, places: &Places, kind: Kind) -> anyhow::Result<()> {
    let Some(events) = settings.sizes.last().copied() else {
        return Ok(());
    };
    let place = places.fresh(kind).await?;
    let setup = Setup {
        folder: settings.folder(),
        store_url: Some(place.url.clone()),
        agents: 1,
    };
    // The queue and its agent, then calls until the record is long.
    first_call(&setup, PATIENCE).await?.0.stop().await?;
    let from = SystemClock.now();
    let made = visible::fill(&place, QUEUE, events).await?;
    let until = SystemClock.now();
    // No server stops in order before it has worked off what it wrote.
    first_call(&setup, CATCH_UP).await?.0.stop().await?;
    let (mut server, orderly) = first_call(&setup, PATIENCE).await?;
    server.kill().await?;
    let (mut server, killed) = first_call(&setup, PATIENCE).await?;
    let boards = looks_back(&server, from, until).await?;
    server.stop().await?;
    let mut table = Table::default();
    for (after, [served, rang]) in [("an orderly stop", orderly), ("kill -9", killed)] {
        let shown =
            format!("serves after {served:.0} ms, the first caller hears 180 after {rang:.0} ms");
        table.row(&format!("after {after}"), shown, "2000 ms");
    }
    let shown = format!("{} ({} instants)", boards.shown(), boards.count);
    table.row("a board of the past, p50/p95/p99/max", shown, "");
    table.print(&format!(
        "start, {}, {made} events of calls on the record",
        kind.shown()
    ));
    Ok(())
}

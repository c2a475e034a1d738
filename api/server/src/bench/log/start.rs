//! How long a start takes on a long record: from the process to the first
//! caller who hears something, after an orderly stop and after `kill -9`.

use super::{Kind, Log, Places, Table, visible};
use crate::bench::{
    figures::elapsed_us,
    server_process::{QUEUE, ServerProcess, Setup},
};
use phone::{CallOptions, Phone, PhoneOptions};
use std::time::{Duration, Instant};

/// Whatever is waited for comes within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts, rings in, waits for the first answer; milliseconds of each.
async fn first_call(setup: &Setup) -> anyhow::Result<(ServerProcess, [f64; 2])> {
    let began = Instant::now();
    let server = ServerProcess::start(setup).await?;
    let served = elapsed_us(began) as f64 / 1_000.0;
    let caller = Phone::bind(PhoneOptions::new(server.sip, "4930111")).await?;
    let call = caller.call(QUEUE, CallOptions::default()).await?;
    call.wait_ringing(PATIENCE).await?;
    let rang = elapsed_us(began) as f64 / 1_000.0;
    call.cancel().await?;
    Ok((server, [served, rang]))
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
    first_call(&setup).await?.0.stop().await?;
    let made = visible::fill(&place, QUEUE, events).await?;
    let (mut server, orderly) = first_call(&setup).await?;
    server.kill().await?;
    let (mut server, killed) = first_call(&setup).await?;
    server.stop().await?;
    let mut table = Table::default();
    for (after, [served, rang]) in [("an orderly stop", orderly), ("kill -9", killed)] {
        let shown =
            format!("serves after {served:.0} ms, the first caller hears 180 after {rang:.0} ms");
        table.row(&format!("after {after}"), shown, "2000 ms");
    }
    table.print(&format!(
        "start, {}, {made} events of calls on the record",
        kind.shown()
    ));
    Ok(())
}

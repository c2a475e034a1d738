//! Events a second from the first one on: as they are stored, and understood
//! as facts, which is what a read model that is rebuilt needs.

#[cfg(feature = "peers")]
use super::peers;
use super::{
    Kind, Log, Places, Table,
    appends::{STREAM_EVENTS, append},
    figures::median,
};
use commands::{
    feed::understand,
    ports::{Clock as _, EventLog, Position},
    system::{SystemClock, SystemEntropy},
};
use domain::id::AgentId;
use std::{sync::Arc, time::Instant};

/// Events of the log that is replayed.
const EVENTS: u64 = 200_000;
/// Streams that are filled in one batch.
const FILL_STREAMS: u64 = 128;
/// Events that are asked for at once.
const PAGE: usize = 2_000;

/// Fills a log up to so many events.
pub(super) async fn fill(log: &dyn EventLog, events: u64) -> anyhow::Result<()> {
    let entropy = SystemEntropy::default();
    let mut head = log.head().await?.0;
    while head < events {
        let streams = FILL_STREAMS.min((events - head).div_ceil(STREAM_EVENTS));
        let one = |_| {
            let agent = AgentId(commands::ports::Entropy::uuid(&entropy, SystemClock.now()));
            append(&entropy, agent, 0, STREAM_EVENTS)
        };
        for outcome in log.append((0..streams).map(one).collect()).await {
            outcome?;
        }
        head = log.head().await?.0;
    }
    Ok(())
}

/// Reads up to so many events after a position as they are stored; events a second.
pub(super) async fn stored(
    log: &dyn EventLog,
    mut after: Position,
    events: u64,
) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut seen = 0;
    while seen < events {
        let page = log.read_all(after, PAGE).await?;
        if page.events.is_empty() {
            break;
        }
        seen += page.events.len() as u64;
        after = page.next;
    }
    Ok(seen as f64 / began.elapsed().as_secs_f64())
}

/// Reads and understands every event; events a second.
async fn understood(log: Arc<dyn EventLog>) -> anyhow::Result<f64> {
    let began = Instant::now();
    let (mut after, mut seen) = (Position::default(), 0);
    loop {
        let page = log.read_all(after, PAGE).await?;
        if page.events.is_empty() {
            break;
        }
        seen += page.events.len();
        after = page.next;
        for recorded in page.events {
            std::hint::black_box(understand(recorded)?);
        }
    }
    Ok(seen as f64 / began.elapsed().as_secs_f64())
}

/// Measures and prints.
pub(super) async fn measure(settings: &Log, places: &Places, kind: Kind) -> anyhow::Result<()> {
    let place = places.fresh(kind).await?;
    let stores = place.open().await?;
    fill(&*stores.log, EVENTS).await?;
    let (mut raw, mut facts) = (vec![], vec![]);
    for _ in 0..settings.rounds.max(1) {
        raw.push(stored(&*stores.log, Position::default(), EVENTS).await?);
        facts.push(understood(stores.log.clone()).await?);
    }
    let ours = median(raw);
    let mut table = Table::default();
    let target = match kind {
        Kind::Sqlite => "1000000/s",
        Kind::Postgres => "300000/s",
    };
    table.row("ringledger, as stored", format!("{ours:>8.0}/s"), target);
    let facts = median(facts);
    table.row("ringledger, as facts", format!("{facts:>8.0}/s"), "");
    #[cfg(feature = "peers")]
    for peer in peers::CONTENDERS.iter().filter(|peer| peer.kind() == kind) {
        let place = places.fresh(kind).await?;
        let per_s = peer.replay(&place, EVENTS).await?;
        let shown = format!(
            "{per_s:>8.0}/s; ours as stored is {:.1} times",
            ours / per_s
        );
        table.row(peer.name(), shown, "");
    }
    table.print(&format!("replay, {}, {EVENTS} events", kind.shown()));
    Ok(())
}

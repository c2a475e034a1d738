//! Whether the cost of anything grows with the log: the same figures over logs
//! of different sizes, interleaved, so that a slow minute of the machine slows
//! all of them.

use super::{
    Kind, Log, Place, Places, Table,
    appends::{OurLog, STREAM_EVENTS, cell},
    figures::{Cell, median},
    replay::{fill, stored},
};
use crate::bench::figures::{elapsed_us, percentile};
use commands::ports::{EventLog, Position, StreamId};
use domain::id::CommandId;
use std::time::{Duration, Instant};
use store::Stores;

/// Writers while the log grows.
const WRITERS: usize = 64;
/// How long each append cell is: short, so that a log stays near its size.
const CELL: Duration = Duration::from_millis(400);
/// Events of the replay, the last ones: what is at the end of a long log is looked for
/// where a short one has nothing.
const REPLAYED: u64 = 10_000;
/// Single reads that are timed, of streams and commands from all over the log.
const READS: u64 = 200;

/// What was measured at one size.
#[derive(Default)]
struct Figures {
    appends: Vec<Cell>,
    replay: Vec<f64>,
    stream_us: Vec<u64>,
    command_us: Vec<u64>,
}

struct Sized {
    size: u64,
    _place: Place,
    stores: Stores,
    /// Streams and commands, from the first of the log to the last.
    picked: Vec<(StreamId, CommandId)>,
    figures: Figures,
}

async fn sized(places: &Places, kind: Kind, size: u64) -> anyhow::Result<Sized> {
    let place = places.fresh(kind).await?;
    let stores = place.open().await?;
    fill(&*stores.log, size).await?;
    let picked = pick(&*stores.log).await?;
    Ok(Sized {
        size,
        _place: place,
        stores,
        picked,
        figures: Figures::default(),
    })
}

/// Streams and commands at even distances.
async fn pick(log: &dyn EventLog) -> anyhow::Result<Vec<(StreamId, CommandId)>> {
    let head = log.head().await?.0;
    let mut picked = vec![];
    for number in 0..READS {
        let before = Position(number * head.saturating_sub(1) / (READS - 1));
        let found = log.read_all(before, 1).await?.events;
        picked.extend(
            found
                .into_iter()
                .map(|event| (event.stream, event.command_id)),
        );
    }
    anyhow::ensure!(picked.len() as u64 == READS, "the log is full");
    Ok(picked)
}

impl Sized {
    async fn round(&mut self) -> anyhow::Result<()> {
        let log: &dyn EventLog = &*self.stores.log;
        let one = cell(&OurLog::of(&self.stores), WRITERS, CELL).await?;
        self.figures.appends.push(one);
        let before = log.head().await?.0.saturating_sub(REPLAYED);
        let replayed = stored(log, Position(before), REPLAYED).await?;
        self.figures.replay.push(replayed);
        for (stream, command) in &self.picked {
            let began = Instant::now();
            let events = log.read_stream(stream, 0).await?;
            self.figures.stream_us.push(elapsed_us(began));
            anyhow::ensure!(events.len() as u64 == STREAM_EVENTS, "the stream is whole");
            let began = Instant::now();
            let found = log.find_command(*command).await?;
            self.figures.command_us.push(elapsed_us(began));
            anyhow::ensure!(found.is_some(), "the command is found");
        }
        Ok(())
    }

    /// Appends, their p99, replay, read of a stream, look-up of a command.
    fn medians(&self) -> [f64; 5] {
        let appends = Cell::median(&self.figures.appends);
        let middle = |values: &[u64]| {
            let mut values = values.to_vec();
            values.sort_unstable();
            percentile(&values, 50) as f64
        };
        [
            appends.per_s,
            appends.p99_us as f64 / 1_000.0,
            median(self.figures.replay.clone()),
            middle(&self.figures.stream_us),
            middle(&self.figures.command_us),
        ]
    }
}

/// Measures and prints.
pub(super) async fn measure(settings: &Log, places: &Places, kind: Kind) -> anyhow::Result<()> {
    let mut logs = vec![];
    for size in &settings.sizes {
        logs.push(sized(places, kind, *size).await?);
    }
    for _ in 0..settings.rounds.max(1) * 3 {
        for log in &mut logs {
            log.round().await?;
        }
    }
    let Some(least) = logs.first().map(Sized::medians) else {
        return Ok(());
    };
    let mut table = Table::default();
    for log in &logs {
        let [per_s, p99_ms, replay, stream_us, command_us] = log.medians();
        let [first_per_s, _, first_replay, ..] = least;
        let percent = |now: f64, then: f64| (now / then - 1.0) * 100.0;
        let head = log.size;
        table.row(
            &format!("{head} events"),
            format!(
                "appends {per_s:>6.0}/s ({:+.0} %), p99 {p99_ms:.1} ms; replay of the last \
                 {REPLAYED} {replay:>7.0}/s \
                 ({:+.0} %); a stream {stream_us:.0} us, a command {command_us:.0} us",
                percent(per_s, first_per_s),
                percent(replay, first_replay),
            ),
            "within 25 %",
        );
    }
    table.print(&format!(
        "growth, {}, {WRITERS} writers, medians of {} interleaved runs",
        kind.shown(),
        settings.rounds.max(1) * 3
    ));
    Ok(())
}

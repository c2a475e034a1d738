//! `bench held`: what a bridged call costs in memory.

use super::{
    figures::Table,
    floor::{Floor, Wave},
    options::Place,
    process,
};
use anyhow::ensure;
use std::time::Duration;

/// Calls that come and go first, so that what is allocated once is not counted.
const WARM_UP: Wave = Wave {
    calls: 50,
    per_s: 50,
    talk_ms: 100,
};
/// Held calls arrive at this rate.
const ARRIVE_PER_S: usize = 50;
/// Longer than the bench takes.
const TALK_MS: u64 = 3_600_000;
/// What is done after the answer is done by then.
const SETTLE: Duration = Duration::from_secs(3);
/// By when all are connected, beyond the time of their arrival.
const MARGIN: Duration = Duration::from_secs(60);

/// Settings of the bench.
#[derive(Debug, Clone, clap::Args)]
pub struct Held {
    /// Calls that are held at once; there are as many agents.
    #[arg(long, default_value_t = 500)]
    calls: usize,
    #[command(flatten)]
    pub(super) place: Place,
}

/// Measures and prints.
pub(super) async fn run(settings: &Held) -> anyhow::Result<()> {
    ensure!(
        settings.calls > 0,
        "--calls is 0: there is nothing to measure"
    );
    let mut floor = Floor::open(&settings.place.setup(settings.calls)).await?;
    let id = floor.server.id()?;
    let mut warm_up = floor.callers("warm-up", &WARM_UP)?;
    let warmed = warm_up.done(WARM_UP.patience(settings.calls)).await?;
    ensure!(
        warmed.failed == 0,
        "{} calls of the warm-up failed: {}",
        warmed.failed,
        warm_up.complaints()
    );
    floor.server.until_ready(settings.calls, MARGIN).await?;
    tokio::time::sleep(SETTLE).await;
    let before_kib = process::status_number(id, "VmRSS")?;
    let threads_before = process::status_number(id, "Threads")?;
    let wave = Wave {
        calls: settings.calls,
        per_s: ARRIVE_PER_S,
        talk_ms: TALK_MS,
    };
    let mut callers = floor.callers("callers", &wave)?;
    let patience = Duration::from_secs((settings.calls / ARRIVE_PER_S) as u64) + MARGIN;
    callers
        .until_logged("answered", settings.calls, patience)
        .await?;
    tokio::time::sleep(SETTLE).await;
    let with_kib = process::status_number(id, "VmRSS")?;
    let threads_with = process::status_number(id, "Threads")?;
    callers.kill().await?;
    floor.agents.kill().await?;

    let per_call = with_kib.saturating_sub(before_kib) as f64 / settings.calls as f64;
    let mut table = Table::default();
    table.row(
        "memory of the server without calls",
        format!("{:.1} MiB", before_kib as f64 / 1_024.0),
        "",
    );
    table.row(
        "memory of the server with the calls",
        format!("{:.1} MiB", with_kib as f64 / 1_024.0),
        "",
    );
    table.row(
        "memory a held call",
        format!("{per_call:.1} KiB"),
        "40 KB (first: 60 KB)",
    );
    table.row(
        "threads, without and with",
        format!("{threads_before} and {threads_with}"),
        "equal",
    );
    table.print(&format!("held: {} bridged calls", settings.calls));
    Ok(())
}

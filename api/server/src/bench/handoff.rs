//! `bench handoff`: how long a free agent is idle while callers wait.

use super::{
    figures::{Distribution, Table},
    floor::{Floor, Wave},
    machine,
    options::Place,
    sipp_log,
};
use crate::demo::say;
use std::time::Duration;

/// Callers ring in as fast as this: all at once, for an agent.
const ARRIVE_PER_S: usize = 1_000;
/// The last BYE reaches its agent's phone within this.
const SETTLE: Duration = Duration::from_secs(1);

/// Settings of the bench.
#[derive(Debug, Clone, clap::Args)]
pub struct Handoff {
    /// Agents in the queue.
    #[arg(long, default_value_t = 10)]
    agents: usize,
    /// Callers who ring in at once.
    #[arg(long, default_value_t = 100)]
    callers: usize,
    /// How long each talks, in milliseconds.
    #[arg(long, default_value_t = 500)]
    talk_ms: u64,
    #[command(flatten)]
    pub(super) place: Place,
}

/// Measures and prints.
pub(super) async fn run(settings: &Handoff) -> anyhow::Result<()> {
    let mut floor = Floor::open(&settings.place.setup(settings.agents)).await?;
    let disk = machine::disk_sync(floor.server.folder())?;
    let wave = Wave {
        calls: settings.callers,
        per_s: ARRIVE_PER_S,
        talk_ms: settings.talk_ms,
    };
    let mut callers = floor.callers("callers", &wave)?;
    let counters = callers.done(wave.patience(settings.agents)).await?;
    tokio::time::sleep(SETTLE).await;
    let idle = Distribution::of_us(sipp_log::idle_times(&floor.agents.lines()));
    let complaints = format!("{}\n{}", callers.complaints(), floor.agents.complaints());
    floor.agents.kill().await?;
    floor.server.stop().await?;

    let mut table = Table::default();
    table.row(
        "callers served",
        format!("{} of {}", counters.successful, settings.callers),
        "every one",
    );
    table.row("hand-offs measured", idle.count.to_string(), "");
    table.row("idle, mean", format!("{:.1} ms", idle.mean_ms), "5 ms");
    table.row(
        "idle, p50/p95/p99/max",
        idle.shown(),
        "p99 20 ms, max 20 ms",
    );
    table.row("this disk's fsync, p50/p95/p99/max", disk.shown(), "");
    table.print(&format!(
        "hand-off: {} agents, {} callers at once, {} ms of talk",
        settings.agents, settings.callers, settings.talk_ms
    ));
    if counters.failed > 0 {
        say(&format!("  SIPp says: {}", complaints.trim()));
    }
    Ok(())
}

//! `bench calls`: queued calls at a rate, from INVITE to agent to BYE.

use super::{
    figures::{Distribution, Table},
    floor::{Floor, Wave},
    options::Place,
    process,
    record::{self, Record},
    sipp_log::{self, Counters},
};
use crate::demo::say;
use std::time::Duration;

/// The agents' phones get their last BYE within this after the callers' end.
const SETTLE: Duration = Duration::from_secs(2);

/// Settings of the bench.
#[derive(Debug, Clone, clap::Args)]
pub struct Calls {
    /// New calls a second; each rate meets a fresh server.
    #[arg(long, value_delimiter = ',', default_value = "50,200")]
    rates: Vec<usize>,
    /// How long calls come in, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
    /// Agents in the queue.
    #[arg(long, default_value_t = 400)]
    agents: usize,
    /// How long each caller talks, in milliseconds.
    #[arg(long, default_value_t = 1_000)]
    talk_ms: u64,
    #[command(flatten)]
    pub(super) place: Place,
}

/// What was measured at one rate.
struct Measured {
    counters: Counters,
    agent_counters: Counters,
    to_agent: Distribution,
    to_answer: Distribution,
    cpu_ms: u64,
    peak_kib: u64,
    repairs: f64,
    record: Record,
    complaints: String,
}

/// Measures and prints, a rate after the other.
pub(super) async fn run(settings: &Calls) -> anyhow::Result<()> {
    for per_s in &settings.rates {
        let wave = Wave {
            calls: per_s * settings.seconds,
            per_s: *per_s,
            talk_ms: settings.talk_ms,
        };
        let measured = measure(settings, &wave).await?;
        show(settings, &wave, &measured);
    }
    Ok(())
}

async fn measure(settings: &Calls, wave: &Wave) -> anyhow::Result<Measured> {
    let mut floor = Floor::open(&settings.place.setup(settings.agents)).await?;
    let id = floor.server.id()?;
    let cpu_before = process::cpu_ms(id)?;
    let mut callers = floor.callers("callers", wave)?;
    let counters = callers.done(wave.patience(settings.agents)).await?;
    tokio::time::sleep(SETTLE).await;
    let cpu_ms = process::cpu_ms(id)? - cpu_before;
    let peak_kib = process::status_number(id, "VmHWM")?;
    let repairs = floor.server.metric("ringledger_repairs_count").await?;
    let (called, rung) = (callers.lines(), floor.agents.lines());
    let agent_counters = floor.agents.counters().unwrap_or_default();
    let complaints = format!("{}\n{}", callers.complaints(), floor.agents.complaints());
    floor.agents.kill().await?;
    floor.server.stop().await?;
    let invited = sipp_log::first_at(&called, "invited");
    Ok(Measured {
        counters,
        agent_counters,
        to_agent: Distribution::of_us(sipp_log::between(
            &invited,
            &sipp_log::first_at(&rung, "rung"),
        )),
        to_answer: Distribution::of_us(sipp_log::between(
            &invited,
            &sipp_log::first_at(&called, "answered"),
        )),
        cpu_ms,
        peak_kib,
        repairs,
        record: record::read(floor.server.store_url()).await?,
        complaints,
    })
}

fn show(settings: &Calls, wave: &Wave, measured: &Measured) {
    let counters = &measured.counters;
    let calls = counters.created.max(1) as f64;
    let mut table = Table::default();
    table.row(
        "calls completed",
        format!("{} of {}", counters.successful, wave.calls),
        "",
    );
    table.row("calls failed", counters.failed.to_string(), "0");
    table.row(
        "retransmissions, callers + agents",
        format!(
            "{} + {}",
            counters.retransmissions, measured.agent_counters.retransmissions
        ),
        "0",
    );
    table.row(
        "INVITE to agent's INVITE, p50/p95/p99/max",
        measured.to_agent.shown(),
        "p50 3, p99 10 ms at 50 calls/s (first: p99 20 ms)",
    );
    table.row(
        "INVITE to 200, p50/p95/p99/max",
        measured.to_answer.shown(),
        "",
    );
    table.row(
        "CPU of the server a call",
        format!("{:.2} ms", measured.cpu_ms as f64 / calls),
        "3 ms (first: 5 ms)",
    );
    table.row(
        "events a call",
        format!("{:.1}", measured.record.events_per_call),
        "",
    );
    table.row(
        "commits from INVITE to agent's INVITE, most",
        measured.record.commits_max.to_string(),
        "4",
    );
    table.row(
        "calls on the record",
        measured.record.calls.to_string(),
        "every one",
    );
    table.row("repairs", format!("{:.0}", measured.repairs), "0");
    table.row(
        "memory of the server, peak",
        format!("{:.1} MiB", measured.peak_kib as f64 / 1_024.0),
        "",
    );
    table.print(&format!(
        "{} calls/s for {} s, {} agents, {} ms of talk",
        wave.per_s, settings.seconds, settings.agents, wave.talk_ms
    ));
    say(&format!("  chain: {}", measured.record.chain.join(" > ")));
    if counters.failed > 0 {
        say(&format!("  SIPp says: {}", measured.complaints.trim()));
    }
}

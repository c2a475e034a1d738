//! `bench media`: the relay alone, in this process.

use super::figures::Table;
use anyhow::Context as _;
use commands::system::SystemEntropy;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

/// Settings of the bench.
#[derive(Debug, Clone, clap::Args)]
pub struct Media {
    /// Bridged calls, of two legs each.
    #[arg(long, default_value_t = 500)]
    calls: usize,
    /// How long to speak, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Threads that play the phones.
    #[arg(long, default_value_t = 1)]
    generators: usize,
}

/// Measures and prints.
pub(super) async fn run(settings: &Media) -> anyhow::Result<()> {
    let options = media::Options {
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        ..media::Options::default()
    };
    // What the relay reports about its legs is of no interest here.
    let (relay, _events) = media::Relay::start(&options, Arc::new(SystemEntropy::default()))
        .context("the relay does not start")?;
    let wanted = media::bench::Options {
        calls: settings.calls,
        duration_ms: settings.seconds.saturating_mul(1_000),
        generators: settings.generators,
    };
    let report = tokio::task::spawn_blocking(move || media::bench::run(&relay, &wanted)).await??;
    let mut table = Table::default();
    table.row(
        "packets sent, lost",
        format!("{}, {}", report.sent, report.lost),
        "0 lost at 1000 calls",
    );
    let ms = |us: u32| f64::from(us) / 1_000.0;
    table.row(
        "added latency, p50/p95/p99/max",
        format!(
            "{:.2} / {:.2} / {:.2} / {:.2} ms",
            ms(report.latency_p50_us),
            ms(report.latency_p95_us),
            ms(report.latency_p99_us),
            ms(report.latency_max_us)
        ),
        "p99 1 ms",
    );
    table.row(
        "relay threads",
        format!("{:.1} % of a core", report.relay_cpu_percent),
        "",
    );
    table.print(&format!(
        "media: {} bridged calls, G.711 both ways, {} s",
        report.calls, settings.seconds
    ));
    Ok(())
}

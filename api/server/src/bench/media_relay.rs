//! `bench media`: the relay alone, in this process.

use crate::demo::say;
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
pub(super) async fn run(settings: Media) -> anyhow::Result<()> {
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
    say(&report.to_string());
    Ok(())
}

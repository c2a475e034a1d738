//! `ringledger bench`: measures, and prints machine, commit and figures.

mod media_relay;

use clap::Subcommand;
use std::process::ExitCode;

/// What is measured.
#[derive(Debug, Clone, Subcommand)]
pub enum What {
    /// Bridged calls with G.711 both ways through the relay: loss and added latency.
    Media(media_relay::Media),
}

/// Runs one bench.
///
/// # Errors
/// When a part of it can not run.
pub async fn run(what: What) -> anyhow::Result<ExitCode> {
    match what {
        What::Media(options) => media_relay::run(options).await?,
    }
    Ok(ExitCode::SUCCESS)
}

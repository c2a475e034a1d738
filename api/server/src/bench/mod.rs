//! `ringledger bench`: measures, and prints machine, commit and figures.

use clap::Subcommand;
use std::process::ExitCode;

/// What is measured.
#[derive(Debug, Clone, Subcommand)]
pub enum What {}

/// Runs one bench.
///
/// # Errors
/// When a part of it can not run.
pub async fn run(what: What) -> anyhow::Result<ExitCode> {
    match what {}
}

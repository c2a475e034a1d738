//! `ringledger bench`: measures, and prints machine, commit and figures beside
//! their targets.
//!
//! What a call costs is measured from outside: SIPp (Debian `sip-tester`) is
//! every phone, this binary is the server, and all of it runs on loopback. The
//! figures are for people to compare; a bench succeeds when it could measure.

mod billing;
mod calls;
mod figures;
mod floor;
mod handoff;
mod held;
mod log;
mod machine;
mod media_relay;
mod options;
mod process;
mod record;
mod register;
mod registrations;
mod routing;
mod server_process;
mod sipp;
mod sipp_log;

use clap::Subcommand;
use std::process::ExitCode;

/// What is measured.
#[derive(Debug, Clone, Subcommand)]
pub enum What {
    /// Calls rated a second, and an invoice run.
    Billing(billing::Billing),
    /// Queued calls at a rate: latency, failures, CPU and events of each.
    Calls(calls::Calls),
    /// How long a free agent is idle while callers wait.
    Handoff(handoff::Handoff),
    /// Memory of a bridged call.
    Held(held::Held),
    /// Registrations with digest a second.
    Register(register::Register),
    /// The event store beside the stock crates: appends, replay, growth, visibility.
    Log(log::Log),
    /// What a routing decision costs, by agents and waiting calls.
    Routing(routing::Settings),
    /// Bridged calls with G.711 both ways through the relay: loss and added latency.
    Media(media_relay::Media),
}

/// Runs one bench.
///
/// # Errors
/// When a part of it can not run.
pub async fn run(what: What) -> anyhow::Result<ExitCode> {
    process::lift_descriptor_limit();
    let store = match &what {
        What::Billing(settings) => settings.shown(),
        What::Calls(settings) => settings.place.shown(),
        What::Handoff(settings) => settings.place.shown(),
        What::Held(settings) => settings.place.shown(),
        What::Register(settings) => settings.place.shown(),
        What::Log(settings) => settings.shown(),
        What::Routing(_) | What::Media(_) => "none".into(),
    };
    machine::print(&store);
    match what {
        What::Billing(settings) => billing::run(&settings).await?,
        What::Calls(settings) => calls::run(&settings).await?,
        What::Handoff(settings) => handoff::run(&settings).await?,
        What::Held(settings) => held::run(&settings).await?,
        What::Register(settings) => register::run(&settings).await?,
        What::Log(settings) => Box::pin(log::run(&settings)).await?,
        What::Routing(settings) => routing::run(&settings)?,
        What::Media(settings) => media_relay::run(&settings).await?,
    }
    Ok(ExitCode::SUCCESS)
}

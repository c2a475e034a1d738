//! `bench register`: phones that register with a digest.

use super::{
    figures::{Distribution, Table},
    options::Place,
    process,
    registrations::{self, Registered, Wave},
    server_process::ServerProcess,
    sipp,
};
use crate::demo::say;

/// Settings of the bench.
#[derive(Debug, Clone, clap::Args)]
pub struct Register {
    /// Phones; each has its own agent.
    #[arg(long, default_value_t = 2_000)]
    agents: usize,
    /// Registrations a second; each is two requests, the first is challenged.
    #[arg(long, default_value_t = 1_000)]
    rate: usize,
    /// How long they are refreshed, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: usize,
    #[command(flatten)]
    pub(super) place: Place,
}

/// Measures and prints.
pub(super) async fn run(settings: &Register) -> anyhow::Result<()> {
    let setup = settings.place.setup(settings.agents);
    let mut server = ServerProcess::start(&setup).await?;
    let id = server.id()?;
    let port = sipp::free_port()?;
    let phases = [
        ("first, with events", settings.agents),
        ("refreshed", settings.rate * settings.seconds),
    ];
    for (phase, times) in phases {
        let wave = Wave {
            agents: settings.agents,
            times,
            per_s: settings.rate,
        };
        let before = process::cpu_ms(id)?;
        let done = registrations::register(server.sip, port, wave).await?;
        let cpu_ms = process::cpu_ms(id)? - before;
        show(phase, &wave, &done, cpu_ms);
    }
    server.stop().await
}

fn show(phase: &str, wave: &Wave, done: &Registered, cpu_ms: u64) {
    let registered = done.whole_us.len();
    let whole = Distribution::of_us(done.whole_us.clone());
    let second = Distribution::of_us(done.second_us.clone());
    let mut table = Table::default();
    table.row(
        "registered",
        format!("{registered} of {}", wave.times),
        "every one",
    );
    let per_s = registered as f64 / done.took.as_secs_f64();
    table.row("reached a second", format!("{per_s:.0}"), "5000");
    table.row("retransmissions", done.retransmissions.to_string(), "0");
    table.row("both requests, p50/p95/p99/max", whole.shown(), "p99 10 ms");
    table.row(
        "the one with credentials, p50/p95/p99/max",
        second.shown(),
        "",
    );
    let each = cpu_ms as f64 / wave.times.max(1) as f64;
    table.row("CPU of the server each", format!("{each:.2} ms"), "");
    table.print(&format!(
        "register, {phase}: {} phones, {} a second",
        wave.agents, wave.per_s
    ));
    if let Some(status) = done.refused_with {
        say(&format!("  the first refusal: {status}"));
    }
}

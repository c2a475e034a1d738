//! Logs and metrics.

use crate::config::{LogFormat, LogSection};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::{io::IsTerminal as _, time::Duration};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// Upper bounds of the latency buckets, in seconds: from a fast commit to a
/// store in trouble.
const LATENCY_BUCKETS_S: &[f64] = &[
    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0,
];

/// Starts logging to standard error, with colours only for a person at a
/// terminal.
///
/// # Errors
/// When the filter is not understood, or logging was started before.
pub fn start_logs(section: &LogSection) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&section.filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let is_terminal = std::io::stderr().is_terminal();
    let lines = fmt::layer()
        .with_ansi(is_terminal)
        .with_writer(std::io::stderr);
    match section.format {
        LogFormat::Text => registry.with(lines).try_init()?,
        LogFormat::Json => registry.with(lines.json()).try_init()?,
    }
    Ok(())
}

/// How often samples are put into their buckets. Otherwise each would be kept until
/// somebody asks for the metrics, which nobody may ever do.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Starts collecting metrics; the handle renders them for Prometheus. They are kept up
/// by a thread that lives as long as the process.
///
/// # Errors
/// When metrics were started before, or there is no thread.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets(LATENCY_BUCKETS_S)?
        .install_recorder()?;
    let kept_up = handle.clone();
    std::thread::Builder::new()
        .name("metrics".into())
        .spawn(move || {
            loop {
                std::thread::sleep(UPKEEP_EVERY);
                kept_up.run_upkeep();
            }
        })?;
    Ok(handle)
}

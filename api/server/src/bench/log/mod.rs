//! `bench log`: the event store alone, side by side with the stock crates
//! postgres-es and sqlite-es in the same run, and how its cost behaves as the
//! log grows.
//!
//! Every figure of ours is with command ids, the check for duplicates, and a
//! disk that has the events before the answer.

mod appends;
mod figures;
mod growth;
#[cfg(feature = "peers")]
mod peers;
mod places;
mod replay;
mod socket;
mod start;
mod visible;

use super::{figures::Table, machine};
use crate::demo::say;
use clap::ValueEnum;
use places::{Kind, Place, Places};
use std::{path::PathBuf, time::Duration};

/// Settings of the bench.
#[derive(Debug, Clone, clap::Args)]
pub struct Log {
    /// Stores to measure. PostgreSQL is started for the bench from its programs.
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    stores: Vec<Kind>,
    /// What to measure.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "appends,replay,growth,visible,start"
    )]
    parts: Vec<Part>,
    /// Writers at once.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32,64,512")]
    writers: Vec<usize>,
    /// How long one figure is measured, in milliseconds.
    #[arg(long, default_value_t = 1_500)]
    cell_ms: u64,
    /// Runs of each figure, interleaved; the median is shown.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Events in the log, for how cost grows with it.
    #[arg(long, value_delimiter = ',', default_value = "10000,100000,1000000")]
    sizes: Vec<u64>,
    /// Events a second, for how long until people see them.
    #[arg(long, default_value_t = 2_000)]
    events_per_s: u64,
    /// Folder on the disk that is to be measured; temporary folders are made in it.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Appends a second and their latency.
    Appends,
    /// Events a second from the first one on.
    Replay,
    /// The same at different sizes of the log.
    Growth,
    /// From commit to a row and to a subscription.
    Visible,
    /// From commit to a row at different sizes of the log.
    VisibleGrowth,
    /// From the start of the process to the first call, on the longest log.
    Start,
}

impl Log {
    fn folder(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(std::env::temp_dir)
    }

    /// What is measured, for people.
    pub(super) fn shown(&self) -> String {
        let names: Vec<_> = self.stores.iter().map(|kind| kind.shown()).collect();
        format!(
            "{} in {}, fsync on",
            names.join(", "),
            self.folder().display()
        )
    }

    const fn cell(&self) -> Duration {
        Duration::from_millis(self.cell_ms)
    }
}

/// Measures and prints.
pub(super) async fn run(settings: &Log) -> anyhow::Result<()> {
    let folder = settings.folder();
    let sync = machine::disk_sync(&folder)?;
    say(&format!(
        "disk     one fsync p50/p95/p99/max {}",
        sync.shown()
    ));
    let places = Places::start(&settings.stores, &folder).await?;
    for kind in &settings.stores {
        if settings.parts.contains(&Part::Appends) {
            appends::measure(settings, &places, *kind).await?;
        }
        if settings.parts.contains(&Part::Replay) {
            replay::measure(settings, &places, *kind).await?;
        }
        if settings.parts.contains(&Part::Growth) {
            growth::measure(settings, &places, *kind).await?;
        }
        if settings.parts.contains(&Part::Visible) {
            visible::measure(settings, &places, *kind).await?;
        }
        if settings.parts.contains(&Part::VisibleGrowth) {
            visible::growth(settings, &places, *kind).await?;
        }
        if settings.parts.contains(&Part::Start) {
            start::measure(settings, &places, *kind).await?;
        }
    }
    let sync = machine::disk_sync(&folder)?;
    say(&format!(
        "\ndisk     one fsync p50/p95/p99/max {} at the end",
        sync.shown()
    ));
    Ok(())
}

//! A PostgreSQL of a test's own, whose folder outlives it.

use std::path::PathBuf;
use store::cluster::{Cluster, Settings};

/// Starts the server of a folder that one has left, or a new one.
///
/// # Errors
/// The server's own words.
pub async fn start(folder: Option<PathBuf>, settings: &Settings) -> anyhow::Result<Cluster> {
    let settings = settings.clone();
    let started = tokio::task::spawn_blocking(move || match folder {
        Some(folder) => Cluster::again(&folder, &settings),
        None => Cluster::start(&settings),
    });
    started.await?.map_err(anyhow::Error::msg)
}

//! `ringledger backup` and `ringledger restore`: the embedded store, also while
//! a server runs on it.

use crate::demo::say;
use anyhow::{Context as _, bail};
use commands::{ports::Clock as _, system::SystemClock};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use store::sqlite::backup;

/// Where the two parts of a backup are.
#[derive(Debug, clap::Args)]
pub struct Places {
    /// Folder of the log.
    folder: PathBuf,
    /// Folder of the keys: apart, or an erasure would be undone by a restore.
    #[arg(long)]
    keys: PathBuf,
}

/// Copies the log and the keys of the store, and checks the copies.
///
/// # Errors
/// When the store is not embedded, or a copy can not be made or is not good.
pub fn save(store_url: &str, places: &Places) -> anyhow::Result<ExitCode> {
    let store = folder_of(store_url)?;
    let made = backup::backup(&store, &places.folder, &places.keys, SystemClock.now())
        .context("no backup was made")?;
    say(&format!(
        "{} events up to position {} are in {}, their keys in {}",
        made.events_count.unwrap_or_default(),
        made.head.unwrap_or_default(),
        places.folder.display(),
        places.keys.display(),
    ));
    Ok(ExitCode::SUCCESS)
}

/// Makes a store of a backup, where there is none.
///
/// # Errors
/// When the backup is damaged or there is something in the store's folder.
pub fn bring_back(store_url: &str, places: &Places) -> anyhow::Result<ExitCode> {
    let store = folder_of(store_url)?;
    let made =
        backup::restore(&places.folder, &places.keys, &store).context("nothing was restored")?;
    say(&format!(
        "{} has the record up to position {}; its read models are made at the next start",
        store.display(),
        made.head.unwrap_or_default(),
    ));
    Ok(ExitCode::SUCCESS)
}

fn folder_of(store_url: &str) -> anyhow::Result<PathBuf> {
    match store_url.split_once(':') {
        Some(("sqlite", path)) => {
            let path = path.strip_prefix("//").unwrap_or(path);
            Ok(Path::new(path).to_owned())
        }
        Some(_) | None => bail!(
            "only the embedded store is backed up by this command: a database server has tools of \
             its own, see docs/backup.md"
        ),
    }
}

//! What the benches that start a server have in common.

use super::server_process::Setup;
use std::path::PathBuf;

/// Where the server of a bench keeps its record.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Place {
    /// `sqlite` for the embedded store, or the `postgres://` url of an empty database.
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// Folder on the disk that is to be measured; a temporary folder is made in it.
    #[arg(long)]
    folder: Option<PathBuf>,
}

impl Place {
    /// A server there with so many agents.
    pub(super) fn setup(&self, agents: usize) -> Setup {
        Setup {
            folder: self.folder.clone().unwrap_or_else(std::env::temp_dir),
            store_url: self.is_database().then(|| self.store.clone()),
            agents,
        }
    }

    fn is_database(&self) -> bool {
        self.store.contains("://")
    }

    /// For people, without the password of a url.
    pub(super) fn shown(&self) -> String {
        match self.store.split_once("://") {
            Some((kind, rest)) => {
                let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
                format!("{kind} at {place}, every commit durable")
            }
            None => format!(
                "embedded SQLite in {}, fsync on",
                self.setup(0).folder.display()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(store: &str) -> Place {
        Place {
            store: store.into(),
            folder: Some("/tmp".into()),
        }
    }

    #[test]
    fn a_url_is_a_database_and_its_password_is_not_shown() {
        let database = place("postgres://me:secret@localhost/calls");
        assert_eq!(
            database.shown(),
            "postgres at localhost/calls, every commit durable"
        );
        assert!(database.setup(1).store_url.is_some());
        assert_eq!(place("sqlite").setup(1).store_url, None);
    }
}

//! The write side without a network, for commands of the binary that give
//! orders: on the store of a server that does not run, or beside others on a
//! shared one.

use crate::{
    config::Config,
    keeper::{Keeper, Standing, Terms},
};
use anyhow::Context as _;
use commands::{
    bookkeeping::Bookkeeping,
    gateway::Gateway,
    ports::{Clock, Entropy, EventLog},
    processes,
    rater::Rater,
    roster::Roster,
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The write side without a network.
pub(crate) struct BackOffice {
    pub(crate) means: processes::Means,
    pub(crate) books: Bookkeeping,
    stores: store::Stores,
    pub(crate) dead: Option<store::Heartbeat>,
    pub(crate) roster: Roster,
    keeping: (CancellationToken, JoinHandle<Standing>),
}

impl BackOffice {
    /// Joins the nodes of the store under a name.
    ///
    /// # Errors
    /// When the store can not be opened: a running server holds it, where a store
    /// is of one node.
    pub(crate) async fn open(name: &str, config: &Config, data: &Path) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::default());
        let stores = store::join(&config.store_url(data), name)
            .await
            .context("store can not be opened")?;
        let dead = stores.nodes.last_beat().await?;
        let terms = Terms {
            name: name.into(),
            lease: Duration::from_millis(config.node.lease_ms),
        };
        let keeper = Keeper::join(stores.nodes.clone(), clock.clone(), terms).await?;
        let roster = keeper.roster().clone();
        let stop = CancellationToken::new();
        let keeping = (stop.clone(), tokio::spawn(keeper.keep(stop)));
        let (writer, feed) = Writer::start(stores.log.clone(), clock.clone()).await?;
        let books = Bookkeeping::kept(feed.clone(), stores.read.clone()).await?;
        let rater = Rater::new(
            books.clone(),
            feed.clone(),
            stores.log.clone(),
            stores.vault.clone(),
        );
        let gateway = Gateway::with_snapshots(
            stores.log.clone(),
            writer,
            entropy,
            roster.node_epoch(),
            stores.read.clone(),
        );
        gateway.rate_with(rater);
        let means = processes::Means {
            gateway,
            feed,
            store: stores.read.clone(),
            clock,
        };
        Ok(Self {
            means,
            books,
            stores,
            dead,
            roster,
            keeping,
        })
    }

    /// Makes room for whoever leads next.
    pub(crate) async fn close(self) {
        let (stop, keeping) = self.keeping;
        stop.cancel();
        // It only ends; what it was does not matter any more.
        let _ = keeping.await;
        let now = self.means.clock.now();
        let epoch = self.roster.node_epoch();
        if let Err(error) = self.stores.nodes.leave(epoch, now).await {
            tracing::warn!(%error, "other nodes will take this run for lost");
        }
    }

    /// The record.
    pub(crate) fn log(&self) -> Arc<dyn EventLog> {
        self.stores.log.clone()
    }
}

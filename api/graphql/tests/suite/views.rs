//! The read side of a world.

use commands::feed::Feed;
use projections::{Means, Running};
use store::Stores;

/// Starts the projections; they run until the handle is dropped.
pub(crate) async fn start(stores: &Stores, feed: Feed) -> Running {
    let means = Means {
        feed,
        read: stores.read.clone(),
        vault: stores.vault.clone(),
    };
    projections::start(means).await.unwrap()
}

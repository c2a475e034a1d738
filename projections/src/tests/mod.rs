//! What holds for all read models together.

mod adherence;
mod erasure;
mod estimates;
mod live;
mod places;
mod properties;
mod rebuilds;
mod restarts;
mod standby;

use crate::{changed::View, runner::Runner, source::Source, testing::World};
use commands::ports::ReadStore;
use std::sync::Arc;

/// An empty read store, in memory.
fn empty() -> Arc<dyn ReadStore> {
    Arc::new(store::memory::MemoryReadStore::open().unwrap())
}

/// A runner of all views over the world's record.
async fn runner(world: &World, read: &Arc<dyn ReadStore>) -> Runner {
    let source = Source::Log(world.log().await);
    let vault = world.vault.clone();
    Runner::load(source, read.clone(), vault, &View::ALL)
        .await
        .unwrap()
}

/// Folds everything that there is.
async fn run_to_end(runner: &mut Runner) {
    while runner.step(|| false).await.unwrap().is_some() {}
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

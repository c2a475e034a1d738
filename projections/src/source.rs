//! Where a runner reads: the feed of a running node, or the log itself.

use commands::{
    feed::{Feed, understand},
    ports::{EventLog, Position, ReadError},
    tail::Entry,
};
use std::sync::Arc;

/// Where a runner reads.
#[derive(Clone)]
pub(crate) enum Source {
    Feed(Feed),
    Log(Arc<dyn EventLog>),
}

impl Source {
    /// The next events. When one of them can not be read, those before it come
    /// first, so that the views stop exactly before it.
    pub(crate) async fn read(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Entry>>, ReadError> {
        let corrupt = match self.page(after, limit).await {
            Err(error @ ReadError::Corrupt { .. }) => error,
            other @ (Ok(_) | Err(ReadError::Unavailable(_))) => return other,
        };
        let ReadError::Corrupt { position, .. } = &corrupt else {
            return Err(corrupt);
        };
        let before = position.0.saturating_sub(after.0).saturating_sub(1);
        let before = usize::try_from(before).unwrap_or(limit).min(limit - 1);
        if before == 0 {
            return Err(corrupt);
        }
        self.page(after, before).await
    }

    async fn page(&self, after: Position, limit: usize) -> Result<Vec<Arc<Entry>>, ReadError> {
        match self {
            Self::Feed(feed) => feed.read(after, limit).await,
            Self::Log(log) => {
                let page = log.read_all(after, limit).await?;
                page.events
                    .into_iter()
                    .map(|stored| understand(stored).map(Arc::new))
                    .collect()
            }
        }
    }
}

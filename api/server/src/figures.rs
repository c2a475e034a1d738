//! Figures that nobody counts along the way: they are looked at once in a while.

use commands::gateway::Gateway;
use projections::views::Views;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often.
const LOOK: Duration = Duration::from_secs(1);

/// What is looked at.
pub(crate) struct Figures {
    pub(crate) gateway: Gateway,
    pub(crate) relay: media::Relay,
    pub(crate) views: Views,
}

impl Figures {
    /// Tells them until `shutdown`.
    pub(crate) async fn tell(self, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = shutdown.cancelled() => return,
            }
            let live = self.gateway.live_count() as f64;
            metrics::gauge!("ringledger_aggregates_live_count").set(live);
            let ports = self.relay.open_ports() as f64;
            metrics::gauge!("ringledger_media_ports_open_count").set(ports);
            match self.views.unrated_count().await {
                Ok(unrated) => {
                    metrics::gauge!("ringledger_calls_unrated_count").set(unrated as f64);
                }
                // It stays as it was: whoever can not be asked is told of elsewhere.
                Err(error) => tracing::debug!(%error, "calls without a price are not counted"),
            }
        }
    }
}

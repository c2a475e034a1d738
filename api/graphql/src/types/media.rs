//! What was measured of the sound of a leg.

use crate::scalar::count;
use async_graphql::Object;
use domain::call;

/// Measured sound.
pub(crate) struct LegMedia(pub(crate) call::LegMedia);

/// The sound of a leg, measured where it came in. Times are in microseconds.
#[Object]
impl LegMedia {
    /// RTP packets that its phone sent and that came.
    async fn received_count(&self) -> i32 {
        count(self.0.received_count)
    }

    /// RTP packets that should have come and did not (RFC 3550, A.3).
    async fn lost_count(&self) -> i32 {
        count(self.0.lost_count)
    }

    /// Lost packets, as a share of 1.
    async fn loss_rate(&self) -> f64 {
        rate(self.0.loss_ppm())
    }

    /// RTP packets that were sent to its phone.
    async fn sent_count(&self) -> i32 {
        count(self.0.sent_count)
    }

    /// Packets of our stream that its phone says it has lost, what the other side lost on
    /// its way to us included; null if it says nothing.
    async fn far_lost_count(&self) -> Option<i32> {
        self.0.far_lost_count.map(count)
    }

    /// The mean interarrival jitter (RFC 3550, A.8).
    async fn jitter_us(&self) -> i32 {
        count(self.0.jitter_us)
    }

    /// The highest jitter.
    async fn jitter_max_us(&self) -> i32 {
        count(self.0.jitter_max_us)
    }

    /// The mean time to its phone and back, by RTCP; null if its phone sends none
    /// that tells it.
    async fn rtt_us(&self) -> Option<i32> {
        self.0.rtt_us.map(count)
    }

    /// The mean opinion score that the E-model predicts for whoever hears it, from 1
    /// to 4.4 (ITU-T G.107); null if nothing was heard.
    async fn mos(&self) -> Option<f64> {
        self.0.mos_hundredths().map(score)
    }
}

/// From hundredths to a score.
pub(crate) fn score(hundredths: u16) -> f64 {
    f64::from(hundredths) / 100.0
}

/// From millionths to a share of 1.
pub(crate) fn rate(ppm: u32) -> f64 {
    f64::from(ppm) / 1_000_000.0
}

//! What was measured of the sound of a call.

use crate::id::LegId;
use serde::{Deserialize, Serialize};

/// Transmission rating without any impairment (ITU-T G.107, default values), in
/// thousandths.
const R_MAX: i64 = 93_200;
/// Packet-loss robustness of G.711 with concealment (ITU-T G.113, appendix I), in
/// thousandths.
const ROBUSTNESS: i64 = 25_100;
/// Delay beyond which people begin to talk over each other, in microseconds.
const DELAY_FELT_US: i64 = 177_300;
/// Delay that is not the network's: a packet's length, in microseconds.
const PACKET_US: i64 = 20_000;

/// How sound travels, by its name in a session description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// G.711, mu-law (RFC 3551).
    #[serde(rename = "PCMU")]
    Pcmu,
    /// G.711, A-law (RFC 3551).
    #[serde(rename = "PCMA")]
    Pcma,
}

impl Codec {
    /// Its encoding name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }
}

/// The sound of one leg, as its far end sent it and as it says that it heard us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegMedia {
    /// Which leg.
    pub leg: LegId,
    /// RTP packets that came.
    pub received_count: u64,
    /// RTP packets that should have come and did not (RFC 3550, A.3).
    pub lost_count: u64,
    /// RTP packets that we sent: the other side, music, tones.
    pub sent_count: u64,
    /// How unevenly packets came: the mean of the interarrival jitter (RFC 3550,
    /// A.8), in microseconds.
    pub jitter_us: u32,
    /// Its highest value, in microseconds.
    pub jitter_max_us: u32,
    /// Mean time to the far end and back by its RTCP reports (RFC 3550, 6.4.1), in
    /// microseconds; none if it sends none that tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u32>,
    /// Packets of our stream that the far end says it has lost, what the other side lost
    /// on its way to us included (RFC 3550, 6.4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far_lost_count: Option<u32>,
    /// How it travelled last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<Codec>,
}

impl LegMedia {
    /// Share of the packets that did not come, in millionths.
    pub const fn loss_ppm(&self) -> u32 {
        let due = self.received_count.saturating_add(self.lost_count);
        if due == 0 {
            return 0;
        }
        // At most a million.
        let ppm = self.lost_count as u128 * 1_000_000 / due as u128;
        ppm as u32
    }

    /// Mean opinion score that the E-model predicts for whoever hears this leg
    /// (ITU-T G.107, G.113: G.711 with concealment, random loss), in hundredths,
    /// from 100 to 440; none if nothing was heard.
    ///
    /// The delay is half the way there and back, a packet, and a jitter buffer of
    /// twice the mean jitter.
    pub fn mos_hundredths(&self) -> Option<u16> {
        if self.received_count == 0 {
            return None;
        }
        let lost = i64::from(self.loss_ppm()) / 10;
        // 95 * loss / (loss + robustness), both in thousandths of a percent.
        let by_loss = 95_000 * lost / (lost + ROBUSTNESS);
        let way_us = i64::from(self.rtt_us.unwrap_or(0)) / 2;
        let delay_us = way_us + PACKET_US + 2 * i64::from(self.jitter_us);
        let felt_us = (delay_us - DELAY_FELT_US).max(0);
        let by_delay = 24 * delay_us / 1_000 + 110 * felt_us / 1_000;
        Some(score((R_MAX - by_loss - by_delay).clamp(0, 100_000)))
    }
}

/// From a rating in thousandths to a score in hundredths (ITU-T G.107, annex B).
fn score(rating: i64) -> u16 {
    // 1 + 0.035 R + 0.000007 R (R - 60) (100 - R)
    let scale = 10_000_000_000_000;
    let cubic = 7 * rating * (rating - 60_000) * (100_000 - rating);
    let score = (35 * rating * (scale / 10_000) + cubic + scale / 2) / scale;
    u16::try_from(100 + score.max(0)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(received_count: u64, lost_count: u64) -> LegMedia {
        LegMedia {
            leg: LegId(uuid::Uuid::nil()),
            received_count,
            lost_count,
            sent_count: 0,
            jitter_us: 0,
            jitter_max_us: 0,
            rtt_us: None,
            far_lost_count: None,
            codec: None,
        }
    }

    #[test]
    fn ratings_become_the_scores_of_the_recommendation() {
        // The lower limits of the categories of ITU-T G.109, table 1.
        for (rating, expected) in [(90, 434), (80, 402), (70, 360), (60, 310), (50, 258)] {
            assert_eq!(score(rating * 1_000), expected, "{rating}");
        }
        assert_eq!((score(0), score(100_000)), (100, 450));
    }

    #[test]
    fn loss_jitter_and_delay_each_cost_and_silence_has_no_score() {
        assert_eq!(heard(0, 0).mos_hundredths(), None);
        assert_eq!(heard(0, 500).mos_hundredths(), None);
        assert_eq!(heard(1_000, 0).mos_hundredths(), Some(440));
        // 95 * 1 / 26.1 = 3.6 off the rating.
        assert_eq!(heard(990, 10).loss_ppm(), 10_000);
        assert_eq!(heard(990, 10).mos_hundredths(), Some(432));
        let jumpy = LegMedia {
            jitter_us: 60_000,
            ..heard(1_000, 0)
        };
        let far = LegMedia {
            rtt_us: Some(600_000),
            ..heard(1_000, 0)
        };
        assert_eq!(jumpy.mos_hundredths(), Some(434));
        assert_eq!(far.mos_hundredths(), Some(359));
        assert_eq!(heard(1, 1_000_000).mos_hundredths(), Some(116));
    }

    #[test]
    fn more_loss_never_sounds_better() {
        let scores: Vec<_> = (0..=1_000)
            .map(|lost| heard(1_000, lost).mos_hundredths())
            .collect();
        assert!(scores.is_sorted_by(|earlier, later| earlier >= later));
    }
}

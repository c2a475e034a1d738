//! A pure tone, of which all signals of ours are made.

use crate::g711::SAMPLE_RATE_HZ;
use std::f64::consts::TAU;

/// Samples of a millisecond.
pub(crate) const PER_MS: usize = SAMPLE_RATE_HZ as usize / 1_000;
/// Rise and fall: no clicks.
const EDGE_MS: usize = 5;

/// A tone of that pitch, so long, and as loud as its peak.
pub(crate) fn tone(pitch_hz: f64, length_ms: usize, peak: f64) -> impl Iterator<Item = i16> {
    let (length, edge) = (length_ms * PER_MS, (EDGE_MS * PER_MS) as f64);
    (0..length).map(move |n| {
        let rise = (n as f64 / edge).min(1.0);
        let fall = ((length - n) as f64 / edge).min(1.0);
        let phase = TAU * pitch_hz * n as f64 / f64::from(SAMPLE_RATE_HZ);
        (peak * rise * fall * phase.sin()) as i16
    })
}

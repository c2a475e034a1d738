//! What a caller hears before a message is recorded: half a second of silence, in which
//! the greeting ends, and the tone after which to speak.

use crate::g711::SAMPLE_RATE_HZ;
use std::f64::consts::TAU;

/// One that no network uses as a signal of its own.
pub(crate) const TONE_HZ: f64 = 1_000.0;
const LEAD_IN_MS: usize = 500;
const TONE_MS: usize = 400;
/// About -12 dBFS.
const PEAK: f64 = 8_000.0;
/// Rise and fall of the tone: no clicks.
const EDGE_MS: usize = 5;

/// Nine tenths of a second, in whole frames.
pub(crate) fn samples() -> Vec<i16> {
    let per_ms = SAMPLE_RATE_HZ as usize / 1_000;
    let (length, edge) = (TONE_MS * per_ms, (EDGE_MS * per_ms) as f64);
    let mut samples = vec![0; LEAD_IN_MS * per_ms];
    samples.extend((0..length).map(|n| {
        let rise = (n as f64 / edge).min(1.0);
        let fall = ((length - n) as f64 / edge).min(1.0);
        let phase = TAU * TONE_HZ * n as f64 / f64::from(SAMPLE_RATE_HZ);
        (PEAK * rise * fall * phase.sin()) as i16
    }));
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::FRAME_SAMPLES;

    #[test]
    fn it_is_silence_and_a_tone_in_whole_frames() {
        let samples = samples();
        assert_eq!(samples.len(), 45 * FRAME_SAMPLES);
        assert!(samples[..4_000].iter().all(|sample| *sample == 0));
        let crossings = samples[4_000..]
            .windows(2)
            .filter(|pair| (pair[0] < 0) != (pair[1] < 0))
            .count();
        // Two a period, in 400 ms.
        assert!(crossings.abs_diff(800) <= 2, "{crossings}");
    }
}

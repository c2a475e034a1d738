//! What a caller hears before a message is recorded: half a second of silence, in which
//! the greeting ends, and the tone after which to speak.

use crate::tone::{PER_MS, tone};

/// One that no network uses as a signal of its own.
pub(crate) const TONE_HZ: f64 = 1_000.0;
const LEAD_IN_MS: usize = 500;
const TONE_MS: usize = 400;
/// About -12 dBFS.
const PEAK: f64 = 8_000.0;

/// Nine tenths of a second, in whole frames.
pub(crate) fn samples() -> Vec<i16> {
    let mut samples = vec![0; LEAD_IN_MS * PER_MS];
    samples.extend(tone(TONE_HZ, TONE_MS, PEAK));
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

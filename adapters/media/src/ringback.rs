//! What an agent hears while somebody is rung back: the ringing tone of ITU-T
//! E.180, clause 5, as most of Europe has it: 425 Hz, a second on and four off.

use crate::tone::{PER_MS, tone};

pub(crate) const TONE_HZ: f64 = 425.0;
const TONE_MS: usize = 1_000;
const PAUSE_MS: usize = 4_000;
/// About -13 dBFS: it is heard for long.
const PEAK: f64 = 7_000.0;

/// Five seconds that can be played again and again.
pub(crate) fn samples() -> Vec<i16> {
    let mut samples: Vec<i16> = tone(TONE_HZ, TONE_MS, PEAK).collect();
    samples.resize(samples.len() + PAUSE_MS * PER_MS, 0);
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::FRAME_SAMPLES;

    #[test]
    fn it_is_a_second_of_tone_and_four_of_silence_in_whole_frames() {
        let samples = samples();
        assert_eq!(samples.len(), 250 * FRAME_SAMPLES);
        let crossings = samples[80..8_000 - 80]
            .windows(2)
            .filter(|pair| (pair[0] < 0) != (pair[1] < 0))
            .count();
        // Two a period, in 980 ms.
        assert!(
            crossings.abs_diff((TONE_HZ * 1.96) as usize) <= 2,
            "{crossings}"
        );
        assert!(samples[8_000..].iter().all(|sample| *sample == 0));
    }
}

//! What a caller hears before a call is cut: the special information tone of
//! ITU-T E.180, clause 6, which says on every network "listen, something is
//! wrong", without a word that would need a language.

use crate::tone::{PER_MS, tone};

/// The three tones, in Hz, each of which sounds this long.
pub(crate) const TONES_HZ: [f64; 3] = [950.0, 1_400.0, 1_800.0];
const TONE_MS: usize = 330;
/// Silence until it begins again; with it the whole is a number of frames.
const PAUSE_MS: usize = 1_010;
/// About -10 dBFS.
const PEAK: f64 = 10_000.0;

/// Two seconds that can be played again and again.
pub(crate) fn samples() -> Vec<i16> {
    let tones = TONES_HZ.into_iter();
    let mut samples: Vec<i16> = tones
        .flat_map(|pitch_hz| tone(pitch_hz, TONE_MS, PEAK))
        .collect();
    samples.resize(samples.len() + PAUSE_MS * PER_MS, 0);
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::FRAME_SAMPLES;

    #[test]
    fn it_is_three_rising_tones_and_a_pause_of_whole_frames() {
        let samples = samples();
        assert_eq!(samples.len(), 100 * FRAME_SAMPLES);
        let crossings = |from_ms: usize| {
            let piece = &samples[from_ms * 8..(from_ms + 300) * 8];
            piece
                .windows(2)
                .filter(|pair| (pair[0] < 0) != (pair[1] < 0))
                .count()
        };
        // Two crossings a period, in 300 ms.
        for (place, pitch_hz) in TONES_HZ.into_iter().enumerate() {
            let expected = (pitch_hz * 0.6) as usize;
            let found = crossings(place * TONE_MS + 10);
            assert!(
                found.abs_diff(expected) <= 2,
                "{pitch_hz} Hz: {found} of {expected}"
            );
        }
        assert!(samples[3 * TONE_MS * 8..].iter().all(|sample| *sample == 0));
    }
}

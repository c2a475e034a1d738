//! The music that waiting callers hear unless their queue has another: one track of our
//! own, synthesised at start from the notes below, so that it needs no file and no licence. Always
//! the same samples.

use crate::{
    announcements::Announcements,
    beep,
    g711::{FRAME_SAMPLES, Law, SAMPLE_RATE_HZ},
    library::Library,
    notice,
    prompts::Prompts,
    ringback,
};
use std::f64::consts::TAU;

/// Length of a beat: 80 beats a minute.
const BEAT_MS: usize = 750;
/// Beats in a bar.
const BAR_BEATS: usize = 4;
/// Loudness of the finished track's highest peak: about -8 dBFS, below which
/// telephone networks do not clip.
const PEAK: f64 = 13_000.0;

/// Chords of the eight bars, as MIDI note numbers from the bass up:
/// Cmaj7, Am7, Dm7, G7, Em7, Am7, Fmaj7, G7.
const CHORDS: [[u8; 4]; 8] = [
    [48, 64, 67, 71],
    [45, 64, 67, 72],
    [50, 65, 69, 72],
    [43, 65, 67, 71],
    [52, 62, 67, 71],
    [45, 64, 67, 72],
    [53, 64, 69, 72],
    [43, 62, 65, 71],
];

/// The melody: note and length in half beats; 0 is a rest. Eight bars.
const MELODY: [(u8, usize); 27] = [
    (76, 3),
    (79, 1),
    (83, 4),
    (81, 3),
    (79, 1),
    (76, 4),
    (77, 2),
    (76, 2),
    (74, 2),
    (72, 2),
    (74, 6),
    (0, 2),
    (79, 3),
    (78, 1),
    (79, 2),
    (83, 2),
    (84, 3),
    (83, 1),
    (81, 4),
    (81, 2),
    (79, 2),
    (77, 2),
    (76, 2),
    (74, 3),
    (71, 1),
    (74, 2),
    (67, 2),
];

/// The track, encoded once in both laws.
#[derive(Debug)]
pub struct Track {
    mu: Vec<u8>,
    a: Vec<u8>,
}

impl Track {
    /// Synthesises the track: 24 seconds that loop without a seam.
    pub fn synthesise() -> Self {
        Self::of(&samples())
    }

    /// What is heard before a call is cut: two seconds that loop.
    pub fn notice() -> Self {
        Self::of(&notice::samples())
    }

    /// What is heard before a message is recorded, once.
    pub fn beep() -> Self {
        Self::of(&beep::samples())
    }

    /// What is heard while somebody is rung: five seconds that loop.
    pub fn ringback() -> Self {
        Self::of(&ringback::samples())
    }

    pub(crate) fn of(samples: &[i16]) -> Self {
        let encode = |law: Law| samples.iter().map(|sample| law.encode(*sample)).collect();
        Self {
            mu: encode(Law::Mu),
            a: encode(Law::A),
        }
    }

    /// Number of frames of 20 ms before the track begins again.
    pub fn frames(&self) -> usize {
        self.mu.len() / FRAME_SAMPLES
    }

    /// The frame of 20 ms with that number, counted on over the end.
    pub fn frame(&self, law: Law, number: usize) -> &[u8] {
        let bytes = match law {
            Law::Mu => &self.mu,
            Law::A => &self.a,
        };
        let start = (number % self.frames()) * FRAME_SAMPLES;
        &bytes[start..start + FRAME_SAMPLES]
    }
}

/// All that we can play.
#[derive(Debug)]
pub(crate) struct Tracks {
    /// For whoever waits.
    pub(crate) music: Library,
    /// For whoever is about to be cut.
    pub(crate) notice: Track,
    /// For whoever waits for somebody to answer.
    pub(crate) ringback: Track,
    /// For whoever is to leave a message.
    pub(crate) beep: Track,
    /// For whoever is not served.
    pub(crate) announcements: Announcements,
    /// Between the music, for whoever waits.
    pub(crate) prompts: Prompts,
}

impl Tracks {
    /// What we make ourselves, with those recordings.
    pub(crate) fn with(music: Library, announcements: Announcements, prompts: Prompts) -> Self {
        Self {
            music,
            announcements,
            prompts,
            notice: Track::notice(),
            ringback: Track::ringback(),
            beep: Track::beep(),
        }
    }
}

/// Samples in a beat.
const BEAT_SAMPLES: usize = BEAT_MS * (SAMPLE_RATE_HZ as usize) / 1000;

/// The track as 16-bit samples.
fn samples() -> Vec<i16> {
    let mut mix = vec![0.0f64; CHORDS.len() * BAR_BEATS * BEAT_SAMPLES];
    for (bar, [bass, low, middle, high]) in CHORDS.into_iter().enumerate() {
        let start = bar * BAR_BEATS * BEAT_SAMPLES;
        pluck(&mut mix, start, bass, 0.9);
        pluck(&mut mix, start + 2 * BEAT_SAMPLES, bass + 7, 0.5);
        // The chord is broken upwards and down again in half beats.
        for (step, note) in [low, middle, high, middle, low, middle, high, middle]
            .into_iter()
            .enumerate()
        {
            pluck(&mut mix, start + step * BEAT_SAMPLES / 2, note, 0.35);
        }
    }
    let mut at = 0;
    for (note, half_beats) in MELODY {
        if note != 0 {
            pluck(&mut mix, at, note, 0.7);
        }
        at += half_beats * BEAT_SAMPLES / 2;
    }
    let loudest = mix
        .iter()
        .fold(1.0f64, |peak, sample| peak.max(sample.abs()));
    mix.iter()
        .map(|sample| (sample / loudest * PEAK) as i16)
        .collect()
}

/// Adds a plucked note: three harmonics below the telephone's 3400 Hz that die
/// away over 1.5 s. What rings past the end rings on at the beginning.
fn pluck(mix: &mut [f64], start: usize, note: u8, loudness: f64) {
    let rate = f64::from(SAMPLE_RATE_HZ);
    let pitch_hz = 440.0 * 2f64.powf((f64::from(note) - 69.0) / 12.0);
    let length = SAMPLE_RATE_HZ as usize * 3 / 2;
    let attack = rate * 0.008;
    for n in 0..length {
        let seconds = n as f64 / rate;
        let rise = (n as f64 / attack).min(1.0);
        let fall = (length - n) as f64 / length as f64;
        let envelope = loudness * rise * fall * (-3.0 * seconds).exp();
        let mut value = 0.0;
        for (harmonic, share) in [(1.0, 1.0), (2.0, 0.35), (3.0, 0.12)] {
            if pitch_hz * harmonic < 3400.0 {
                value += share * (TAU * pitch_hz * harmonic * seconds).sin();
            }
        }
        let at = (start + n) % mix.len();
        mix[at] += envelope * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_track_is_music_and_always_the_same() {
        let track = Track::synthesise();
        assert_eq!(track.frames(), 24 * 50);
        assert_eq!(track.mu, Track::synthesise().mu);
        for law in [Law::Mu, Law::A] {
            // No second of it is silent, nothing clips.
            for second in 0..24 {
                let mut peak = 0;
                for number in second * 50..(second + 1) * 50 {
                    for byte in track.frame(law, number) {
                        peak = peak.max(law.decode(*byte).unsigned_abs());
                    }
                }
                assert!((1_000..15_000).contains(&peak), "second {second}: {peak}");
            }
        }
        assert_eq!(track.frame(Law::Mu, 0), track.frame(Law::Mu, 24 * 50));
    }

    #[test]
    fn the_melody_fills_its_eight_bars() {
        let half_beats: usize = MELODY.iter().map(|(_, length)| length).sum();
        assert_eq!(half_beats, CHORDS.len() * BAR_BEATS * 2);
    }

    #[test]
    fn the_loop_has_no_seam() {
        let samples = samples();
        let step = |a: i16, b: i16| (i32::from(a) - i32::from(b)).abs();
        let largest = samples.windows(2).map(|w| step(w[0], w[1])).max().unwrap();
        assert!(step(samples[0], *samples.last().unwrap()) <= largest);
    }
}

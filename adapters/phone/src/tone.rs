//! Test signals and how to recognise them: tones, sweeps, Goertzel power and correlation of samples. All pure.

use std::f64::consts::TAU;

/// Samples a second of everything this phone plays and records.
pub const SAMPLE_RATE_HZ: u32 = 8000;

/// An endless sine whose phase continues from frame to frame.
#[derive(Debug, Clone)]
pub struct Tone {
    phase: f64,
    step: f64,
    amplitude: f64,
}

impl Tone {
    /// A tone of `hz`; `level` is the amplitude as a share of full scale, 0.0 to 1.0.
    pub fn new(hz: f64, level: f64) -> Self {
        let step = TAU * hz / f64::from(SAMPLE_RATE_HZ);
        Self {
            phase: 0.0,
            step,
            amplitude: level.clamp(0.0, 1.0) * f64::from(i16::MAX),
        }
    }

    /// The next `count` samples.
    pub fn next_samples(&mut self, count: usize) -> Vec<i16> {
        let mut samples = Vec::with_capacity(count);
        for _ in 0..count {
            samples.push((self.phase.sin() * self.amplitude) as i16);
            self.phase = (self.phase + self.step) % TAU;
        }
        samples
    }
}

/// A sweep from one frequency to another: it resembles itself at one offset only, so it can show where audio arrived.
pub fn sweep(from_hz: f64, to_hz: f64, count: usize, level: f64) -> Vec<i16> {
    let amplitude = level.clamp(0.0, 1.0) * f64::from(i16::MAX);
    let (mut phase, mut samples) = (0.0f64, Vec::with_capacity(count));
    for at in 0..count {
        samples.push((phase.sin() * amplitude) as i16);
        let hz = from_hz + (to_hz - from_hz) * at as f64 / count as f64;
        phase = (phase + TAU * hz / f64::from(SAMPLE_RATE_HZ)) % TAU;
    }
    samples
}

/// Mean power of `samples` in units of full scale squared: 0.5 for a full-scale sine.
pub fn power(samples: &[i16]) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    samples.iter().map(|s| normal(*s).powi(2)).sum::<f64>() / samples.len() as f64
}

/// Power at one frequency (Goertzel), in the unit of [`power`].
pub fn goertzel(samples: &[i16], hz: f64) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let factor = 2.0 * (TAU * hz / f64::from(SAMPLE_RATE_HZ)).cos();
    let (mut before, mut last) = (0.0, 0.0);
    for sample in samples {
        (before, last) = (last, normal(*sample) + factor * last - before);
    }
    let squared = last * last + before * before - factor * last * before;
    2.0 * squared / (samples.len() as f64).powi(2)
}

/// The share of the power that is at `hz`, 0.0 to about 1.0: near 1 for that tone, near 0 for any other or for silence.
pub fn tone_share(samples: &[i16], hz: f64) -> f64 {
    let total = power(samples);
    if total <= f64::EPSILON {
        0.0
    } else {
        goertzel(samples, hz) / total
    }
}

/// Where a signal was found in another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Sample at which the signal starts.
    pub offset: usize,
    /// Normalised correlation there: 1.0 is the same shape, 0.0 nothing alike.
    pub correlation: f64,
}

/// The place in `heard` that resembles `signal` most; `None` if `heard` is shorter. Costs the product of the lengths.
pub fn best_match(signal: &[i16], heard: &[i16]) -> Option<Match> {
    if signal.is_empty() || heard.len() < signal.len() {
        return None;
    }
    let energy = |samples: &[i16]| samples.iter().map(|s| i64::from(*s).pow(2)).sum::<i64>();
    let signal_energy = energy(signal) as f64;
    let mut window_energy = energy(&heard[..signal.len()]);
    let mut best = Match {
        offset: 0,
        correlation: f64::MIN,
    };
    for offset in 0..=heard.len() - signal.len() {
        let window = &heard[offset..offset + signal.len()];
        let dot = signal
            .iter()
            .zip(window)
            .map(|(a, b)| i64::from(*a) * i64::from(*b))
            .sum::<i64>();
        let scale = (signal_energy * window_energy as f64).sqrt();
        let correlation = if scale > 0.0 { dot as f64 / scale } else { 0.0 };
        if correlation > best.correlation {
            best = Match {
                offset,
                correlation,
            };
        }
        if let Some(next) = heard.get(offset + signal.len()) {
            window_energy += i64::from(*next).pow(2) - i64::from(heard[offset]).pow(2);
        }
    }
    Some(best)
}

fn normal(sample: i16) -> f64 {
    f64::from(sample) / f64::from(i16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_has_its_power_at_its_own_frequency_only() {
        let samples = Tone::new(440.0, 0.5).next_samples(1600);
        assert!((power(&samples) - 0.125).abs() < 0.001);
        assert!(tone_share(&samples, 440.0) > 0.99);
        assert!(tone_share(&samples, 1000.0) < 0.01);
        assert!(tone_share(&[0; 800], 440.0).abs() < 1e-9);
    }

    #[test]
    fn a_tone_continues_over_frames_without_a_jump() {
        let mut tone = Tone::new(1004.0, 0.3);
        let mut framed = tone.next_samples(160);
        framed.extend(tone.next_samples(160));
        assert_eq!(framed, Tone::new(1004.0, 0.3).next_samples(320));
    }

    #[test]
    fn a_sweep_is_found_at_the_place_where_it_was_put() {
        let signal = sweep(300.0, 3000.0, 800, 0.4);
        let mut heard = vec![0i16; 345];
        heard.extend(signal.iter().map(|s| s / 2));
        heard.extend([7; 200]);
        let found = best_match(&signal, &heard).unwrap();
        assert_eq!(found.offset, 345);
        assert!(found.correlation > 0.999);
        let other = best_match(&Tone::new(2500.0, 0.4).next_samples(800), &heard).unwrap();
        assert!(other.correlation < 0.5);
    }
}

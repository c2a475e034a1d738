//! G.711: both laws to and from 16-bit samples, and from one to the other.

use serde::{Deserialize, Serialize};

/// Samples a second of G.711.
pub const SAMPLE_RATE_HZ: u32 = 8000;
/// Samples, and so bytes, in a packet of 20 ms.
pub const FRAME_SAMPLES: usize = 160;

/// Largest magnitude that µ-law can take before its bias is added.
const MU_CLIP: i32 = 32_635;
/// Added in µ-law so that every segment starts at a power of two.
const MU_BIAS: i32 = 0x84;

/// One of the two laws of G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    /// PCMU, payload type 0.
    Mu,
    /// PCMA, payload type 8.
    A,
}

impl Law {
    /// A 16-bit sample as one byte.
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Mu => encode_mu(sample),
            Self::A => encode_a(sample),
        }
    }

    /// One byte as a 16-bit sample.
    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Mu => decode_mu(byte),
            Self::A => decode_a(byte),
        }
    }

    /// The byte that stands for silence.
    pub fn silence(self) -> u8 {
        self.encode(0)
    }
}

fn encode_mu(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(MU_CLIP) + MU_BIAS;
    // The bias makes bit 7 or a higher one the leading one.
    let segment = (31 - magnitude.leading_zeros()) - 7;
    let step = (magnitude >> (segment + 3)) & 0x0f;
    !(sign | (segment << 4) as u8 | step as u8)
}

fn decode_mu(byte: u8) -> i16 {
    let byte = !byte;
    let segment = (byte >> 4) & 0x07;
    let magnitude = ((i32::from(byte & 0x0f) << 3) + MU_BIAS) << segment;
    let value = (magnitude - MU_BIAS) as i16;
    if byte & 0x80 == 0 { value } else { -value }
}

fn encode_a(sample: i16) -> u8 {
    // A-law has no negative zero: negative values count from -1, G.711 table 1a.
    let (sign, magnitude) = if sample < 0 {
        (0, i32::from(!sample) >> 4)
    } else {
        (0x80, i32::from(sample) >> 4)
    };
    let code = if magnitude < 32 {
        // Segments 0 and 1 have the same step.
        magnitude as u8
    } else {
        let top = 31 - magnitude.leading_zeros();
        let step = (magnitude >> (top - 4)) & 0x0f;
        ((top - 3) << 4) as u8 | step as u8
    };
    (sign | code) ^ 0x55
}

fn decode_a(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let segment = (byte >> 4) & 0x07;
    let step = i32::from(byte & 0x0f);
    let magnitude = if segment == 0 {
        (step << 4) + 8
    } else {
        ((step << 4) + 0x108) << (segment - 1)
    };
    let value = magnitude as i16;
    if byte & 0x80 == 0 { -value } else { value }
}

/// The bytes of one law for the bytes of the other.
#[derive(Debug)]
pub(crate) struct Tables {
    mu_to_a: [u8; 256],
    a_to_mu: [u8; 256],
}

impl Tables {
    pub(crate) fn new() -> Self {
        let table = |from: Law, to: Law| {
            let mut table = [0u8; 256];
            for (byte, entry) in (0..=u8::MAX).zip(table.iter_mut()) {
                *entry = to.encode(from.decode(byte));
            }
            table
        };
        Self {
            mu_to_a: table(Law::Mu, Law::A),
            a_to_mu: table(Law::A, Law::Mu),
        }
    }

    /// Changes the law of a payload in place.
    pub(crate) fn convert(&self, payload: &mut [u8], from: Law, to: Law) {
        let table = match (from, to) {
            (Law::Mu, Law::A) => &self.mu_to_a,
            (Law::A, Law::Mu) => &self.a_to_mu,
            (Law::Mu, Law::Mu) | (Law::A, Law::A) => return,
        };
        for byte in payload {
            *byte = table[usize::from(*byte)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_of_both_laws_are_met() {
        // G.711 tables: silence, the ends, and the ITU digital milliwatt's peak.
        assert_eq!(Law::Mu.encode(0), 0xff);
        assert_eq!(Law::Mu.encode(i16::MAX), 0x80);
        assert_eq!(Law::Mu.encode(i16::MIN), 0x00);
        assert_eq!(Law::Mu.decode(0x80), 32_124);
        assert_eq!(Law::Mu.decode(0x00), -32_124);
        assert_eq!(Law::Mu.decode(0x1e), -8_828);
        assert_eq!(Law::A.encode(0), 0xd5);
        assert_eq!(Law::A.encode(-1), 0x55);
        assert_eq!(Law::A.encode(i16::MAX), 0xaa);
        assert_eq!(Law::A.encode(i16::MIN), 0x2a);
        assert_eq!(Law::A.decode(0xaa), 32_256);
        assert_eq!(Law::A.decode(0xd5), 8);
    }

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=u8::MAX {
            assert_eq!(Law::A.encode(Law::A.decode(byte)), byte, "A {byte:#x}");
            if byte != 0x7f {
                // 0x7f is negative zero, which encodes as positive zero.
                assert_eq!(Law::Mu.encode(Law::Mu.decode(byte)), byte, "Mu {byte:#x}");
            }
        }
    }

    #[test]
    fn every_sample_comes_back_within_half_a_step() {
        for sample in (i16::MIN..=i16::MAX).step_by(7) {
            for law in [Law::Mu, Law::A] {
                let error = i32::from(law.decode(law.encode(sample))) - i32::from(sample);
                let allowed = (i32::from(sample).abs() / 16).max(16) + 2;
                let allowed = if sample.unsigned_abs() > 32_000 {
                    700.max(allowed)
                } else {
                    allowed
                };
                assert!(error.abs() <= allowed, "{law:?} {sample}: {error}");
            }
        }
    }

    #[test]
    fn a_payload_changes_its_law_and_stays_the_same_sound() {
        let tables = Tables::new();
        let mut payload: Vec<u8> = (0..=u8::MAX).collect();
        tables.convert(&mut payload, Law::Mu, Law::A);
        for (mu, a) in (0..=u8::MAX).zip(payload) {
            let (before, after) = (i32::from(Law::Mu.decode(mu)), i32::from(Law::A.decode(a)));
            assert!((before - after).abs() <= before.abs() / 16 + 16);
        }
    }
}

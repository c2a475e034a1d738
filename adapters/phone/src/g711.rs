//! G.711: 16-bit linear samples to mu-law and A-law bytes and back (ITU-T G.711).

use crate::sdp::Codec;

/// Added before the segment is sought, so that mu-law segments start at powers of two.
const MU_BIAS: i32 = 0x84;
/// The largest magnitude mu-law can carry.
const MU_CLIP: i32 = 32_635;

/// One sample as mu-law.
pub fn encode_mu(sample: i16) -> u8 {
    let negative = sample < 0;
    let magnitude = i32::from(sample).abs().min(MU_CLIP) + MU_BIAS;
    let segment = (31 - magnitude.leading_zeros()).saturating_sub(7);
    let mantissa = (magnitude >> (segment + 3)) & 0x0f;
    let code = (segment << 4) as u8 | mantissa as u8 | if negative { 0x80 } else { 0 };
    !code
}

/// One mu-law byte as a sample.
pub fn decode_mu(code: u8) -> i16 {
    let code = !code;
    let segment = u32::from(code >> 4 & 0x07);
    let mantissa = i32::from(code & 0x0f);
    let magnitude = (((mantissa << 3) + MU_BIAS) << segment) - MU_BIAS;
    let value = if code & 0x80 != 0 {
        -magnitude
    } else {
        magnitude
    };
    value as i16
}

/// One sample as A-law.
pub fn encode_a(sample: i16) -> u8 {
    // A-law works on 13 bits; the complement keeps -1 in the same interval as its decoder.
    let (sign, magnitude) = if sample >= 0 {
        (0xd5u8, i32::from(sample) >> 4)
    } else {
        (0x55u8, !i32::from(sample) >> 4)
    };
    // Segments 0 and 1 share one step size, so their five bits are the magnitude itself.
    let code = if magnitude < 0x20 {
        magnitude as u8
    } else {
        let segment = 28 - magnitude.leading_zeros();
        (segment << 4) as u8 | (magnitude >> (segment - 1)) as u8 & 0x0f
    };
    sign ^ code
}

/// One A-law byte as a sample.
pub fn decode_a(code: u8) -> i16 {
    let code = code ^ 0x55;
    let segment = u32::from(code >> 4 & 0x07);
    let mantissa = i32::from(code & 0x0f);
    let magnitude = match segment {
        0 => (mantissa << 4) + 8,
        _ => ((mantissa << 4) + 0x108) << (segment - 1),
    };
    let value = if code & 0x80 != 0 {
        magnitude
    } else {
        -magnitude
    };
    value as i16
}

/// Samples as bytes of this codec.
pub fn encode(codec: Codec, samples: &[i16]) -> Vec<u8> {
    let law = match codec {
        Codec::Pcmu => encode_mu,
        Codec::Pcma => encode_a,
    };
    samples.iter().map(|sample| law(*sample)).collect()
}

/// Bytes of this codec as samples.
pub fn decode(codec: Codec, bytes: &[u8]) -> Vec<i16> {
    let law = match codec {
        Codec::Pcmu => decode_mu,
        Codec::Pcma => decode_a,
    };
    bytes.iter().map(|byte| law(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_of_the_standard_come_out() {
        let mu = [
            (0xff, 0),
            (0x7f, 0),
            (0x80, 32_124),
            (0x00, -32_124),
            (0xfe, 8),
            (0xef, 132),
        ];
        for (code, sample) in mu {
            assert_eq!(decode_mu(code), sample, "mu-law {code:#x}");
        }
        let a = [
            (0xd5, 8),
            (0x55, -8),
            (0xaa, 32_256),
            (0x2a, -32_256),
            (0xd4, 24),
            (0xc5, 264),
            (0xf5, 528),
        ];
        for (code, sample) in a {
            assert_eq!(decode_a(code), sample, "A-law {code:#x}");
        }
    }

    #[test]
    fn every_code_survives_decoding_and_encoding() {
        for code in 0..=u8::MAX {
            assert_eq!(encode_a(decode_a(code)), code, "A-law {code:#x}");
            // Mu-law has two zeros; the negative one is written as the positive.
            let expected = if code == 0x7f { 0xff } else { code };
            assert_eq!(encode_mu(decode_mu(code)), expected, "mu-law {code:#x}");
        }
    }

    #[test]
    fn the_error_is_never_larger_than_half_a_step_of_the_segment() {
        for sample in i16::MIN..=i16::MAX {
            for decoded in [decode_mu(encode_mu(sample)), decode_a(encode_a(sample))] {
                let error = (i32::from(decoded) - i32::from(sample)).abs();
                // A step is a sixteenth of its segment; 132 is where mu-law's segments start.
                let allowed = ((i32::from(sample).abs() + 132) / 32).max(8);
                assert!(error <= allowed, "{sample} became {decoded}");
            }
        }
    }
}

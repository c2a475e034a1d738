//! A number that stands for a value: states that differ have different ones, but for
//! a chance of one in 2^64 for each pair.

use std::fmt::{self, Debug, Write as _};

struct Fingerprint(u64);

impl fmt::Write for Fingerprint {
    /// FNV-1a.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}

/// Of what a value shows of itself, which is all of it.
pub(crate) fn fingerprint(value: &impl Debug) -> u64 {
    let mut print = Fingerprint(0xcbf2_9ce4_8422_2325);
    // Nothing that is written here can fail.
    let _ = write!(print, "{value:?}");
    spread(print.0)
}

/// So that sums of several do not cancel each other out.
const fn spread(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

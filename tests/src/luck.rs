//! Chance that can be had again: a failure prints its seed.

/// A small generator of our own (xorshift). The seed is not zero.
pub struct Luck(pub u64);

impl Luck {
    /// A number below that one.
    pub fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

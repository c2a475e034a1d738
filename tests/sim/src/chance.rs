//! Chance from a seed: the same seed is the same story, on every machine. No
//! floating point, whose last digit differs between machines.

/// SplitMix64.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of chance of its own, so that what one actor draws does not
    /// shift another's luck.
    pub(crate) const fn split(&self, label: u64) -> Self {
        let mut own = Self(self.0 ^ label.wrapping_mul(0xd6e8_feb8_6659_fd93));
        own.next();
        own
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `limit`, which is not reached; 0 when there is no room.
    pub(crate) const fn below(&mut self, limit: u64) -> u64 {
        let drawn = self.next();
        if limit == 0 { 0 } else { drawn % limit }
    }

    /// From `low` to `high`, which is not reached.
    pub(crate) const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low))
    }

    /// True that often of a hundred times.
    pub(crate) const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Exponentially distributed with that mean, from a logarithm in whole
    /// numbers (65,536ths): the error is under one percent.
    pub(crate) const fn exponential(&mut self, mean: u64) -> u64 {
        let drawn = self.next() | 1;
        let zeros = drawn.leading_zeros();
        let fraction = (drawn << zeros) >> 47 & 0xffff;
        let bend = fraction * (0x1_0000 - fraction) / 0x1_0000 * 22_550 / 0x1_0000;
        let log2 = (((zeros as u64) + 1) << 16) - fraction - bend;
        let ln = log2 * 45_426 / 0x1_0000;
        mean.saturating_mul(ln) / 0x1_0000
    }

    pub(crate) fn one_of<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let limit = u64::try_from(items.len()).ok()?;
        if limit == 0 {
            return None;
        }
        items.get(usize::try_from(self.below(limit)).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_mean_of_many_waits_is_the_mean_asked_for() {
        let mut chance = Chance::new(1);
        let sum: u64 = (0..200_000).map(|_| chance.exponential(10_000)).sum();
        let mean = sum / 200_000;
        assert!((9_900..10_100).contains(&mean), "mean {mean}");
    }

    #[test]
    fn an_actor_has_luck_of_its_own() {
        let root = Chance::new(7);
        let (mut one, mut other) = (root.split(1), root.split(2));
        assert_ne!(one.next(), other.next());
        assert_eq!(root.split(1).next(), Chance::new(7).split(1).next());
    }
}

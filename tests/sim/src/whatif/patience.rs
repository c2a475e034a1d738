//! How long callers would have waited, though many of them did not have to: by
//! Kaplan and Meier (1958), in whole numbers.

/// The share of all.
pub(super) const WHOLE: u64 = 1_000_000_000;

/// How many are still there after how long.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// Waits at which somebody left, growing, and the share that is there after.
    steps: Vec<(u64, u64)>,
}

impl Patience {
    /// From waits, and whether the caller left at the end of it.
    pub(super) fn of(mut waits: Vec<(u64, bool)>) -> Self {
        // Who left at the same time as another was answered had not been.
        waits.sort_by_key(|(wait_ms, has_left)| (*wait_ms, !has_left));
        let mut there = waits.len() as u128;
        let mut share = u128::from(WHOLE);
        let mut steps = vec![];
        for (wait_ms, has_left) in waits {
            if has_left {
                share = share * (there - 1) / there;
                steps.push((wait_ms, u64::try_from(share).unwrap_or(0)));
            }
            there -= 1;
        }
        Self { steps }
    }

    /// How long one would have waited who is known to have waited so long;
    /// `luck` is under [`WHOLE`]. None: longer than anybody is known to have.
    pub(super) fn beyond(&self, waited_ms: u64, luck: u64) -> Option<u64> {
        let first = self.steps.partition_point(|(wait, _)| *wait <= waited_ms);
        let there = match first.checked_sub(1).and_then(|last| self.steps.get(last)) {
            Some((_, share)) => *share,
            None => WHOLE,
        };
        let wanted = u128::from(there) * u128::from(luck) / u128::from(WHOLE);
        let later = self.steps.get(first..).unwrap_or_default();
        let index = later.partition_point(|(_, share)| u128::from(*share) > wanted);
        later.get(index).map(|(wait, _)| *wait)
    }
}

#[cfg(test)]
mod tests {
    use super::{Patience, WHOLE};

    #[test]
    fn without_anybody_who_left_nobody_leaves() {
        let patience = Patience::of(vec![(10, false), (20, false)]);
        assert_eq!(patience.beyond(5, 0), None);
        assert_eq!(Patience::default().beyond(0, WHOLE - 1), None);
    }

    #[test]
    fn those_who_were_answered_count_as_long_as_they_waited() {
        // Four callers: left at 10, answered at 15, left at 20, answered at 30.
        let waits = vec![(20, true), (10, true), (30, false), (15, false)];
        let patience = Patience::of(waits);
        // Three quarters are there after 10, half of them after 20.
        assert_eq!(patience.steps, [(10, 750_000_000), (20, 375_000_000)]);
        assert_eq!(patience.beyond(0, WHOLE * 8 / 10), Some(10));
        assert_eq!(patience.beyond(0, WHOLE / 2), Some(20));
        assert_eq!(patience.beyond(0, WHOLE / 3), None);
        // Whoever has waited 15 leaves at 20 or stays.
        assert_eq!(patience.beyond(15, WHOLE * 6 / 10), Some(20));
        assert_eq!(patience.beyond(15, WHOLE * 4 / 10), None);
        assert_eq!(patience.beyond(20, WHOLE - 1), None);
    }
}

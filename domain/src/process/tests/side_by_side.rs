//! Phones that ring side by side: whom each strategy rings, and that it is fair in its own
//! way.

use super::matching::{Desk, SALES, visit};
use crate::queue::{Matching, Strategy};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Agents in the order in which they become free, and how many are before a caller comes.
fn shift() -> impl proptest::strategy::Strategy<Value = (Vec<u64>, usize)> {
    use proptest::strategy::Strategy as _;
    (1_u64..8).prop_flat_map(|count| {
        let agents = Just((1..=count).collect::<Vec<_>>()).prop_shuffle();
        (agents, 0..=usize::try_from(count).unwrap_or(0))
    })
}

proptest! {
    /// Whoever is free when a caller comes is rung, whoever becomes free is, and nobody is
    /// rung twice: everybody has the same chance to be the first who answers.
    #[test]
    fn ring_all_asks_everybody_who_is_free_and_nobody_twice((agents, before) in shift()) {
        let mut desk = Desk::with(SALES, Strategy::RingAll, Matching::default());
        for number in &agents {
            desk.hires(*number, &[SALES], &[], 1);
        }
        let (early, late) = agents.split_at(before);
        for number in early {
            desk.ready(*number);
            desk.passes(1);
        }
        desk.comes(1, SALES);
        let rung: BTreeSet<_> = desk.pairs().into_iter().collect();
        prop_assert_eq!(rung.len(), desk.pairs().len());
        let expected: BTreeSet<_> = early.iter().map(|number| (*number, visit(1))).collect();
        prop_assert_eq!(rung, expected);
        for number in late {
            desk.passes(1);
            desk.ready(*number);
            prop_assert_eq!(desk.pairs(), [(*number, visit(1))]);
        }
        desk.passes(1);
        prop_assert_eq!(desk.pairs(), []);
    }

    /// One after the other in the order of their idle time, a step apart.
    #[test]
    fn ring_progressively_asks_the_longest_idle_next((agents, _) in shift(), step_ms in 1_000_u64..10_000) {
        let matching = Matching { ring_step_ms: step_ms, ..Matching::default() };
        let mut desk = Desk::with(SALES, Strategy::RingProgressively, matching);
        for number in &agents {
            desk.hires(*number, &[SALES], &[], 1);
        }
        for number in &agents {
            desk.ready(*number);
            desk.passes(1);
        }
        desk.comes(1, SALES);
        for number in &agents {
            prop_assert_eq!(desk.pairs(), [(*number, visit(1))]);
            desk.passes(step_ms - 1);
            prop_assert_eq!(desk.pairs(), []);
            desk.passes(1);
        }
        prop_assert_eq!(desk.pairs(), []);
    }
}

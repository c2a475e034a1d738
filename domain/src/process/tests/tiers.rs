//! Tiers that are asked after a time, and whose time counts: a place that its
//! caller has come back to is old, its wait is not.

use super::matching::{Desk, SALES, visit};
use crate::queue::{Matching, Strategy};

#[test]
fn the_next_tier_is_asked_only_after_its_time() {
    let matching = Matching {
        tier_step_ms: 8_000,
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, matching);
    desk.hires(1, &[SALES], &[], 2);
    desk.ready(1);
    desk.comes(1, SALES);
    assert_eq!(desk.pairs(), []);
    desk.passes(8_000);
    assert_eq!(desk.pairs(), [(1, visit(1))]);
}

#[test]
fn a_place_that_is_resumed_comes_first_and_what_it_asks_for_relaxes_anew() {
    let tiers = Matching {
        tier_step_ms: 8_000,
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, tiers);
    desk.hires(1, &[SALES], &[], 2);
    let then = desk.now;
    desk.passes(60_000);
    desk.comes(1, SALES);
    desk.passes(2_000);
    desk.waits(2, SALES, (then, Some(desk.now)));
    desk.ready(1);
    assert_eq!(
        desk.pairs(),
        [],
        "nobody waits long enough for the second tier"
    );
    desk.passes(6_000);
    assert_eq!(desk.pairs(), [(1, visit(1))], "the other one waits longer");
    // Where both may be taken, the place counts.
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    desk.hires(1, &[SALES], &[], 1);
    let then = desk.now;
    desk.passes(60_000);
    desk.comes(1, SALES);
    desk.passes(2_000);
    desk.waits(2, SALES, (then, Some(desk.now)));
    desk.ready(1);
    assert_eq!(desk.pairs(), [(1, visit(2))]);
}

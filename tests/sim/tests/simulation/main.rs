//! The simulator is true to itself, and the product keeps its rules in it.

mod small;
mod whatif;

use ringledger_sim::{Failure, Mutant, Options, Summary, World};
use std::time::{Duration, Instant};

#[test]
fn every_rule_holds_whatever_goes_wrong() -> Result<(), Failure> {
    let mut sum = Summary::default();
    for seed in 0..60 {
        let mut options = Options::new(seed, 60);
        options.rebuild = true;
        sum = sum.plus(World::new(options).live()?.0);
    }
    assert_eq!(sum.calls_count, 60 * 60);
    assert!(sum.connected_count > 1_000, "the worlds are alive: {sum:?}");
    assert!(sum.crashes_count > 100, "processes crash: {sum:?}");
    assert!(sum.conflicts_count > 100, "the store is away: {sum:?}");
    assert!(sum.quiet_count > 1_000, "all is compared often: {sum:?}");
    let doors = [
        sum.resumed_count,
        sum.moved_count,
        sum.exits_count,
        sum.requeued_count,
        sum.expired_count,
        sum.sent_ahead_count,
        sum.closed_count,
        sum.closed_by_hand_count,
        sum.assigned_count,
        sum.paused_count,
        sum.nobody_there_count,
        sum.too_many_count,
        sum.beside_count,
        sum.words_count,
        sum.forced_count,
        sum.withdrawn_count,
        sum.ordered_count,
        sum.taken_count,
        sum.transferred_count,
    ];
    assert!(
        doors.iter().all(|count| *count > 10),
        "people come and go by every door: {sum:?}"
    );
    assert!(sum.promised_count > 200, "people ask for it: {sum:?}");
    assert!(sum.messages_count > 50, "messages are left: {sum:?}");
    assert!(sum.kept_count > 50, "people are rung back: {sum:?}");
    assert!(
        sum.placed_count > sum.promised_count,
        "some are tried again: {sum:?}"
    );
    Ok(())
}

#[test]
fn a_seed_is_one_story_byte_for_byte() -> Result<(), Failure> {
    let story = |seed| {
        let mut options = Options::new(seed, 20);
        options.trace = true;
        let (summary, trace) = World::new(options).live()?;
        Ok::<_, Failure>((summary, trace.join("\n")))
    };
    assert_eq!(story(42)?, story(42)?);
    assert_ne!(story(42)?, story(43)?);
    Ok(())
}

#[test]
fn every_planted_bug_is_found_within_a_minute() {
    for mutant in Mutant::ALL {
        let started = Instant::now();
        let found = mutant.hunt(0, 200);
        let took = started.elapsed();
        assert!(found.is_some(), "{mutant:?} was not found");
        assert!(took < Duration::from_secs(60), "{mutant:?} took {took:?}");
    }
}

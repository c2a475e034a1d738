//! Every story of two callers and two agents with few surprises.

use ringledger_sim::{Mutant, Story, every_story};

#[test]
fn every_rule_holds_in_every_story_with_a_surprise() -> Result<(), Box<Story>> {
    let usual = every_story(0, None)?;
    assert_eq!((usual.ended_count, usual.merged_count), (1, 0));
    let visited = every_story(1, None)?;
    let stories = visited.ended_count + visited.merged_count;
    assert!(stories > 1_000, "{visited:?}");
    assert!(
        visited.states_count > 100 * usual.states_count,
        "{visited:?}"
    );
    Ok(())
}

#[test]
fn a_story_with_a_surprise_is_enough_for_a_race_that_must_be_impossible() {
    let races = [
        Mutant::NoOfferFence,
        Mutant::NoReservationTimer,
        Mutant::NoCallerGoneCheck,
    ];
    for mutant in races {
        let found = every_story(1, Some(mutant)).err();
        assert!(found.is_some(), "{mutant:?} was not found");
    }
}

//! An agent's phone reports that it rings.

use super::*;

#[test]
fn the_first_ringing_of_the_offered_phone_is_kept() {
    story(offering())
        .when(Command::RecordAlerting { leg: AGENT_LEG })
        .then([alerting()]);
}

#[test]
fn a_phone_that_repeats_its_ringing_says_nothing_new() {
    story(offering())
        .when(Command::RecordAlerting { leg: AGENT_LEG })
        .then([alerting()])
        .when(Command::RecordAlerting { leg: AGENT_LEG })
        .nothing();
}

#[test]
fn ringing_means_nothing_in_any_other_phase() {
    changes_nothing_but_in(&Command::RecordAlerting { leg: AGENT_LEG }, &["offering"]);
}

#[test]
fn the_phone_of_an_older_offer_rings_for_nobody() {
    changes_nothing_but_in(&Command::RecordAlerting { leg: OTHER_LEG }, &[]);
}

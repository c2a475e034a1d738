//! One side takes the other back from hold.

use super::*;

#[test]
fn the_agent_takes_the_caller_back() {
    story(held())
        .when(Command::RecordRetrieve { leg: AGENT_LEG })
        .then([Event::Retrieved { leg: AGENT_LEG }])
        .when(Command::RecordRetrieve { leg: AGENT_LEG })
        .nothing();
}

#[test]
fn only_the_side_that_holds_takes_back() {
    changes_nothing_but_in(&Command::RecordRetrieve { leg: CALLER_LEG }, &[]);
    changes_nothing_but_in(&Command::RecordRetrieve { leg: AGENT_LEG }, &["held"]);
}

//! One side puts the other on hold.

use super::*;

#[test]
fn an_agent_holds_the_caller() {
    story(connected())
        .when(Command::RecordHold { leg: AGENT_LEG })
        .then([Event::Held { leg: AGENT_LEG }]);
}

#[test]
fn a_caller_holds_the_agent() {
    story(connected())
        .when(Command::RecordHold { leg: CALLER_LEG })
        .then([Event::Held { leg: CALLER_LEG }]);
}

#[test]
fn both_sides_hold_each_other_and_take_each_other_back_one_by_one() {
    let call = story(held())
        .when(Command::RecordHold { leg: CALLER_LEG })
        .then([Event::Held { leg: CALLER_LEG }])
        .when(Command::RecordRetrieve { leg: AGENT_LEG })
        .then([Event::Retrieved { leg: AGENT_LEG }]);
    let crate::call::Phase::Connected(connection) = &call.state().phase else {
        panic!("the conversation goes on");
    };
    assert_eq!(connection.holding, [CALLER_LEG].into());
}

#[test]
fn a_repeated_hold_says_nothing_new() {
    story(held())
        .when(Command::RecordHold { leg: AGENT_LEG })
        .nothing();
}

#[test]
fn only_a_conversation_is_held() {
    changes_nothing_but_in(&Command::RecordHold { leg: AGENT_LEG }, &["connected"]);
    changes_nothing_but_in(
        &Command::RecordHold { leg: CALLER_LEG },
        &["connected", "held", "outside"],
    );
}

#[test]
fn a_leg_of_an_older_offer_holds_nobody() {
    changes_nothing_but_in(&Command::RecordHold { leg: OTHER_LEG }, &[]);
}

//! Ids of commands are derived: asking again is the same command.

use crate::{
    any::AnyCommand,
    call,
    id::LegId,
    process::{Intent, command_id},
    testing::{AGENT_LEG, CALL, CALLER_LEG, OTHER_CALL, second},
};
use uuid::Uuid;

const CAUSE: Uuid = Uuid::from_u128(0x0192_0000_0001_7000_8000_0000_0000_0007);

fn alerting(leg: LegId) -> AnyCommand {
    AnyCommand::Call(CALL, call::Command::RecordAlerting { leg })
}

#[test]
fn asking_again_for_the_same_reason_is_the_same_command() {
    let id = command_id("offer", &Intent::new(CAUSE, alerting(AGENT_LEG)), second(0));
    let again = command_id(
        "offer",
        &Intent::new(CAUSE, alerting(CALLER_LEG)),
        second(9),
    );
    assert_eq!(id, again, "whatever the clock and the data say by now");
}

#[test]
fn another_process_reason_target_or_command_is_another_command() {
    let id = |process: &str, cause, command| {
        command_id(process, &Intent::new(cause, command), second(0))
    };
    let ids = std::collections::BTreeSet::from([
        id("offer", CAUSE, alerting(AGENT_LEG)),
        id("routing", CAUSE, alerting(AGENT_LEG)),
        id("offer", Uuid::from_u128(8), alerting(AGENT_LEG)),
        id(
            "offer",
            CAUSE,
            AnyCommand::Call(OTHER_CALL, call::Command::AnswerCall),
        ),
        id(
            "offer",
            CAUSE,
            AnyCommand::Call(CALL, call::Command::AnswerCall),
        ),
    ]);
    assert_eq!(ids.len(), 5);
}

#[test]
fn a_command_sorts_by_the_time_of_its_cause() {
    let id = command_id("offer", &Intent::new(CAUSE, alerting(AGENT_LEG)), second(0));
    assert_eq!(id.0.as_bytes()[..6], CAUSE.as_bytes()[..6]);
}

//! Members whom a person pauses.

use super::*;
use crate::{id::AgentId, testing::SESSION};

const ANNA: AgentId = SESSION.agent;

fn pause(why: &str) -> Command {
    Command::PauseMember {
        agent: ANNA,
        by: "carla".into(),
        why: why.into(),
    }
}

fn unpause() -> Command {
    Command::UnpauseMember {
        agent: ANNA,
        by: "carla".into(),
        why: "over".into(),
    }
}

fn paused(why: &str) -> Event {
    Event::MemberPaused {
        agent: ANNA,
        by: "carla".into(),
        why: why.into(),
    }
}

fn unpaused() -> Event {
    Event::MemberUnpaused {
        agent: ANNA,
        by: "carla".into(),
        why: "over".into(),
    }
}

#[test]
fn a_member_is_paused_until_that_is_taken_back() {
    let queue = story([created()])
        .when(pause("training"))
        .then([paused("training")])
        .when(unpause())
        .then([unpaused()]);
    assert!(queue.state().paused.is_empty());
}

#[test]
fn the_same_again_changes_nothing_and_another_reason_is_told() {
    story([created(), paused("training")])
        .when(pause("training"))
        .nothing();
    story([created(), paused("training")])
        .when(pause("quality"))
        .then([paused("quality")]);
}

#[test]
fn what_can_not_be_said_is_refused_with_its_reason() {
    story([created()]).when(unpause()).refused(Error::NotPaused);
    story([created()])
        .when(pause("Mr Smith"))
        .refused(Error::InvalidReason);
    for command in [pause("training"), unpause()] {
        story([]).when(command).refused(Error::Unknown);
    }
}

#[test]
fn a_changed_rule_leaves_the_member_paused() {
    let queue = story([created(), paused("training")])
        .when(configure(other_config()))
        .then([Event::Configured {
            config_version: 2,
            config: other_config(),
        }]);
    assert!(queue.state().paused.contains_key(&ANNA));
}

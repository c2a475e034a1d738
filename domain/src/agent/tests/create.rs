//! An agent is made by hand.

use super::*;

#[test]
fn an_agent_is_created() {
    let agent = story([]).when(create("alice")).then([created()]);
    assert_eq!(agent.state().name.as_deref(), Some("alice"));
    assert_eq!(agent.state().config, Some(config()));
    assert_eq!(agent.state().config_version, 1);
}

#[test]
fn an_agent_is_created_once() {
    story([created()])
        .when(create("alice"))
        .refused(Error::AlreadyExists);
}

#[test]
fn a_name_that_a_uri_can_not_hold_is_refused() {
    for name in ["", "with space", "semi;colon", "at@sign", "ümlaut"] {
        story([]).when(create(name)).refused(Error::InvalidName);
    }
    story([])
        .when(create(&"x".repeat(65)))
        .refused(Error::InvalidName);
}

#[test]
fn a_phone_is_not_waited_for_all_day() {
    let wrong = Config {
        registration_grace_ms: 3_600_001,
        ..config()
    };
    story([created()])
        .when(configure(wrong))
        .refused(Error::InvalidGrace);
}

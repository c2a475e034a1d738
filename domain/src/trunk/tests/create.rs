//! A trunk is made by hand.

use super::*;

#[test]
fn a_trunk_is_created() {
    let trunk = story([]).when(create("carrier")).then([created()]);
    assert_eq!(trunk.state().name.as_deref(), Some("carrier"));
    assert_eq!(trunk.state().config, Some(config()));
    assert_eq!(trunk.state().config_version, 1);
}

#[test]
fn a_trunk_is_created_once() {
    story([created()])
        .when(create("carrier"))
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

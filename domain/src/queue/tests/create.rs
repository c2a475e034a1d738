//! A queue is made by hand.

use super::*;

#[test]
fn a_queue_is_created() {
    let queue = story([]).when(create("sales")).then([created()]);
    assert_eq!(queue.state().name.as_deref(), Some("sales"));
    assert_eq!(queue.state().config, Some(config()));
    assert_eq!(queue.state().config_version, 1);
}

#[test]
fn a_queue_is_created_once() {
    story([created()])
        .when(create("sales"))
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

//! A trunk is made or changed to be as provisioned.

use super::*;

#[test]
fn provisioning_creates_what_is_not_there() {
    story([]).when(configure(config())).then([created()]);
}

#[test]
fn provisioning_again_changes_nothing() {
    story([created()]).when(configure(config())).nothing();
}

#[test]
fn each_change_has_the_next_version() {
    let trunk = story([created()])
        .when(configure(other_config()))
        .then([Event::Configured {
            config_version: 2,
            config: other_config(),
        }])
        .when(configure(config()))
        .then([Event::Configured {
            config_version: 3,
            config: config(),
        }]);
    assert_eq!(trunk.state().config, Some(config()));
    assert_eq!(trunk.state().config_version, 3);
}

#[test]
fn a_name_that_a_uri_can_not_hold_is_refused() {
    story([])
        .when(Command::Configure {
            name: "not a name".into(),
            config: config(),
        })
        .refused(Error::InvalidName);
}

#[test]
fn a_trunk_that_lets_nothing_in_is_refused() {
    for history in [vec![], vec![created()]] {
        story(history)
            .when(configure(Config {
                allow: vec![],
                ..config()
            }))
            .refused(Error::NothingAllowed);
    }
}

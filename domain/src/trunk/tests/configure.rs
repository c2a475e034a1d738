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

#[test]
fn what_goes_out_needs_a_host_and_numbers_that_can_be_dialled() {
    let out = Outbound {
        prefixes: vec!["+49".into()],
        ..Outbound::default()
    };
    let forward = Forward {
        number: "100".into(),
        to: "+491701234567".into(),
    };
    for (change, refusal) in [
        (
            Config {
                outbound: out.clone(),
                ..config()
            },
            Error::NoHost,
        ),
        (
            Config {
                forwards: vec![forward.clone()],
                ..config()
            },
            Error::NoHost,
        ),
        (
            Config {
                host: Some("sip.example".into()),
                forwards: vec![forward.clone(), forward],
                ..config()
            },
            Error::ForwardTwice,
        ),
        (
            Config {
                host: Some("sip.example".into()),
                outbound: Outbound {
                    add_prefix: "0 0".into(),
                    ..Outbound::default()
                },
                ..config()
            },
            Error::InvalidNumber,
        ),
    ] {
        story([]).when(configure(change)).refused(refusal);
    }
    let valid = Config {
        host: Some("sip.example".into()),
        outbound: out,
        ..config()
    };
    story([])
        .when(configure(valid.clone()))
        .then([Event::Created {
            name: "carrier".into(),
            config: valid,
        }]);
}

#[test]
fn a_trunk_serves_by_the_longest_prefix_and_dials_with_its_own() {
    let outbound = Outbound {
        prefixes: vec!["+49".into(), "+4930".into()],
        strip_prefix: "+".into(),
        add_prefix: "00".into(),
        ..Outbound::default()
    };
    assert_eq!(outbound.serves("+4930123"), Some(5));
    assert_eq!(outbound.serves("+4989123"), Some(3));
    assert_eq!(outbound.serves("+33123"), None);
    assert_eq!(Outbound::default().serves("+33123"), Some(0));
    assert_eq!(outbound.dialled("+4930123"), "004930123");
    assert_eq!(Outbound::default().dialled("+4930123"), "+4930123");
}

#[test]
fn what_goes_out_is_stored_as_it_is_documented_and_left_out_when_nothing_is_set() {
    let plain = serde_json::to_value(config()).expect("it can be written");
    assert_eq!((plain.get("outbound"), plain.get("forwards")), (None, None));
    let outbound = serde_json::json!({
        "prefixes": ["+49"], "priority": 10, "strip_prefix": "+", "add_prefix": "00",
        "channels_max": 30, "identity": "caller", "number": "+4930123",
    });
    let forwards = serde_json::json!([{ "number": "+4930999", "to": "+4917" }]);
    let mut stored = plain;
    stored["outbound"] = outbound.clone();
    stored["forwards"] = forwards.clone();
    let read: Config = serde_json::from_value(stored).expect("it can be read");
    let again = serde_json::to_value(read).expect("it can be written");
    assert_eq!(
        (&again["outbound"], &again["forwards"]),
        (&outbound, &forwards)
    );
}

//! One example of every event of a trunk.

use ringledger_domain::trunk;

pub(crate) fn all() -> impl Iterator<Item = trunk::Event> {
    let config = trunk::Config {
        allow: vec!["192.0.2.0/24".into(), "2001:db8::/32".into()],
        host: Some("sip.example.net:5060".into()),
        user: Some("ringledger".into()),
        outbound: trunk::Outbound::default(),
        forwards: vec![],
    };
    [
        trunk::Event::Created {
            name: "carrier".into(),
            config: config.clone(),
        },
        trunk::Event::Configured {
            config_version: 2,
            config,
        },
    ]
    .into_iter()
}

//! What a trunk's configuration does, command by command.

mod configure;
mod create;

use super::{Command, Config, Error, Event, Forward, Outbound, Trunk};
use crate::testing::{Given, given};

fn story(events: impl IntoIterator<Item = Event>) -> Given<Trunk> {
    given::<Trunk>(events)
}

fn config() -> Config {
    Config {
        allow: vec!["192.0.2.0/24".into()],
        host: None,
        user: None,
        outbound: Outbound::default(),
        forwards: vec![],
    }
}

fn other_config() -> Config {
    Config {
        allow: vec!["198.51.100.0/24".into()],
        ..config()
    }
}

fn create(name: &str) -> Command {
    Command::Create {
        name: name.into(),
        config: config(),
    }
}

fn configure(config: Config) -> Command {
    Command::Configure {
        name: "carrier".into(),
        config,
    }
}

fn created() -> Event {
    Event::Created {
        name: "carrier".into(),
        config: config(),
    }
}

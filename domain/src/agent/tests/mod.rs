//! What an agent's configuration does, command by command.

mod change;
mod configure;
mod create;

use super::{Agent, Command, Config, Error, Event, REGISTRATION_GRACE_MS};
use crate::testing::{Given, QUEUE, given};

fn story(events: impl IntoIterator<Item = Event>) -> Given<Agent> {
    given::<Agent>(events)
}

fn config() -> Config {
    Config {
        display_name: None,
        queues: vec![QUEUE],
        ready_on_register: true,
        registration_grace_ms: REGISTRATION_GRACE_MS,
        capacity: 1,
        skills: vec![],
        places: vec![],
    }
}

fn other_config() -> Config {
    Config {
        ready_on_register: false,
        skills: vec![],
        places: vec![],
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
        name: "alice".into(),
        config,
    }
}

fn created() -> Event {
    Event::Created {
        name: "alice".into(),
        config: config(),
    }
}

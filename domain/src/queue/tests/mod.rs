//! What a queue's configuration does, command by command.

mod announce;
mod change;
mod configure;
mod create;
mod delete;
mod hand;
mod hours;
mod music;
mod partial;
mod pause;

use super::{Command, Config, Error, Event, Overflow, OverflowTo, Queue};
use crate::{
    call::AnswerMode,
    testing::{Given, given},
};

fn story(events: impl IntoIterator<Item = Event>) -> Given<Queue> {
    given::<Queue>(events)
}

fn config() -> Config {
    Config {
        ring_timeout_ms: 20_000,
        answer_mode: AnswerMode::OnAgent,
        max_wait_ms: 0,
        capacity: 100,
        numbers: vec!["+4930123".into()],
        ..Config::default()
    }
}

fn other_config() -> Config {
    Config {
        ring_timeout_ms: 15_000,
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
        name: "sales".into(),
        config,
    }
}

fn created() -> Event {
    Event::Created {
        name: "sales".into(),
        config: config(),
        config_version: None,
    }
}

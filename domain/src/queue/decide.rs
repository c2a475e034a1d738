//! The rules of a queue's configuration, of its doors and of who is paused.

use super::{
    command::Command,
    delete,
    error::{Error, check},
    event::{Config, Event},
    hand::Hand,
    pause,
    state::Queue,
};
use crate::time::Timestamp;

pub(super) type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(state: &Queue, _at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Create { name, config } => {
            check(&name, &config)?;
            match state.name {
                None => Ok(vec![created(state, name, config)]),
                Some(_) => Err(Error::AlreadyExists),
            }
        }
        Command::Configure { name, config } => {
            check(&name, &config)?;
            Ok(match (&state.name, &state.config) {
                (None, _) | (_, None) => vec![created(state, name, config)],
                (Some(_), Some(current)) if *current == config => vec![],
                (Some(_), Some(_)) => {
                    let config_version = state.config_version.saturating_add(1);
                    vec![Event::Configured {
                        config_version,
                        config,
                    }]
                }
            })
        }
        Command::Change(change) => changed(state, |current| change.of(current)),
        Command::SetCalendar(calendar) => changed(state, |current| calendar.of(current)),
        Command::SetRouting(routing) => changed(state, |current| routing.of(current)),
        Command::Open { by, why } => {
            let word = Some(Hand::Open);
            says(state, word, why, |why| Event::Opened { by, why })
        }
        Command::Close { by, why } => {
            let word = Some(Hand::Closed);
            says(state, word, why, |why| Event::Closed { by, why })
        }
        Command::FollowHours { by, why } => {
            says(state, None, why, |why| Event::HoursFollowed { by, why })
        }
        Command::PauseMember { agent, by, why } => pause::pause(state, agent, by, why),
        Command::Delete { by, why } => delete::delete(state, by, why),
        Command::UnpauseMember { agent, by, why } => pause::unpause(state, agent, by, why),
    }
}

/// Made, for the first time or again.
fn created(state: &Queue, name: String, config: Config) -> Event {
    let before = Some(state.config_version).filter(|version| *version > 0);
    Event::Created {
        name,
        config,
        config_version: before.map(|version| version.saturating_add(1)),
    }
}

/// Some of its rules are to be otherwise than they are at this moment, whoever set them.
fn changed(state: &Queue, next: impl FnOnce(&Config) -> Config) -> Decision {
    let (Some(name), Some(current)) = (&state.name, &state.config) else {
        return Err(Error::Unknown);
    };
    let config = next(current);
    check(name, &config)?;
    Ok(match config == *current {
        true => vec![],
        false => vec![Event::Configured {
            config_version: state.config_version.saturating_add(1),
            config,
        }],
    })
}

/// What is said of the doors counts already, or from now on.
fn says(
    state: &Queue,
    word: Option<Hand>,
    why: String,
    event: impl FnOnce(String) -> Event,
) -> Decision {
    if state.name.is_none() {
        return Err(Error::Unknown);
    }
    if !crate::name::is_valid(&why) {
        return Err(Error::InvalidReason);
    }
    let counts = state.by_hand.as_ref().map(|by_hand| by_hand.hand);
    Ok(match counts == word {
        true => vec![],
        false => vec![event(why)],
    })
}

//! The rules of an agent's configuration.

use super::{
    command::Command,
    error::{Error, check},
    event::{Config, Event, Place},
    state::Agent,
};
use crate::time::Timestamp;

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(state: &Agent, _at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Create { name, config } => {
            check(&name, &config)?;
            match state.name {
                None => Ok(vec![Event::Created { name, config }]),
                Some(_) => Err(Error::AlreadyExists),
            }
        }
        Command::Configure { name, config } => {
            check(&name, &config)?;
            Ok(match (&state.name, &state.config) {
                (None, _) | (_, None) => vec![Event::Created { name, config }],
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
        Command::ServeQueue { place } => change(state, |config| {
            if !config.queues.contains(&place.queue) {
                config.queues.push(place.queue);
            }
            config.places.retain(|other| other.queue != place.queue);
            if place != Place::first(place.queue) {
                config.places.push(place);
            }
        }),
        Command::LeaveQueue { queue } => change(state, |config| {
            config.queues.retain(|other| *other != queue);
            config.places.retain(|place| place.queue != queue);
        }),
        Command::AssignSkill { skill } => change(state, |config| {
            let known = config.skills.iter_mut();
            let mut known = known.filter(|known| known.skill == skill.skill);
            match known.next() {
                Some(known) => known.level = skill.level,
                None => config.skills.push(skill),
            }
        }),
        Command::RemoveSkill { skill } => change(state, |config| {
            config.skills.retain(|known| known.skill != skill);
        }),
        Command::SetCapacity { capacity } => change(state, |config| config.capacity = capacity),
    }
}

/// One thing of the configuration is another; the rest stays.
fn change(state: &Agent, change: impl FnOnce(&mut Config)) -> Decision {
    let (Some(name), Some(current)) = (&state.name, &state.config) else {
        return Err(Error::Unknown);
    };
    let mut config = current.clone();
    change(&mut config);
    check(name, &config)?;
    Ok(match config == *current {
        true => vec![],
        false => vec![Event::Configured {
            config_version: state.config_version.saturating_add(1),
            config,
        }],
    })
}

//! The rules of a trunk's configuration.

use super::{
    command::Command,
    error::{Error, check},
    event::Event,
    state::Trunk,
};
use crate::time::Timestamp;

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(state: &Trunk, _at: Timestamp, command: Command) -> Decision {
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
    }
}

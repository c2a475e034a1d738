//! The rules of a plan.

use super::{
    command::Command,
    error::{Error, check},
    event::Event,
    state::Plan,
};
use crate::time::Timestamp;

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(state: &Plan, _at: Timestamp, command: Command) -> Decision {
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
            match (&state.name, &state.config) {
                (None, _) | (_, None) => Ok(vec![Event::Created { name, config }]),
                (Some(_), Some(current)) if *current == config => Ok(vec![]),
                (Some(_), Some(current)) if current.currency != config.currency => {
                    Err(Error::OtherCurrency)
                }
                (Some(_), Some(current)) if current.is_tax_inclusive != config.is_tax_inclusive => {
                    Err(Error::OtherTaxInclusion)
                }
                (Some(_), Some(_)) => Ok(vec![Event::Configured {
                    config_version: state.config_version.saturating_add(1),
                    config,
                }]),
            }
        }
    }
}

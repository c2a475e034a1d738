//! The rules of the seller's configuration.

use super::{
    command::Command,
    error::{Error, check, check_prefixes},
    event::Event,
    state::Seller,
};
use crate::time::Timestamp;

pub(super) fn decide(
    state: &Seller,
    _at: Timestamp,
    command: Command,
) -> Result<Vec<Event>, Error> {
    match command {
        Command::Configure { config } => {
            check(&config)?;
            if state.config.as_deref() == Some(&config) {
                return Ok(vec![]);
            }
            check_prefixes(state, &config)?;
            Ok(vec![Event::Configured {
                config_version: state.config_version.saturating_add(1),
                config: Box::new(config),
            }])
        }
    }
}

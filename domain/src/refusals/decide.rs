//! The rules of summing up.

use super::{command::Command, error::Error, event::Event, state::Refusals};
use crate::time::Timestamp;

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(state: &Refusals, at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Sum {
            reason,
            calls_count,
            since,
        } => {
            if state.calls_count > 0 {
                Err(Error::AlreadySummed)
            } else if calls_count == 0 {
                Err(Error::NoCalls)
            } else if since > at {
                Err(Error::InvalidTime)
            } else {
                Ok(vec![Event::Summed {
                    reason,
                    calls_count,
                    since,
                }])
            }
        }
    }
}

//! The rules of forgetting a person.

use super::{
    command::Command,
    error::Error,
    event::{Event, Reason},
    state::Person,
};
use crate::time::Timestamp;

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(state: &Person, _at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Erase {
            keys_through,
            reason,
        } => erase(state, keys_through, reason),
    }
}

fn erase(state: &Person, keys_through: u32, reason: Reason) -> Decision {
    if keys_through == 0 {
        Err(Error::Unknown)
    } else if keys_through <= state.erased_through {
        Err(Error::AlreadyErased)
    } else {
        Ok(vec![Event::Erased {
            keys_through,
            reason,
        }])
    }
}

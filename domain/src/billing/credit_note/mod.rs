//! A credit note: takes an issued invoice back, in part or whole.

mod command;
mod decide;
mod error;
mod event;
mod evolve;
mod state;
#[cfg(test)]
mod tests;

pub use command::*;
pub use error::Error;

pub use event::*;
pub use state::*;

use crate::{decider::Decider, time::Timestamp};

impl Decider for CreditNote {
    const CATEGORY: &'static str = "creditnote";
    type State = Self;
    type Command = Command;
    type Event = Event;
    type Error = Error;

    fn decide(state: &Self, at: Timestamp, command: Command) -> Result<Vec<Event>, Error> {
        decide::decide(state, at, command)
    }

    fn evolve(state: Self, at: Timestamp, event: &Event) -> Self {
        evolve::evolve(state, at, event)
    }
}

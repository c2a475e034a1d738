//! One version of a deck: the table of rates by number prefix. Once published
//! it never changes.

mod check;
mod command;
mod decide;
mod error;
mod event;
mod evolve;
pub mod import;
mod state;
#[cfg(test)]
mod tests;

pub use check::{FaultReason, RowFault, check_rows};
pub use command::*;
pub use error::Error;

pub use event::*;
pub use state::*;

use crate::{decider::Decider, time::Timestamp};

impl Decider for Deck {
    const CATEGORY: &'static str = "deck";
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

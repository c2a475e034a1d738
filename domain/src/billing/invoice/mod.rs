//! An invoice. Once issued it never changes; what is wrong is put right by a
//! credit note.

mod command;
mod credit;
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

impl Decider for Invoice {
    const CATEGORY: &'static str = "invoice";
    const STATE_VERSION: u32 = 7;
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

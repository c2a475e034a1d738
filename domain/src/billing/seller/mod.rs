//! The seller: whose invoices they are, and by which rules.

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

impl Decider for Seller {
    const CATEGORY: &'static str = "seller";
    const STATE_VERSION: u32 = 2;
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

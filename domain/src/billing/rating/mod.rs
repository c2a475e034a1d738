//! The rating of one call: rated once, and again only by a person.

mod command;
mod counted;
mod decide;
mod error;
mod event;
mod evolve;
mod facts;
mod price;
mod state;
#[cfg(test)]
mod tests;

pub use command::*;
pub use counted::Use;
pub use error::Error;

pub use event::*;
pub use facts::{Facts, Outbound};
pub use price::{Found, Part, Payer, Tables, find, price};
pub use state::*;

use crate::{decider::Decider, time::Timestamp};

impl Decider for Rating {
    const CATEGORY: &'static str = "rating";
    const STATE_VERSION: u32 = 3;
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

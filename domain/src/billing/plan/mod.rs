//! A rate plan: what an account pays, how often, and what is included.

mod command;
mod decide;
mod error;
mod event;
mod evolve;
mod state;
#[cfg(test)]
mod tests;
mod version;

pub use command::*;
pub use error::Error;

pub use event::*;
pub use state::*;
pub use version::in_force;

use crate::{decider::Decider, time::Timestamp};

impl Decider for Plan {
    const CATEGORY: &'static str = "plan";
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

//! One login of an agent. Its stream decides who gets the agent: a reservation
//! is the lock that keeps one agent from two calls, or from more than its capacity.

mod choice;
mod command;
mod decide;
mod error;
mod event;
mod evolve;
mod state;
mod still;
#[cfg(test)]
mod tests;

pub use choice::*;
pub use command::*;
pub use error::Error;
pub use event::*;
pub use state::*;

use crate::{decider::Decider, time::Timestamp};

impl Decider for Session {
    const CATEGORY: &'static str = "agentsession";
    const STATE_VERSION: u32 = 4;
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

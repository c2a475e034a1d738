//! A callback: the promise to ring a person back who was in a queue, at the
//! place that the person had there. Each attempt is a call of its own, which
//! waits in the line like any other and is dialled out only once an agent has
//! taken it.

mod command;
mod decide;
mod error;
mod event;
mod evolve;
mod state;
#[cfg(test)]
mod tests;

pub use command::{Command, Outcome};
pub use error::Error;
pub use event::{Event, Request, Terms, Wanted};
pub use state::{Attempt, Callback, Phase};

use crate::{decider::Decider, time::Timestamp};

impl Decider for Callback {
    const CATEGORY: &'static str = "callback";
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

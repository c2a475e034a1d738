//! Calls that were refused without a record of their own, because there were more of
//! them than may be written: how many, for one reason, in one stretch of time. Nobody
//! fills the log by calling, and no call is without a trace.

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

impl Decider for Refusals {
    const CATEGORY: &'static str = "refusals";
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

//! An account: who pays. Its stream is the ledger of what is owed, paid and
//! reserved, and the lock of its credit.

mod command;
mod decide;
mod error;
mod even_out;
mod event;
mod evolve;
mod ledger;
mod refund;
mod state;
#[cfg(test)]
mod tests;

pub use command::*;
pub use error::Error;

pub use event::*;
pub use state::*;

use crate::{decider::Decider, time::Timestamp};

impl Decider for Account {
    const CATEGORY: &'static str = "account";
    const STATE_VERSION: u32 = 11;
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

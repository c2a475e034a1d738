//! A mailbox: where callers whom nobody serves leave a message. Its stream is what
//! keeps room: a caller is sent there only once a place for the message is kept, so
//! that nobody speaks for nothing.

mod command;
mod decide;
mod error;
mod event;
mod evolve;
mod state;
#[cfg(test)]
mod tests;

pub use command::{Command, Left};
pub use error::{Error, LONGEST_MS_MAX, MESSAGES_MAX};
pub use event::{Config, Event, LostReason};
pub use state::{Kept, Mailbox, Status};

use crate::{decider::Decider, time::Timestamp};

impl Decider for Mailbox {
    const CATEGORY: &'static str = "mailbox";
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

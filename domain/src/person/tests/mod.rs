//! What can be done about a person's data, command by command.

mod erase;

use super::{Command, Error, Event, Person, Reason};
use crate::testing::{Given, given};

fn story(events: impl IntoIterator<Item = Event>) -> Given<Person> {
    given::<Person>(events)
}

fn erase(keys_through: u32) -> Command {
    Command::Erase {
        keys_through,
        reason: Reason::ConsentWithdrawn,
    }
}

fn erased(keys_through: u32) -> Event {
    Event::Erased {
        keys_through,
        reason: Reason::ConsentWithdrawn,
    }
}

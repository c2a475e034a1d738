//! What can be done about refused calls, command by command.

mod sum;

use super::{Command, Error, Event, Refusals};
use crate::testing::{Given, given};

fn story(events: impl IntoIterator<Item = Event>) -> Given<Refusals> {
    given::<Refusals>(events)
}

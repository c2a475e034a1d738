//! A queue's configuration: what its callers and agents may expect.

mod announce;
mod change;
mod command;
mod decide;
mod delete;
mod empty;
mod error;
mod event;
mod evolve;
mod exit;
mod expected_wait;
mod hand;
mod hours;
mod matching;
mod music;
mod overflow;
mod pause;
mod set_calendar;
mod set_routing;
mod state;
mod terms;
#[cfg(test)]
mod tests;

pub use announce::{
    ANNOUNCE_EVERY_MS, ANNOUNCE_FIRST_MS, ANNOUNCE_UP_TO, ANNOUNCE_UP_TO_MAX, AnnouncePosition,
    PROMPT_MS_MAX, SetAnnouncePosition,
};
pub use change::{Change, SetHours};
pub use command::*;
pub use error::Error;
pub use overflow::loops;
pub use pause::PausedMember;

pub use empty::{Away, Empty};
pub use event::*;
pub use exit::Exit;
pub use expected_wait::{CONTACTS_MAX, LAST_CONTACTS, RECENT_MS, expected_wait_ms};
pub use hand::{ByHand, Hand, is_open, next_change};
pub use hours::*;
pub use matching::*;
pub use music::SetMusic;
pub use set_calendar::{SetCalendar, SetTimeZone};
pub use set_routing::SetRouting;
pub use state::*;
pub use terms::{Pause, Terms};

use crate::{decider::Decider, time::Timestamp};

impl Decider for Queue {
    const CATEGORY: &'static str = "queue";
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

//! What an agent is to do when: the plan that adherence is measured by. A schedule is
//! set span by span; what is planned outside of a span stays. It decides nothing about
//! calls: an agent who does something else is reported, not refused.

mod command;
mod decide;
mod error;
mod event;
mod evolve;
mod state;
#[cfg(test)]
mod tests;

pub use command::Command;
pub use error::{Error, SEGMENTS_MAX, SPAN_MS_MAX, check_span};
pub use event::{Activity, Event, Segment};
pub use state::{Schedule, replace, within};

use crate::{decider::Decider, time::Timestamp};

impl Decider for Schedule {
    const CATEGORY: &'static str = "schedule";
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

//! What goes on beside what an event says: kept with the event, so that who reads events one
//! by one knows what the agent does first of all.

use super::{
    event::{Event, Still},
    evolve::evolve,
    state::Session,
};
use crate::time::Timestamp;

/// The events of a decision, each with what the agent still does after it. An agent of one
/// voice unit does one thing at a time, and nothing beside it.
pub(super) fn with_still(session: &Session, at: Timestamp, mut events: Vec<Event>) -> Vec<Event> {
    let is_more = matches!(events.first(), Some(Event::Reserved { .. }));
    if session.engagements.len() + usize::from(is_more) < 2 {
        return events;
    }
    let mut after = session.clone();
    for event in &mut events {
        after = evolve(after, at, event);
        tell(event, after.still());
    }
    events
}

fn tell(event: &mut Event, first: Option<Still>) {
    match event {
        Event::Reserved { offer, still, .. } => {
            *still = first.filter(|first| first.offer != Some(*offer));
        }
        Event::WrapUpStarted { call, still, .. } => {
            *still = first.filter(|first| first.call != *call || first.offer.is_some());
        }
        Event::ReservationReleased { still, .. }
        | Event::ContactEnded { still, .. }
        | Event::WrapUpEnded { still, .. } => *still = first,
        Event::LoggedIn { .. }
        | Event::LoggedOut { .. }
        | Event::BecameReady {}
        | Event::BecameNotReady { .. }
        | Event::NextStateRequested { .. }
        | Event::ConnectedToContact { .. }
        | Event::WrapUpExtended { .. }
        | Event::Forced { .. } => {}
    }
}

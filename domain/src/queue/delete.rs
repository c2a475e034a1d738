//! A queue that is taken away.

use super::{decide::Decision, error::Error, event::Event, state::Queue};

/// What people have said of its doors and members is taken back first, so that nobody has
/// to know that it goes with the queue.
pub(super) fn delete(state: &Queue, by: String, why: String) -> Decision {
    if state.name.is_none() {
        return Err(Error::Unknown);
    }
    if !crate::name::is_valid(&why) {
        return Err(Error::InvalidReason);
    }
    let mut events = vec![];
    if state.by_hand.is_some() {
        let (by, why) = (by.clone(), why.clone());
        events.push(Event::HoursFollowed { by, why });
    }
    let paused = state.paused.keys().copied();
    events.extend(paused.map(|agent| Event::MemberUnpaused {
        agent,
        by: by.clone(),
        why: why.clone(),
    }));
    events.push(Event::Deleted { by, why });
    Ok(events)
}

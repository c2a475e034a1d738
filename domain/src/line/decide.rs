//! The rules of a waiting line.

use super::{
    command::Command,
    error::Error,
    event::{Event, RejectReason, ReturnCause, VisitResult},
    state::Line,
};
use crate::{
    id::{AgentId, OfferId, SessionId, VisitId},
    time::Timestamp,
};

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(line: &Line, at: Timestamp, command: Command) -> Decision {
    match command {
        Command::OpenVisit {
            visit,
            call,
            enqueued_at,
            joined_at,
            priority,
            previous,
            capacity,
            policy,
            barred,
        } => {
            let resumed = joined_at.and(Some(enqueued_at));
            let placed = place(line, visit, resumed, capacity, barred)?;
            Ok(vec![match placed {
                Ok(position) => Event::Opened {
                    visit,
                    call,
                    enqueued_at,
                    joined_at,
                    priority,
                    previous,
                    position,
                    policy,
                },
                Err(reason) => Event::Rejected {
                    visit,
                    call,
                    reason,
                },
            }])
        }
        Command::MatchVisit {
            visit,
            offer,
            session,
            beside,
        } => match_visit(line, visit, (offer, session), beside),
        Command::ReturnVisit {
            visit,
            offer,
            cause,
        } => give_back(line, visit, offer, cause),
        Command::ChangePriority { visit, priority } => {
            let open = line.visits.get(&visit).ok_or(Error::NotOpen)?;
            if open.priority == Some(priority) {
                return Ok(vec![]);
            }
            Ok(vec![Event::PriorityChanged {
                visit,
                call: open.call,
                priority,
            }])
        }
        Command::AssignVisit {
            visit,
            agent,
            for_ms,
            by,
        } => assign(line, visit, agent, (at, for_ms), by),
        Command::CloseVisit {
            visit,
            result,
            closed_at,
        } => Ok(close(line, visit, result, closed_at)),
    }
}

/// The offer came to nothing.
fn give_back(line: &Line, visit: VisitId, offer: OfferId, cause: ReturnCause) -> Decision {
    let open = line.visits.get(&visit).ok_or(Error::NotOpen)?;
    match open.matched.get(&offer) {
        Some(session) => Ok(vec![Event::Returned {
            visit,
            call: open.call,
            offer,
            session: *session,
            cause,
            attempt: open.attempts.saturating_add(1),
            still_ringing: open.matched.len() > 1,
        }]),
        None => Err(Error::StaleOffer),
    }
}

/// Nobody but that agent is asked for so long from now on.
fn assign(
    line: &Line,
    visit: VisitId,
    agent: AgentId,
    (at, for_ms): (Timestamp, u64),
    by: String,
) -> Decision {
    let open = line.visits.get(&visit).ok_or(Error::NotOpen)?;
    if !(1..=super::ASSIGNED_MS_MAX).contains(&for_ms) {
        return Err(Error::InvalidTime);
    }
    Ok(vec![Event::Assigned {
        visit,
        call: open.call,
        agent,
        until: at.plus_ms(for_ms),
        by,
    }])
}

/// One offer, or several where phones ring side by side.
fn match_visit(
    line: &Line,
    visit: VisitId,
    (offer, session): (OfferId, SessionId),
    beside: bool,
) -> Decision {
    let open = line.visits.get(&visit).ok_or(Error::NotOpen)?;
    if open.matched.contains_key(&offer) {
        return Ok(vec![]);
    }
    if !open.matched.is_empty() && !beside {
        return Err(Error::AlreadyMatched);
    }
    Ok(vec![Event::Matched {
        visit,
        call: open.call,
        offer,
        session,
    }])
}

/// The place of a new visit, from 1, or why there is none: the last, unless its
/// caller comes back to one.
fn place(
    line: &Line,
    visit: VisitId,
    resumed: Option<Timestamp>,
    capacity: u32,
    barred: Option<RejectReason>,
) -> Result<Result<u32, RejectReason>, Error> {
    if line.visits.contains_key(&visit) {
        return Err(Error::AlreadyOpen);
    }
    let open_count = u32::try_from(line.visits.len()).unwrap_or(u32::MAX);
    Ok(match barred {
        Some(reason) => Err(reason),
        None if open_count < capacity => {
            let before = resumed.map_or(open_count, |enqueued_at| {
                let visits = line.visits.values();
                let before = visits.filter(|visit| visit.enqueued_at <= enqueued_at);
                u32::try_from(before.count()).unwrap_or(u32::MAX)
            });
            Ok(before.saturating_add(1))
        }
        None => Err(RejectReason::Full),
    })
}

/// An end is a fact: of a visit that is not open it changes nothing. One that was inferred
/// may be earlier than the stay began: then it is that instant, which is on the day on which
/// the stay is counted.
fn close(line: &Line, visit: VisitId, result: VisitResult, closed_at: Timestamp) -> Vec<Event> {
    line.visits.get(&visit).map_or_else(Vec::new, |open| {
        let closed_at = closed_at.max(open.since);
        let wait_ms = closed_at.ms_since(open.since);
        vec![Event::Closed {
            visit,
            call: open.call,
            result,
            closed_at,
            wait_ms,
            measure: open.measure,
        }]
    })
}

//! The rules of a waiting line.

use super::{
    command::Command,
    error::Error,
    event::{Event, RejectReason},
    state::Line,
};
use crate::time::Timestamp;

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(line: &Line, _at: Timestamp, command: Command) -> Decision {
    match command {
        Command::OpenVisit {
            visit,
            call,
            enqueued_at,
            capacity,
            policy,
        } => {
            if line.visits.contains_key(&visit) {
                return Err(Error::AlreadyOpen);
            }
            let open_count = u32::try_from(line.visits.len()).unwrap_or(u32::MAX);
            if open_count >= capacity {
                return Ok(vec![Event::Rejected {
                    visit,
                    call,
                    reason: RejectReason::Full,
                }]);
            }
            let position = open_count.saturating_add(1);
            Ok(vec![Event::Opened {
                visit,
                call,
                enqueued_at,
                position,
                policy,
            }])
        }
        Command::MatchVisit {
            visit,
            offer,
            session,
        } => {
            let open = line.visits.get(&visit).ok_or(Error::NotOpen)?;
            match open.matched {
                None => Ok(vec![Event::Matched {
                    visit,
                    call: open.call,
                    offer,
                    session,
                }]),
                Some((live, _)) if live == offer => Ok(vec![]),
                Some(_) => Err(Error::AlreadyMatched),
            }
        }
        Command::ReturnVisit {
            visit,
            offer,
            cause,
        } => {
            let open = line.visits.get(&visit).ok_or(Error::NotOpen)?;
            match open.matched {
                Some((live, session)) if live == offer => Ok(vec![Event::Returned {
                    visit,
                    call: open.call,
                    offer,
                    session,
                    cause,
                    attempt: open.attempts.saturating_add(1),
                }]),
                Some(_) | None => Err(Error::StaleOffer),
            }
        }
        Command::CloseVisit {
            visit,
            result,
            closed_at,
        } => Ok(line.visits.get(&visit).map_or_else(Vec::new, |open| {
            let wait_ms = closed_at.ms_since(open.enqueued_at);
            vec![Event::Closed {
                visit,
                call: open.call,
                result,
                closed_at,
                wait_ms,
            }]
        })),
    }
}

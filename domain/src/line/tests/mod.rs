//! What a waiting line does, command by command.

mod close_visit;
mod match_visit;
mod open_visit;
mod properties;
mod return_visit;

use super::{Command, Event, Line, RejectReason, ReturnCause, VisitPolicy, VisitResult};
use crate::{
    call::AnswerMode,
    id::{CallId, VisitId},
    testing::{
        CALL, Given, OFFER, OTHER_CALL, OTHER_OFFER, OTHER_SESSION, OTHER_VISIT, SESSION, VISIT,
        given, second,
    },
    time::Timestamp,
};

fn story(events: impl IntoIterator<Item = Event>) -> Given<Line> {
    given::<Line>(events)
}

const POLICY: VisitPolicy = VisitPolicy {
    config_version: 3,
    answer_mode: AnswerMode::OnAgent,
    ring_timeout_ms: 20_000,
    wrap_up_ms: 0,
    max_wait_ms: 300_000,
    measure: None,
};

const ENQUEUED_AT: Timestamp = second(0);

fn open(visit: VisitId, call: CallId, capacity: u32) -> Command {
    Command::OpenVisit {
        visit,
        call,
        enqueued_at: ENQUEUED_AT,
        joined_at: None,
        priority: None,
        previous: None,
        capacity,
        policy: POLICY,
        barred: None,
    }
}

fn opened(visit: VisitId, call: CallId, position: u32) -> Event {
    Event::Opened {
        visit,
        call,
        enqueued_at: ENQUEUED_AT,
        joined_at: None,
        priority: None,
        previous: None,
        position,
        policy: POLICY,
    }
}

fn matched_event() -> Event {
    Event::Matched {
        visit: VISIT,
        call: CALL,
        offer: OFFER,
        session: SESSION,
    }
}

fn returned(attempt: u32, cause: ReturnCause) -> Event {
    Event::Returned {
        visit: VISIT,
        call: CALL,
        offer: OFFER,
        session: SESSION,
        cause,
        attempt,
        still_ringing: false,
    }
}

fn closed(result: VisitResult, closed_at: Timestamp, wait_ms: u64) -> Event {
    Event::Closed {
        visit: VISIT,
        call: CALL,
        result,
        closed_at,
        wait_ms,
        measure: None,
    }
}

fn waiting() -> Vec<Event> {
    vec![opened(VISIT, CALL, 1)]
}

fn matched() -> Vec<Event> {
    vec![opened(VISIT, CALL, 1), matched_event()]
}

fn over() -> Vec<Event> {
    vec![
        opened(VISIT, CALL, 1),
        closed(VisitResult::Abandoned, second(1), 1_000),
    ]
}

const MATCH: Command = Command::MatchVisit {
    visit: VISIT,
    offer: OFFER,
    session: SESSION,
    beside: false,
};

const MATCH_WITH_ANOTHER: Command = Command::MatchVisit {
    visit: VISIT,
    offer: OTHER_OFFER,
    session: OTHER_SESSION,
    beside: false,
};

const fn give_back(cause: ReturnCause) -> Command {
    Command::ReturnVisit {
        visit: VISIT,
        offer: OFFER,
        cause,
    }
}

const fn close(result: VisitResult, closed_at: Timestamp) -> Command {
    Command::CloseVisit {
        visit: VISIT,
        result,
        closed_at,
    }
}

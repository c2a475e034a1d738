//! What a session does, command by command.

mod capacity;
mod confirm_connect;
mod end_contact;
mod end_wrap_up;
mod force;
mod go_not_ready;
mod go_ready;
mod log_in;
mod log_out;
mod phone_lost;
mod properties;
mod races;
mod release_reservation;
mod reserve;

use super::{
    Activity, Command, Doing, Event, LogoutReason, NextState, NotReadyCode, NotReadyReason,
    ReleaseReason, Routability, Session, Still, WrapUpEndedBy,
};
use crate::{
    testing::{CALL, Given, OFFER, QUEUE, SESSION, VISIT, given, second},
    time::Timestamp,
};

fn story(events: impl IntoIterator<Item = Event>) -> Given<Session> {
    given::<Session>(events)
}

const RESERVED_UNTIL: Timestamp = second(90);
const WRAP_UP_MS: u64 = 20_000;

fn logged_in() -> Event {
    Event::LoggedIn { session: SESSION }
}

fn ready() -> Vec<Event> {
    vec![logged_in(), Event::BecameReady {}]
}

fn on_break() -> Vec<Event> {
    vec![
        logged_in(),
        Event::BecameNotReady {
            reason: NotReadyReason::Break,
            code: None,
        },
    ]
}

fn reserved_event(wrap_up_ms: u64) -> Event {
    Event::Reserved {
        offer: OFFER,
        call: CALL,
        visit: VISIT,
        queue: QUEUE,
        until: RESERVED_UNTIL,
        wrap_up_ms,
        choice: None,
        terms: crate::queue::Terms::STANDARD,
        capacity: 1,
        still: None,
    }
}

fn reserved() -> Vec<Event> {
    with(ready(), [reserved_event(WRAP_UP_MS)])
}

fn reserved_without_wrap_up() -> Vec<Event> {
    with(ready(), [reserved_event(0)])
}

fn connected_event() -> Event {
    Event::ConnectedToContact {
        offer: OFFER,
        call: CALL,
        queue: QUEUE,
    }
}

fn on_contact() -> Vec<Event> {
    with(reserved(), [connected_event()])
}

fn on_contact_without_wrap_up() -> Vec<Event> {
    with(reserved_without_wrap_up(), [connected_event()])
}

fn wrapping_up() -> Vec<Event> {
    with(
        on_contact(),
        [
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
            Event::WrapUpStarted {
                call: CALL,
                until: second(80),
                code_required: false,
                still: None,
            },
        ],
    )
}

/// In a wrap-up that ends only with a code.
fn wrapping_up_with_code() -> Vec<Event> {
    with(
        on_contact(),
        [
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
            Event::WrapUpStarted {
                call: CALL,
                until: second(80),
                code_required: true,
                still: None,
            },
        ],
    )
}

fn gone() -> Vec<Event> {
    with(
        ready(),
        [Event::LoggedOut {
            reason: LogoutReason::Agent,
        }],
    )
}

fn with(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

fn not_ready(reason: NotReadyReason) -> Event {
    Event::BecameNotReady { reason, code: None }
}

fn requested(next: NextState) -> Event {
    Event::NextStateRequested { next, code: None }
}

fn go_not_ready(reason: NotReadyReason) -> Command {
    Command::GoNotReady { reason, code: None }
}

const LOG_OUT: Command = Command::LogOut {
    reason: LogoutReason::Agent,
};

const LOGGED_OUT: Event = Event::LoggedOut {
    reason: LogoutReason::Agent,
};

fn reserve() -> Command {
    Command::Reserve {
        offer: OFFER,
        call: CALL,
        visit: VISIT,
        queue: QUEUE,
        until: RESERVED_UNTIL,
        wrap_up_ms: WRAP_UP_MS,
        choice: None,
        terms: crate::queue::Terms::STANDARD,
        capacity: 1,
    }
}

fn release(reason: ReleaseReason) -> Command {
    Command::ReleaseReservation {
        offer: OFFER,
        reason,
    }
}

fn released(reason: ReleaseReason) -> Event {
    Event::ReservationReleased {
        offer: OFFER,
        reason,
        not_before: None,
        still: None,
    }
}

const CONFIRM_CONNECT: Command = Command::ConfirmConnect { offer: OFFER };

const END_CONTACT: Command = Command::EndContact {
    call: CALL,
    offer: OFFER,
};

const END_WRAP_UP: Command = Command::EndWrapUp {
    call: CALL,
    until: second(80),
};

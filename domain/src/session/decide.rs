//! The rules of a session.

use super::{
    command::Command,
    error::Error,
    event::{Event, LogoutReason, NextState, NotReadyReason, ReleaseReason, WrapUpEndedBy},
    state::{Activity, Routability, Session},
};
use crate::{
    id::{CallId, OfferId, SessionId},
    time::Timestamp,
};

type Decision = Result<Vec<Event>, Error>;

/// Missed offers in a row after which the agent is taken out.
pub const MISSED_MAX: u32 = 3;
/// An agent who declined is left alone this long.
pub const REJECTED_DELAY_MS: u64 = 10_000;
/// An agent whose phone was busy is left alone this long.
pub const BUSY_DELAY_MS: u64 = 60_000;
/// An agent without a reachable phone is left alone this long.
pub const UNREACHABLE_DELAY_MS: u64 = 60_000;

pub(super) fn decide(session: &Session, at: Timestamp, command: Command) -> Decision {
    match command {
        Command::LogIn { session: id, ready } => log_in(session, id, ready),
        Command::LogOut { reason } => log_out(session, reason),
        Command::GoReady => go_ready(session),
        Command::GoNotReady { reason } => go_not_ready(session, reason),
        Command::Reserve {
            offer,
            call,
            visit,
            queue,
            until,
            wrap_up_ms,
            choice,
        } => {
            logged_in(session)?;
            match (session.routability, session.activity) {
                (Routability::Ready, Activity::Idle) => Ok(vec![Event::Reserved {
                    offer,
                    call,
                    visit,
                    queue,
                    until,
                    wrap_up_ms,
                    choice,
                }]),
                (Routability::Ready, _) => Err(Error::Engaged),
                (Routability::NotReady(_) | Routability::LoggedOut, _) => Err(Error::NotReady),
            }
        }
        Command::ReleaseReservation { offer, reason } => release(session, at, offer, reason),
        Command::ConfirmConnect { offer } => match session.activity {
            Activity::Reserved {
                offer: live,
                call,
                queue,
                ..
            } if live == offer => Ok(vec![Event::ConnectedToContact { offer, call, queue }]),
            Activity::OnContact { offer: live, .. } if live == offer => Ok(vec![]),
            Activity::Reserved { .. }
            | Activity::OnContact { .. }
            | Activity::Idle
            | Activity::WrapUp { .. } => Err(Error::StaleOffer),
        },
        Command::EndContact { call, offer } => Ok(end_contact(session, at, call, offer)),
        Command::EndWrapUp { call } => match session.activity {
            Activity::WrapUp { call: live, .. } if live == call => {
                Ok(end_wrap_up(session, call, WrapUpEndedBy::Timer))
            }
            Activity::Reserved { .. }
            | Activity::OnContact { .. }
            | Activity::Idle
            | Activity::WrapUp { .. } => Ok(vec![]),
        },
    }
}

fn logged_in(session: &Session) -> Result<(), Error> {
    match (session.id, session.routability) {
        (None, _) => Err(Error::NotLoggedIn),
        (Some(_), Routability::LoggedOut) => Err(Error::SessionEnded),
        (Some(_), Routability::Ready | Routability::NotReady(_)) => Ok(()),
    }
}

fn log_in(session: &Session, id: SessionId, ready: bool) -> Decision {
    match (session.id, session.routability) {
        (None, _) => Ok(vec![
            Event::LoggedIn { session: id },
            if ready {
                Event::BecameReady {}
            } else {
                Event::BecameNotReady {
                    reason: NotReadyReason::Login,
                }
            },
        ]),
        (Some(_), Routability::LoggedOut) => Err(Error::SessionEnded),
        (Some(_), Routability::Ready | Routability::NotReady(_)) => Err(Error::AlreadyLoggedIn),
    }
}

fn log_out(session: &Session, reason: LogoutReason) -> Decision {
    logged_in(session)?;
    Ok(match session.activity {
        Activity::Idle => vec![Event::LoggedOut { reason }],
        Activity::WrapUp { call, .. } => vec![
            Event::WrapUpEnded {
                call,
                by: WrapUpEndedBy::Agent,
            },
            Event::LoggedOut { reason },
        ],
        // A live contact is never cut by a logout: it is applied afterwards.
        Activity::Reserved { .. } | Activity::OnContact { .. } => {
            request(session, NextState::LoggedOut(reason))
        }
    })
}

fn go_ready(session: &Session) -> Decision {
    logged_in(session)?;
    Ok(match session.activity {
        Activity::Idle => match session.routability {
            Routability::Ready => vec![],
            Routability::NotReady(_) | Routability::LoggedOut => vec![Event::BecameReady {}],
        },
        Activity::WrapUp { call, .. } => vec![
            Event::WrapUpEnded {
                call,
                by: WrapUpEndedBy::Agent,
            },
            Event::BecameReady {},
        ],
        Activity::Reserved { .. } | Activity::OnContact { .. } => match session.next {
            // Back to what happens anyway: after the contact comes ready.
            None => vec![],
            Some(_) => request(session, NextState::Ready),
        },
    })
}

fn go_not_ready(session: &Session, reason: NotReadyReason) -> Decision {
    logged_in(session)?;
    Ok(match session.activity {
        Activity::Idle if session.routability == Routability::NotReady(reason) => vec![],
        Activity::Idle => vec![Event::BecameNotReady { reason }],
        Activity::WrapUp { .. } | Activity::Reserved { .. } | Activity::OnContact { .. } => {
            request(session, NextState::NotReady(reason))
        }
    })
}

fn request(session: &Session, next: NextState) -> Vec<Event> {
    if session.next == Some(next) {
        vec![]
    } else {
        vec![Event::NextStateRequested { next }]
    }
}

fn release(session: &Session, at: Timestamp, offer: OfferId, reason: ReleaseReason) -> Decision {
    match session.activity {
        Activity::Reserved { offer: live, .. } if live == offer => {}
        Activity::Reserved { .. }
        | Activity::OnContact { .. }
        | Activity::Idle
        | Activity::WrapUp { .. } => return Err(Error::StaleOffer),
    }
    let delay_ms = match reason {
        ReleaseReason::CallerGone
        | ReleaseReason::NoAnswer
        | ReleaseReason::Superseded
        | ReleaseReason::AnsweredElsewhere
        | ReleaseReason::TimedOut => None,
        ReleaseReason::Rejected => Some(REJECTED_DELAY_MS),
        ReleaseReason::Busy => Some(BUSY_DELAY_MS),
        ReleaseReason::Unreachable => Some(UNREACHABLE_DELAY_MS),
    };
    let not_before = delay_ms.map(|ms| at.plus_ms(ms));
    let mut events = vec![Event::ReservationReleased {
        offer,
        reason,
        not_before,
    }];
    let misses_too_often =
        reason == ReleaseReason::NoAnswer && session.missed_count.saturating_add(1) >= MISSED_MAX;
    match session.next {
        None | Some(NextState::Ready) if misses_too_often => {
            events.push(Event::BecameNotReady {
                reason: NotReadyReason::Rona,
            });
        }
        None | Some(NextState::Ready) => {}
        Some(NextState::NotReady(reason)) => events.push(Event::BecameNotReady { reason }),
        Some(NextState::LoggedOut(reason)) => events.push(Event::LoggedOut { reason }),
    }
    Ok(events)
}

/// The call has ended: whatever the session still holds for it goes.
fn end_contact(session: &Session, at: Timestamp, call: CallId, offer: OfferId) -> Vec<Event> {
    let (was_connected, wrap_up_ms, queue) = match session.activity {
        Activity::OnContact {
            call: live,
            wrap_up_ms,
            ..
        } if live == call => (true, wrap_up_ms, None),
        // The end overtook the confirmation of the connection.
        Activity::Reserved {
            offer: live,
            wrap_up_ms,
            queue,
            ..
        } if live == offer => (false, wrap_up_ms, Some(queue)),
        Activity::OnContact { .. }
        | Activity::Reserved { .. }
        | Activity::Idle
        | Activity::WrapUp { .. } => return vec![],
    };
    let mut events = Vec::with_capacity(3);
    if let (false, Some(queue)) = (was_connected, queue) {
        events.push(Event::ConnectedToContact { offer, call, queue });
    }
    events.push(Event::ContactEnded { call });
    if wrap_up_ms > 0 {
        events.push(Event::WrapUpStarted {
            call,
            until: at.plus_ms(wrap_up_ms),
        });
    } else {
        events.push(after_contact(session.next));
    }
    events
}

fn end_wrap_up(session: &Session, call: CallId, by: WrapUpEndedBy) -> Vec<Event> {
    vec![Event::WrapUpEnded { call, by }, after_contact(session.next)]
}

const fn after_contact(next: Option<NextState>) -> Event {
    match next {
        None | Some(NextState::Ready) => Event::BecameReady {},
        Some(NextState::NotReady(reason)) => Event::BecameNotReady { reason },
        Some(NextState::LoggedOut(reason)) => Event::LoggedOut { reason },
    }
}

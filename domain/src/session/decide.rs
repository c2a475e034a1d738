//! The rules of a session.

use super::{
    command::{CallNote, Command},
    error::Error,
    event::{
        Event, LogoutReason, NextState, NotReadyCode, NotReadyReason, ReleaseReason, WrapUpEndedBy,
    },
    state::{Activity, Routability, Session},
};
use crate::{
    id::{CallId, OfferId, SessionId},
    time::Timestamp,
};

type Decision = Result<Vec<Event>, Error>;

/// A wrap-up is extended by this much at a time at most.
const EXTENSION_MS_MAX: u64 = 3_600_000;

pub(super) fn decide(session: &Session, at: Timestamp, command: Command) -> Decision {
    match command {
        Command::LogIn { session: id, ready } => log_in(session, id, ready),
        Command::LogOut { reason } => {
            let by = match reason {
                LogoutReason::Agent => WrapUpEndedBy::Agent,
                LogoutReason::Supervisor => WrapUpEndedBy::Supervisor,
                LogoutReason::DeviceLost => WrapUpEndedBy::Device,
            };
            log_out(session, reason, by)
        }
        Command::GoReady => go_ready(session, WrapUpEndedBy::Agent),
        Command::GoNotReady { reason, code } => go_not_ready(session, reason, code),
        Command::RecordPhoneLost => phone_lost(session),
        Command::RecordPhoneBack => phone_back(session),
        Command::Reserve {
            offer,
            call,
            visit,
            queue,
            until,
            wrap_up_ms,
            choice,
            terms,
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
                    terms,
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
        Command::EndWrapUp { call, until } => Ok(end_wrap_up(session, call, until)),
        Command::CompleteWrapUp { code, note } => complete_wrap_up(session, code, note),
        Command::ExtendWrapUp { by_ms } => extend_wrap_up(session, at, by_ms),
        Command::Force { next, by, why } => force(session, next, by, why),
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
                    code: None,
                }
            },
        ]),
        (Some(_), Routability::LoggedOut) => Err(Error::SessionEnded),
        (Some(_), Routability::Ready | Routability::NotReady(_)) => Err(Error::AlreadyLoggedIn),
    }
}

fn log_out(session: &Session, reason: LogoutReason, by: WrapUpEndedBy) -> Decision {
    logged_in(session)?;
    let is_own = reason == LogoutReason::Agent;
    Ok(match session.activity {
        Activity::Idle => vec![Event::LoggedOut { reason }],
        Activity::WrapUp {
            code_required: true,
            ..
        } if is_own => return Err(Error::CodeRequired),
        Activity::WrapUp { call, .. } => {
            vec![wrap_up_ended(call, by), Event::LoggedOut { reason }]
        }
        // A live contact is never cut by a logout: it is applied afterwards.
        Activity::Reserved { .. } | Activity::OnContact { .. } => {
            request(session, NextState::LoggedOut(reason), None)
        }
    })
}

fn go_ready(session: &Session, by: WrapUpEndedBy) -> Decision {
    logged_in(session)?;
    Ok(match session.activity {
        Activity::Idle => match session.routability {
            Routability::Ready => vec![],
            Routability::NotReady(_) | Routability::LoggedOut => vec![Event::BecameReady {}],
        },
        Activity::WrapUp {
            code_required: true,
            ..
        } if by == WrapUpEndedBy::Agent => return Err(Error::CodeRequired),
        Activity::WrapUp { call, .. } => {
            vec![wrap_up_ended(call, by), Event::BecameReady {}]
        }
        Activity::Reserved { .. } | Activity::OnContact { .. } => match session.next {
            // Back to what happens anyway: after the contact comes ready.
            None => vec![],
            Some(_) => request(session, NextState::Ready, None),
        },
    })
}

fn go_not_ready(session: &Session, reason: NotReadyReason, code: Option<NotReadyCode>) -> Decision {
    logged_in(session)?;
    let is_same = session.routability == Routability::NotReady(reason) && session.code == code;
    Ok(match session.activity {
        Activity::Idle if is_same => vec![],
        Activity::Idle => vec![Event::BecameNotReady { reason, code }],
        Activity::WrapUp { .. } | Activity::Reserved { .. } | Activity::OnContact { .. } => {
            request(session, NextState::NotReady(reason), code)
        }
    })
}

fn phone_lost(session: &Session) -> Decision {
    logged_in(session)?;
    match (session.routability, session.next) {
        (Routability::Ready, None | Some(NextState::Ready)) => {
            go_not_ready(session, NotReadyReason::Unreachable, None)
        }
        (Routability::Ready, Some(NextState::NotReady(_) | NextState::LoggedOut(_)))
        | (Routability::NotReady(_) | Routability::LoggedOut, _) => Ok(vec![]),
    }
}

fn phone_back(session: &Session) -> Decision {
    logged_in(session)?;
    let lost = NotReadyReason::Unreachable;
    let is_paused = session.routability == Routability::NotReady(lost);
    Ok(match session.activity {
        Activity::Idle if is_paused => vec![Event::BecameReady {}],
        Activity::Idle => vec![],
        Activity::WrapUp { .. } | Activity::Reserved { .. } | Activity::OnContact { .. }
            if session.next == Some(NextState::NotReady(lost)) =>
        {
            request(session, NextState::Ready, None)
        }
        Activity::WrapUp { .. } | Activity::Reserved { .. } | Activity::OnContact { .. } => vec![],
    })
}

fn request(session: &Session, next: NextState, code: Option<NotReadyCode>) -> Vec<Event> {
    if session.next == Some(next) && session.next_code == code {
        vec![]
    } else {
        vec![Event::NextStateRequested { next, code }]
    }
}

fn release(session: &Session, at: Timestamp, offer: OfferId, reason: ReleaseReason) -> Decision {
    let terms = match session.activity {
        Activity::Reserved {
            offer: live, terms, ..
        } if live == offer => terms,
        Activity::Reserved { .. }
        | Activity::OnContact { .. }
        | Activity::Idle
        | Activity::WrapUp { .. } => return Err(Error::StaleOffer),
    };
    let after = terms.after(reason);
    let delay_ms = after.map_or(0, |(pause, _)| pause.delay_ms);
    let not_before = (delay_ms > 0).then(|| at.plus_ms(delay_ms));
    let mut events = vec![Event::ReservationReleased {
        offer,
        reason,
        not_before,
    }];
    let next = session.next_after_release(reason);
    events.extend(next.map(|next| becomes(session, Some(next))));
    Ok(events)
}

/// The call has ended: whatever the session still holds for it goes.
fn end_contact(session: &Session, at: Timestamp, call: CallId, offer: OfferId) -> Vec<Event> {
    let (wrap_up_ms, code_required, queue) = match session.activity {
        Activity::OnContact {
            call: live,
            wrap_up_ms,
            code_required,
            ..
        } if live == call => (wrap_up_ms, code_required, None),
        // The end overtook the confirmation of the connection.
        Activity::Reserved {
            offer: live,
            wrap_up_ms,
            queue,
            terms,
            ..
        } if live == offer => (wrap_up_ms, terms.wrap_up_code, Some(queue)),
        Activity::OnContact { .. }
        | Activity::Reserved { .. }
        | Activity::Idle
        | Activity::WrapUp { .. } => return vec![],
    };
    let mut events = Vec::with_capacity(3);
    if let Some(queue) = queue {
        events.push(Event::ConnectedToContact { offer, call, queue });
    }
    events.push(Event::ContactEnded { call });
    if wrap_up_ms > 0 {
        events.push(Event::WrapUpStarted {
            call,
            until: at.plus_ms(wrap_up_ms),
            code_required,
        });
    } else {
        events.push(becomes(session, session.next));
    }
    events
}

/// Its time is over: not one that was extended since, and only where it can end
/// by itself.
fn end_wrap_up(session: &Session, call: CallId, until: Timestamp) -> Vec<Event> {
    match session.activity {
        Activity::WrapUp {
            call: live,
            until: ends,
            code_required: false,
        } if live == call && ends == until => {
            let ended = wrap_up_ended(call, WrapUpEndedBy::Timer);
            vec![ended, becomes(session, session.next)]
        }
        Activity::Reserved { .. }
        | Activity::OnContact { .. }
        | Activity::Idle
        | Activity::WrapUp { .. } => vec![],
    }
}

fn complete_wrap_up(session: &Session, code: Option<String>, note: Option<CallNote>) -> Decision {
    let (call, code_required) = wrapping_up(session)?;
    if note.as_ref().is_some_and(|note| note.call != call) {
        return Err(Error::NoWrapUp);
    }
    if code_required && code.is_none() {
        return Err(Error::CodeRequired);
    }
    let ended = Event::WrapUpEnded {
        call,
        by: WrapUpEndedBy::Agent,
        code,
        note: note.map(|note| note.text),
    };
    Ok(vec![ended, becomes(session, session.next)])
}

fn extend_wrap_up(session: &Session, at: Timestamp, by_ms: u64) -> Decision {
    let (call, _) = wrapping_up(session)?;
    if !(1..=EXTENSION_MS_MAX).contains(&by_ms) {
        return Err(Error::InvalidExtension);
    }
    let ends = match session.activity {
        Activity::WrapUp { until, .. } => until.max(at),
        Activity::Reserved { .. } | Activity::OnContact { .. } | Activity::Idle => at,
    };
    let until = ends.plus_ms(by_ms);
    Ok(vec![Event::WrapUpExtended { call, until }])
}

/// After which call the agent works, and whether that ends only with a code.
fn wrapping_up(session: &Session) -> Result<(CallId, bool), Error> {
    logged_in(session)?;
    match session.activity {
        Activity::WrapUp {
            call,
            code_required,
            ..
        } => Ok((call, code_required)),
        Activity::Reserved { .. } | Activity::OnContact { .. } | Activity::Idle => {
            Err(Error::NoWrapUp)
        }
    }
}

/// What a supervisor decides ends a wrap-up, with or without a code, but never a
/// contact.
fn force(session: &Session, next: NextState, by: String, why: String) -> Decision {
    logged_in(session)?;
    if !crate::name::is_valid(&why) {
        return Err(Error::InvalidReason);
    }
    let follows = match next {
        NextState::Ready => go_ready(session, WrapUpEndedBy::Supervisor)?,
        NextState::NotReady(reason) => match session.activity {
            Activity::WrapUp { call, .. } => vec![
                wrap_up_ended(call, WrapUpEndedBy::Supervisor),
                Event::BecameNotReady { reason, code: None },
            ],
            Activity::Reserved { .. } | Activity::OnContact { .. } | Activity::Idle => {
                go_not_ready(session, reason, None)?
            }
        },
        NextState::LoggedOut(reason) => log_out(session, reason, WrapUpEndedBy::Supervisor)?,
    };
    let mut events = vec![Event::Forced { next, by, why }];
    events.extend(follows);
    Ok(events)
}

const fn wrap_up_ended(call: CallId, by: WrapUpEndedBy) -> Event {
    Event::WrapUpEnded {
        call,
        by,
        code: None,
        note: None,
    }
}

/// What the agent is from now on; with the word that was said for it, if it is what was
/// asked for.
fn becomes(session: &Session, next: Option<NextState>) -> Event {
    match next {
        None | Some(NextState::Ready) => Event::BecameReady {},
        Some(NextState::NotReady(reason)) => Event::BecameNotReady {
            reason,
            code: match next == session.next {
                true => session.next_code.clone(),
                false => None,
            },
        },
        Some(NextState::LoggedOut(reason)) => Event::LoggedOut { reason },
    }
}

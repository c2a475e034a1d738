//! The rules of a session.

use super::{
    command::{CallNote, Command},
    error::Error,
    event::{
        Event, LogoutReason, NextState, NotReadyCode, NotReadyReason, ReleaseReason, WrapUpEndedBy,
    },
    state::{Activity, Routability, Session},
    still::with_still,
};
use crate::{
    id::{CallId, OfferId, SessionId},
    time::Timestamp,
};

type Decision = Result<Vec<Event>, Error>;

/// A wrap-up is extended by this much at a time at most.
const EXTENSION_MS_MAX: u64 = 3_600_000;

pub(super) fn decide(session: &Session, at: Timestamp, command: Command) -> Decision {
    let events = decided(session, at, command)?;
    Ok(with_still(session, at, events))
}

fn decided(session: &Session, at: Timestamp, command: Command) -> Decision {
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
        reserve @ Command::Reserve { .. } => reserved(session, reserve),
        Command::ReleaseReservation { offer, reason } => release(session, at, offer, reason),
        Command::ConfirmConnect { offer } => confirm(session, offer),
        Command::EndContact { call, offer } => Ok(end_contact(session, at, call, offer)),
        Command::EndWrapUp { call, until } => Ok(end_wrap_up(session, call, until)),
        Command::CompleteWrapUp { code, note, call } => complete_wrap_up(session, call, code, note),
        Command::ExtendWrapUp { by_ms, call } => extend_wrap_up(session, at, by_ms, call),
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

fn reserved(session: &Session, reserve: Command) -> Decision {
    let Command::Reserve {
        offer,
        call,
        visit,
        queue,
        until,
        wrap_up_ms,
        choice,
        terms,
        capacity,
    } = reserve
    else {
        return Ok(vec![]);
    };
    logged_in(session)?;
    // One call is held once.
    let is_held = |it: &Activity| it.call() == Some(call) || it.offer() == Some(offer);
    let has_room = session.has_room(capacity) && !session.engagements.iter().any(is_held);
    match session.routability {
        Routability::Ready if has_room => Ok(vec![Event::Reserved {
            offer,
            call,
            visit,
            queue,
            until,
            wrap_up_ms,
            choice,
            terms,
            capacity,
            still: None,
        }]),
        Routability::Ready => Err(Error::Engaged),
        Routability::NotReady(_) | Routability::LoggedOut => Err(Error::NotReady),
    }
}

fn confirm(session: &Session, offer: OfferId) -> Decision {
    let of_offer = |it: &&Activity| it.offer() == Some(offer);
    match session.engagements.iter().find(of_offer).copied() {
        Some(Activity::Reserved { call, queue, .. }) => {
            Ok(vec![Event::ConnectedToContact { offer, call, queue }])
        }
        Some(Activity::OnContact { .. }) => Ok(vec![]),
        Some(Activity::Idle | Activity::WrapUp { .. }) | None => Err(Error::StaleOffer),
    }
}

fn log_out(session: &Session, reason: LogoutReason, by: WrapUpEndedBy) -> Decision {
    logged_in(session)?;
    let is_own = reason == LogoutReason::Agent;
    // A live contact is never cut by a logout: it is applied afterwards.
    if session.calls_count() > 0 {
        let mut events = match is_own {
            true => vec![],
            false => work_ended(session, by).collect(),
        };
        events.extend(request(session, NextState::LoggedOut(reason), None));
        return Ok(events);
    }
    let mut events = vec![];
    for wrap_up in wrap_ups(session) {
        if wrap_up.code_required && is_own {
            return Err(Error::CodeRequired);
        }
        events.push(wrap_up_ended(wrap_up.call, by));
    }
    events.push(Event::LoggedOut { reason });
    Ok(events)
}

/// The ends of all work after calls, where somebody else than the agent decides: a code
/// that nobody will give is waited for no longer.
fn work_ended(session: &Session, by: WrapUpEndedBy) -> impl Iterator<Item = Event> {
    wrap_ups(session).map(move |it| wrap_up_ended(it.call, by))
}

fn go_ready(session: &Session, by: WrapUpEndedBy) -> Decision {
    logged_in(session)?;
    if session.is_idle() {
        return Ok(match session.routability {
            Routability::Ready => vec![],
            Routability::NotReady(_) | Routability::LoggedOut => vec![Event::BecameReady {}],
        });
    }
    let is_held = session.calls_count() > 0;
    let mut events = vec![];
    for wrap_up in wrap_ups(session) {
        match wrap_up.code_required && by == WrapUpEndedBy::Agent {
            false => events.push(wrap_up_ended(wrap_up.call, by)),
            // Beside a call it goes on, until there is a code.
            true if is_held => {}
            true => return Err(Error::CodeRequired),
        }
    }
    match (is_held, session.next) {
        (false, _) => events.push(Event::BecameReady {}),
        // Back to what happens anyway: after the contact comes ready.
        (true, None) => {}
        (true, Some(_)) => events.extend(request(session, NextState::Ready, None)),
    }
    Ok(events)
}

fn go_not_ready(session: &Session, reason: NotReadyReason, code: Option<NotReadyCode>) -> Decision {
    logged_in(session)?;
    let is_same = session.routability == Routability::NotReady(reason) && session.code == code;
    Ok(match session.is_idle() {
        true if is_same => vec![],
        true => vec![Event::BecameNotReady { reason, code }],
        false => request(session, NextState::NotReady(reason), code),
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
    let is_asked = session.next == Some(NextState::NotReady(lost));
    Ok(match session.is_idle() {
        true if is_paused => vec![Event::BecameReady {}],
        false if is_asked => request(session, NextState::Ready, None),
        true | false => vec![],
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
    let terms = match session.reservation() {
        Some(Activity::Reserved {
            offer: live, terms, ..
        }) if live == offer => terms,
        Some(
            Activity::Reserved { .. }
            | Activity::OnContact { .. }
            | Activity::Idle
            | Activity::WrapUp { .. },
        )
        | None => return Err(Error::StaleOffer),
    };
    let after = terms.after(reason);
    let delay_ms = after.map_or(0, |(pause, _)| pause.delay_ms);
    let not_before = (delay_ms > 0).then(|| at.plus_ms(delay_ms));
    let mut events = vec![Event::ReservationReleased {
        offer,
        reason,
        not_before,
        still: None,
    }];
    if let Some(next) = session.next_after_release(reason) {
        match is_last(session) {
            true => events.push(becomes(session, Some(next))),
            // It comes when the last contact is over.
            false if session.next != Some(next) => {
                events.push(Event::NextStateRequested { next, code: None });
            }
            false => {}
        }
    }
    Ok(events)
}

/// The agent does nothing else: with the end of this, what was asked for comes.
const fn is_last(session: &Session) -> bool {
    session.engagements.len() == 1
}

/// The contact is over, with the call or before it: whatever the session still holds for
/// it goes.
fn end_contact(session: &Session, at: Timestamp, call: CallId, offer: OfferId) -> Vec<Event> {
    let held = session.engagements.iter().find_map(|it| match *it {
        Activity::OnContact {
            call: live,
            offer: accepted,
            wrap_up_ms,
            code_required,
            ..
        } if live == call && accepted == offer => Some((wrap_up_ms, code_required, None)),
        // The end overtook the confirmation of the connection.
        Activity::Reserved {
            offer: live,
            wrap_up_ms,
            queue,
            terms,
            ..
        } if live == offer => Some((wrap_up_ms, terms.wrap_up_code, Some(queue))),
        Activity::OnContact { .. }
        | Activity::Reserved { .. }
        | Activity::Idle
        | Activity::WrapUp { .. } => None,
    });
    let Some((wrap_up_ms, code_required, queue)) = held else {
        return vec![];
    };
    let mut events = Vec::with_capacity(3);
    if let Some(queue) = queue {
        events.push(Event::ConnectedToContact { offer, call, queue });
    }
    events.push(Event::ContactEnded { call, still: None });
    if wrap_up_ms > 0 {
        events.push(Event::WrapUpStarted {
            call,
            until: at.plus_ms(wrap_up_ms),
            code_required,
            still: None,
        });
    } else if is_last(session) {
        events.push(becomes(session, session.next));
    }
    events
}

/// Its time is over: not one that was extended since, and only where it can end
/// by itself.
fn end_wrap_up(session: &Session, call: CallId, until: Timestamp) -> Vec<Event> {
    let over = wrap_ups(session).find(|it| it.call == call && it.until == until);
    match over.filter(|it| !it.code_required) {
        Some(_) => worked(session, wrap_up_ended(call, WrapUpEndedBy::Timer)),
        None => vec![],
    }
}

/// That work is over, and with the last of everything the agent is something else.
fn worked(session: &Session, ended: Event) -> Vec<Event> {
    let mut events = vec![ended];
    if is_last(session) {
        events.push(becomes(session, session.next));
    }
    events
}

fn complete_wrap_up(
    session: &Session,
    call: Option<CallId>,
    code: Option<String>,
    note: Option<CallNote>,
) -> Decision {
    let noted = note.as_ref().map(|note| note.call);
    let wrap_up = wrapping_up(session, call.or(noted))?;
    let call = wrap_up.call;
    if noted.is_some_and(|noted| noted != call) {
        return Err(Error::NoWrapUp);
    }
    if wrap_up.code_required && code.is_none() {
        return Err(Error::CodeRequired);
    }
    let ended = Event::WrapUpEnded {
        call,
        by: WrapUpEndedBy::Agent,
        code,
        note: note.map(|note| note.text),
        still: None,
    };
    Ok(worked(session, ended))
}

fn extend_wrap_up(session: &Session, at: Timestamp, by_ms: u64, call: Option<CallId>) -> Decision {
    let wrap_up = wrapping_up(session, call)?;
    if !(1..=EXTENSION_MS_MAX).contains(&by_ms) {
        return Err(Error::InvalidExtension);
    }
    let call = wrap_up.call;
    let until = wrap_up.until.max(at).plus_ms(by_ms);
    Ok(vec![Event::WrapUpExtended { call, until }])
}

/// Work after a call.
#[derive(Debug, Clone, Copy)]
struct AtWork {
    call: CallId,
    until: Timestamp,
    /// It ends only with a code.
    code_required: bool,
}

/// All that is under way, the first first.
fn wrap_ups(session: &Session) -> impl Iterator<Item = AtWork> {
    session.engagements.iter().filter_map(|it| match *it {
        Activity::WrapUp {
            call,
            until,
            code_required,
        } => Some(AtWork {
            call,
            until,
            code_required,
        }),
        Activity::Reserved { .. } | Activity::OnContact { .. } | Activity::Idle => None,
    })
}

/// The work after that call, or the first.
fn wrapping_up(session: &Session, call: Option<CallId>) -> Result<AtWork, Error> {
    logged_in(session)?;
    let mut all = wrap_ups(session);
    let found = all.find(|it| call.is_none_or(|call| call == it.call));
    found.ok_or(Error::NoWrapUp)
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
        NextState::NotReady(reason) => {
            let mut events: Vec<_> = work_ended(session, WrapUpEndedBy::Supervisor).collect();
            match session.calls_count() == 0 && !session.is_idle() {
                true => events.push(Event::BecameNotReady { reason, code: None }),
                false => events.extend(go_not_ready(session, reason, None)?),
            }
            events
        }
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
        still: None,
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

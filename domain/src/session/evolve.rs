//! The state after an event. No rules here.

use super::{
    event::{Event, NextState, NotReadyCode, ReleaseReason},
    state::{Activity, Refused, Routability, Session},
};
use crate::{
    id::{CallId, OfferId, QueueId},
    time::Timestamp,
};

pub(super) fn evolve(mut session: Session, _at: Timestamp, event: &Event) -> Session {
    match event {
        Event::LoggedIn { session: id } => session.id = Some(*id),
        Event::LoggedOut { .. } => {
            session.routability = Routability::LoggedOut;
            session.engagements.clear();
            settle(&mut session, None);
        }
        Event::BecameReady {} => {
            session.routability = Routability::Ready;
            settle(&mut session, None);
        }
        Event::BecameNotReady { reason, code } => {
            session.routability = Routability::NotReady(*reason);
            settle(&mut session, code.clone());
            begin_again(&mut session);
        }
        Event::NextStateRequested { next, code } => {
            session.next = Some(*next);
            session.next_code.clone_from(code);
            // Who is had back beside a call starts anew, as who comes back from not ready.
            if *next == NextState::Ready {
                begin_again(&mut session);
            }
        }
        Event::Reserved { .. } => reserve(&mut session, event),
        Event::ReservationReleased { offer, reason, .. } => {
            ends(&mut session, |it| {
                it.is_reserved() && it.offer() == Some(*offer)
            });
            released(&mut session);
            count(&mut session, *reason);
        }
        Event::ConnectedToContact { offer, call, queue } => {
            connect(&mut session, *offer, *call, *queue);
            begin_again(&mut session);
        }
        Event::ContactEnded { call, .. } => {
            ends(&mut session, |it| {
                it.is_contact() && it.call() == Some(*call)
            });
        }
        Event::WrapUpStarted { .. } => work(&mut session, event),
        Event::WrapUpEnded { call, .. } => {
            ends(&mut session, |it| {
                it.is_wrap_up() && it.call() == Some(*call)
            });
        }
        Event::WrapUpExtended { call, until } => extend(&mut session, *call, *until),
        Event::Forced { .. } => {}
    }
    session
}

fn reserve(session: &mut Session, event: &Event) {
    if let Event::Reserved {
        offer,
        call,
        queue,
        until,
        wrap_up_ms,
        terms,
        ..
    } = event
    {
        session.engagements.push(Activity::Reserved {
            offer: *offer,
            call: *call,
            queue: *queue,
            until: *until,
            wrap_up_ms: *wrap_up_ms,
            terms: *terms,
        });
    }
}

/// Whoever works after a call is not in it any more.
fn work(session: &mut Session, event: &Event) {
    if let Event::WrapUpStarted {
        call,
        until,
        code_required,
        ..
    } = event
    {
        ends(session, |it| it.call() == Some(*call));
        session.engagements.push(Activity::WrapUp {
            call: *call,
            until: *until,
            code_required: *code_required,
        });
    }
}

fn ends(session: &mut Session, which: impl Fn(&Activity) -> bool) {
    session.engagements.retain(|it| !which(it));
}

/// What was asked for follows as an event of its own, if it is a change; or when the last
/// contact is over.
fn released(session: &mut Session) {
    if session.is_idle() {
        session.next = None;
        session.next_code = None;
    }
}

/// The reservation is a contact, the one that came last.
fn connect(session: &mut Session, offer: OfferId, call: CallId, queue: QueueId) {
    let reserved = session.reservation();
    let (wrap_up_ms, code_required) = match reserved {
        Some(Activity::Reserved {
            wrap_up_ms, terms, ..
        }) => (wrap_up_ms, terms.wrap_up_code),
        Some(Activity::Idle | Activity::OnContact { .. } | Activity::WrapUp { .. }) | None => {
            (0, false)
        }
    };
    session.engagements.retain(|it| !it.is_reserved());
    session.engagements.push(Activity::OnContact {
        offer,
        call,
        queue,
        wrap_up_ms,
        code_required,
    });
}

fn extend(session: &mut Session, extended: CallId, ends: Timestamp) {
    for it in &mut session.engagements {
        match it {
            Activity::WrapUp { call, until, .. } if *call == extended => *until = ends,
            Activity::WrapUp { .. }
            | Activity::Idle
            | Activity::Reserved { .. }
            | Activity::OnContact { .. } => {}
        }
    }
}

/// What was asked for has come, or something else instead.
fn settle(session: &mut Session, code: Option<NotReadyCode>) {
    session.code = code;
    session.next = None;
    session.next_code = None;
}

/// No offer in a row has come to nothing.
fn begin_again(session: &mut Session) {
    session.missed_count = 0;
    session.refused = Refused::default();
}

/// One more offer in a row that came to nothing for that reason.
const fn count(session: &mut Session, reason: ReleaseReason) {
    let count = match reason {
        ReleaseReason::NoAnswer => &mut session.missed_count,
        ReleaseReason::Rejected => &mut session.refused.rejected,
        ReleaseReason::Busy => &mut session.refused.busy,
        ReleaseReason::Unreachable => &mut session.refused.unreachable,
        ReleaseReason::CallerGone
        | ReleaseReason::Superseded
        | ReleaseReason::AnsweredElsewhere
        | ReleaseReason::TimedOut => return,
    };
    *count = count.saturating_add(1);
}

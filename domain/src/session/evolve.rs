//! The state after an event. No rules here.

use super::{
    event::{Event, NotReadyCode, ReleaseReason},
    state::{Activity, Refused, Routability, Session},
};
use crate::time::Timestamp;

pub(super) fn evolve(mut session: Session, _at: Timestamp, event: &Event) -> Session {
    match event {
        Event::LoggedIn { session: id } => session.id = Some(*id),
        Event::LoggedOut { .. } => {
            session.routability = Routability::LoggedOut;
            session.activity = Activity::Idle;
            settle(&mut session, None);
        }
        Event::BecameReady {} => {
            session.routability = Routability::Ready;
            settle(&mut session, None);
        }
        Event::BecameNotReady { reason, code } => {
            session.routability = Routability::NotReady(*reason);
            settle(&mut session, code.clone());
            session.missed_count = 0;
            session.refused = Refused::default();
        }
        Event::NextStateRequested { next, code } => {
            session.next = Some(*next);
            session.next_code.clone_from(code);
        }
        Event::Reserved {
            offer,
            call,
            queue,
            until,
            wrap_up_ms,
            terms,
            ..
        } => {
            session.activity = Activity::Reserved {
                offer: *offer,
                call: *call,
                queue: *queue,
                until: *until,
                wrap_up_ms: *wrap_up_ms,
                terms: *terms,
            };
        }
        Event::ReservationReleased { reason, .. } => {
            session.activity = Activity::Idle;
            // What was asked for follows as an event of its own, if it is a change.
            session.next = None;
            session.next_code = None;
            count(&mut session, *reason);
        }
        Event::ConnectedToContact { offer, call, .. } => {
            let (wrap_up_ms, code_required) = match session.activity {
                Activity::Reserved {
                    wrap_up_ms, terms, ..
                } => (wrap_up_ms, terms.wrap_up_code),
                Activity::Idle | Activity::OnContact { .. } | Activity::WrapUp { .. } => (0, false),
            };
            session.activity = Activity::OnContact {
                offer: *offer,
                call: *call,
                wrap_up_ms,
                code_required,
            };
            session.missed_count = 0;
            session.refused = Refused::default();
        }
        Event::ContactEnded { .. }
        | Event::WrapUpEnded { .. }
        | Event::WrapUpStarted { .. }
        | Event::WrapUpExtended { .. } => session.activity = after_contact(session.activity, event),
        Event::Forced { .. } => {}
    }
    session
}

/// What was asked for has come, or something else instead.
fn settle(session: &mut Session, code: Option<NotReadyCode>) {
    session.code = code;
    session.next = None;
    session.next_code = None;
}

/// What the agent does once the contact is over.
fn after_contact(activity: Activity, event: &Event) -> Activity {
    match event {
        Event::WrapUpStarted {
            call,
            until,
            code_required,
        } => Activity::WrapUp {
            call: *call,
            until: *until,
            code_required: *code_required,
        },
        Event::WrapUpExtended { until, .. } => match activity {
            Activity::WrapUp {
                call,
                code_required,
                ..
            } => Activity::WrapUp {
                call,
                until: *until,
                code_required,
            },
            Activity::Idle | Activity::Reserved { .. } | Activity::OnContact { .. } => activity,
        },
        Event::ContactEnded { .. } | Event::WrapUpEnded { .. } => Activity::Idle,
        Event::LoggedIn { .. }
        | Event::LoggedOut { .. }
        | Event::BecameReady {}
        | Event::BecameNotReady { .. }
        | Event::NextStateRequested { .. }
        | Event::Reserved { .. }
        | Event::ReservationReleased { .. }
        | Event::ConnectedToContact { .. }
        | Event::Forced { .. } => activity,
    }
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

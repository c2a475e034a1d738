//! The state after an event. No rules here.

use super::{
    event::{Event, ReleaseReason},
    state::{Activity, Routability, Session},
};
use crate::time::Timestamp;

pub(super) fn evolve(mut session: Session, _at: Timestamp, event: &Event) -> Session {
    match event {
        Event::LoggedIn { session: id } => session.id = Some(*id),
        Event::LoggedOut { .. } => {
            session.routability = Routability::LoggedOut;
            session.activity = Activity::Idle;
            session.next = None;
        }
        Event::BecameReady {} => {
            session.routability = Routability::Ready;
            session.next = None;
        }
        Event::BecameNotReady { reason } => {
            session.routability = Routability::NotReady(*reason);
            session.next = None;
            session.missed_count = 0;
        }
        Event::NextStateRequested { next } => session.next = Some(*next),
        Event::Reserved {
            offer,
            call,
            queue,
            until,
            wrap_up_ms,
            ..
        } => {
            session.activity = Activity::Reserved {
                offer: *offer,
                call: *call,
                queue: *queue,
                until: *until,
                wrap_up_ms: *wrap_up_ms,
            };
        }
        Event::ReservationReleased { reason, .. } => {
            session.activity = Activity::Idle;
            // What was asked for follows as an event of its own, if it is a change.
            session.next = None;
            if *reason == ReleaseReason::NoAnswer {
                session.missed_count = session.missed_count.saturating_add(1);
            }
        }
        Event::ConnectedToContact { offer, call, .. } => {
            let wrap_up_ms = match session.activity {
                Activity::Reserved { wrap_up_ms, .. } => wrap_up_ms,
                Activity::Idle | Activity::OnContact { .. } | Activity::WrapUp { .. } => 0,
            };
            session.activity = Activity::OnContact {
                offer: *offer,
                call: *call,
                wrap_up_ms,
            };
            session.missed_count = 0;
        }
        Event::ContactEnded { .. } | Event::WrapUpEnded { .. } => session.activity = Activity::Idle,
        Event::WrapUpStarted { call, until } => {
            session.activity = Activity::WrapUp {
                call: *call,
                until: *until,
            };
        }
    }
    session
}

//! What is known of a session: two coordinates, whether the agent wants calls
//! and what its voice units are doing.

use super::event::{Doing, Event, NextState, NotReadyCode, NotReadyReason, ReleaseReason, Still};
use crate::{
    id::{CallId, OfferId, QueueId, SessionId},
    queue::Terms,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Whether the agent wants calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Routability {
    /// The session has not started or is over.
    #[default]
    LoggedOut,
    /// Yes.
    Ready,
    /// No, and why.
    NotReady(NotReadyReason),
}

/// What the agent is doing, or what one voice unit of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Activity {
    /// Nothing.
    #[default]
    Idle,
    /// Taken for an offer.
    Reserved {
        /// Fence.
        offer: OfferId,
        /// Which call.
        call: CallId,
        /// Of which queue.
        queue: QueueId,
        /// When it falls by itself.
        until: Timestamp,
        /// Wrap-up after the call.
        wrap_up_ms: u64,
        /// What the queue asks of the agent.
        terms: Terms,
    },
    /// With a caller.
    OnContact {
        /// The accepted offer.
        offer: OfferId,
        /// Which call.
        call: CallId,
        /// Of which queue.
        queue: QueueId,
        /// Wrap-up after the call.
        wrap_up_ms: u64,
        /// The wrap-up ends only with a code.
        code_required: bool,
    },
    /// Work after a call.
    WrapUp {
        /// Which call.
        call: CallId,
        /// When it ends by itself.
        until: Timestamp,
        /// It ends only with a code.
        code_required: bool,
    },
}

/// What has been folded from a session's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Session {
    /// Which; none before the first event.
    pub id: Option<SessionId>,
    /// Whether the agent wants calls.
    pub routability: Routability,
    /// What the agent is doing, in the order in which it began: nothing of it is idle, and
    /// one of it at most is a reservation.
    pub engagements: Vec<Activity>,
    /// Asked for while engaged.
    pub next: Option<NextState>,
    /// Why not ready, in a word of the settings.
    #[serde(default)]
    pub code: Option<NotReadyCode>,
    /// Why not ready next, in a word of the settings.
    #[serde(default)]
    pub next_code: Option<NotReadyCode>,
    /// Offers missed in a row.
    pub missed_count: u32,
    /// Offers in a row that came to nothing otherwise, by why.
    pub refused: Refused,
}

/// Offers in a row that came to nothing, by why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Refused {
    /// Declined.
    pub rejected: u32,
    /// The phone was busy.
    pub busy: u32,
    /// No phone responded.
    pub unreachable: u32,
}

impl Activity {
    /// The call of it.
    pub const fn call(&self) -> Option<CallId> {
        match self {
            Self::Idle => None,
            Self::Reserved { call, .. }
            | Self::OnContact { call, .. }
            | Self::WrapUp { call, .. } => Some(*call),
        }
    }

    /// The offer that is live or was accepted.
    pub const fn offer(&self) -> Option<OfferId> {
        match self {
            Self::Idle | Self::WrapUp { .. } => None,
            Self::Reserved { offer, .. } | Self::OnContact { offer, .. } => Some(*offer),
        }
    }

    /// A reservation or a contact: it takes one voice unit.
    pub const fn takes_a_unit(&self) -> bool {
        match self {
            Self::Idle | Self::WrapUp { .. } => false,
            Self::Reserved { .. } | Self::OnContact { .. } => true,
        }
    }

    /// A contact.
    pub const fn is_contact(&self) -> bool {
        match self {
            Self::OnContact { .. } => true,
            Self::Idle | Self::Reserved { .. } | Self::WrapUp { .. } => false,
        }
    }

    /// A reservation.
    pub const fn is_reserved(&self) -> bool {
        match self {
            Self::Reserved { .. } => true,
            Self::Idle | Self::OnContact { .. } | Self::WrapUp { .. } => false,
        }
    }

    /// Work after a call.
    pub const fn is_wrap_up(&self) -> bool {
        match self {
            Self::WrapUp { .. } => true,
            Self::Idle | Self::OnContact { .. } | Self::Reserved { .. } => false,
        }
    }
}

impl Session {
    /// What the agent does first of all: the contact that came last, before the reservation,
    /// before the wrap-up that began first.
    pub fn activity(&self) -> Activity {
        let all = &self.engagements;
        let contact = all.iter().rev().find(|it| it.is_contact());
        let reserved = || all.iter().find(|it| it.is_reserved());
        let first = contact.or_else(reserved).or_else(|| all.first());
        first.copied().unwrap_or_default()
    }

    /// That, as an event keeps it that is about something else.
    pub fn still(&self) -> Option<Still> {
        match self.activity() {
            Activity::Idle => None,
            Activity::Reserved {
                offer, call, queue, ..
            } => Some(Still {
                doing: Doing::Reserved,
                call,
                offer: Some(offer),
                queue: Some(queue),
            }),
            Activity::OnContact {
                offer, call, queue, ..
            } => Some(Still {
                doing: Doing::OnContact,
                call,
                offer: Some(offer),
                queue: Some(queue),
            }),
            Activity::WrapUp { call, .. } => Some(Still {
                doing: Doing::WrapUp,
                call,
                offer: None,
                queue: None,
            }),
        }
    }

    /// Nothing is held, and no work after a call is under way.
    pub const fn is_idle(&self) -> bool {
        self.engagements.is_empty()
    }

    /// Reservations and contacts.
    pub fn calls_count(&self) -> usize {
        let units = self.engagements.iter().filter(|it| it.takes_a_unit());
        units.count()
    }

    /// Contacts.
    pub fn contacts_count(&self) -> usize {
        self.engagements.iter().filter(|it| it.is_contact()).count()
    }

    /// Whether the agent may be reserved, of that many voice units: it wants calls, and will
    /// go on wanting them; its phone does not ring already; no work after a call is under
    /// way; and a unit is left.
    pub fn has_room(&self, capacity: u8) -> bool {
        let goes_on = match self.next {
            None | Some(NextState::Ready) => true,
            Some(NextState::NotReady(_) | NextState::LoggedOut(_)) => false,
        };
        let only_talks = self.engagements.iter().all(Activity::is_contact);
        let is_ready = self.routability == Routability::Ready;
        is_ready && goes_on && only_talks && self.engagements.len() < usize::from(capacity.max(1))
    }

    /// The reservation, if there is one.
    pub fn reservation(&self) -> Option<Activity> {
        let mut all = self.engagements.iter();
        all.find(|it| it.is_reserved()).copied()
    }

    /// What becomes of the agent when its reservation ends for that reason, unless
    /// it is free again: what was asked for meanwhile, or what the queue says of so
    /// many offers in vain.
    pub fn next_after_release(&self, reason: ReleaseReason) -> Option<NextState> {
        match self.next {
            Some(next @ (NextState::NotReady(_) | NextState::LoggedOut(_))) => return Some(next),
            None | Some(NextState::Ready) => {}
        }
        let Some(Activity::Reserved { terms, .. }) = self.reservation() else {
            return None;
        };
        let in_a_row = self.in_a_row(reason).saturating_add(1);
        match terms.after(reason) {
            Some((pause, reason)) if pause.in_a_row_max >= 1 && pause.in_a_row_max <= in_a_row => {
                Some(NextState::NotReady(reason))
            }
            Some(_) | None => None,
        }
    }

    /// Whether an event of the same decision follows that one, which completes it: both are
    /// written at once.
    pub fn is_followed(&self, event: &Event) -> bool {
        // Only with the last of several things that an agent does it becomes another.
        let is_last = self.engagements.len() <= 1;
        match event {
            Event::LoggedIn { .. } => true,
            Event::WrapUpEnded { .. } => is_last,
            Event::ContactEnded { call, .. } => is_last || self.works_after(*call),
            Event::ReservationReleased { reason, .. } => {
                let next = self.next_after_release(*reason);
                next.is_some() && (is_last || next != self.next)
            }
            Event::LoggedOut { .. }
            | Event::BecameReady {}
            | Event::BecameNotReady { .. }
            | Event::NextStateRequested { .. }
            | Event::Reserved { .. }
            | Event::ConnectedToContact { .. }
            | Event::WrapUpStarted { .. }
            | Event::WrapUpExtended { .. }
            | Event::Forced { .. } => false,
        }
    }

    /// Whether a wrap-up follows the contact.
    fn works_after(&self, ended: CallId) -> bool {
        self.engagements.iter().any(|it| match it {
            Activity::OnContact {
                call, wrap_up_ms, ..
            } => *call == ended && *wrap_up_ms > 0,
            Activity::Idle | Activity::Reserved { .. } | Activity::WrapUp { .. } => false,
        })
    }

    /// How many offers in a row came to nothing for that reason.
    pub const fn in_a_row(&self, reason: ReleaseReason) -> u32 {
        match reason {
            ReleaseReason::NoAnswer => self.missed_count,
            ReleaseReason::Rejected => self.refused.rejected,
            ReleaseReason::Busy => self.refused.busy,
            ReleaseReason::Unreachable => self.refused.unreachable,
            ReleaseReason::CallerGone
            | ReleaseReason::Superseded
            | ReleaseReason::AnsweredElsewhere
            | ReleaseReason::TimedOut => 0,
        }
    }
}

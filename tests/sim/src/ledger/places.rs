//! Whoever comes back to a place has left it by hanging up, not long ago, and has
//! not come back to it before. Who is sent into another queue keeps the place.

use crate::violation::{Violation, must};
use domain::{
    any::{AnyEvent, Fact},
    call,
    cause::{By, Disposition},
    id::{CallId, QueueId, SubjectId, VisitId},
    line, queue,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// Two clocks differ by so much at most, and a little.
const CLOCKS_MS: u64 = 7_000;

/// A call's last stay.
#[derive(Debug, Clone, Copy)]
struct Stay {
    queue: QueueId,
    enqueued_at: Timestamp,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Places {
    /// Who calls, of those who show it.
    callers: BTreeMap<CallId, SubjectId>,
    stays: BTreeMap<VisitId, Stay>,
    /// Since when each call stands in lines, and whether that is a place from before.
    since: BTreeMap<CallId, (Timestamp, bool)>,
    /// Places that somebody left, and when: each can be come back to once.
    left: BTreeMap<(SubjectId, QueueId), BTreeMap<Timestamp, Timestamp>>,
    /// Calls of ours: theirs is the place of whoever is rung back.
    placed: BTreeSet<CallId>,
    /// Stays in a place from before.
    resumed: BTreeSet<VisitId>,
    windows: BTreeMap<QueueId, u64>,
    pub(crate) resumed_count: u64,
    /// Stays at the place of a stay before.
    pub(crate) moved_count: u64,
}

impl Places {
    /// Since when that call has waited, in whatever lines.
    pub(crate) fn since(&self, call: CallId) -> Option<Timestamp> {
        self.since.get(&call).map(|(since, _)| *since)
    }

    pub(crate) fn note(&mut self, fact: &Fact) -> Result<(), Violation> {
        match &fact.event {
            AnyEvent::Queue(
                queue,
                queue::Event::Created { config, .. } | queue::Event::Configured { config, .. },
            ) => {
                self.windows.insert(*queue, config.resume_abandoned_ms);
                Ok(())
            }
            AnyEvent::Queue(
                _,
                queue::Event::Opened { .. }
                | queue::Event::Closed { .. }
                | queue::Event::HoursFollowed { .. }
                | queue::Event::MemberPaused { .. }
                | queue::Event::MemberUnpaused { .. }
                | queue::Event::Deleted { .. },
            ) => Ok(()),
            AnyEvent::Call(call, event) => {
                self.on_call(*call, fact.at, event);
                Ok(())
            }
            AnyEvent::Line(
                queue,
                line::Event::Opened {
                    visit,
                    call,
                    enqueued_at,
                    joined_at,
                    ..
                },
            ) if !self.placed.contains(call) => {
                self.stands(*call, (*visit, *queue), *enqueued_at, *joined_at)
            }
            AnyEvent::Line(..)
            | AnyEvent::Session(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => Ok(()),
        }
    }

    fn waits(&mut self, call: CallId, at: Timestamp, (visit, queue): (VisitId, QueueId)) {
        let (enqueued_at, is_resumed) = *self.since.entry(call).or_insert((at, false));
        let stay = Stay { queue, enqueued_at };
        self.stays.insert(visit, stay);
        if is_resumed {
            self.resumed.insert(visit);
        }
    }

    fn on_call(&mut self, call: CallId, at: Timestamp, event: &call::Event) {
        match event {
            call::Event::Received {
                from,
                withheld: false,
                ..
            } => {
                self.callers.insert(call, from.subject);
            }
            call::Event::Enqueued { visit, queue, .. } => {
                self.waits(call, at, (*visit, *queue));
            }
            call::Event::Ended {
                cause,
                disposition,
                visit: Some(visit),
                ..
            } if cause.by == By::Caller && *disposition != Disposition::Answered => {
                let (stay, caller) = (self.stays.get(visit), self.callers.get(&call));
                if let (Some(stay), Some(caller)) = (stay, caller)
                    && !self.resumed.contains(visit)
                {
                    let places = self.left.entry((*caller, stay.queue)).or_default();
                    places.insert(stay.enqueued_at, at);
                }
            }
            call::Event::Placed { .. } => {
                self.placed.insert(call);
            }
            call::Event::Received { .. }
            | call::Event::AnswerOrdered { .. }
            | call::Event::AnswerOrderRefused { .. }
            | call::Event::Withdrawn { .. }
            | call::Event::CallbackRequested { .. }
            | call::Event::Routed { .. }
            | call::Event::ExitKeyPressed { .. }
            | call::Event::PlaceTold { .. }
            | call::Event::Overflowed { .. }
            | call::Event::AnnouncementStarted { .. }
            | call::Event::VoicemailStarted { .. }
            | call::Event::VoicemailEnded { .. }
            | call::Event::Forwarded { .. }
            | call::Event::LegDialled { .. }
            | call::Event::TrunkSelected { .. }
            | call::Event::LegProgressed { .. }
            | call::Event::LegAnswered { .. }
            | call::Event::Answered {}
            | call::Event::OfferStarted { .. }
            | call::Event::LegAlerting { .. }
            | call::Event::OfferEnded { .. }
            | call::Event::AgentConnected { .. }
            | call::Event::Held { .. }
            | call::Event::Retrieved { .. }
            | call::Event::Ended { .. }
            | call::Event::Diverted { .. }
            | call::Event::MediaMeasured { .. }
            | call::Event::SupervisionRequested { .. }
            | call::Event::SupervisionStarted { .. }
            | call::Event::SupervisionModeChanged { .. }
            | call::Event::TakenOver { .. }
            | call::Event::Transferred { .. }
            | call::Event::SupervisionEnded { .. }
            | call::Event::Tagged { .. }
            | call::Event::LateFact { .. } => {}
        }
    }

    /// At the place that it has had since it was enqueued first, or at an older one.
    fn stands(
        &mut self,
        call: CallId,
        (visit, queue): (VisitId, QueueId),
        enqueued_at: Timestamp,
        joined_at: Option<Timestamp>,
    ) -> Result<(), Violation> {
        let (since, is_resumed) = self
            .since
            .get(&call)
            .copied()
            .ok_or_else(|| Violation(format!("{visit} of {call}, which was not enqueued")))?;
        if enqueued_at == since {
            self.moved_count += u64::from(joined_at.is_some());
            if is_resumed {
                self.resumed.insert(visit);
            }
            return Ok(());
        }
        self.since.insert(call, (enqueued_at, true));
        match joined_at {
            Some(joined_at) => self.resumes(call, (visit, queue), enqueued_at, joined_at),
            None => Err(Violation(format!(
                "{visit} has lost its place of {since} and stands since {enqueued_at}"
            ))),
        }
    }

    fn resumes(
        &mut self,
        call: CallId,
        (visit, queue): (VisitId, QueueId),
        enqueued_at: Timestamp,
        joined_at: Timestamp,
    ) -> Result<(), Violation> {
        self.resumed.insert(visit);
        self.resumed_count += 1;
        let Some(caller) = self.callers.get(&call).copied() else {
            return Err(Violation(format!("{call} of nobody resumes a place")));
        };
        let places = self.left.entry((caller, queue)).or_default();
        // Its own end may be on the record already.
        places.remove(&joined_at);
        let Some(left_at) = places.remove(&enqueued_at) else {
            return Err(Violation(format!(
                "{visit} resumes a place of {enqueued_at} in {queue} that {caller} has not left"
            )));
        };
        let window_ms = self.windows.get(&queue).copied().unwrap_or(0);
        let falls_at = left_at.plus_ms(window_ms).plus_ms(CLOCKS_MS);
        must(window_ms > 0 && joined_at <= falls_at, || {
            format!("{visit} resumes at {joined_at} a place that was left at {left_at}")
        })
    }
}

//! Queues that a person has opened or closed: whoever is enqueued while that counts is
//! let in, or is not, whatever the hours say; otherwise the hours decide.

use super::hours::are_open;
use crate::violation::{Violation, must};
use domain::{
    any::{AnyEvent, Fact},
    call::{self, OverflowCause},
    id::{CallId, QueueId, VisitId},
    line::{self, RejectReason},
    queue::{self, Hand, Hours},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// What decided who is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// A person had said it.
    Hand(Hand),
    /// The hours, if the queue has any.
    Hours { is_open: bool },
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Hands {
    /// What counts, and since which position.
    said: BTreeMap<QueueId, (Hand, u64)>,
    /// Position of what a person said last, also that the hours count again.
    said_at: BTreeMap<QueueId, u64>,
    /// Queues that have hours.
    hours: BTreeMap<QueueId, Hours>,
    /// Where each stay that its line has not answered yet was asked for, and when.
    asked: BTreeMap<VisitId, (u64, Timestamp)>,
    /// Calls of ours, and their stays: they wait in a queue that is closed, too, if only
    /// for the moment until it knows that the call is over.
    placed: BTreeSet<CallId>,
    ours: BTreeSet<VisitId>,
    /// Calls that a person sends on, until they are enqueued, and their stays then: they
    /// are let into a queue that is closed, too.
    sent: BTreeSet<CallId>,
    let_in: BTreeSet<VisitId>,
    /// Stays that their calls have gone on from.
    gone_on: BTreeSet<VisitId>,
    /// Stays that were not let in because a person had closed the queue.
    pub(crate) closed_count: u64,
}

impl Hands {
    pub(super) fn note(&mut self, fact: &Fact) -> Result<(), Violation> {
        match &fact.event {
            AnyEvent::Queue(queue, event) => {
                if let queue::Event::Created { config, .. }
                | queue::Event::Configured { config, .. } = event
                {
                    let hours = config.hours.as_deref().cloned();
                    self.hours.extend(hours.map(|hours| (*queue, hours)));
                }
                if event.hand().is_some() {
                    self.said_at.insert(*queue, fact.position);
                }
                match event.hand() {
                    Some(Some(hand)) => _ = self.said.insert(*queue, (hand, fact.position)),
                    Some(None) => _ = self.said.remove(queue),
                    None => {}
                }
                Ok(())
            }
            AnyEvent::Call(call, call::Event::Placed { .. }) => {
                self.placed.insert(*call);
                Ok(())
            }
            AnyEvent::Call(call, call::Event::Ended { .. }) => {
                self.placed.remove(call);
                Ok(())
            }
            AnyEvent::Call(call, call::Event::Overflowed { visit, cause, .. }) => {
                // Where the line was not asked before, it is opened only to be counted.
                self.gone_on.insert(*visit);
                if *cause == OverflowCause::Supervisor {
                    self.sent.insert(*call);
                }
                Ok(())
            }
            AnyEvent::Call(call, call::Event::Enqueued { visit, .. }) => {
                self.asked.insert(*visit, (fact.position, fact.at));
                if self.placed.contains(call) {
                    self.ours.insert(*visit);
                }
                if self.sent.remove(call) {
                    self.let_in.insert(*visit);
                }
                Ok(())
            }
            AnyEvent::Line(queue, event) => self.on_line(*queue, event),
            AnyEvent::Call(..)
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

    /// What counted when the stay was asked for, if it has counted ever since: what a
    /// person says, or else what the hours say.
    fn counted(&mut self, queue: QueueId, visit: VisitId) -> Option<Counted> {
        let (asked, at) = self.asked.remove(&visit)?;
        if let Some((hand, since)) = self.said.get(&queue) {
            return (*since < asked).then_some(Counted::Hand(*hand));
        }
        let said_at = self.said_at.get(&queue);
        if said_at.is_some_and(|said_at| *said_at > asked) {
            return None;
        }
        let hours = self.hours.get(&queue);
        let is_open = hours.is_none_or(|hours| are_open(hours, at));
        Some(Counted::Hours { is_open })
    }

    fn on_line(&mut self, queue: QueueId, event: &line::Event) -> Result<(), Violation> {
        match event {
            line::Event::Opened { visit, .. } => {
                let counted = self.counted(queue, *visit);
                let is_closed = matches!(
                    counted,
                    Some(Counted::Hand(Hand::Closed) | Counted::Hours { is_open: false })
                );
                let is_let_in = self.ours.contains(visit)
                    || self.let_in.contains(visit)
                    || self.gone_on.contains(visit);
                must(!is_closed || is_let_in, || {
                    format!("{visit} is let into {queue}, which is closed: {counted:?}")
                })
            }
            line::Event::Rejected { visit, reason, .. } => {
                must(!self.let_in.contains(visit), || {
                    format!("{visit} is not let into {queue}, where a person sent it")
                })?;
                let counted = self.counted(queue, *visit);
                let is_closed = *reason == RejectReason::Closed;
                let by_hand = counted == Some(Counted::Hand(Hand::Closed));
                self.closed_count += u64::from(is_closed && by_hand);
                let is_open = matches!(
                    counted,
                    Some(Counted::Hand(Hand::Open) | Counted::Hours { is_open: true })
                );
                must(!(is_closed && is_open), || {
                    format!("{visit} is not let into {queue}, which is open: {counted:?}")
                })
            }
            line::Event::Matched { .. }
            | line::Event::Returned { .. }
            | line::Event::PriorityChanged { .. }
            | line::Event::Assigned { .. }
            | line::Event::Closed { .. } => Ok(()),
        }
    }
}

//! Queues that a person has opened or closed: whoever is enqueued while that counts is
//! let in, or is not, whatever the hours say.

use crate::violation::{Violation, must};
use domain::{
    any::{AnyEvent, Fact},
    call::{self, OverflowCause},
    id::{CallId, QueueId, VisitId},
    line::{self, RejectReason},
    queue::Hand,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default, Clone)]
pub(crate) struct Hands {
    /// What counts, and since which position.
    said: BTreeMap<QueueId, (Hand, u64)>,
    /// Where each stay that its line has not answered yet was asked for.
    asked: BTreeMap<VisitId, u64>,
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
                self.asked.insert(*visit, fact.position);
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
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => Ok(()),
        }
    }

    /// What counted when the stay was asked for, if it has counted ever since.
    fn counted(&mut self, queue: QueueId, visit: VisitId) -> Option<Hand> {
        let asked = self.asked.remove(&visit)?;
        let (hand, since) = self.said.get(&queue)?;
        (*since < asked).then_some(*hand)
    }

    fn on_line(&mut self, queue: QueueId, event: &line::Event) -> Result<(), Violation> {
        match event {
            line::Event::Opened { visit, .. } => {
                let is_closed = self.counted(queue, *visit) == Some(Hand::Closed);
                let is_let_in = self.ours.contains(visit)
                    || self.let_in.contains(visit)
                    || self.gone_on.contains(visit);
                must(!is_closed || is_let_in, || {
                    format!("{visit} is let into {queue}, which is closed by hand")
                })
            }
            line::Event::Rejected { visit, reason, .. } => {
                must(!self.let_in.contains(visit), || {
                    format!("{visit} is not let into {queue}, where a person sent it")
                })?;
                let counted = self.counted(queue, *visit);
                let is_closed = *reason == RejectReason::Closed;
                self.closed_count += u64::from(is_closed && counted == Some(Hand::Closed));
                must(!is_closed || counted != Some(Hand::Open), || {
                    format!("{visit} is not let into {queue}, which is open by hand")
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

//! A call that its agent has sent into another queue is another caller there: it comes when
//! it was sent, waits and talks anew. Which of these callers a fact is about.

use domain::id::{AgentId, CallId, VisitId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Calls that were sent on, and are not in a queue again yet.
    sent: BTreeSet<CallId>,
    /// Which caller each call is now, where that is not the first.
    now: BTreeMap<CallId, CallId>,
    /// Whose stay each is, where that is not the first caller's.
    stays: BTreeMap<VisitId, CallId>,
    /// Which caller each agent had last of a call, where that is not the first.
    had: BTreeMap<(CallId, AgentId), CallId>,
}

impl Parts {
    pub(super) const fn new() -> Self {
        Self {
            sent: BTreeSet::new(),
            now: BTreeMap::new(),
            stays: BTreeMap::new(),
            had: BTreeMap::new(),
        }
    }

    /// An agent has sent the call on.
    pub(super) fn transferred(&mut self, call: CallId) {
        self.sent.insert(call);
    }

    /// The call is to wait: which caller that is.
    pub(super) fn enqueued(&mut self, call: CallId, visit: VisitId) -> CallId {
        if self.sent.remove(&call) {
            // No other caller has the id of that stay.
            self.now.insert(call, CallId(visit.0));
        }
        let part = self.current(call);
        if part != call {
            self.stays.insert(visit, part);
        }
        part
    }

    /// The agent has the call.
    pub(super) fn connected(&mut self, call: CallId, agent: AgentId) -> CallId {
        let part = self.current(call);
        if part != call {
            self.had.insert((call, agent), part);
        }
        part
    }

    /// The call is over.
    pub(super) fn ended(&mut self, call: CallId) -> CallId {
        self.sent.remove(&call);
        self.now.remove(&call).unwrap_or(call)
    }

    /// The caller of that stay.
    pub(super) fn of_visit(&self, call: CallId, visit: VisitId) -> CallId {
        self.stays.get(&visit).copied().unwrap_or(call)
    }

    /// The caller with whom the agent talks or talked.
    pub(super) fn of_agent(&self, call: CallId, agent: AgentId) -> CallId {
        self.had.get(&(call, agent)).copied().unwrap_or(call)
    }

    fn current(&self, call: CallId) -> CallId {
        self.now.get(&call).copied().unwrap_or(call)
    }
}

//! Who calls, and who served them last: for queues that ask that agent first.
//! Callers are known by their data subject, never by a number.

use crate::id::{AgentId, CallId, SubjectId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Callers that are remembered at most; who was served longest ago is forgotten.
const REMEMBERED_MAX: usize = 10_000;

/// The memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::process::routing) struct Callers {
    /// Who rang in with each call that is not over.
    calls: BTreeMap<CallId, SubjectId>,
    /// Whom the person of a call of ours asked for, and for how long that one alone.
    wanted: BTreeMap<CallId, (AgentId, u64)>,
    /// Who served them last, and when, in a number that only grows.
    served: BTreeMap<SubjectId, (u64, AgentId)>,
    order: BTreeMap<u64, SubjectId>,
    sequence: u64,
}

impl Callers {
    pub(in crate::process::routing) fn rang_in(&mut self, call: CallId, caller: SubjectId) {
        self.calls.insert(call, caller);
    }

    pub(in crate::process::routing) fn is_over(&mut self, call: CallId) {
        self.calls.remove(&call);
        self.wanted.remove(&call);
    }

    pub(in crate::process::routing) fn wants(&mut self, call: CallId, agent: AgentId, ms: u64) {
        self.wanted.insert(call, (agent, ms));
    }

    /// Who is to have a call, and for how long nobody else.
    pub(in crate::process::routing) fn wanted(&self, call: CallId) -> Option<(AgentId, u64)> {
        self.wanted.get(&call).copied()
    }

    /// The agent has the call of a queue that asks for such things.
    pub(in crate::process::routing) fn served(&mut self, call: CallId, agent: AgentId) {
        let Some(caller) = self.calls.get(&call).copied() else {
            return;
        };
        self.forget(caller);
        self.sequence += 1;
        self.served.insert(caller, (self.sequence, agent));
        self.order.insert(self.sequence, caller);
        if self.order.len() > REMEMBERED_MAX
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.served.remove(&oldest);
        }
    }

    /// Nothing is known of that person any more.
    pub(in crate::process::routing) fn forget(&mut self, caller: SubjectId) {
        if let Some((number, _)) = self.served.remove(&caller) {
            self.order.remove(&number);
        }
    }

    /// The agent has sent that call elsewhere: the caller is to have somebody else.
    pub(in crate::process::routing) fn sent_on(&mut self, call: CallId, agent: AgentId) {
        if let Some(caller) = self.calls.get(&call).copied()
            && self.last_agent(call) == Some(agent)
        {
            self.forget(caller);
        }
    }

    /// Who served the caller of a call last.
    pub(in crate::process::routing) fn last_agent(&self, call: CallId) -> Option<AgentId> {
        let caller = self.calls.get(&call)?;
        self.served.get(caller).map(|(_, agent)| *agent)
    }
}

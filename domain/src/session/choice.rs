//! Why an agent was chosen for a call: kept in the record with the reservation,
//! so that the decision can be explained years later. Its size does not grow
//! with the number of agents: counts by reason, and the first few of each.

use crate::{id::AgentId, queue::Strategy};
use serde::{Deserialize, Serialize};

/// Agents that are named for each reason at most.
pub const NAMED_MAX: usize = 5;

/// A decision, as it stood at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// How the queue chose.
    pub strategy: Strategy,
    /// Version of the queue's rules that the call keeps.
    pub config_version: u32,
    /// Phones of other agents may ring for the same call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beside: bool,
    /// How long the call had waited since it was enqueued first.
    pub waited_ms: u64,
    /// Offers of the call that had come to nothing, by rounds.
    pub attempts: u32,
    /// Its priority, with what retries and waiting have added.
    pub priority: i64,
    /// Calls of the queue that waited for an agent, this one too.
    pub waiting_count: u32,
    /// Calls that the agent had already: whoever has none comes first.
    #[serde(default, skip_serializing_if = "is_none")]
    pub calls_count: u32,
    /// Agents of the queue who could have been asked, this one too.
    pub free_count: u32,
    /// Where this one stood among those free, from 1: whoever stood before it is
    /// left out below.
    pub place: u32,
    /// What put this one before the next.
    pub decided_by: DecidedBy,
    /// Who would have been next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<AgentId>,
    /// Agents of the queue who were not chosen, by reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
const fn is_none(calls_count: &u32) -> bool {
    *calls_count == 0
}

/// What put the chosen agent before the next. Every order is total: what is
/// equal in one respect is decided by the one below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// There was no other.
    Alone,
    /// Everybody is asked at once.
    All,
    /// This one served the caller last.
    LastAgent,
    /// A person wanted this one to have the call.
    Assigned,
    /// This one had no call, or fewer than the next.
    Idle,
    /// Tier, penalty, or preferred skills.
    Class,
    /// The queue's strategy.
    Strategy,
    /// Idle longer, all else being equal.
    IdleSince,
    /// The lower id, all else being equal.
    Id,
}

/// Agents who were not chosen for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Why.
    pub reason: LeftOutReason,
    /// How many.
    pub count: u32,
    /// The first of them, at most [`NAMED_MAX`].
    pub agents: Vec<AgentId>,
}

/// Why an agent of the queue was not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// Logged out.
    LoggedOut,
    /// Not ready.
    NotReady,
    /// Reserved, with as many callers as it may have, or in wrap-up; or with a caller, and
    /// somebody else was free who had none.
    Engaged,
    /// Paused in the queue by a person.
    MemberPaused,
    /// Left alone for a while after an offer in vain.
    Paused,
    /// Already asked, for this call or another; the answer was on its way.
    Asked,
    /// Was offered this call before; others come first.
    Tried,
    /// A required skill is missing or its level too low.
    Skill,
    /// The tier is not open yet.
    Tier,
    /// Whoever served the caller last comes first for a while.
    NotLastAgent,
    /// A person wanted another to have the call, for a while.
    NotAssigned,
    /// Stands behind the chosen one.
    Behind,
}

//! In which order the free agents of a queue are rung. Every order is total:
//! equal ranks are decided by the agent's id.

use super::board::Member;
use crate::{
    id::{AgentId, VisitId},
    queue::Strategy,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What an agent has done since logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// Calls that it was connected to.
    pub(super) calls_count: u64,
    /// How long it talked, holds included.
    pub(super) talk_ms: u64,
}

/// The place of a free agent: the lowest first, and of equal ones the one that
/// has been idle longest.
pub(super) type Rank = (u64, Timestamp);

/// The place of an agent among the free of a queue.
pub(super) const fn rank(
    strategy: Strategy,
    idle_since: Timestamp,
    member: Member,
    record: Record,
) -> Rank {
    let first = match strategy {
        // Chance has no standing order: it is drawn for each visit.
        Strategy::LongestIdle | Strategy::Random => 0,
        Strategy::FewestCalls => record.calls_count,
        Strategy::LeastTalkTime => record.talk_ms,
        Strategy::RoundRobin => member.taken,
        Strategy::Linear => member.joined,
    };
    (first, idle_since)
}

/// What an agent draws for a visit: whoever draws lowest is rung. Ids of visits
/// are chance that came in with the call, so that a replay draws the same.
pub(super) const fn draw(visit: VisitId, agent: AgentId) -> u64 {
    let (a, b) = visit.0.as_u64_pair();
    let (c, d) = agent.0.as_u64_pair();
    mix(mix(mix(mix(a) ^ b) ^ c) ^ d)
}

/// Spreads every bit over all (the finaliser of SplitMix64).
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

//! In which order the free agents of a queue are rung. Every order is total:
//! equal ranks are decided by the agent's id.

use super::board::{Member, Rules};
use crate::{
    id::{AgentId, VisitId},
    queue::{LEVEL_MAX, Strategy},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an agent has done since logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// Calls that it was connected to.
    pub(super) calls_count: u64,
    /// How long it talked, holds included.
    pub(super) talk_ms: u64,
}

/// What an agent is good at, and how good.
pub(super) type Skills = BTreeMap<String, u8>;

/// The place of a free agent: the lowest first, and of equal ones the one that
/// has been idle longest. First comes the class (calls that
/// it has, tier, penalty, preferred skills that are missing), then what the strategy
/// says.
pub(super) type Rank = (u64, u64, Timestamp);

/// The place of an agent among the free of a queue.
pub(super) fn rank(
    rules: &Rules,
    idle_since: Timestamp,
    member: Member,
    record: Record,
    skills: &Skills,
) -> Rank {
    let first = match rules.strategy {
        // Chance has no standing order: it is drawn for each visit.
        Strategy::LongestIdle
        | Strategy::Random
        | Strategy::WeightedRandom
        | Strategy::RingAll
        | Strategy::RingProgressively => 0,
        Strategy::FewestCalls => record.calls_count,
        Strategy::LeastTalkTime => record.talk_ms,
        Strategy::RoundRobin => member.taken,
        Strategy::Linear | Strategy::OrderedRoundRobin => member.joined,
        Strategy::BestSkill => lacking(rules, skills),
    };
    (class(rules, member, skills), first, idle_since)
}

/// The calls that an agent has stand before everything else of its class: tiers are at most
/// 255, in the bits from 32 on.
const CALLS_SHIFT: u32 = 48;

/// The place of one who has calls and may have another: behind everybody who has fewer,
/// whatever the tier.
pub(super) const fn behind_all_idle((class, first, idle_since): Rank, calls_count: usize) -> Rank {
    (
        class | (calls_count as u64) << CALLS_SHIFT,
        first,
        idle_since,
    )
}

/// How many calls somebody has who stands at that place.
pub(super) const fn calls_of((class, ..): Rank) -> u64 {
    class >> CALLS_SHIFT
}

/// Tier before penalty before preferred skills that are missing.
fn class(rules: &Rules, member: Member, skills: &Skills) -> u64 {
    let missing = rules
        .matching
        .skills
        .iter()
        .filter(|wanted| wanted.preferred)
        .filter(|wanted| level(skills, &wanted.skill) < wanted.level)
        .count();
    (u64::from(member.tier) << 32) | (u64::from(member.penalty) << 16) | missing as u64
}

/// How much an agent lacks of the highest levels of all skills asked for.
fn lacking(rules: &Rules, skills: &Skills) -> u64 {
    let wanted = rules.matching.skills.iter();
    wanted
        .map(|wanted| u64::from(LEVEL_MAX.saturating_sub(level(skills, &wanted.skill))))
        .sum()
}

pub(super) fn level(skills: &Skills, skill: &str) -> u8 {
    skills.get(skill).copied().unwrap_or(0)
}

/// What an agent draws for a visit: whoever draws lowest is rung. Ids of visits
/// are chance that came in with the call, so that a replay draws the same.
pub(super) const fn draw(visit: VisitId, agent: AgentId) -> u64 {
    let (c, d) = agent.0.as_u64_pair();
    mix(mix(mix(lot(visit)) ^ c) ^ d)
}

/// What is drawn for a visit as a whole.
pub(super) const fn lot(visit: VisitId) -> u64 {
    let (a, b) = visit.0.as_u64_pair();
    mix(a) ^ b
}

/// One of several by their weights: who of them, counted from 0. Those of
/// weight 0 only where all are.
pub(super) fn by_weight(lot: u64, weights: &[u64]) -> usize {
    let total: u64 = weights.iter().sum();
    if total == 0 {
        return usize::try_from(mix(lot) % weights.len().max(1) as u64).unwrap_or(0);
    }
    let mut left = mix(lot) % total;
    for (index, weight) in weights.iter().enumerate() {
        if left < *weight {
            return index;
        }
        left -= weight;
    }
    0
}

/// Spreads every bit over all (the finaliser of SplitMix64).
pub(super) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

//! The agent for a visit: of those who are free and fit the first, by the queue's
//! strategy; and who would have been that without the first.

use super::{
    board::{AgentRow, Board, Member, Waiting},
    choose::{alone_for_now, left_out},
    rank::{Rank, by_weight, calls_of, draw, lot},
};
use crate::{
    id::{AgentId, VisitId},
    queue::Strategy,
    session::{DecidedBy, LeftOutReason},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// The agent for a visit.
#[derive(Debug, Clone)]
pub(super) struct Pick {
    pub(super) agent: AgentId,
    /// Where it stood among the free, from 1.
    pub(super) place: u32,
    pub(super) decided_by: DecidedBy,
    /// Who would have been next.
    pub(super) next: Option<AgentId>,
    /// Who was free and not chosen, as far as was looked.
    pub(super) passed: BTreeMap<LeftOutReason, Vec<AgentId>>,
}

/// Somebody who is free and fit.
#[derive(Debug, Clone, Copy)]
struct Fit {
    agent: AgentId,
    rank: Rank,
    /// How many of the free stand before it.
    before_count: usize,
}

impl Fit {
    /// Only those of one class are compared by the strategy.
    const fn class(&self) -> u64 {
        self.rank.0
    }
}

/// The agent for a visit: the first, by the queue's strategy, of those fit.
pub(super) fn agent_for(board: &Board, visit: VisitId, at: Timestamp) -> Option<Pick> {
    let waiting = board.visit(visit)?;
    let free = board.free.get(&waiting.queue)?;
    if let Some((only, decided_by)) = alone_for_now(board, waiting, at) {
        // Its own phone may have stopped before the line has heard how that ended.
        let is_free = board.agent(only).is_some_and(AgentRow::is_free) && !waiting.rings_at(only);
        return is_free.then(|| the_only(only, decided_by, free));
    }
    let strategy = board.rules(waiting.queue).strategy;
    let mut passed: BTreeMap<LeftOutReason, Vec<AgentId>> = BTreeMap::new();
    let mut fit: Vec<Fit> = vec![];
    for (before_count, (rank, agent)) in free.iter().enumerate() {
        if is_enough(&fit, strategy, rank.0) {
            break;
        }
        let row = board.agent(*agent)?;
        match left_out(board, waiting, *agent, row, at) {
            Some(reason) => passed.entry(reason).or_default().push(*agent),
            None => fit.push(Fit {
                agent: *agent,
                rank: *rank,
                before_count,
            }),
        }
    }
    let first_of = |fit: &[Fit]| first_of(board, visit, waiting, strategy, fit);
    let chosen = first_of(&fit)?;
    fit.retain(|fit| fit.agent != chosen.agent);
    let next = first_of(&fit);
    Some(Pick {
        agent: chosen.agent,
        place: u32::try_from(chosen.before_count + 1).unwrap_or(u32::MAX),
        decided_by: decided_by(&chosen, next.as_ref(), strategy),
        next: next.map(|next| next.agent),
        passed,
    })
}

/// Chance or a round decides among all who stand alike.
const fn is_among_all(strategy: Strategy) -> bool {
    match strategy {
        Strategy::Random | Strategy::WeightedRandom | Strategy::OrderedRoundRobin => true,
        Strategy::LongestIdle
        | Strategy::FewestCalls
        | Strategy::LeastTalkTime
        | Strategy::RoundRobin
        | Strategy::Linear
        | Strategy::BestSkill
        | Strategy::RingAll
        | Strategy::RingProgressively => false,
    }
}

/// Whether these are all who matter for who is first and who is next: two, and where all
/// who stand alike do, all of each class that one of them may be of.
fn is_enough(fit: &[Fit], strategy: Strategy, class: u64) -> bool {
    let is_whole = || fit.last().is_some_and(|last| last.class() != class);
    fit.len() > 1 && (!is_among_all(strategy) || is_whole())
}

fn the_only(agent: AgentId, decided_by: DecidedBy, free: &BTreeSet<(Rank, AgentId)>) -> Pick {
    let reason = match decided_by {
        DecidedBy::Assigned => LeftOutReason::NotAssigned,
        DecidedBy::LastAgent
        | DecidedBy::Alone
        | DecidedBy::All
        | DecidedBy::Idle
        | DecidedBy::Class
        | DecidedBy::Strategy
        | DecidedBy::IdleSince
        | DecidedBy::Id => LeftOutReason::NotLastAgent,
    };
    let others = free
        .iter()
        .map(|(_, other)| *other)
        .filter(|other| *other != agent);
    let mut passed = BTreeMap::new();
    let others: Vec<AgentId> = others.collect();
    if !others.is_empty() {
        passed.insert(reason, others);
    }
    Pick {
        agent,
        place: 1,
        decided_by,
        next: None,
        passed,
    }
}

/// The first of those fit, who stand by their ranks: of those who stand alike the one
/// for whom chance or a round decides, where it does.
fn first_of(
    board: &Board,
    visit: VisitId,
    waiting: &Waiting,
    strategy: Strategy,
    fit: &[Fit],
) -> Option<Fit> {
    let first = fit.first()?;
    let alike = fit.iter().take_while(|fit| fit.class() == first.class());
    let peers: Vec<Fit> = alike.copied().collect();
    let index = among_peers(board, visit, waiting, strategy, &peers);
    peers.get(index).copied()
}

fn among_peers(
    board: &Board,
    visit: VisitId,
    waiting: &Waiting,
    strategy: Strategy,
    peers: &[Fit],
) -> usize {
    let member = |fit: &Fit| -> Option<Member> {
        let row = board.agent(fit.agent);
        row.and_then(|row| row.member(waiting.queue).copied())
    };
    let found = match strategy {
        Strategy::Random => {
            let drawn = peers.iter().enumerate();
            drawn
                .min_by_key(|(_, fit)| (draw(visit, fit.agent), fit.agent))
                .map(|(index, _)| index)
        }
        Strategy::WeightedRandom => {
            let weights: Vec<u64> = peers
                .iter()
                .map(|fit| member(fit).map_or(0, |member| u64::from(member.weight)))
                .collect();
            let lot = lot(visit).wrapping_add(u64::from(waiting.attempts));
            Some(by_weight(lot, &weights))
        }
        Strategy::OrderedRoundRobin => {
            let round = board.round(waiting.queue);
            peers
                .iter()
                .position(|fit| member(fit).is_some_and(|member| member.joined > round))
        }
        Strategy::LongestIdle
        | Strategy::FewestCalls
        | Strategy::LeastTalkTime
        | Strategy::RoundRobin
        | Strategy::Linear
        | Strategy::BestSkill
        | Strategy::RingAll
        | Strategy::RingProgressively => None,
    };
    found.unwrap_or(0)
}

/// What put the chosen one before the next.
fn decided_by(chosen: &Fit, next: Option<&Fit>, strategy: Strategy) -> DecidedBy {
    if strategy == Strategy::RingAll {
        return DecidedBy::All;
    }
    let Some(next) = next else {
        return DecidedBy::Alone;
    };
    let by_idling = matches!(
        strategy,
        Strategy::LongestIdle | Strategy::RingProgressively
    );
    let (_, first, idle_since) = chosen.rank;
    let (_, next_first, next_idle_since) = next.rank;
    if calls_of(chosen.rank) != calls_of(next.rank) {
        DecidedBy::Idle
    } else if chosen.class() != next.class() {
        DecidedBy::Class
    } else if is_among_all(strategy)
        || first != next_first
        || (by_idling && idle_since != next_idle_since)
    {
        DecidedBy::Strategy
    } else if idle_since != next_idle_since {
        DecidedBy::IdleSince
    } else {
        DecidedBy::Id
    }
}

//! Why callers who wait have nobody, as the board stands: one reason for each of them.

use super::{
    board::{Board, Standing, Waiting},
    choose::{alone_for_now, left_out},
};
use crate::{id::QueueId, session::LeftOutReason, time::Timestamp};
use std::collections::BTreeMap;

/// Why a caller has nobody: the first of these that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unserved {
    /// Nobody serves the queue who is logged in.
    NobodyLoggedIn,
    /// Whoever is logged in takes no calls.
    NobodyReady,
    /// All who take calls have one, or the work after one.
    AllBusy,
    /// Whoever could be asked is left alone for a while after an offer in vain.
    LeftAlone,
    /// Whoever else could be asked is paused in the queue by a person.
    MemberPaused,
    /// Not offered for a while, after a round in vain.
    Rests,
    /// Kept for one agent for a while.
    KeptForOne,
    /// Who is free is not good enough at something.
    Skill,
    /// Whose tier is open is not free.
    Tier,
    /// Whoever is free was offered it already, or is being asked.
    Tried,
}

const ALL: [Unserved; 10] = [
    Unserved::NobodyLoggedIn,
    Unserved::NobodyReady,
    Unserved::AllBusy,
    Unserved::LeftAlone,
    Unserved::MemberPaused,
    Unserved::Rests,
    Unserved::KeptForOne,
    Unserved::Skill,
    Unserved::Tier,
    Unserved::Tried,
];

impl Unserved {
    const fn name(self) -> &'static str {
        match self {
            Self::NobodyLoggedIn => "nobody_logged_in",
            Self::NobodyReady => "nobody_ready",
            Self::AllBusy => "all_busy",
            Self::LeftAlone => "left_alone",
            Self::MemberPaused => "paused",
            Self::KeptForOne => "kept_for_one",
            Self::Skill => "skill",
            Self::Tier => "tier",
            Self::Tried => "tried",
            Self::Rests => "rests",
        }
    }
}

/// Callers for whom no phone rings, by why: each reason is told, also of nobody.
pub(super) fn by_reason(board: &Board) -> Vec<(&'static str, usize)> {
    let mut counts: BTreeMap<Unserved, usize> = BTreeMap::new();
    let mut of_queue: BTreeMap<QueueId, Option<Unserved>> = BTreeMap::new();
    let at = board.now();
    for waiting in board.unserved() {
        let queue = waiting.queue;
        let reason = match of_queue
            .entry(queue)
            .or_insert_with(|| nobody(board, queue))
        {
            Some(reason) => *reason,
            None => of_caller(board, waiting, at),
        };
        *counts.entry(reason).or_default() += 1;
    }
    let count = |reason| counts.get(&reason).copied().unwrap_or(0);
    ALL.map(|reason| (reason.name(), count(reason))).to_vec()
}

/// Why nobody of the queue is free, if so: whoever waits in it waits for that.
fn nobody(board: &Board, queue: QueueId) -> Option<Unserved> {
    let mut has = BTreeMap::new();
    for (standing, agents) in board.standing(queue) {
        has.insert(standing, !agents.is_empty());
    }
    let is_any = |standing| has.get(&standing).copied().unwrap_or(false);
    if is_any(Standing::Free) || is_any(Standing::Room) {
        None
    } else if is_any(Standing::Engaged) || is_any(Standing::Asked) {
        Some(Unserved::AllBusy)
    } else if is_any(Standing::Paused) {
        Some(Unserved::LeftAlone)
    } else if is_any(Standing::MemberPaused) {
        Some(Unserved::MemberPaused)
    } else if is_any(Standing::NotReady) {
        Some(Unserved::NobodyReady)
    } else {
        Some(Unserved::NobodyLoggedIn)
    }
}

/// Somebody is free: why not for this one.
fn of_caller(board: &Board, waiting: &Waiting, at: Timestamp) -> Unserved {
    if waiting.rests(at) {
        return Unserved::Rests;
    }
    if alone_for_now(board, waiting, at).is_some() {
        return Unserved::KeptForOne;
    }
    let free = board.free.get(&waiting.queue).into_iter().flatten();
    let reasons = free.filter_map(|(_, agent)| {
        let row = board.agent(*agent)?;
        left_out(board, waiting, *agent, row, at)
    });
    // Of the first who is free, by the queue's order.
    match reasons.into_iter().next() {
        Some(LeftOutReason::Skill) => Unserved::Skill,
        Some(LeftOutReason::Tier) => Unserved::Tier,
        Some(
            LeftOutReason::Tried
            | LeftOutReason::Asked
            | LeftOutReason::LoggedOut
            | LeftOutReason::NotReady
            | LeftOutReason::Engaged
            | LeftOutReason::MemberPaused
            | LeftOutReason::Paused
            | LeftOutReason::NotLastAgent
            | LeftOutReason::NotAssigned
            | LeftOutReason::Behind,
        )
        | None => Unserved::Tried,
    }
}

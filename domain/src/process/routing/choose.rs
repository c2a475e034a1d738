//! Which visit and which agent next: the longest waiting caller that anybody
//! free may take, and of those agents the one that its strategy puts first.

use super::{
    board::{Board, Waiting},
    rank::draw,
};
use crate::{
    id::{AgentId, QueueId, SessionId, VisitId},
    queue::Strategy,
    time::Timestamp,
};

/// The next match on the queues that have changed, or none.
pub(super) fn next(board: &mut Board) -> Option<(VisitId, SessionId)> {
    while let Some(queue) = board.changed.first().copied() {
        match in_queue(board, queue) {
            Some((visit, agent)) => {
                let found = fairest(board, agent).unwrap_or(visit);
                match board.session_of(agent) {
                    Some(session) => return Some((found, session)),
                    None => {
                        board.changed.remove(&queue);
                    }
                }
            }
            None => {
                board.changed.remove(&queue);
            }
        }
    }
    None
}

/// The first visit of the queue for which somebody is free, and who.
fn in_queue(board: &mut Board, queue: QueueId) -> Option<(VisitId, AgentId)> {
    if board
        .free
        .get(&queue)
        .is_none_or(std::collections::BTreeSet::is_empty)
    {
        return None;
    }
    let line: Vec<(Timestamp, VisitId)> = match board.lines.get(&queue) {
        Some(line) => first_with_room(board, line.iter().copied()),
        None => return None,
    };
    line.into_iter()
        .find_map(|(_, visit)| agent_for(board, queue, visit).map(|agent| (visit, agent)))
}

/// A visit that nobody has refused can go to anybody: what comes behind the
/// first of those need not be looked at.
fn first_with_room(
    board: &Board,
    line: impl Iterator<Item = (Timestamp, VisitId)>,
) -> Vec<(Timestamp, VisitId)> {
    let mut considered = vec![];
    for (at, visit) in line {
        considered.push((at, visit));
        if board
            .visit(visit)
            .is_some_and(|waiting| waiting.tried.is_empty())
        {
            break;
        }
    }
    considered
}

/// The first agent, by the queue's strategy, that has not been tried for this
/// visit; when all who could take it were tried, they may be tried again.
fn agent_for(board: &mut Board, queue: QueueId, visit: VisitId) -> Option<AgentId> {
    let waiting = board.visit(visit)?;
    if !waiting.tried.is_empty() && all_tried(board, queue, waiting) {
        board.forget_tried(visit);
    }
    let waiting = board.visit(visit)?;
    let free = board.free.get(&queue)?;
    let mut untried = free
        .iter()
        .map(|(_, agent)| *agent)
        .filter(|agent| !waiting.tried.contains(agent));
    match board.strategy(queue) {
        Strategy::Random => untried.min_by_key(|agent| (draw(visit, *agent), *agent)),
        Strategy::LongestIdle
        | Strategy::FewestCalls
        | Strategy::LeastTalkTime
        | Strategy::RoundRobin
        | Strategy::Linear => untried.next(),
    }
}

fn all_tried(board: &Board, queue: QueueId, waiting: &Waiting) -> bool {
    board
        .staffed
        .get(&queue)
        .is_none_or(|staffed| staffed.iter().all(|agent| waiting.tried.contains(agent)))
}

/// Of all queues that the agent serves, the caller that has waited longest.
fn fairest(board: &Board, agent: AgentId) -> Option<VisitId> {
    board
        .queues_of(agent)
        .filter_map(|queue| {
            board.lines.get(&queue)?.iter().copied().find(|(_, visit)| {
                board
                    .visit(*visit)
                    .is_some_and(|waiting| !waiting.tried.contains(&agent))
            })
        })
        .min()
        .map(|(_, visit)| visit)
}

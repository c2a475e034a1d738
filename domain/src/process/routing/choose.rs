//! Which visit and which agent next: the first caller, by weight of the queue,
//! priority and waiting, for whom anybody fit is free; and of those agents the
//! one that the queue's strategy puts first.

use super::{
    board::{AgentRow, Board, Rules, Standing, Waiting},
    pick::{Pick, agent_for},
};
use crate::{
    id::{AgentId, QueueId, VisitId},
    session::{DecidedBy, LeftOut, LeftOutReason, NAMED_MAX},
    time::Timestamp,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// A match, and how it was found.
#[derive(Debug, Clone)]
pub(super) struct Match {
    pub(super) visit: VisitId,
    pub(super) pick: Pick,
}

/// Queues of one agent that are looked at for a better visit at most.
const STEPS_MAX: usize = 32;

/// The next match on the queues that have changed, or none.
pub(super) fn next(board: &mut Board, at: Timestamp) -> Option<Match> {
    while let Some(queue) = board.changed.first().copied() {
        let Some(mut found) = in_queue(board, queue, at) else {
            board.changed.remove(&queue);
            continue;
        };
        // The agent may serve a queue whose caller comes first; there, in turn,
        // another agent may.
        for _ in 0..STEPS_MAX {
            match first_of(board, found.pick.agent, at) {
                Some(visit) if visit != found.visit => {
                    try_again(board, visit, at);
                    match agent_for(board, visit, at) {
                        Some(pick) => found = Match { visit, pick },
                        None => break,
                    }
                }
                Some(_) | None => break,
            }
        }
        return Some(found);
    }
    None
}

/// The first visit of the queue for which somebody is free, and who.
///
/// What one caller asks for can be what another asks for: whom nobody can take
/// of those that stand alike, nobody can take behind them. Only the first of
/// each kind is looked at, and all for whom something of their own decides.
fn in_queue(board: &mut Board, queue: QueueId, at: Timestamp) -> Option<Match> {
    if board.free.get(&queue).is_none_or(BTreeSet::is_empty) {
        return None;
    }
    let mut kinds = BTreeSet::new();
    // Those who stand behind each other are mostly alike.
    let mut before: Option<Kind> = None;
    let mut last = None;
    while let Some(place) = board.next_in_line(queue, last) {
        last = Some(place);
        let (_, visit) = place;
        let waiting = board.visit(visit);
        let mut is_plain = false;
        if let Some(waiting) = waiting.filter(|waiting| !is_own_case(board, waiting, at)) {
            let rules = board.rules_of(waiting);
            let is_like = |kind: &Kind| kind.is_of(waiting, rules, at);
            if before.as_ref().is_some_and(is_like) {
                continue;
            }
            let kind = Kind::of(waiting, rules, at);
            is_plain = kind.is_plain;
            before = Some(kind.clone());
            if !kinds.insert(kind) {
                continue;
            }
        }
        try_again(board, visit, at);
        if let Some(pick) = agent_for(board, visit, at) {
            return Some(Match { visit, pick });
        }
        if is_plain {
            // Anybody could have taken it.
            return None;
        }
    }
    None
}

/// When all who could take it now were tried, they may be tried again.
fn try_again(board: &mut Board, visit: VisitId, at: Timestamp) {
    if all_tried(board, visit, at) {
        board.forget_tried(visit);
    }
}

/// What decides who is fit for a visit, when nothing of its own does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    is_plain: bool,
    config_version: u32,
    levels: Vec<u8>,
    tier: u64,
}

/// Something of the visit's own decides who is fit for it.
fn is_own_case(board: &Board, waiting: &Waiting, at: Timestamp) -> bool {
    !waiting.tried.is_empty()
        || !waiting.is_silent()
        || board.still_has(waiting.call).is_some()
        || alone_for_now(board, waiting, at).is_some()
}

/// The levels that are asked for after so long a wait, skill by skill.
fn levels(rules: &Rules, waited_ms: u64) -> impl Iterator<Item = u8> {
    let skills = rules.matching.skills.iter();
    let wanted = skills.filter(|wanted| !wanted.preferred);
    wanted.map(move |wanted| wanted.level_after(waited_ms))
}

impl Kind {
    fn of(waiting: &Waiting, rules: &Rules, at: Timestamp) -> Self {
        let waited_ms = waiting.waited_ms(at);
        let levels: Vec<u8> = levels(rules, waited_ms).collect();
        Self {
            is_plain: levels.iter().all(|level| *level == 0) && rules.matching.tier_step_ms == 0,
            config_version: waiting.policy.config_version,
            levels,
            tier: highest_tier(rules, waited_ms),
        }
    }

    /// Whether it is that one's, found without making it.
    fn is_of(&self, waiting: &Waiting, rules: &Rules, at: Timestamp) -> bool {
        let waited_ms = waiting.waited_ms(at);
        self.config_version == waiting.policy.config_version
            && self.tier == highest_tier(rules, waited_ms)
            && self.levels.iter().copied().eq(levels(rules, waited_ms))
    }
}

/// The highest tier that is open after so long a wait.
fn highest_tier(rules: &Rules, waited_ms: u64) -> u64 {
    match waited_ms.checked_div(rules.matching.tier_step_ms) {
        Some(steps) => steps.saturating_add(1),
        None => u64::MAX,
    }
}

/// Why an agent is not to be asked for a visit, if so.
pub(super) fn left_out(
    board: &Board,
    waiting: &Waiting,
    agent: AgentId,
    row: &AgentRow,
    at: Timestamp,
) -> Option<LeftOutReason> {
    let rules = board.rules_of(waiting);
    let waited_ms = waiting.waited_ms(at);
    let tier = row.member(waiting.queue).map_or(1, |member| member.tier);
    if u64::from(tier) > highest_tier(rules, waited_ms) {
        Some(LeftOutReason::Tier)
    } else if !row.has(&rules.matching.skills, waited_ms) {
        Some(LeftOutReason::Skill)
    } else if waiting.rings_at(agent) {
        Some(LeftOutReason::Asked)
    } else if waiting.tried.contains(&agent) {
        Some(LeftOutReason::Tried)
    } else if board.still_has(waiting.call) == Some(agent) {
        // It has sent the call on, and its contact is about to end.
        Some(LeftOutReason::Engaged)
    } else if row.has_room() && rings_at_an_idle_one(board, waiting) {
        Some(LeftOutReason::Engaged)
    } else {
        None
    }
}

/// Somebody is asked who has no call: nobody joins in who has one.
fn rings_at_an_idle_one(board: &Board, waiting: &Waiting) -> bool {
    let mut asked = waiting.asked();
    asked.any(|agent| {
        board
            .agent(agent)
            .is_some_and(|row| row.contacts_count() == 0)
    })
}

/// The one who alone is asked for a while, when it is there, and why that one: a
/// person wants it so, or it served the caller last and is fit.
pub(super) fn alone_for_now(
    board: &Board,
    waiting: &Waiting,
    at: Timestamp,
) -> Option<(AgentId, DecidedBy)> {
    let assigned = waiting.assigned(at);
    // What the queue asks for does not matter to whoever decided so.
    if let Some(agent) = assigned.filter(|agent| is_there(board, waiting, *agent)) {
        return Some((agent, DecidedBy::Assigned));
    }
    let rules = board.rules_of(waiting);
    if waiting.asked_last_agent || waiting.waited_ms(at) >= rules.matching.last_agent_ms {
        return None;
    }
    let agent = board.callers.last_agent(waiting.call)?;
    let row = board.agent(agent)?;
    // While its phone rings nobody joins in: the step is that one's alone.
    let is_fit = match left_out(board, waiting, agent, row, at) {
        None | Some(LeftOutReason::Asked) => true,
        Some(
            LeftOutReason::LoggedOut
            | LeftOutReason::NotReady
            | LeftOutReason::Engaged
            | LeftOutReason::MemberPaused
            | LeftOutReason::Paused
            | LeftOutReason::Tried
            | LeftOutReason::Skill
            | LeftOutReason::Tier
            | LeftOutReason::NotLastAgent
            | LeftOutReason::NotAssigned
            | LeftOutReason::Behind,
        ) => false,
    };
    (is_fit && is_there(board, waiting, agent)).then_some((agent, DecidedBy::LastAgent))
}

/// The agent serves the queue of the visit, where nobody has paused it, and is ready or on
/// a call.
fn is_there(board: &Board, waiting: &Waiting, agent: AgentId) -> bool {
    let row = board.agent(agent);
    row.is_some_and(|row| row.is_staffed() && row.member(waiting.queue).is_some())
        && !board.is_paused(waiting.queue, agent)
}

/// Everybody who could take the visit now has been tried: nobody waits for one who is
/// on a call, or left alone for a while, beside one who is free.
fn all_tried(board: &Board, visit: VisitId, at: Timestamp) -> bool {
    let Some(waiting) = board.visit(visit) else {
        return false;
    };
    if waiting.tried.is_empty() || !waiting.is_silent() {
        return false;
    }
    let staffed = board
        .standing(waiting.queue)
        .filter(|(standing, _)| match standing {
            Standing::Free | Standing::Room | Standing::Asked => true,
            Standing::Engaged
            | Standing::MemberPaused
            | Standing::Paused
            | Standing::LoggedOut
            | Standing::NotReady => false,
        })
        .flat_map(|(_, agents)| agents);
    let mut untried = staffed.filter(|agent| !waiting.tried.contains(agent));
    !untried.any(|agent| {
        board
            .agent(*agent)
            .is_some_and(|row| left_out(board, waiting, *agent, row, at).is_none())
    })
}

/// Of all queues that the agent serves, the caller that comes first and that it
/// may take.
fn first_of(board: &Board, agent: AgentId, at: Timestamp) -> Option<VisitId> {
    let row = board.agent(agent)?;
    let queues = board.queues_of(agent);
    let firsts = queues.filter(|queue| !board.is_paused(*queue, agent));
    let firsts = firsts.filter_map(|queue| {
        let line = board.lines.get(&queue)?;
        line.iter().find_map(|(_, visit)| {
            let waiting = board.visit(*visit)?;
            let rules = board.rules_of(waiting);
            let is_fit = match alone_for_now(board, waiting, at) {
                Some((only, _)) => only == agent && !waiting.rings_at(agent),
                None => match left_out(board, waiting, agent, row, at) {
                    None => true,
                    Some(LeftOutReason::Tried) => all_tried(board, *visit, at),
                    Some(
                        LeftOutReason::LoggedOut
                        | LeftOutReason::NotReady
                        | LeftOutReason::Engaged
                        | LeftOutReason::MemberPaused
                        | LeftOutReason::Paused
                        | LeftOutReason::Asked
                        | LeftOutReason::Skill
                        | LeftOutReason::Tier
                        | LeftOutReason::NotLastAgent
                        | LeftOutReason::NotAssigned
                        | LeftOutReason::Behind,
                    ) => false,
                },
            };
            is_fit.then(|| {
                let weight = Reverse(board.rules(queue).matching.weight);
                let priority = Reverse(waiting.priority_milli(rules, board.rules(queue), at));
                (weight, priority, waiting.enqueued_at, *visit)
            })
        })
    });
    firsts.min().map(|(_, _, _, visit)| visit)
}

/// Who of a queue was not chosen, by reason, as the record keeps it.
pub(super) fn all_left_out(board: &Board, queue: QueueId, pick: &Pick) -> Vec<LeftOut> {
    let mut all: BTreeMap<LeftOutReason, LeftOut> = BTreeMap::new();
    let mut add = |reason, count: usize, agents: Vec<AgentId>| {
        let entry = all.entry(reason).or_insert_with(|| LeftOut {
            reason,
            count: 0,
            agents: vec![],
        });
        entry.count = entry
            .count
            .saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        let room = NAMED_MAX.saturating_sub(entry.agents.len());
        entry.agents.extend(agents.into_iter().take(room));
    };
    let mut idle_count = 0;
    let mut with_room: Vec<AgentId> = vec![];
    for (standing, agents) in board.standing(queue) {
        match standing.reason() {
            Some(reason) if !agents.is_empty() => {
                let named = agents.iter().copied().take(NAMED_MAX).collect();
                add(reason, agents.len(), named);
            }
            Some(_) => {}
            None if standing == Standing::Room => with_room = agents.iter().copied().collect(),
            None => idle_count = agents.len(),
        }
    }
    let with_room_count = with_room.len();
    let mut seen = 1;
    for (reason, agents) in &pick.passed {
        seen += agents.len();
        add(*reason, agents.len(), agents.clone());
        with_room.retain(|agent| !agents.contains(agent));
    }
    let mut behind_count = (idle_count + with_room_count).saturating_sub(seen);
    let mut next = pick.next;
    if !with_room.is_empty() && !with_room.contains(&pick.agent) {
        // Whoever has no call comes first: that alone keeps the others from this one.
        behind_count = behind_count.saturating_sub(with_room.len());
        next = next.filter(|next| !with_room.contains(next));
        add(LeftOutReason::Engaged, with_room.len(), with_room);
    }
    if behind_count > 0 {
        add(
            LeftOutReason::Behind,
            behind_count,
            next.into_iter().collect(),
        );
    }
    all.into_values().collect()
}

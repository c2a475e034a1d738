//! Callers who wait are told their places, each at times of its own. In the lines of queues
//! that tell places it is known who stands before whom, so that a telling looks at no more
//! callers than there are places that have a number.

use super::State;
use crate::{
    any::AnyCommand,
    call::{self, AnswerMode, TellingPlace},
    id::{CallId, QueueId, VisitId},
    line::VisitPolicy,
    process::{Intent, derived},
    queue::{AnnouncePosition, Matching, PROMPT_MS_MAX},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The longest prompt is over after this, with the half second of silence before it.
const PROMPT_MS: u64 = PROMPT_MS_MAX + 500;

/// Where somebody stands: the lower comes first.
pub(super) type Rank = (i64, Timestamp);

/// A stay whose caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Told {
    due: Timestamp,
    queue: QueueId,
    call: CallId,
    /// The lowest place that was asked to be told by number.
    lowest: Option<u32>,
}

impl Told {
    /// Whether that would be a higher place than one before: nobody is told of that. A
    /// caller who stands behind the last place is at no number.
    fn would_rise(self, (place, is_behind): (u32, bool)) -> bool {
        let lowest = self.lowest;
        lowest.is_some_and(|lowest| is_behind || place > lowest)
    }
}

/// Who is told when, and who stands where.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Telling {
    due: BTreeSet<(Timestamp, VisitId)>,
    stays: BTreeMap<VisitId, Told>,
    /// Of queues that tell places.
    lines: BTreeMap<QueueId, BTreeSet<(Rank, VisitId)>>,
    ranks: BTreeMap<VisitId, Rank>,
}

impl Telling {
    /// The caller is told from then on.
    fn plan(&mut self, visit: VisitId, told: Told) {
        self.closes(visit);
        self.due.insert((told.due, visit));
        self.stays.insert(visit, told);
    }

    /// The stay is over.
    pub(super) fn closes(&mut self, visit: VisitId) {
        if let Some(told) = self.stays.remove(&visit) {
            self.due.remove(&(told.due, visit));
        }
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The stay is there in the line of a queue that tells places, or (none) is not.
    pub(super) fn stands(&mut self, queue: QueueId, visit: VisitId, rank: Option<Rank>) {
        let before = self.ranks.remove(&visit);
        if let (Some(before), Some(line)) = (before, self.lines.get_mut(&queue)) {
            line.remove(&(before, visit));
            if line.is_empty() {
                self.lines.remove(&queue);
            }
        }
        if let Some(rank) = rank {
            self.ranks.insert(visit, rank);
            self.lines.entry(queue).or_default().insert((rank, visit));
        }
    }

    /// Nobody stands in the line, as far as is known here.
    pub(super) fn clear(&mut self, queue: QueueId) {
        for (_, visit) in self.lines.remove(&queue).into_iter().flatten() {
            self.ranks.remove(&visit);
        }
    }

    /// The place of a stay, or the last that is looked at, and whether it stands behind it.
    fn place(&self, queue: QueueId, visit: VisitId, up_to: u32) -> Option<(u32, bool)> {
        self.ranks.get(&visit)?;
        let line = self.lines.get(&queue)?;
        let numbered = (1..=up_to).zip(line);
        let found = numbered.into_iter().find(|(_, (_, one))| *one == visit);
        Some(found.map_or((up_to, true), |(place, _)| (place, false)))
    }
}

impl State {
    /// How the queue tells places, if it does, and by which rules its line is ordered.
    pub(super) fn tells(&self, queue: QueueId) -> Option<(&AnnouncePosition, &Matching)> {
        let (_, config) = self.queues.get(&queue)?;
        Some((config.announce_position.as_deref()?, &config.matching))
    }

    /// The stay stands where it does now, after what its line has said.
    pub(super) fn ranks_one(&mut self, queue: QueueId, visit: VisitId) {
        let tells = self.tells(queue);
        let rank = tells.and_then(|(_, rules)| self.pace.rank(queue, visit, rules));
        self.telling.stands(queue, visit, rank);
    }

    /// All of a line stand where they do now, by what the queue says.
    pub(super) fn ranks_all(&mut self, queue: QueueId) {
        self.telling.clear(queue);
        let Some((_, rules)) = self.tells(queue) else {
            return;
        };
        let visits = self.pace.visits(queue);
        let rank = |visit| Some((visit, self.pace.rank(queue, visit, rules)?));
        let ranks: Vec<_> = visits.filter_map(rank).collect();
        for (visit, rank) in ranks {
            self.telling.stands(queue, visit, Some(rank));
        }
    }

    /// The line has let the call in: its caller is told from now on, where the queue says
    /// so. Nobody hears anything who is not answered, or whom we ring.
    pub(super) fn is_to_be_told(
        &mut self,
        call: CallId,
        (visit, queue): (VisitId, QueueId),
        now: Timestamp,
        policy: &VisitPolicy,
    ) {
        let hears = match policy.answer_mode {
            AnswerMode::Immediate => !self.placed.contains_key(&call),
            AnswerMode::OnAgent => false,
        };
        let tells = self.tells(queue).filter(|_| hears);
        if let Some((announced, _)) = tells {
            let due = now.plus_ms(announced.first_ms);
            let told = Told {
                due,
                queue,
                call,
                lowest: None,
            };
            self.telling.plan(visit, told);
        }
    }
}

/// Those whose time has come hear their places.
pub(super) fn tell(state: &mut State, now: Timestamp) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((due, visit)) = state.telling.due.first().copied() {
        if due > now {
            break;
        }
        state.telling.due.remove(&(due, visit));
        let Some(mut told) = state.telling.stays.get(&visit).copied() else {
            continue;
        };
        let Some((announced, _)) = state.tells(told.queue) else {
            // It tells nobody any more.
            state.telling.stays.remove(&visit);
            continue;
        };
        let next = after(due, announced.every_ms, now);
        let place = state.telling.place(told.queue, visit, announced.up_to);
        if let Some((place, is_behind)) = place.filter(|place| !told.would_rise(*place)) {
            let telling = TellingPlace {
                visit,
                sounds: announced.sounds.clone(),
                place,
                is_behind,
                until: next,
            };
            if !is_behind {
                told.lowest = Some(place);
            }
            // One telling of one stay: asked for again, it is the same.
            let cause = derived(due, visit.0, &format!("place/{}", due.micros()));
            let command = call::Command::TellPlace(telling);
            intents.push(Intent::new(cause, AnyCommand::Call(told.call, command)));
        }
        state.telling.plan(visit, Told { due: next, ..told });
    }
    intents
}

/// The first time of the rhythm that is still to come: what was missed is not told after,
/// and no prompt begins before the one that is heard now is over.
fn after(due: Timestamp, every_ms: u64, now: Timestamp) -> Timestamp {
    let earliest = now.plus_ms(PROMPT_MS);
    let rounds = earliest.ms_since(due).div_ceil(every_ms.max(1)).max(1);
    due.plus_ms(rounds.saturating_mul(every_ms))
}

//! How long a caller will wait, told from what is known: the place in the line,
//! the mean time that the last contacts took, and how many calls at once those may have who
//! are logged in.

use crate::{
    agent_states::Routability,
    cdr::{self, Leg},
    queue_stats::Row,
    table::marks,
    value::{Columns, Corrupt, number, text, time},
    views::{ViewError, Views},
};
use domain::{
    id::{CallId, QueueId, VisitId},
    queue::{CONTACTS_MAX, LAST_CONTACTS, Matching, RECENT_MS, expected_wait_ms},
    time::Timestamp,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
};

/// A call's place in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which line.
    pub queue: QueueId,
    /// From 1; callers who are with an agent whose phone rings count too.
    pub place: u64,
}

/// Who waits in these queues; the ids come behind it.
const WAITING: &str = "SELECT queue_id, call_id, visit_id, enqueued_at, priority, attempts \
    FROM visits WHERE closed_at IS NULL AND queue_id IN ";

/// The queues in which these calls wait; the ids come behind it.
const QUEUES_OF: &str =
    "SELECT DISTINCT queue_id FROM visits WHERE closed_at IS NULL AND call_id IN ";

/// Contacts of calls that are over, the latest answer first: from the answer until the call
/// was no more the agent's, and the work after it, as the process counts that decides by it.
const CONTACTS: &str = "SELECT visits.closed_at, cdr.wrap_up_ms \
    + CASE WHEN COALESCE(cdr.agent_left_at, cdr.ended_at) > visits.closed_at \
    THEN (COALESCE(cdr.agent_left_at, cdr.ended_at) - visits.closed_at) / 1000 \
    ELSE 0 END \
    FROM visits JOIN cdr ON cdr.call_id = visits.call_id \
    WHERE visits.queue_id = $1 AND visits.result = 'answered' AND cdr.direction = 'inbound' \
    AND cdr.transfers_count = 0 AND visits.closed_at >= $2 \
    ORDER BY visits.closed_at DESC LIMIT $3";

/// The same of calls that were transferred, with their legs: each contact is on one.
const HANDED_ON: &str = "SELECT visits.closed_at, cdr.legs \
    FROM visits JOIN cdr ON cdr.call_id = visits.call_id \
    WHERE visits.queue_id = $1 AND visits.result = 'answered' AND cdr.direction = 'inbound' \
    AND cdr.transfers_count > 0 AND visits.closed_at >= $2 \
    ORDER BY visits.closed_at DESC LIMIT $3";

/// Somebody who waits.
struct Waiting {
    queue: QueueId,
    call: CallId,
    visit: VisitId,
    enqueued_at: Timestamp,
    priority: Option<i32>,
    attempts: u32,
}

impl Waiting {
    fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            queue: columns.id()?,
            call: columns.id()?,
            visit: columns.id()?,
            enqueued_at: columns.time()?,
            priority: columns.number_or_null()?,
            attempts: columns.number()?,
        })
    }

    /// Where it stands, as the matcher orders those who wait.
    fn key(&self, matching: &Matching) -> (i64, Timestamp) {
        let base = matching.base(self.priority, self.attempts);
        matching.place(base, self.enqueued_at)
    }
}

/// The lines of some queues, whoever is served first before the others.
struct Lines(BTreeMap<QueueId, (Matching, Vec<Waiting>)>);

impl Lines {
    fn new(queues: &[Row], waiting: Vec<Waiting>) -> Self {
        let rules = |row: &Row| {
            let config = row.config.as_ref();
            config.map_or_else(Matching::default, |config| config.matching.clone())
        };
        let lines = queues.iter().map(|row| (row.queue, (rules(row), vec![])));
        let mut lines: BTreeMap<_, (Matching, Vec<Waiting>)> = lines.collect();
        for one in waiting {
            if let Some((_, line)) = lines.get_mut(&one.queue) {
                line.push(one);
            }
        }
        Self(lines).sorted()
    }

    fn sorted(mut self) -> Self {
        for (matching, line) in self.0.values_mut() {
            line.sort_by_key(|one| (one.key(matching), one.visit));
        }
        self
    }

    fn places(&self) -> impl Iterator<Item = (CallId, Place)> {
        self.0.iter().flat_map(|(queue, (_, line))| {
            line.iter().zip(1..).map(|(one, place)| {
                let queue = *queue;
                (one.call, Place { queue, place })
            })
        })
    }

    /// The place of a caller who comes now, who has no priority of its own.
    fn next(&self, queue: QueueId, now: Timestamp) -> u64 {
        let Some((matching, line)) = self.0.get(&queue) else {
            return 1;
        };
        let key = matching.place(matching.base(None, 0), now);
        let ahead = line.partition_point(|one| one.key(matching) <= key);
        u64::try_from(ahead).unwrap_or(u64::MAX).saturating_add(1)
    }
}

fn contact(columns: &mut Columns) -> Result<(Timestamp, u64), Corrupt> {
    Ok((columns.time()?, columns.number()?))
}

fn legs(columns: &mut Columns) -> Result<(Timestamp, Vec<Leg>), Corrupt> {
    Ok((columns.time()?, columns.word()?))
}

/// How long the contact took of the stay in that queue that was answered then.
fn handled_ms(queue: QueueId, answered_at: Timestamp, legs: &[Leg]) -> Option<u64> {
    let of_queue = |contact: &cdr::Contact| contact.queue == Some(queue);
    let mut contacts = cdr::contacts(legs).filter(of_queue);
    let contact = contacts.find(|contact| contact.answered_at == answered_at)?;
    let left_at = contact.left_at?;
    Some(left_at.ms_since(answered_at) + contact.wrap_up_ms)
}

/// How fast a queue serves its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Its last contacts, and what they took together.
    contacts: (u64, u64),
    /// How many calls at once its agents may have who are logged in, but for those that a
    /// person has paused in it.
    units: u64,
    /// The place of a caller who comes now.
    next: u64,
}

impl Pace {
    /// The wait of whom `place` callers, himself included, have to be served for:
    /// none when no agent is logged in or no contact is known, for then nothing is.
    pub fn wait_ms(&self, place: u64) -> Option<u64> {
        expected_wait_ms(place, self.contacts, self.units)
    }

    /// The wait of a caller who comes now.
    pub fn next_wait_ms(&self) -> Option<u64> {
        self.wait_ms(self.next)
    }
}

impl Views {
    /// Where these calls stand in their lines; those that are in none are left out.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn places_of(&self, calls: &[CallId]) -> Result<Vec<(CallId, Place)>, ViewError> {
        let Some(last) = calls.last() else {
            return Ok(vec![]);
        };
        // The last one again and again up to a power of two: few texts to prepare.
        let count = calls.len().next_power_of_two();
        let ids = calls.iter().chain(std::iter::repeat(last)).take(count);
        let sql = format!("{QUEUES_OF}({})", marks(1, count));
        let queues = self.rows(&sql, ids.map(text).collect(), |columns| columns.id());
        let rows = self.queues_by_id(&queues.await?).await?;
        let lines = self.lines(&rows).await?;
        let wanted: HashSet<_> = calls.iter().collect();
        let places = lines.places();
        Ok(places.filter(|(call, _)| wanted.contains(call)).collect())
    }

    async fn lines(&self, queues: &[Row]) -> Result<Lines, ViewError> {
        let Some(last) = queues.last() else {
            return Ok(Lines(BTreeMap::new()));
        };
        let count = queues.len().next_power_of_two();
        let rows = queues.iter().chain(std::iter::repeat(last)).take(count);
        let ids = rows.map(|row| row.queue);
        let sql = format!("{WAITING}({})", marks(1, count));
        let waiting = self.rows(&sql, ids.map(text).collect(), Waiting::read);
        Ok(Lines::new(queues, waiting.await?))
    }

    /// How many calls at once those may have who are logged in and whom a person has paused
    /// in that queue.
    async fn paused(&self, queue: &Row) -> Result<u64, ViewError> {
        let paused: Vec<_> = queue.paused.keys().copied().collect();
        if paused.is_empty() {
            return Ok(0);
        }
        let agents = self.agents_by_id(&paused).await?;
        let there = agents.iter().filter(|agent| {
            agent.queues.contains(&queue.queue) && agent.routability != Routability::LoggedOut
        });
        Ok(there.map(|agent| u64::from(agent.capacity)).sum())
    }

    /// How fast these queues serve their callers.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn paces_of(
        &self,
        queues: &[QueueId],
        now: Timestamp,
    ) -> Result<Vec<(QueueId, Pace)>, ViewError> {
        let there = self.units_by_queue().await?;
        let micros = RECENT_MS.saturating_mul(1_000);
        let recent = Timestamp::from_micros(now.micros().saturating_sub_unsigned(micros));
        let ever = Timestamp::from_micros(0);
        let mut paces = vec![];
        let rows = self.queues_by_id(queues).await?;
        let lines = self.lines(&rows).await?;
        for row in &rows {
            let queue = &row.queue;
            let there = there.get(queue).copied().unwrap_or(0);
            let units = there.saturating_sub(self.paused(row).await?);
            let next = lines.next(*queue, now);
            let contacts = match units {
                // Nothing is known whatever they took.
                0 => (0, 0),
                _ => {
                    let last = self.contacts(*queue, ever, LAST_CONTACTS as u64).await?;
                    last.max(self.contacts(*queue, recent, CONTACTS_MAX as u64).await?)
                }
            };
            let pace = Pace {
                contacts,
                units,
                next,
            };
            paces.push((*queue, pace));
        }
        Ok(paces)
    }

    async fn contacts(
        &self,
        queue: QueueId,
        from: Timestamp,
        most: u64,
    ) -> Result<(u64, u64), ViewError> {
        let parameters = vec![text(queue), time(from), number(most)];
        let mut last = self.rows(CONTACTS, parameters.clone(), contact).await?;
        let handed_on = self.rows(HANDED_ON, parameters, legs).await?;
        if !handed_on.is_empty() {
            let contacts = handed_on.into_iter().filter_map(|(answered_at, legs)| {
                Some((answered_at, handled_ms(queue, answered_at, &legs)?))
            });
            last.extend(contacts);
            last.sort_unstable_by_key(|(answered_at, _)| Reverse(*answered_at));
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let looked_at = last.into_iter().take(most);
        Ok(looked_at.fold((0, 0), |(count, sum), (_, took)| (count + 1, sum + took)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(matching: Matching, waiting: &[(u128, i64, Option<i32>, u32)]) -> Lines {
        let queue = QueueId(uuid::Uuid::from_u128(1));
        let waiting = waiting
            .iter()
            .map(|(number, second, priority, attempts)| Waiting {
                queue,
                call: CallId(uuid::Uuid::from_u128(*number)),
                visit: VisitId(uuid::Uuid::from_u128(*number)),
                enqueued_at: Timestamp::from_micros(second * 1_000_000),
                priority: *priority,
                attempts: *attempts,
            });
        Lines([(queue, (matching, waiting.collect()))].into()).sorted()
    }

    fn order(lines: &Lines) -> Vec<u128> {
        let places = lines.places();
        places.map(|(call, _)| call.0.as_u128()).collect()
    }

    #[test]
    fn whoever_is_served_before_others_has_the_place_before_them() {
        let now = Timestamp::from_micros(100_000_000);
        let queue = QueueId(uuid::Uuid::from_u128(1));
        let waiting = [(1, 10, None, 0), (2, 20, Some(5), 0), (3, 30, Some(-5), 0)];
        let lines = line(Matching::default(), &waiting);
        assert_eq!(order(&lines), [2, 1, 3]);
        // Who comes now comes before the one who can wait.
        assert_eq!(lines.next(queue, now), 3);
        // Each round in vain, and each minute of waiting, is worth a point.
        let boosted = Matching {
            retry_boost: 6,
            ..Matching::default()
        };
        let waiting = [(1, 10, None, 0), (2, 20, Some(5), 0), (3, 30, None, 1)];
        assert_eq!(order(&line(boosted, &waiting)), [3, 2, 1]);
        let aged = Matching {
            ageing_ms: 10_000,
            ..Matching::default()
        };
        let waiting = [(1, 0, None, 0), (2, 40, Some(5), 0), (3, 90, Some(5), 0)];
        let lines = line(aged, &waiting);
        assert_eq!(order(&lines), [2, 1, 3], "five points are fifty seconds");
        assert_eq!(lines.next(queue, now), 4);
        assert_eq!(lines.next(QueueId(uuid::Uuid::from_u128(9)), now), 1);
    }

    fn wait_ms(place: u64, contacts: (u64, u64), units: u64) -> Option<u64> {
        let next = 1;
        let pace = Pace {
            contacts,
            units,
            next,
        };
        pace.wait_ms(place)
    }

    #[test]
    fn a_wait_is_the_place_times_the_mean_shared_by_the_calls_that_are_had_at_once() {
        assert_eq!(wait_ms(3, (2, 120_000), 2), Some(90_000));
        assert_eq!(wait_ms(1, (1, 60_000), 4), Some(15_000));
    }

    #[test]
    fn without_agents_or_contacts_nothing_is_known() {
        assert_eq!(wait_ms(3, (2, 120_000), 0), None);
        assert_eq!(wait_ms(3, (0, 0), 2), None);
    }
}

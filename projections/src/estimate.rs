//! How long a caller will wait, told from what is known: the place in the line,
//! the mean time that the last contacts took, and how many are logged in.

use crate::{
    agent_states::State,
    table::marks,
    value::{Columns, Corrupt, number, text, time},
    views::{ViewError, Views},
};
use domain::{
    id::{CallId, QueueId},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// Contacts of this time are looked at, if they are more than the last ones.
const RECENT_MS: u64 = 30 * 60_000;
/// As many last contacts are looked at in any case.
const LAST_CONTACTS: u64 = 50;

/// A call's place in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which line.
    pub queue: QueueId,
    /// From 1; callers who are with an agent whose phone rings count too.
    pub place: u64,
}

/// The places of calls; the ids come behind it.
const PLACES: &str = "SELECT mine.call_id, mine.queue_id, (SELECT COUNT(*) FROM visits AS other \
    WHERE other.queue_id = mine.queue_id AND other.closed_at IS NULL \
    AND (other.enqueued_at < mine.enqueued_at OR (other.enqueued_at = mine.enqueued_at \
    AND other.visit_id <= mine.visit_id))) \
    FROM visits AS mine WHERE mine.closed_at IS NULL AND mine.call_id IN ";

/// Contacts that are over, the latest answer first.
const CONTACTS: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(handled_ms), 0) AS BIGINT) FROM ( \
    SELECT cdr.talk_ms + cdr.hold_ms + cdr.wrap_up_ms AS handled_ms \
    FROM visits JOIN cdr ON cdr.call_id = visits.call_id \
    WHERE visits.queue_id = $1 AND visits.result = 'answered' AND visits.closed_at >= $2 \
    ORDER BY visits.closed_at DESC LIMIT $3) AS contacts";

fn place(columns: &mut Columns) -> Result<(CallId, Place), Corrupt> {
    let call = columns.id()?;
    let place = Place {
        queue: columns.id()?,
        place: columns.number()?,
    };
    Ok((call, place))
}

fn contacts(columns: &mut Columns) -> Result<(u64, u64), Corrupt> {
    Ok((columns.number()?, columns.number()?))
}

/// How fast a queue serves its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Its last contacts, and what they took together.
    contacts: (u64, u64),
    /// Its agents who are logged in.
    staffed: u64,
}

impl Pace {
    /// The wait of whom `place` callers, himself included, have to be served for:
    /// none when no agent is logged in or no contact is known, for then nothing is.
    pub fn wait_ms(&self, place: u64) -> Option<u64> {
        let (contacts, handled_ms) = self.contacts;
        let mean_ms = handled_ms.checked_div(contacts)?;
        place.saturating_mul(mean_ms).checked_div(self.staffed)
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
        let sql = format!("{PLACES}({})", marks(1, count));
        self.rows(&sql, ids.map(text).collect(), place).await
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
        let mut agents = self.agents_by_state().await?;
        let micros = RECENT_MS.saturating_mul(1_000);
        let recent = Timestamp::from_micros(now.micros().saturating_sub_unsigned(micros));
        let ever = Timestamp::from_micros(0);
        let all = i64::MAX.unsigned_abs();
        let mut paces = vec![];
        for queue in queues {
            let staffed = staffed(&agents.remove(queue).unwrap_or_default());
            let contacts = match staffed {
                // Nothing is known whatever they took.
                0 => (0, 0),
                _ => {
                    let last = self.contacts(*queue, ever, LAST_CONTACTS).await?;
                    last.max(self.contacts(*queue, recent, all).await?)
                }
            };
            paces.push((*queue, Pace { contacts, staffed }));
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
        let rows = self.rows(CONTACTS, parameters, contacts).await?;
        Ok(rows.first().copied().unwrap_or_default())
    }
}

/// Agents who are logged in, whatever they do.
fn staffed(agents: &BTreeMap<State, u32>) -> u64 {
    let logged_in = agents.iter().filter(|(state, _)| match state {
        State::LoggedOut => false,
        State::NotReady
        | State::Ready
        | State::Reserved
        | State::Ringing
        | State::OnContact
        | State::WrapUp => true,
    });
    logged_in.map(|(_, count)| u64::from(*count)).sum()
}

#[cfg(test)]
mod tests {
    use super::Pace;

    fn wait_ms(place: u64, contacts: (u64, u64), staffed: u64) -> Option<u64> {
        Pace { contacts, staffed }.wait_ms(place)
    }

    #[test]
    fn a_wait_is_the_place_times_the_mean_shared_by_who_is_logged_in() {
        assert_eq!(wait_ms(3, (2, 120_000), 2), Some(90_000));
        assert_eq!(wait_ms(1, (1, 60_000), 4), Some(15_000));
    }

    #[test]
    fn without_agents_or_contacts_nothing_is_known() {
        assert_eq!(wait_ms(3, (2, 120_000), 0), None);
        assert_eq!(wait_ms(3, (0, 0), 2), None);
    }
}

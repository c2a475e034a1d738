//! How long a caller will wait, told from what is known: the place in the line,
//! the mean time that the last contacts took, and how many are logged in.

use crate::{
    agent_states::State,
    value::{Columns, Corrupt, number, text, time},
    views::{ViewError, Views},
};
use domain::{
    id::{CallId, QueueId},
    time::Timestamp,
};

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

const PLACE: &str = "SELECT mine.queue_id, (SELECT COUNT(*) FROM visits AS other \
    WHERE other.queue_id = mine.queue_id AND other.closed_at IS NULL \
    AND (other.enqueued_at < mine.enqueued_at OR (other.enqueued_at = mine.enqueued_at \
    AND other.visit_id <= mine.visit_id))) \
    FROM visits AS mine WHERE mine.call_id = $1 AND mine.closed_at IS NULL LIMIT 1";

/// Contacts that are over, the latest answer first.
const CONTACTS: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(handled_ms), 0) AS BIGINT) FROM ( \
    SELECT cdr.talk_ms + cdr.hold_ms + cdr.wrap_up_ms AS handled_ms \
    FROM visits JOIN cdr ON cdr.call_id = visits.call_id \
    WHERE visits.queue_id = $1 AND visits.result = 'answered' AND visits.closed_at >= $2 \
    ORDER BY visits.closed_at DESC LIMIT $3) AS contacts";

fn place(columns: &mut Columns) -> Result<Place, Corrupt> {
    Ok(Place {
        queue: columns.id()?,
        place: columns.number()?,
    })
}

fn contacts(columns: &mut Columns) -> Result<(u64, u64), Corrupt> {
    Ok((columns.number()?, columns.number()?))
}

/// The wait of whom `place` callers, himself included, have to be served for:
/// none when nobody is logged in, or no contact is known.
fn wait_ms(place: u64, (contacts, handled_ms): (u64, u64), staffed: u64) -> Option<u64> {
    let mean_ms = handled_ms.checked_div(contacts)?;
    place.saturating_mul(mean_ms).checked_div(staffed)
}

impl Views {
    /// Where the call stands in its line; none when it is in none.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn place_of(&self, call: CallId) -> Result<Option<Place>, ViewError> {
        Ok(self.rows(PLACE, vec![text(call)], place).await?.pop())
    }

    /// How long a caller at that place of the line waits from now on; none when
    /// no agent of the queue is logged in or it has had no contact yet, for
    /// then nothing is known.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn estimated_wait_ms(
        &self,
        queue: QueueId,
        place: u64,
        now: Timestamp,
    ) -> Result<Option<u64>, ViewError> {
        let staffed = self.staffed(queue).await?;
        if staffed == 0 {
            return Ok(None);
        }
        let recent = Timestamp::from_micros(
            now.micros()
                .saturating_sub_unsigned(RECENT_MS.saturating_mul(1_000)),
        );
        let ever = Timestamp::from_micros(0);
        let last = self.contacts(queue, ever, LAST_CONTACTS).await?;
        let recent = self
            .contacts(queue, recent, i64::MAX.unsigned_abs())
            .await?;
        Ok(wait_ms(place, last.max(recent), staffed))
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

    /// Agents of the queue who are logged in, whatever they do.
    async fn staffed(&self, queue: QueueId) -> Result<u64, ViewError> {
        let mut agents = self.agents_by_state().await?;
        let agents = agents.remove(&queue).unwrap_or_default();
        let logged_in = agents.iter().filter(|(state, _)| match state {
            State::LoggedOut => false,
            State::NotReady
            | State::Ready
            | State::Reserved
            | State::Ringing
            | State::OnContact
            | State::WrapUp => true,
        });
        Ok(logged_in.map(|(_, count)| u64::from(*count)).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::wait_ms;

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

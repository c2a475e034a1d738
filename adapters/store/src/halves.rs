//! A long stretch of the log, read in two halves at once.

use commands::ports::{Page, Position, ReadError, Recorded};

/// A shorter stretch is read in one go: the second connection is others'.
const HALF_MIN: u64 = 256;

/// Up to `limit` events after a position. `read` is asked for at most so many
/// after a position; everything up to `head` is committed, so that whatever the
/// halves see later than each other is beyond it.
///
/// # Errors
/// Those of `read`.
pub(crate) async fn read<F>(
    after: Position,
    limit: usize,
    head: Position,
    read: impl Fn(Position, usize) -> F,
) -> Result<Page, ReadError>
where
    F: Future<Output = Result<Vec<Recorded>, ReadError>>,
{
    let there = head.0.saturating_sub(after.0);
    let half = there.min(u64::try_from(limit).unwrap_or(u64::MAX)) / 2;
    let events = match usize::try_from(half) {
        Ok(first) if half >= HALF_MIN => {
            let middle = Position(after.0 + half);
            let halves = (read(after, first), read(middle, limit - first));
            let (mut events, rest) = tokio::try_join!(halves.0, halves.1)?;
            // Over a hole the first half reaches into the second.
            let within = events.partition_point(|event| event.position <= middle);
            events.truncate(within);
            events.extend(rest);
            events
        }
        Ok(_) | Err(_) => read(after, limit).await?,
    };
    let next = events.last().map_or(after, |event| event.position);
    Ok(Page { events, next })
}

#[cfg(test)]
mod tests {
    use super::read;
    use commands::ports::{Metadata, Position, Recorded, StreamId};
    use domain::{
        id::{CommandId, DEFAULT_TENANT, EventId},
        time::Timestamp,
    };
    use uuid::Uuid;

    fn event(position: u64) -> Recorded {
        let id = Uuid::from_u128(u128::from(position));
        Recorded {
            position: Position(position),
            stream: StreamId::new("note", position),
            version: 1,
            event_id: EventId(id),
            event_type: "noted".into(),
            event_version: 1,
            payload: "{}".into(),
            command_id: CommandId(id),
            metadata: Metadata {
                tenant: DEFAULT_TENANT,
                correlation_id: id,
                causation_id: id,
                actor: "test".into(),
                node_epoch: 1,
            },
            recorded_at: Timestamp::from_micros(0),
        }
    }

    /// No store of ours has holes; a log of another might.
    #[tokio::test]
    async fn a_hole_costs_no_event_and_brings_none_twice() {
        for hole in [
            0..0,
            1..2,
            100..700,
            500..513,
            512..1_024,
            1..2_000,
            900..2_000,
        ] {
            let there: Vec<u64> = (1..=2_000).filter(|one| !hole.contains(one)).collect();
            let stretch = |after: Position, limit: usize| {
                let found = there.iter().filter(|one| **one > after.0).take(limit);
                let found: Vec<_> = found.copied().map(event).collect();
                async move { Ok(found) }
            };
            let (mut seen, mut after) = (vec![], Position(0));
            loop {
                let page = read(after, 1_000, Position(2_000), stretch).await.unwrap();
                if page.events.is_empty() {
                    break;
                }
                seen.extend(page.events.iter().map(|event| event.position.0));
                after = page.next;
            }
            assert_eq!(seen, there, "{hole:?}");
        }
    }
}

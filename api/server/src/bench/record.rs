//! What a run left on the record, read after the server has stopped.

use anyhow::Context as _;
use commands::ports::{EventLog, Position, Recorded, StreamId};
use std::collections::HashMap;
use uuid::Uuid;

/// Events read at once.
const PAGE: usize = 1_000;
/// The event that lets an agent's phone ring.
const RINGS: &str = "offer_started";
/// The event that takes an agent for a visit, and the one that began the visit.
const RESERVES: &str = "agent_reserved";
const WAITS: &str = "visit_opened";
/// The first event of a call.
const BEGINS: &str = "call_received";

/// What the calls of a run cost in events.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Record {
    /// Calls on the record.
    pub calls: usize,
    /// Events from the first call on, for each call.
    pub events_per_call: f64,
    /// The longest chain of commits, each waiting for the one before, from
    /// INVITE to the agent's INVITE.
    pub commits_max: usize,
    /// The events of one such chain, a commit each.
    pub chain: Vec<String>,
}

/// Reads it.
///
/// # Errors
/// When the store can not be opened or read.
pub(super) async fn read(store_url: &str) -> anyhow::Result<Record> {
    let stores = store::open(store_url)
        .await
        .context("the run's record can not be opened")?;
    Ok(account(&all(stores.log.as_ref()).await?))
}

async fn all(log: &dyn EventLog) -> anyhow::Result<Vec<Recorded>> {
    let (mut events, mut after) = (vec![], Position::default());
    let head = log.head().await?;
    while after < head {
        let page = log.read_all(after, PAGE).await?;
        if page.next <= after {
            break;
        }
        after = page.next;
        events.extend(page.events);
    }
    Ok(events)
}

fn account(events: &[Recorded]) -> Record {
    let Some(first) = events.iter().position(|event| &*event.event_type == BEGINS) else {
        return Record::default();
    };
    let during = &events[first..];
    let calls = during
        .iter()
        .filter(|event| &*event.event_type == BEGINS)
        .count();
    let causes = Causes::of(during);
    let mut begun: HashMap<&StreamId, Position> = HashMap::new();
    for event in during {
        begun.entry(&event.stream).or_insert(event.position);
    }
    let chains = during
        .iter()
        .filter(|event| &*event.event_type == RINGS)
        .map(|event| {
            let since = begun.get(&event.stream).copied().unwrap_or_default();
            chain(event, since, &causes)
        });
    let longest = chains.max_by_key(Vec::len).unwrap_or_default();
    Record {
        calls,
        events_per_call: during.len() as f64 / calls as f64,
        commits_max: longest.len(),
        chain: longest,
    }
}

/// Why events happened.
struct Causes<'a> {
    by_id: HashMap<Uuid, &'a Recorded>,
    opened: HashMap<String, &'a Recorded>,
}

impl<'a> Causes<'a> {
    fn of(events: &'a [Recorded]) -> Self {
        let opened = events
            .iter()
            .filter(|event| &*event.event_type == WAITS)
            .filter_map(|event| Some((visit_of(event)?, event)));
        Self {
            by_id: events
                .iter()
                .map(|event| (event.event_id.0, event))
                .collect(),
            opened: opened.collect(),
        }
    }

    /// The event that led to this one. An agent is reserved because of an
    /// offer, which is no event: the caller's part in it is the visit.
    fn before(&self, event: &Recorded) -> Option<&'a Recorded> {
        match self.by_id.get(&event.metadata.causation_id) {
            Some(cause) => Some(cause),
            None if &*event.event_type == RESERVES => self.opened.get(&visit_of(event)?).copied(),
            None => None,
        }
    }
}

/// The visit that an event names.
fn visit_of(event: &Recorded) -> Option<String> {
    let payload: serde_json::Value = serde_json::from_str(&event.payload).ok()?;
    let visit = &payload["event"][&*event.event_type]["visit"];
    Some(visit.as_str()?.to_owned())
}

/// The commits that led to an event, the first one first. It begins with the
/// call: what was before was not waited for by this caller.
fn chain(last: &Recorded, since: Position, causes: &Causes<'_>) -> Vec<String> {
    let mut commits = vec![last.event_type.to_string()];
    let mut current = last;
    while let Some(cause) = causes.before(current) {
        // A cause is always older than its effect, so this ends.
        if cause.position < since || cause.position >= current.position {
            break;
        }
        if cause.command_id != current.command_id {
            commits.push(cause.event_type.to_string());
        }
        current = cause;
    }
    commits.reverse();
    commits
}

#[cfg(test)]
mod tests {
    use super::*;
    use commands::ports::Metadata;
    use domain::{
        id::{CommandId, DEFAULT_TENANT, EventId},
        time::Timestamp,
    };

    fn event(
        position: u64,
        stream: &str,
        kind: &'static str,
        command: u128,
        cause: u128,
    ) -> Recorded {
        Recorded {
            position: Position(position),
            stream: StreamId::from_stored(stream),
            version: 1,
            event_id: EventId(Uuid::from_u128(u128::from(position))),
            event_type: kind.into(),
            event_version: 1,
            payload: format!(r#"{{"event":{{"{kind}":{{"visit":"v"}}}}}}"#).into(),
            command_id: CommandId(Uuid::from_u128(command)),
            metadata: Metadata {
                tenant: DEFAULT_TENANT,
                correlation_id: Uuid::nil(),
                causation_id: Uuid::from_u128(cause),
                actor: "test".into(),
                node_epoch: 1,
            },
            recorded_at: Timestamp::from_micros(0),
        }
    }

    #[test]
    fn a_chain_counts_commits_from_the_call_to_the_ring() {
        let events = [
            event(1, "queue-q", "queue_created", 1, 900),
            // Two events of one command are one commit.
            event(2, "call-c", "call_received", 2, 901),
            event(3, "call-c", "call_enqueued", 2, 901),
            event(4, "line-q", "visit_opened", 3, 3),
            // Because of an offer.
            event(5, "agentsession-a-1", "agent_reserved", 4, 903),
            event(6, "call-c", "offer_started", 5, 5),
            event(7, "call-c", "call_ended", 6, 902),
        ];
        let record = account(&events);
        assert_eq!((record.calls, record.events_per_call), (1, 6.0));
        assert_eq!(
            record.chain,
            [
                "call_enqueued",
                "visit_opened",
                "agent_reserved",
                "offer_started"
            ]
        );
        assert_eq!(record.commits_max, 4);
    }

    #[test]
    fn what_was_before_the_call_is_not_in_its_chain() {
        let events = [
            event(2, "call-old", "call_received", 2, 901),
            event(3, "agentsession-a-1", "agent_contact_ended", 3, 2),
            event(4, "call-new", "call_received", 4, 902),
            event(5, "call-new", "offer_started", 5, 3),
        ];
        assert_eq!(account(&events).chain, ["offer_started"]);
        assert_eq!(account(&[]), Record::default());
    }
}

//! How an event stands in KurrentDB, and where it is.

use crate::{answers, open::OpenError};
use commands::ports::{Change, Metadata, NewEvent, Position, Recorded, Refusal, StreamId};
use domain::{
    id::{CommandId, EventId, TenantId},
    time::Timestamp,
};
use kurrentdb::{Client, ClientSettings, EventData, RecordedEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// Between the two parts of a url: `kurrentdb://.. beside sqlite:..`.
const BESIDE: &str = " beside ";
/// Before the name of the installation, on a server that has several.
const NAMED: &str = " named ";
/// The name of an installation that has none.
const NAME: &str = "ringledger";
/// Category of the streams that keep refusals; they hold no event of ours.
const REFUSALS: &str = "refusal";
/// Type of what stands in them.
const REFUSED: &str = "command_refused";
/// The stream that says who has opened the log; nothing of it is an event of ours.
const FENCE: &str = "fence";
/// Its name in its category.
const FENCE_KEY: &str = "log";
/// Type of what stands in it.
const CLAIMED: &str = "log_claimed";

/// Where the log is, and where everything else is.
#[derive(Clone)]
pub(crate) struct Address {
    settings: ClientSettings,
    /// Url of the SQL store.
    pub(crate) beside: String,
    /// What the names of our streams start with.
    pub(crate) prefix: String,
}

impl Address {
    /// Reads `kurrentdb://host:port?.. beside sqlite:FOLDER`, or `.. postgres://..`;
    /// ` named NAME` may follow.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        // The url may hold a password, so it is not shown.
        let wrong =
            || OpenError::Url("kurrentdb://.. beside sqlite:FOLDER or postgres://..".into());
        let (server, rest) = url.split_once(BESIDE).ok_or_else(wrong)?;
        let (beside, name) = rest.split_once(NAMED).unwrap_or((rest, NAME));
        Ok(Self {
            settings: server.trim().parse().map_err(|_| wrong())?,
            beside: beside.trim().to_owned(),
            prefix: format!("{}.", name.trim()),
        })
    }

    pub(crate) fn client(&self) -> Result<Client, OpenError> {
        Client::new(self.settings.clone())
            .map_err(|error| OpenError::Unreachable(error.to_string()))
    }

    /// The name of a stream on the server.
    pub(crate) fn name(&self, stream: &StreamId) -> String {
        format!("{}{stream}", self.prefix)
    }

    /// The stream of a refusal.
    pub(crate) fn refusal_name(&self, command_id: CommandId) -> String {
        self.name(&refusal_stream(command_id))
    }

    /// The stream of claims.
    pub(crate) fn fence_name(&self) -> String {
        self.name(&StreamId::new(FENCE, FENCE_KEY))
    }

    fn stream(&self, name: &str) -> Option<StreamId> {
        name.strip_prefix(&self.prefix).map(StreamId::from_stored)
    }
}

/// What is kept beside an event. Names with a dollar are those by which
/// KurrentDB's own projections know them.
#[derive(Debug, Serialize, Deserialize)]
struct Beside {
    event_version: u32,
    command_id: CommandId,
    tenant: TenantId,
    #[serde(rename = "$correlationId")]
    correlation_id: Uuid,
    #[serde(rename = "$causationId")]
    causation_id: Uuid,
    actor: String,
    node_epoch: u64,
    /// Under which claim it was sent; none by programs that did not claim.
    #[serde(default)]
    log_claim: u64,
}

/// What stands in the stream of a refusal.
#[derive(Debug, Serialize, Deserialize)]
struct Refused {
    command_id: CommandId,
    stream: String,
    version: u64,
    refusal: String,
    #[serde(default)]
    log_claim: u64,
}

/// What stands in the stream of claims.
#[derive(Debug, Serialize, Deserialize)]
struct Claimed {
    number: u64,
}

/// Something of ours in `$all`.
#[derive(Debug)]
pub(crate) enum Item {
    /// An event.
    Event(Sent),
    /// A refusal.
    Refusal(Kept),
    /// Somebody has opened the log, by this number.
    Claim(u64),
}

/// An event as the server has it.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Its position and its version are not known here.
    pub(crate) event: Box<Recorded>,
    /// Where it stands in the server's stream.
    pub(crate) revision: u64,
    /// Under which claim it was sent.
    pub(crate) claim: u64,
}

/// A refusal as the server has it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) command_id: CommandId,
    /// Of the command.
    pub(crate) stream: String,
    pub(crate) version: u64,
    /// The column `refusal`.
    pub(crate) refusal: String,
    /// Where it stands in the server's stream.
    pub(crate) revision: u64,
    /// Under which claim it was sent.
    pub(crate) claim: u64,
}

/// The stream that keeps the refusal of a command.
pub(crate) fn refusal_stream(command_id: CommandId) -> StreamId {
    StreamId::new(REFUSALS, command_id)
}

/// The events of a change, as they are sent under a claim.
pub(crate) fn outgoing(change: &Change, claim: u64) -> Result<Vec<EventData>, String> {
    change
        .events
        .iter()
        .map(|event| one(change, event, claim).map_err(|error| error.to_string()))
        .collect()
}

fn one(change: &Change, event: &NewEvent, claim: u64) -> serde_json::Result<EventData> {
    let Metadata {
        tenant,
        correlation_id,
        causation_id,
        actor,
        node_epoch,
    } = change.metadata.clone();
    let beside = Beside {
        event_version: event.event_version,
        command_id: change.command_id,
        tenant,
        correlation_id,
        causation_id,
        actor,
        node_epoch,
        log_claim: claim,
    };
    // Sent as it is, byte for byte.
    let payload: &RawValue = serde_json::from_str(&event.payload)?;
    EventData::json(event.event_type, &payload)?
        .id(event.event_id.0)
        .metadata_as_json(&beside)
}

/// A refusal, as it is sent under a claim. Its id follows from both: twice is once, and
/// what an earlier claim has sent is not it.
pub(crate) fn outgoing_refusal(
    command_id: CommandId,
    refusal: &Refusal,
    claim: u64,
) -> serde_json::Result<EventData> {
    let refused = Refused {
        command_id,
        stream: refusal.stream.as_str().to_owned(),
        version: refusal.version,
        refusal: answers::text(refusal),
        log_claim: claim,
    };
    let id = Uuid::new_v5(&command_id.0, &claim.to_be_bytes());
    Ok(EventData::json(REFUSED, &refused)?.id(id))
}

/// A claim, as it is sent.
pub(crate) fn outgoing_claim(number: u64) -> serde_json::Result<EventData> {
    EventData::json(CLAIMED, &Claimed { number })
}

/// Reads what came from the server; `None` for what is not ours.
pub(crate) fn incoming(address: &Address, event: &RecordedEvent) -> Result<Option<Item>, String> {
    let Some(stream) = address.stream(event.stream_id()) else {
        return Ok(None);
    };
    if stream.category() == FENCE {
        let claimed: Claimed = event.as_json().map_err(|error| error.to_string())?;
        return Ok(Some(Item::Claim(claimed.number)));
    }
    if stream.category() == REFUSALS {
        let refused: Refused = event.as_json().map_err(|error| error.to_string())?;
        return Ok(Some(Item::Refusal(Kept {
            command_id: refused.command_id,
            stream: refused.stream,
            version: refused.version,
            refusal: refused.refusal,
            revision: event.revision,
            claim: refused.log_claim,
        })));
    }
    let beside: Beside =
        serde_json::from_slice(&event.custom_metadata).map_err(|error| error.to_string())?;
    let payload = std::str::from_utf8(&event.data).map_err(|error| error.to_string())?;
    let recorded = Recorded {
        position: Position::default(),
        stream,
        version: 0,
        event_id: EventId(event.id),
        event_type: event.event_type.as_str().into(),
        event_version: beside.event_version,
        payload: payload.into(),
        command_id: beside.command_id,
        metadata: Metadata {
            tenant: beside.tenant,
            correlation_id: beside.correlation_id,
            causation_id: beside.causation_id,
            actor: beside.actor,
            node_epoch: beside.node_epoch,
        },
        recorded_at: Timestamp::from_micros(event.created.timestamp_micros()),
    };
    Ok(Some(Item::Event(Sent {
        event: Box::new(recorded),
        revision: event.revision,
        claim: beside.log_claim,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_the_server_and_what_is_beside_it() {
        let url = "kurrentdb://localhost:2113?tls=false beside sqlite:data";
        let address = Address::parse(url).unwrap();
        assert_eq!(address.beside, "sqlite:data");
        let stream = StreamId::new("call", 7);
        assert_eq!(address.name(&stream), "ringledger.call-7");
        assert_eq!(address.stream("ringledger.call-7"), Some(stream));
        assert_eq!(address.stream("$stats-127.0.0.1:2113"), None);
        let other = Address::parse(&format!("{url} named north")).unwrap();
        assert_eq!(other.beside, "sqlite:data");
        assert_eq!(other.stream("ringledger.call-7"), None);
    }

    #[test]
    fn a_url_without_its_parts_is_refused_and_not_shown() {
        for url in [
            "kurrentdb://admin:hush@localhost:2113",
            "kurrentdb: beside sqlite:x",
        ] {
            let error = Address::parse(url).err().unwrap().to_string();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}

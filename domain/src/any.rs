//! The sum over all aggregates: for the feed of events and for the intents of
//! processes.

use crate::{
    agent, billing, call, callback,
    decider::{Decider, Event as _},
    device,
    id::{
        AgentId, CallId, CallbackId, EventId, MailboxId, QueueId, RefusalsId, SessionId, SubjectId,
        TenantId, TrunkId,
    },
    line, mailbox, person, queue, refusals, schedule, session,
    time::Timestamp,
    trunk,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt;

/// A command and the aggregate that it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnyCommand {
    /// For a call.
    Call(CallId, call::Command),
    /// For a session.
    Session(SessionId, session::Command),
    /// For a waiting line.
    Line(QueueId, line::Command),
    /// For a queue's configuration.
    Queue(QueueId, queue::Command),
    /// For a person whose data is kept.
    Person(SubjectId, person::Command),
    /// For refused calls that have no record.
    Refusals(RefusalsId, refusals::Command),
    /// For what an agent is to do when.
    Schedule(AgentId, schedule::Command),
    /// For an agent's configuration.
    Agent(AgentId, agent::Command),
    /// For an agent's phones.
    Device(AgentId, device::Command),
    /// For a trunk.
    Trunk(TrunkId, trunk::Command),
    /// For a callback.
    Callback(CallbackId, callback::Command),
    /// For a mailbox.
    Mailbox(MailboxId, mailbox::Command),
    /// For what belongs to billing.
    Billing(Box<billing::Command>),
}

impl AnyCommand {
    /// Category and key of the stream that decides it.
    pub fn target(&self) -> (&'static str, String) {
        match self {
            Self::Call(id, _) => (call::Call::CATEGORY, id.to_string()),
            Self::Session(id, _) => (session::Session::CATEGORY, id.to_string()),
            Self::Line(id, _) => (line::Line::CATEGORY, id.to_string()),
            Self::Queue(id, _) => (queue::Queue::CATEGORY, id.to_string()),
            Self::Person(id, _) => (person::Person::CATEGORY, id.to_string()),
            Self::Refusals(id, _) => (refusals::Refusals::CATEGORY, id.to_string()),
            Self::Schedule(id, _) => (schedule::Schedule::CATEGORY, id.to_string()),
            Self::Agent(id, _) => (agent::Agent::CATEGORY, id.to_string()),
            Self::Device(id, _) => (device::Device::CATEGORY, id.to_string()),
            Self::Trunk(id, _) => (trunk::Trunk::CATEGORY, id.to_string()),
            Self::Callback(id, _) => (callback::Callback::CATEGORY, id.to_string()),
            Self::Mailbox(id, _) => (mailbox::Mailbox::CATEGORY, id.to_string()),
            Self::Billing(command) => command.target(),
        }
    }
}

/// An event and the aggregate that it happened to.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyEvent {
    /// To a call.
    Call(CallId, call::Event),
    /// To a session.
    Session(SessionId, session::Event),
    /// To a waiting line.
    Line(QueueId, line::Event),
    /// To a queue's configuration.
    Queue(QueueId, queue::Event),
    /// To a person whose data is kept.
    Person(SubjectId, person::Event),
    /// To refused calls that have no record.
    Refusals(RefusalsId, refusals::Event),
    /// To what an agent is to do when.
    Schedule(AgentId, schedule::Event),
    /// To an agent's configuration.
    Agent(AgentId, agent::Event),
    /// To an agent's phones.
    Device(AgentId, device::Event),
    /// To a trunk.
    Trunk(TrunkId, trunk::Event),
    /// To a callback.
    Callback(CallbackId, callback::Event),
    /// To a mailbox.
    Mailbox(MailboxId, mailbox::Event),
    /// To what belongs to billing.
    Billing(billing::Event),
}

impl AnyEvent {
    /// Wire name.
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Call(_, event) => event.event_type(),
            Self::Session(_, event) => event.event_type(),
            Self::Line(_, event) => event.event_type(),
            Self::Queue(_, event) => event.event_type(),
            Self::Person(_, event) => event.event_type(),
            Self::Refusals(_, event) => event.event_type(),
            Self::Schedule(_, event) => event.event_type(),
            Self::Agent(_, event) => event.event_type(),
            Self::Device(_, event) => event.event_type(),
            Self::Trunk(_, event) => event.event_type(),
            Self::Callback(_, event) => event.event_type(),
            Self::Mailbox(_, event) => event.event_type(),
            Self::Billing(event) => event.event_type(),
        }
    }
}

/// A committed event, as processes and projections see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Place in the order of all events.
    pub position: u64,
    /// Its number in its stream, from 1.
    pub version: u64,
    /// Its id.
    pub event_id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// Run number of the node that wrote it.
    pub node_epoch: u64,
    /// The tenant that it belongs to.
    pub tenant: TenantId,
    /// What happened to what.
    pub event: AnyEvent,
}

/// An event with its time, as it is stored: `{"at":..,"event":{..}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped<E> {
    /// When it happened.
    pub at: Timestamp,
    /// What.
    pub event: E,
}

/// Why a stored event can not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No aggregate has streams of that category.
    #[error("stream category {0:?} is not known")]
    UnknownCategory(String),
    /// The key of the stream is no id of that category.
    #[error("stream key {0:?} is not an id")]
    InvalidKey(String),
    /// Written by a newer version.
    #[error("event {event_type:?} has version {version}, newest known is {known}")]
    NewerVersion {
        /// Wire name.
        event_type: String,
        /// Of the stored event.
        version: u32,
        /// Of this program.
        known: u32,
    },
    /// The payload does not fit its type.
    #[error("payload of {event_type:?} is not readable: {reason}")]
    InvalidPayload {
        /// Wire name.
        event_type: String,
        /// The parser's words.
        reason: String,
    },
}

/// Reads a stored event back.
///
/// # Errors
/// When the category, key, version or payload is not understood.
pub fn decode(
    category: &str,
    key: &str,
    event_type: &str,
    version: u32,
    payload: &str,
) -> Result<(Timestamp, AnyEvent), DecodeError> {
    let stored = Stored {
        key,
        event_type,
        version,
        payload,
    };
    match category {
        call::Call::CATEGORY => stored.read(AnyEvent::Call),
        session::Session::CATEGORY => {
            let id = parse_session(key).ok_or_else(|| DecodeError::InvalidKey(key.into()))?;
            let (at, event) = stored.event()?;
            Ok((at, AnyEvent::Session(id, event)))
        }
        line::Line::CATEGORY => stored.read(AnyEvent::Line),
        queue::Queue::CATEGORY => stored.read(AnyEvent::Queue),
        person::Person::CATEGORY => stored.read(AnyEvent::Person),
        refusals::Refusals::CATEGORY => stored.read(AnyEvent::Refusals),
        schedule::Schedule::CATEGORY => stored.read(AnyEvent::Schedule),
        agent::Agent::CATEGORY => stored.read(AnyEvent::Agent),
        device::Device::CATEGORY => stored.read(AnyEvent::Device),
        trunk::Trunk::CATEGORY => stored.read(AnyEvent::Trunk),
        callback::Callback::CATEGORY => stored.read(AnyEvent::Callback),
        mailbox::Mailbox::CATEGORY => stored.read(AnyEvent::Mailbox),
        _ => match billing::Event::decode(category, key, event_type, version, payload) {
            Some(read) => read.map(|(at, event)| (at, AnyEvent::Billing(event))),
            None => Err(DecodeError::UnknownCategory(category.into())),
        },
    }
}

struct Stored<'a> {
    key: &'a str,
    event_type: &'a str,
    version: u32,
    payload: &'a str,
}

impl Stored<'_> {
    fn event<E: crate::decider::Event>(&self) -> Result<(Timestamp, E), DecodeError> {
        read_event(self.event_type, self.version, self.payload)
    }

    fn read<I, E>(&self, wrap: fn(I, E) -> AnyEvent) -> Result<(Timestamp, AnyEvent), DecodeError>
    where
        I: std::str::FromStr,
        E: crate::decider::Event,
    {
        let id = self
            .key
            .parse()
            .map_err(|_| DecodeError::InvalidKey(self.key.into()))?;
        let (at, event) = self.event()?;
        Ok((at, wrap(id, event)))
    }
}

/// Reads the payload of one stored event of a known aggregate.
///
/// # Errors
/// When the version is newer than ours or the payload does not fit; an older one
/// is read by what [`crate::decider::Event::upcast`] makes of it.
pub fn read_event<E: crate::decider::Event>(
    event_type: &str,
    version: u32,
    payload: &str,
) -> Result<(Timestamp, E), DecodeError> {
    let stamped: Stamped<E> = match E::upcast(event_type, version) {
        None => parse(event_type, payload)?,
        Some(upcast) => {
            let old: Stamped<Value> = parse(event_type, payload)?;
            let invalid = |reason| DecodeError::InvalidPayload {
                event_type: event_type.into(),
                reason,
            };
            let event = upcast(old.at, old.event).map_err(invalid)?;
            let event = serde_json::from_value(event)
                .map_err(|error| invalid(format!("version {version}: {error}")))?;
            Stamped { at: old.at, event }
        }
    };
    let known = stamped.event.event_version();
    if version > known || stamped.event.event_type() != event_type {
        return Err(DecodeError::NewerVersion {
            event_type: event_type.into(),
            version,
            known,
        });
    }
    Ok((stamped.at, stamped.event))
}

fn parse<T: DeserializeOwned>(event_type: &str, payload: &str) -> Result<T, DecodeError> {
    serde_json::from_str(payload).map_err(|error| DecodeError::InvalidPayload {
        event_type: event_type.into(),
        reason: error.to_string(),
    })
}

/// `{agent}-{number}`.
fn parse_session(key: &str) -> Option<SessionId> {
    let (agent, number) = key.rsplit_once('-')?;
    Some(SessionId {
        agent: agent.parse().ok()?,
        number: number.parse().ok()?,
    })
}

impl fmt::Display for AnyCommand {
    /// Category and command name, without its data: fit for a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (category, key) = self.target();
        write!(f, "{category}-{key} {}", self.name())
    }
}

impl AnyCommand {
    /// The command's name, without its data: stable, part of derived ids.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Call(_, command) => command.name(),
            Self::Session(_, command) => match command {
                session::Command::LogIn { .. } => "log_in",
                session::Command::LogOut { .. } => "log_out",
                session::Command::GoReady => "go_ready",
                session::Command::GoNotReady { .. } => "go_not_ready",
                session::Command::RecordPhoneLost => "record_phone_lost",
                session::Command::RecordPhoneBack => "record_phone_back",
                session::Command::Reserve { .. } => "reserve",
                session::Command::ReleaseReservation { .. } => "release_reservation",
                session::Command::ConfirmConnect { .. } => "confirm_connect",
                session::Command::EndContact { .. } => "end_contact",
                session::Command::EndWrapUp { .. } => "end_wrap_up",
                session::Command::CompleteWrapUp { .. } => "complete_wrap_up",
                session::Command::ExtendWrapUp { .. } => "extend_wrap_up",
                session::Command::Force { .. } => "force",
            },
            Self::Line(_, command) => match command {
                line::Command::OpenVisit { .. } => "open_visit",
                line::Command::MatchVisit { .. } => "match_visit",
                line::Command::ReturnVisit { .. } => "return_visit",
                line::Command::ChangePriority { .. } => "change_priority",
                line::Command::AssignVisit { .. } => "assign_visit",
                line::Command::CloseVisit { .. } => "close_visit",
            },
            Self::Queue(_, command) => command.name(),
            Self::Person(_, command) => match command {
                person::Command::Erase { .. } => "erase_subject",
            },
            Self::Refusals(_, command) => match command {
                refusals::Command::Sum { .. } => "sum_refusals",
            },
            Self::Schedule(_, command) => command.name(),
            Self::Agent(_, command) => command.name(),
            Self::Device(_, command) => match command {
                device::Command::RecordRegistered { .. } => "record_registered",
                device::Command::RecordDeregistered { .. } => "record_deregistered",
                device::Command::ExpireBinding { .. } => "expire_binding",
            },
            Self::Trunk(_, command) => match command {
                trunk::Command::Configure { .. } => "configure_trunk",
                trunk::Command::Create { .. } => "create_trunk",
            },
            Self::Callback(_, command) => command.name(),
            Self::Mailbox(_, command) => command.name(),
            Self::Billing(command) => command.name(),
        }
    }
}

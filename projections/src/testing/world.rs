//! A world in which the real deciders write the record: whatever a test asks
//! for, the events are such as can happen.

use super::billing::Books;
use crate::runner::sealed;
use commands::ports::{Append, Change, EventLog, Metadata, NewEvent, StreamId, Vault as _};
use domain::{
    agent::Agent,
    any::{AnyCommand, AnyEvent, Fact, Stamped},
    call::Call,
    callback::Callback,
    decider::{Decider, Event as _},
    device::Device,
    id::{
        AgentId, CallId, CommandId, DEFAULT_TENANT, EventId, LegId, MailboxId, OfferId, QueueId,
        VisitId, VoicemailId,
    },
    line::Line,
    mailbox::Mailbox,
    person::Person,
    queue::Queue,
    refusals::Refusals,
    schedule::Schedule,
    sealed::{Party, Sealed},
    session::Session,
    time::Timestamp,
    trunk::Trunk,
};
use std::{collections::BTreeMap, sync::Arc};
use store::KeyedVault;
use uuid::Uuid;

/// The first instant: 2027-01-15, 08:00 UTC.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

const fn id(kind: u128, number: u64) -> Uuid {
    Uuid::from_u128((kind << 64) | number as u128)
}

pub(crate) const fn call(number: u64) -> CallId {
    CallId(id(1, number))
}
pub(crate) const fn leg(number: u64) -> LegId {
    LegId(id(2, number))
}
pub(crate) const fn agent(number: u64) -> AgentId {
    AgentId(id(3, number))
}
pub(crate) const fn queue(number: u64) -> QueueId {
    QueueId(id(4, number))
}
pub(crate) const fn visit(number: u64) -> VisitId {
    VisitId(id(5, number))
}
pub(crate) const fn offer(number: u64) -> OfferId {
    OfferId(id(6, number))
}

pub(crate) const fn mailbox() -> MailboxId {
    MailboxId(id(7, 1))
}
pub(crate) const fn message(number: u64) -> VoicemailId {
    VoicemailId(id(8, number))
}

/// Streams of one kind.
pub(super) type Streams<I, D> = BTreeMap<I, (<D as Decider>::State, u64)>;

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) facts: Vec<Fact>,
    /// What a person behind a sealed value is called.
    parties: BTreeMap<String, Party>,
    pub(crate) appends: Vec<Append>,
    pub(crate) vault: Arc<KeyedVault>,
    pub(crate) callers: Vec<Sealed<Party>>,
    /// What somebody writes about a call of each of them.
    pub(crate) notes: Vec<Sealed<Party>>,
    pub(crate) calls: Streams<CallId, Call>,
    pub(crate) sessions: Streams<domain::id::SessionId, Session>,
    pub(crate) lines: Streams<QueueId, Line>,
    queues: Streams<QueueId, Queue>,
    persons: Streams<domain::id::SubjectId, Person>,
    refusals: Streams<domain::id::RefusalsId, Refusals>,
    schedules: Streams<AgentId, Schedule>,
    agents: Streams<AgentId, Agent>,
    devices: Streams<AgentId, Device>,
    trunks: Streams<domain::id::TrunkId, Trunk>,
    callbacks: Streams<domain::id::CallbackId, Callback>,
    mailboxes: Streams<MailboxId, Mailbox>,
    pub(super) books: Books,
    /// Commands that processes owe for what has happened.
    pub(crate) owed: Vec<AnyCommand>,
    /// How many calls agents may have at once.
    pub(crate) capacity: u8,
}

/// Decides and evolves; what has happened, and the stream's version before.
pub(super) fn ask<I: Ord, D: Decider>(
    streams: &mut Streams<I, D>,
    id: I,
    at: Timestamp,
    command: D::Command,
) -> (u64, Vec<D::Event>) {
    let (state, version) = streams.entry(id).or_default();
    let before = *version;
    let events = D::decide(state, at, command).unwrap_or_default();
    for event in &events {
        *state = D::evolve(std::mem::take(state), at, event);
        *version += 1;
    }
    (before, events)
}

impl World {
    /// Two callers whose numbers are sealed; nothing has happened.
    pub(crate) async fn new() -> Self {
        let vault = Arc::new(store::memory::vault());
        let (mut callers, mut notes) = (vec![], vec![]);
        let mut parties = BTreeMap::new();
        for user in ["+4930111", "+4930222"] {
            let party = Party {
                user: user.into(),
                host: Some("carrier.example".into()),
                display_name: None,
                contact: None,
                user_field: None,
            };
            let sealed = vault.seal(&party).await.unwrap();
            parties.insert(sealed.data.clone(), party);
            let note = Party {
                user_field: Some(format!("is {user} for sure")),
                ..Party::default()
            };
            let sealed_note = vault.seal_for(sealed.subject, &note).await.unwrap();
            parties.insert(sealed_note.data.clone(), note);
            callers.push(sealed);
            notes.push(sealed_note);
        }
        Self {
            now: START,
            facts: vec![],
            parties,
            appends: vec![],
            vault,
            callers,
            notes,
            calls: BTreeMap::new(),
            sessions: BTreeMap::new(),
            lines: BTreeMap::new(),
            queues: BTreeMap::new(),
            persons: BTreeMap::new(),
            refusals: BTreeMap::new(),
            schedules: BTreeMap::new(),
            agents: BTreeMap::new(),
            devices: BTreeMap::new(),
            trunks: BTreeMap::new(),
            callbacks: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            books: Books::default(),
            owed: vec![],
            capacity: 1,
        }
    }

    /// By which calls are measured that come into the queue now.
    pub(crate) fn measure(&self, queue: QueueId) -> Option<domain::line::Measure> {
        let config = self.queues.get(&queue)?.0.config.as_ref();
        config.map(domain::queue::Config::measure)
    }

    pub(crate) fn pass(&mut self, ms: u64) -> &mut Self {
        self.now = self.now.plus_ms(ms);
        self
    }

    /// What is planned for the agent.
    pub(crate) fn planned(&self, agent: AgentId) -> Vec<domain::schedule::Segment> {
        let schedule = self.schedules.get(&agent);
        schedule.map_or(vec![], |(schedule, _)| schedule.segments.clone())
    }

    /// That person is behind that sealed value.
    pub(crate) fn knows(&mut self, sealed: &Sealed<Party>, party: Party) {
        self.parties.insert(sealed.data.clone(), party);
    }

    /// Who is behind a fact, as the vault would say.
    pub(crate) fn party(&self, fact: &Fact) -> Option<&Party> {
        sealed(fact).and_then(|sealed| self.parties.get(&sealed.data))
    }

    /// Asks an aggregate; what is refused does not happen. What has happened.
    pub(crate) fn tell(&mut self, command: AnyCommand) -> Vec<AnyEvent> {
        let at = self.now;
        match command {
            AnyCommand::Call(id, command) => {
                let (before, events) = ask::<_, Call>(&mut self.calls, id, at, command);
                self.record::<Call, _>(id, before, events, |event| AnyEvent::Call(id, event))
            }
            AnyCommand::Session(id, command) => {
                let (before, events) = ask::<_, Session>(&mut self.sessions, id, at, command);
                self.record::<Session, _>(id, before, events, |event| AnyEvent::Session(id, event))
            }
            AnyCommand::Line(id, command) => {
                let (before, events) = ask::<_, Line>(&mut self.lines, id, at, command);
                self.record::<Line, _>(id, before, events, |event| AnyEvent::Line(id, event))
            }
            AnyCommand::Queue(id, command) => {
                let (before, events) = ask::<_, Queue>(&mut self.queues, id, at, command);
                self.record::<Queue, _>(id, before, events, |event| AnyEvent::Queue(id, event))
            }
            AnyCommand::Person(id, command) => {
                let (before, events) = ask::<_, Person>(&mut self.persons, id, at, command);
                self.record::<Person, _>(id, before, events, |event| AnyEvent::Person(id, event))
            }
            AnyCommand::Refusals(id, command) => {
                let (before, events) = ask::<_, Refusals>(&mut self.refusals, id, at, command);
                self.record::<Refusals, _>(id, before, events, |event| {
                    AnyEvent::Refusals(id, event)
                })
            }
            AnyCommand::Schedule(id, command) => {
                let (before, events) = ask::<_, Schedule>(&mut self.schedules, id, at, command);
                self.record::<Schedule, _>(id, before, events, |event| {
                    AnyEvent::Schedule(id, event)
                })
            }
            AnyCommand::Agent(id, command) => {
                let (before, events) = ask::<_, Agent>(&mut self.agents, id, at, command);
                self.record::<Agent, _>(id, before, events, |event| AnyEvent::Agent(id, event))
            }
            AnyCommand::Device(id, command) => {
                let (before, events) = ask::<_, Device>(&mut self.devices, id, at, command);
                self.record::<Device, _>(id, before, events, |event| AnyEvent::Device(id, event))
            }
            AnyCommand::Trunk(id, command) => {
                let (before, events) = ask::<_, Trunk>(&mut self.trunks, id, at, command);
                self.record::<Trunk, _>(id, before, events, |event| AnyEvent::Trunk(id, event))
            }
            AnyCommand::Callback(id, command) => {
                let (before, events) = ask::<_, Callback>(&mut self.callbacks, id, at, command);
                self.record::<Callback, _>(id, before, events, |event| {
                    AnyEvent::Callback(id, event)
                })
            }
            AnyCommand::Mailbox(id, command) => {
                let (before, events) = ask::<_, Mailbox>(&mut self.mailboxes, id, at, command);
                self.record::<Mailbox, _>(id, before, events, |event| AnyEvent::Mailbox(id, event))
            }
            AnyCommand::Billing(command) => self.ask_billing(*command),
        }
    }

    pub(super) fn record<D: Decider, I: std::fmt::Display>(
        &mut self,
        id: I,
        before: u64,
        events: Vec<D::Event>,
        wrap: impl Fn(D::Event) -> AnyEvent,
    ) -> Vec<AnyEvent> {
        let mut new = vec![];
        let mut happened = vec![];
        for (version, event) in (before + 1..).zip(events) {
            let position = self.facts.len() as u64 + 1;
            let event_id = EventId(self::id(20, position));
            let stamped = Stamped {
                at: self.now,
                event: event.clone(),
            };
            new.push(NewEvent {
                event_id,
                event_type: event.event_type(),
                event_version: event.event_version(),
                payload: serde_json::to_string(&stamped).unwrap().into(),
            });
            let event = wrap(event);
            happened.push(event.clone());
            self.facts.push(Fact {
                position,
                version,
                event_id,
                at: self.now,
                node_epoch: 1,
                tenant: domain::id::DEFAULT_TENANT,
                event,
            });
        }
        if !new.is_empty() {
            let number = self.appends.len() as u64 + 1;
            self.appends.push(Append {
                stream: StreamId::new(D::CATEGORY, id),
                aggregate_type: D::CATEGORY,
                expected: before,
                changes: vec![Change {
                    command_id: CommandId(self::id(21, number)),
                    metadata: metadata(),
                    events: new,
                }],
            });
        }
        happened
    }

    /// The record as a log.
    pub(crate) async fn log(&self) -> Arc<dyn EventLog> {
        let log = store::memory::MemoryLog::new();
        for result in log.append(self.appends.clone()).await {
            result.unwrap();
        }
        Arc::new(log)
    }
}

pub(crate) fn metadata() -> Metadata {
    Metadata {
        tenant: DEFAULT_TENANT,
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        actor: "test".into(),
        node_epoch: 1,
    }
}

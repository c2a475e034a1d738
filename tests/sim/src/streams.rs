//! Every aggregate of the world, in memory, decided by the real deciders, and
//! the one log that they write.

use crate::{log::Log, mutant::Mutant};
use domain::{
    agent::Agent,
    any::{AnyCommand, AnyEvent, Fact},
    call::Call,
    callback::Callback,
    decider::{Decider, Refusal},
    device::Device,
    id::{AgentId, CallId, CallbackId, EventId, MailboxId, QueueId, SessionId, SubjectId, TrunkId},
    line::Line,
    mailbox::Mailbox,
    person::Person,
    queue::Queue,
    session::Session,
    time::Timestamp,
    trunk::Trunk,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// One stream: what is folded of it, how long it is, and when it was last
/// written.
#[derive(Debug, Clone)]
struct Stream<S> {
    state: S,
    version: u64,
    last_at: Timestamp,
}

/// The streams of one aggregate.
#[derive(Debug, Clone)]
pub(crate) struct Streams<I, D: Decider>(BTreeMap<I, Stream<D::State>>);

impl<I, D: Decider> Default for Streams<I, D> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// Code of a refusal, and the version of the stream that said so.
pub(crate) type Refused = (&'static str, u64);

/// Events with their version in the stream, and when they happened.
type Written = Vec<(u64, Timestamp, AnyEvent)>;

impl<I: Ord + Copy, D: Decider> Streams<I, D> {
    /// Decides and folds. Time does not run backwards within a stream.
    fn handle(
        &mut self,
        id: I,
        at: Timestamp,
        command: D::Command,
        wrap: fn(I, D::Event) -> AnyEvent,
    ) -> Result<Written, Refused> {
        let at = self
            .0
            .get(&id)
            .map_or(at, |stream| at.told_after(stream.last_at));
        let decided = match self.0.get(&id) {
            Some(stream) => D::decide(&stream.state, at, command)
                .map_err(|error| (error.code(), stream.version))?,
            None => {
                D::decide(&D::State::default(), at, command).map_err(|error| (error.code(), 0))?
            }
        };
        if decided.is_empty() {
            return Ok(vec![]);
        }
        Ok(self.write(id, at, decided, wrap))
    }

    fn write(
        &mut self,
        id: I,
        at: Timestamp,
        events: Vec<D::Event>,
        wrap: fn(I, D::Event) -> AnyEvent,
    ) -> Written {
        let stream = self.0.entry(id).or_insert_with(|| Stream {
            state: D::State::default(),
            version: 0,
            last_at: at,
        });
        stream.last_at = at;
        let mut written = vec![];
        for event in events {
            stream.version += 1;
            stream.state = D::evolve(std::mem::take(&mut stream.state), at, &event);
            written.push((stream.version, at, wrap(id, event)));
        }
        written
    }

    pub(crate) fn get(&self, id: I) -> Option<&D::State> {
        self.0.get(&id).map(|stream| &stream.state)
    }

    /// Out of memory: nobody will ask for it again.
    pub(crate) fn evict(&mut self, id: I) {
        self.0.remove(&id);
    }
}

/// All of them.
#[derive(Default, Clone)]
pub(crate) struct Everything {
    pub(crate) calls: Streams<CallId, Call>,
    pub(crate) sessions: Streams<SessionId, Session>,
    pub(crate) lines: Streams<QueueId, Line>,
    pub(crate) queues: Streams<QueueId, Queue>,
    pub(crate) agents: Streams<AgentId, Agent>,
    persons: Streams<SubjectId, Person>,
    devices: Streams<AgentId, Device>,
    trunks: Streams<TrunkId, Trunk>,
    callbacks: Streams<CallbackId, Callback>,
    pub(crate) mailboxes: Streams<MailboxId, Mailbox>,
    pub(crate) log: Log,
}

impl Everything {
    /// Decides one command and writes what follows; how many events that are.
    pub(crate) fn handle(
        &mut self,
        at: Timestamp,
        command: AnyCommand,
        mutant: Option<Mutant>,
    ) -> Result<u64, Refused> {
        let command = match mutant {
            Some(mutant) => mutant.twist(self, command),
            None => command,
        };
        let asked = mutant.map(|mutant| (mutant, command.clone()));
        let written = self.decide(at, command);
        let written = match (written, asked) {
            (Err(refused), Some((mutant, command))) => mutant
                .forgive(&command, refused.0)
                .map(|event| self.force(at, event))
                .ok_or(refused)?,
            (written, _) => written?,
        };
        let count = written.len() as u64;
        for (version, at, event) in written {
            self.note(version, at, event);
        }
        Ok(count)
    }

    fn decide(&mut self, at: Timestamp, command: AnyCommand) -> Result<Written, Refused> {
        match command {
            AnyCommand::Call(id, c) => self.calls.handle(id, at, c, AnyEvent::Call),
            AnyCommand::Session(id, c) => self.sessions.handle(id, at, c, AnyEvent::Session),
            AnyCommand::Line(id, c) => self.lines.handle(id, at, c, AnyEvent::Line),
            AnyCommand::Queue(id, c) => self.queues.handle(id, at, c, AnyEvent::Queue),
            AnyCommand::Agent(id, c) => self.agents.handle(id, at, c, AnyEvent::Agent),
            AnyCommand::Person(id, c) => self.persons.handle(id, at, c, AnyEvent::Person),
            AnyCommand::Device(id, c) => self.devices.handle(id, at, c, AnyEvent::Device),
            AnyCommand::Trunk(id, c) => self.trunks.handle(id, at, c, AnyEvent::Trunk),
            AnyCommand::Callback(id, c) => self.callbacks.handle(id, at, c, AnyEvent::Callback),
            AnyCommand::Mailbox(id, c) => self.mailboxes.handle(id, at, c, AnyEvent::Mailbox),
            // Nobody here pays for anything, or calls too often.
            AnyCommand::Refusals(..) | AnyCommand::Schedule(..) | AnyCommand::Billing(_) => {
                Ok(vec![])
            }
        }
    }

    /// Writes what no decider has decided: for planted bugs only.
    fn force(&mut self, at: Timestamp, event: AnyEvent) -> Written {
        match event {
            AnyEvent::Call(id, e) => self.calls.write(id, at, vec![e], AnyEvent::Call),
            AnyEvent::Session(id, e) => self.sessions.write(id, at, vec![e], AnyEvent::Session),
            AnyEvent::Line(id, e) => self.lines.write(id, at, vec![e], AnyEvent::Line),
            AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => vec![],
        }
    }

    fn note(&mut self, version: u64, at: Timestamp, event: AnyEvent) {
        let position = self.log.head() + 1;
        let (stream, category) = stream_of(&event);
        let label = format!("{category}/{version}");
        let event_id = EventId(domain::id::derive(at.millis_unsigned(), stream, &label));
        self.log.push(Fact {
            position,
            version,
            event_id,
            at,
            node_epoch: 1,
            tenant: domain::id::DEFAULT_TENANT,
            event,
        });
    }
}

/// An event's id follows from its stream and version: what happens elsewhere
/// does not change it.
fn stream_of(event: &AnyEvent) -> (Uuid, String) {
    match event {
        AnyEvent::Call(id, _) => (id.0, "call".into()),
        AnyEvent::Session(id, _) => (id.agent.0, format!("session/{}", id.number)),
        AnyEvent::Line(id, _) => (id.0, "line".into()),
        AnyEvent::Queue(id, _) => (id.0, "queue".into()),
        AnyEvent::Agent(id, _) => (id.0, "agent".into()),
        AnyEvent::Person(id, _) => (id.0, "subject".into()),
        AnyEvent::Schedule(id, _) => (id.0, "schedule".into()),
        AnyEvent::Refusals(id, _) => (id.0, "refusals".into()),
        AnyEvent::Device(id, _) => (id.0, "device".into()),
        AnyEvent::Trunk(id, _) => (id.0, "trunk".into()),
        AnyEvent::Callback(id, _) => (id.0, "callback".into()),
        AnyEvent::Mailbox(id, _) => (id.0, "mailbox".into()),
        AnyEvent::Billing(event) => (Uuid::nil(), event.category().into()),
    }
}

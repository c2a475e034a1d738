//! Every aggregate of the world, in memory, and the one log.

use crate::{
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

/// The streams of one aggregate: state and version.
pub(super) struct Streams<I, D: Decider>(pub(super) BTreeMap<I, (D::State, u64)>);

impl<I, D: Decider> Default for Streams<I, D> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// Code of a refusal, and the version of the stream that said so.
pub(super) type Refused = (&'static str, u64);

impl<I: Ord + Copy, D: Decider> Streams<I, D> {
    /// Decides and folds; each event comes with its version.
    fn handle(
        &mut self,
        id: I,
        at: Timestamp,
        command: D::Command,
        wrap: fn(I, D::Event) -> AnyEvent,
    ) -> Result<Vec<(u64, AnyEvent)>, Refused> {
        let (state, version) = self.0.entry(id).or_default();
        let events = D::decide(state, at, command).map_err(|error| (error.code(), *version))?;
        let mut written = vec![];
        for event in events {
            *version += 1;
            *state = D::evolve(std::mem::take(state), at, &event);
            written.push((*version, wrap(id, event)));
        }
        Ok(written)
    }

    pub(super) fn states(&self) -> impl Iterator<Item = (I, &D::State)> {
        self.0.iter().map(|(id, (state, _))| (*id, state))
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct Everything {
    pub(super) calls: Streams<CallId, Call>,
    pub(super) sessions: Streams<SessionId, Session>,
    pub(super) lines: Streams<QueueId, Line>,
    queues: Streams<QueueId, Queue>,
    persons: Streams<SubjectId, Person>,
    pub(super) agents: Streams<AgentId, Agent>,
    pub(super) devices: Streams<AgentId, Device>,
    trunks: Streams<TrunkId, Trunk>,
    callbacks: Streams<CallbackId, Callback>,
    pub(super) mailboxes: Streams<MailboxId, Mailbox>,
    pub(super) log: Vec<Fact>,
}

impl Everything {
    /// Decides one command and writes what follows.
    pub(super) fn handle(&mut self, at: Timestamp, command: AnyCommand) -> Result<usize, Refused> {
        let written = match command {
            AnyCommand::Call(id, c) => self.calls.handle(id, at, c, AnyEvent::Call),
            AnyCommand::Session(id, c) => self.sessions.handle(id, at, c, AnyEvent::Session),
            AnyCommand::Line(id, c) => self.lines.handle(id, at, c, AnyEvent::Line),
            AnyCommand::Queue(id, c) => self.queues.handle(id, at, c, AnyEvent::Queue),
            AnyCommand::Person(id, c) => self.persons.handle(id, at, c, AnyEvent::Person),
            AnyCommand::Agent(id, c) => self.agents.handle(id, at, c, AnyEvent::Agent),
            AnyCommand::Device(id, c) => self.devices.handle(id, at, c, AnyEvent::Device),
            AnyCommand::Trunk(id, c) => self.trunks.handle(id, at, c, AnyEvent::Trunk),
            AnyCommand::Callback(id, c) => self.callbacks.handle(id, at, c, AnyEvent::Callback),
            AnyCommand::Mailbox(id, c) => self.mailboxes.handle(id, at, c, AnyEvent::Mailbox),
            // Nobody here pays for anything, or calls too often.
            AnyCommand::Refusals(..) | AnyCommand::Schedule(..) | AnyCommand::Billing(_) => {
                Ok(vec![])
            }
        }?;
        let count = written.len();
        for (version, event) in written {
            let position = self.log.len() as u64 + 1;
            let event_id = EventId(crate::id::derive(
                at.millis_unsigned(),
                Uuid::from_u128(u128::from(position)),
                "event",
            ));
            self.log.push(Fact {
                position,
                version,
                event_id,
                at,
                node_epoch: 1,
                tenant: crate::id::DEFAULT_TENANT,
                event,
            });
        }
        Ok(count)
    }
}

//! Mailboxes, queues, trunks and agents of the configuration file, applied at start as
//! commands: what is unchanged writes no event.

mod agent_entry;
mod mailbox;
mod trunk_entry;

pub use agent_entry::{AgentEntry, PlaceEntry};
pub use mailbox::MailboxEntry;
pub use trunk_entry::TrunkEntry;

use crate::config::Secret;
use commands::{
    directory::Directory,
    envelope::Envelope,
    error::DispatchError,
    gateway::Gateway,
    ports::{Clock, Entropy, Position, Secrets, StoreError},
};
use domain::{
    agent,
    any::AnyCommand,
    calendar::Zone,
    call::{AnswerMode, Key, OverflowCause},
    callback,
    id::{AgentId, CommandId, DEFAULT_TENANT, MailboxId, QueueId, TrunkId},
    queue::{self, Strategy},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A queue in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueEntry {
    /// Name: user part of its SIP address.
    pub name: String,
    /// Which agent is offered a call first.
    #[serde(default = "strategy")]
    pub strategy: Strategy,
    /// How long one agent's phone rings.
    #[serde(default = "ring_timeout_ms")]
    pub ring_timeout_ms: u64,
    /// Work after a call; 0 for none.
    #[serde(default)]
    pub wrap_up_ms: u64,
    /// When the caller is answered.
    #[serde(default = "answer_mode")]
    pub answer_mode: AnswerMode,
    /// How long a caller waits at most; 0 for no limit.
    #[serde(default = "max_wait_ms")]
    pub max_wait_ms: u64,
    /// A call that would wait longer does not wait here; 0 for never.
    #[serde(default)]
    pub expected_wait_max_ms: u64,
    /// No stay becomes older; 0 for no such net.
    #[serde(default = "visit_ttl_ms")]
    pub visit_ttl_ms: u64,
    /// Callers in the queue at most.
    #[serde(default = "capacity")]
    pub capacity: u32,
    /// Answered within this time counts as in time.
    #[serde(default = "service_level_threshold_ms")]
    pub service_level_threshold_ms: u64,
    /// How many of a hundred calls are to be answered in that time.
    #[serde(default = "service_level_target_percent")]
    pub service_level_target_percent: u8,
    /// Whoever leaves in less than this time has hardly called.
    #[serde(default = "short_abandon_ms")]
    pub short_abandon_ms: u64,
    /// Whose days its figures of today are of.
    #[serde(default)]
    pub time_zone: Option<Zone>,
    /// Numbers that lead to it.
    #[serde(default)]
    pub numbers: Vec<String>,
    /// Where calls go that it does not serve.
    #[serde(default)]
    pub overflow: Vec<OverflowEntry>,
    /// How it matches calls and agents.
    #[serde(default)]
    pub matching: queue::Matching,
    /// What it asks of its agents.
    #[serde(default)]
    pub terms: queue::Terms,
    /// When it takes calls.
    #[serde(default)]
    pub hours: Option<queue::Hours>,
    /// Keys by which a waiting caller leaves it.
    #[serde(default)]
    pub exits: Vec<ExitEntry>,
    /// Whether calls wait where nobody is there.
    #[serde(default)]
    pub empty: queue::Empty,
    /// For how long the place of a caller who drops is kept.
    #[serde(default)]
    pub resume_abandoned_ms: u64,
    /// How those are rung back who wait no longer.
    #[serde(default)]
    pub callback: callback::Terms,
    /// How callers who wait are told their place.
    #[serde(default)]
    pub announce_position: Option<queue::AnnouncePosition>,
    /// What callers hear while they wait: a name of `media.music`.
    #[serde(default)]
    pub music: Option<String>,
}

impl QueueEntry {
    /// A queue of which only the name is said.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            strategy: strategy(),
            ring_timeout_ms: ring_timeout_ms(),
            wrap_up_ms: 0,
            answer_mode: answer_mode(),
            max_wait_ms: max_wait_ms(),
            capacity: capacity(),
            service_level_threshold_ms: service_level_threshold_ms(),
            service_level_target_percent: service_level_target_percent(),
            short_abandon_ms: short_abandon_ms(),
            expected_wait_max_ms: 0,
            visit_ttl_ms: visit_ttl_ms(),
            time_zone: None,
            numbers: vec![],
            overflow: vec![],
            matching: queue::Matching::default(),
            terms: queue::Terms::STANDARD,
            hours: None,
            exits: vec![],
            empty: queue::Empty::default(),
            resume_abandoned_ms: 0,
            callback: callback::Terms::STANDARD,
            announce_position: None,
            music: None,
        }
    }

    /// The command that makes the queue as it stands here.
    pub fn command(&self) -> queue::Command {
        let config = queue::Config {
            strategy: self.strategy,
            ring_timeout_ms: self.ring_timeout_ms,
            wrap_up_ms: self.wrap_up_ms,
            answer_mode: self.answer_mode,
            max_wait_ms: self.max_wait_ms,
            capacity: self.capacity,
            service_level_threshold_ms: self.service_level_threshold_ms,
            service_level_target_percent: self.service_level_target_percent,
            short_abandon_ms: self.short_abandon_ms,
            expected_wait_max_ms: self.expected_wait_max_ms,
            visit_ttl_ms: self.visit_ttl_ms,
            time_zone: self.time_zone,
            numbers: self.numbers.clone(),
            overflow: self
                .overflow
                .iter()
                .filter_map(OverflowEntry::rule)
                .collect(),
            matching: self.matching.clone(),
            terms: self.terms,
            hours: self.hours.clone().map(Box::new),
            exits: self.exits.iter().filter_map(ExitEntry::exit).collect(),
            empty: self.empty.clone(),
            resume_abandoned_ms: self.resume_abandoned_ms,
            callback: self.callback,
            announce_position: self.announce_position.clone().map(Box::new),
            music: self.music.clone(),
        };
        let name = self.name.clone();
        queue::Command::Configure { name, config }
    }
}

/// Where calls of a queue go in one case: a queue, a number, home to be rung back, home
/// after an announcement, or a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverflowEntry {
    /// In which case.
    pub when: OverflowCause,
    /// Name of a queue.
    #[serde(default)]
    pub queue: Option<String>,
    /// A number outside.
    #[serde(default)]
    pub number: Option<String>,
    /// The caller is rung back.
    #[serde(default)]
    pub callback: bool,
    /// The caller is told this: a name of `media.announcements`.
    #[serde(default)]
    pub announcement: Option<String>,
    /// Name of a mailbox, in which the caller leaves a message.
    #[serde(default)]
    pub mailbox: Option<String>,
}

impl OverflowEntry {
    /// The rule; none if it does not lead to one place.
    pub fn rule(&self) -> Option<queue::Overflow> {
        let to = one_of(
            self.queue.as_deref(),
            self.number.as_deref(),
            self.callback,
            self.announcement.as_deref(),
            self.mailbox.as_deref(),
        )?;
        let when = self.when;
        Some(queue::Overflow { when, to })
    }
}

/// Where a key leads: a queue, a number, home to be rung back, home after an
/// announcement, or a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExitEntry {
    /// Which key.
    pub key: Key,
    /// Name of a queue.
    #[serde(default)]
    pub queue: Option<String>,
    /// A number outside.
    #[serde(default)]
    pub number: Option<String>,
    /// The caller is rung back.
    #[serde(default)]
    pub callback: bool,
    /// The caller is told this: a name of `media.announcements`.
    #[serde(default)]
    pub announcement: Option<String>,
    /// Name of a mailbox, in which the caller leaves a message.
    #[serde(default)]
    pub mailbox: Option<String>,
}

impl ExitEntry {
    /// The exit; none if it does not lead to one place.
    pub fn exit(&self) -> Option<queue::Exit> {
        let to = one_of(
            self.queue.as_deref(),
            self.number.as_deref(),
            self.callback,
            self.announcement.as_deref(),
            self.mailbox.as_deref(),
        )?;
        let key = self.key;
        Some(queue::Exit { key, to })
    }
}

fn one_of(
    queue: Option<&str>,
    number: Option<&str>,
    back: bool,
    announcement: Option<&str>,
    mailbox: Option<&str>,
) -> Option<queue::OverflowTo> {
    let places = [
        queue.map(|name| queue::OverflowTo::Queue(QueueId::named(DEFAULT_TENANT, name))),
        number.map(|number| queue::OverflowTo::Number(number.into())),
        back.then_some(queue::OverflowTo::Callback),
        announcement.map(|name| queue::OverflowTo::Announcement(name.into())),
        mailbox.map(|name| queue::OverflowTo::Mailbox(MailboxId::named(DEFAULT_TENANT, name))),
    ];
    let mut places = places.into_iter().flatten();
    places.next().filter(|_| places.next().is_none())
}

fn strategy() -> Strategy {
    queue::Config::default().strategy
}
fn ring_timeout_ms() -> u64 {
    queue::Config::default().ring_timeout_ms
}
fn answer_mode() -> AnswerMode {
    queue::Config::default().answer_mode
}
fn max_wait_ms() -> u64 {
    queue::Config::default().max_wait_ms
}
fn capacity() -> u32 {
    queue::Config::default().capacity
}
fn visit_ttl_ms() -> u64 {
    queue::Config::default().visit_ttl_ms
}
fn short_abandon_ms() -> u64 {
    queue::Config::default().short_abandon_ms
}
fn service_level_target_percent() -> u8 {
    queue::Config::default().service_level_target_percent
}
fn service_level_threshold_ms() -> u64 {
    queue::Config::default().service_level_threshold_ms
}

/// Why an entry was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The rules refuse it.
    #[error("{kind} {name:?} was refused")]
    Refused {
        /// `queue`, `trunk`, `agent`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Why.
        #[source]
        cause: DispatchError,
    },
    /// An agent names a queue that is not there.
    #[error("agent {agent:?} serves queue {queue:?}, which does not exist")]
    NoSuchQueue {
        /// Which agent.
        agent: String,
        /// Which queue.
        queue: String,
    },
    /// A credential can not be stored.
    #[error("credential of {name:?} can not be stored")]
    Secret {
        /// Whose.
        name: String,
        /// Why.
        #[source]
        cause: StoreError,
    },
}

/// What provisioning works with.
#[derive(Clone)]
pub struct Provisioner {
    /// Where commands go.
    pub gateway: Gateway,
    /// Who is there already.
    pub directory: Directory,
    /// Where credentials go.
    pub secrets: Arc<dyn Secrets>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub entropy: Arc<dyn Entropy>,
    /// Realm of the digest.
    pub realm: String,
}

impl std::fmt::Debug for Provisioner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Provisioner")
    }
}

impl Provisioner {
    /// Applies all entries; returns the position after which all are known.
    ///
    /// # Errors
    /// The first entry that can not be applied; what came before it stands.
    pub async fn apply(&self, config: &crate::config::Config) -> Result<Position, ProvisionError> {
        let mut last = Position::default();
        for entry in &config.mailboxes {
            let command = AnyCommand::Mailbox(entry.id(), entry.command());
            last = last.max(self.command("mailbox", &entry.name, command).await?);
        }
        for entry in &config.queues {
            last = last.max(self.queue(entry).await?);
        }
        self.directory.wait_for(last).await;
        for entry in &config.trunks {
            last = last.max(self.trunk(entry).await?);
        }
        for entry in &config.agents {
            last = last.max(self.agent(entry).await?);
        }
        self.directory.wait_for(last).await;
        Ok(last)
    }

    async fn queue(&self, entry: &QueueEntry) -> Result<Position, ProvisionError> {
        let id = QueueId::named(DEFAULT_TENANT, &entry.name);
        let command = entry.command();
        self.command("queue", &entry.name, AnyCommand::Queue(id, command))
            .await
    }

    async fn trunk(&self, entry: &TrunkEntry) -> Result<Position, ProvisionError> {
        let id = TrunkId::named(DEFAULT_TENANT, &entry.name);
        if let Some(Secret(password)) = &entry.password {
            self.secret("trunk_password", &id.to_string(), password, &entry.name)
                .await?;
        }
        let command = entry.command();
        self.command("trunk", &entry.name, AnyCommand::Trunk(id, command))
            .await
    }

    async fn agent(&self, entry: &AgentEntry) -> Result<Position, ProvisionError> {
        let id = AgentId::named(DEFAULT_TENANT, &entry.name);
        let mut queues = Vec::with_capacity(entry.queues.len());
        for name in &entry.queues {
            let queue =
                self.directory
                    .resolve(name)
                    .ok_or_else(|| ProvisionError::NoSuchQueue {
                        agent: entry.name.clone(),
                        queue: name.clone(),
                    })?;
            queues.push(queue.id);
        }
        commands::credentials::keep(
            self.secrets.as_ref(),
            &self.realm,
            &entry.name,
            &entry.password.0,
        )
        .await
        .map_err(|cause| ProvisionError::Secret {
            name: entry.name.clone(),
            cause,
        })?;
        let grace_ms = entry.registration_grace_ms;
        let config = agent::Config {
            display_name: None,
            queues,
            ready_on_register: entry.ready_on_register,
            registration_grace_ms: grace_ms.unwrap_or(agent::REGISTRATION_GRACE_MS),
            skills: entry.skills.clone(),
            places: entry.places(),
            capacity: entry.capacity,
        };
        let command = agent::Command::Configure {
            name: entry.name.clone(),
            config,
        };
        self.command("agent", &entry.name, AnyCommand::Agent(id, command))
            .await
    }

    async fn secret(
        &self,
        kind: &str,
        key: &str,
        value: &str,
        name: &str,
    ) -> Result<(), ProvisionError> {
        let failed = |cause| ProvisionError::Secret {
            name: name.into(),
            cause,
        };
        let current = self.secrets.get(kind, key).await.map_err(failed)?;
        if current.as_deref() == Some(value) {
            return Ok(());
        }
        self.secrets.put(kind, key, value).await.map_err(failed)
    }

    async fn command(
        &self,
        kind: &'static str,
        name: &str,
        command: AnyCommand,
    ) -> Result<Position, ProvisionError> {
        let at = self.clock.now();
        let id = self.entropy.uuid(at);
        let envelope = Envelope {
            command,
            command_id: CommandId(id),
            at,
            correlation_id: id,
            causation_id: id,
            actor: "config".into(),
            tenant: DEFAULT_TENANT,
        };
        match self.gateway.dispatch(envelope).await {
            Ok(committed) => Ok(committed.position),
            Err(cause) => Err(ProvisionError::Refused {
                kind,
                name: name.into(),
                cause,
            }),
        }
    }
}
